/** Time comes from outside: tests hand in a clock of their own, so that waiting takes no time and means one number. */

/** A timer that was set; give it back to {@link Clock.cancel}. */
export type Timer = unknown

/**
 * Where offhook reads the time and sets its timers. `createClient({ clock })` takes another one, for tests.
 *
 * All durations are milliseconds.
 */
export interface Clock {
  /** Monotonic milliseconds, from any origin. */
  now(): number
  /** Milliseconds since 1970, for dates in headers. */
  epoch(): number
  /** Runs `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): Timer
  /** Makes a timer not run. A timer that has run, or `undefined`, is ignored. */
  cancel(timer: Timer | undefined): void
  /** Runs `action` after the sockets have been looked at once more: the next turn of the event loop. */
  nextTurn(action: () => void): void
}

/** Microseconds are as fine as these clocks go; more digits only make logs hard to read. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** A delay above this makes Node's timers fire at once. */
export const longestDelayMs = 2 ** 31 - 1

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after: (delayMs, action) => {
    const ms = Math.min(Math.max(delayMs, 0), longestDelayMs)
    return lineOf(ms)?.add(action) ?? setTimeout(action, ms)
  },
  cancel: (timer) => {
    if (timer instanceof Waiter) timer.line.remove(timer)
    else if (timer !== undefined) clearTimeout(timer as NodeJS.Timeout)
  },
  nextTurn: (action) => {
    setImmediate(action)
  },
}

/** Delays from this on are those of limits, which are set for every call and hardly ever reached. */
const pooledFromMs = 1000

/** A timer that stands in a line with others of the same delay. */
class Waiter {
  previous: Waiter | undefined
  next: Waiter | undefined
  waits = true

  constructor(
    readonly line: WaitingLine,
    readonly due: number,
    readonly action: () => void,
  ) {}
}

/**
 * All timers of one delay, in the order in which they are due, before one of Node's. Nearly every one is cancelled; that
 * one runs on then, without keeping the process, and looks who is due when it fires. To set a timer and to cancel it
 * costs a quarter of what it costs with one of Node's for each.
 */
class WaitingLine {
  /** Whoever replaces `setTimeout`, as test runners do, has a time of its own. */
  readonly setTimer = globalThis.setTimeout
  readonly #delayMs: number
  #first: Waiter | undefined
  #last: Waiter | undefined
  #timer: NodeJS.Timeout

  constructor(delayMs: number) {
    this.#delayMs = delayMs
    this.#timer = this.#arm(delayMs)
  }

  add(action: () => void): Waiter {
    const waiter = new Waiter(this, performance.now() + this.#delayMs, action)
    const last = this.#last
    if (last === undefined) {
      this.#first = waiter
      this.#timer.ref()
    } else {
      last.next = waiter
      waiter.previous = last
    }
    this.#last = waiter
    return waiter
  }

  remove(waiter: Waiter): void {
    if (!waiter.waits) return
    waiter.waits = false
    const { previous, next } = waiter
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    if (this.#first === undefined) this.#timer.unref()
  }

  get empty(): boolean {
    return this.#first === undefined
  }

  /** Gives up the timer of a line that is empty. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #arm(ms: number): NodeJS.Timeout {
    return this.setTimer(() => this.#look(), ms)
  }

  #look(): void {
    const now = performance.now()
    const due: Waiter[] = []
    for (let first = this.#first; first !== undefined && first.due <= now; first = this.#first) {
      this.remove(first)
      due.push(first)
    }
    if (this.#first !== undefined) this.#timer = this.#arm(this.#first.due - now)
    else if (lines.get(this.#delayMs) === this) lines.delete(this.#delayMs)
    // One that throws must not keep the others from running.
    for (const { action } of due) queueMicrotask(action)
  }
}

const lines = new Map<number, WaitingLine>()

/** Lines at a time. A program has a few limits; what is left of one is a delay of its own, and worth no line. */
const mostLines = 32

/** The line of a delay; `undefined` where a timer of its own is better. */
function lineOf(delayMs: number): WaitingLine | undefined {
  if (delayMs < pooledFromMs) return undefined
  let line = lines.get(delayMs)
  if (line !== undefined && line.setTimer === globalThis.setTimeout) return line
  if (!Number.isInteger(delayMs) || !roomForOne()) return undefined
  line = new WaitingLine(delayMs)
  lines.set(delayMs, line)
  return line
}

/** Whether there may be one more line, where need be in the place of one in which nobody waits. */
function roomForOne(): boolean {
  if (lines.size < mostLines) return true
  for (const [delayMs, line] of lines) {
    if (!line.empty) continue
    line.stop()
    lines.delete(delayMs)
    return true
  }
  return false
}
