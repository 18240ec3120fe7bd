/**
 * Was this process itself late? A timer that should run every 20 ms tells by how much it did not, and whether the wall
 * clock and the monotonic clock have parted meanwhile, as they do when the machine sleeps. It runs only while somebody
 * needs it and for a while after, so that idle connections are covered too, and never keeps a process alive.
 *
 * It reads the machine's own clocks, whatever clock its client has. Measured, a tick costs 2 µs: a ten-thousandth of the
 * time. `monitorEventLoopDelay` costs less still, but has one maximum since its
 * reset, and calls that overlap ask about windows of their own.
 */

import { type Clock, systemClock, type Timer } from '../clock.js'

/** Milliseconds between two looks. */
const periodMs = 20

/** Looks with nothing under way after which it stops: 4 s, for which idle connections are kept. */
const mostIdleTicks = 200

/** Lateness below this is that of timers, which count whole milliseconds. */
const leastMs = 2

/** Entries kept of each kind. When there are more, of two neighbours among the older half the smaller one goes. */
const mostEntries = 256

/** How far the clocks part by themselves, when a time server corrects one of them. */
const leastJumpMs = 20
const leastSleepMs = 1_000

interface Entry {
  readonly at: number
  readonly ms: number
}

export class LoopWatch {
  readonly #busy: () => boolean
  readonly #everySecond: () => void
  readonly #clock: Clock
  #timer: Timer | undefined
  #tickedAt: number | undefined
  #offset = 0
  #ticks = 0
  #idleTicks = 0
  #late: Entry[] = []
  #jumps: Entry[] = []

  /**
   * @param busy whether somebody needs it still
   * @param everySecond run once a second while it runs
   * @param clock this machine's
   */
  constructor(busy: () => boolean, everySecond: () => void = () => {}, clock: Clock = systemClock) {
    this.#busy = busy
    this.#everySecond = everySecond
    this.#clock = clock
  }

  /** Somebody needs it from now on. Costs next to nothing where it runs already. */
  wake(): void {
    if (this.#timer === undefined) this.#start()
  }

  stop(): void {
    this.#clock.cancel(this.#timer)
    this.#timer = undefined
  }

  /** It runs, so that what it says of the last moments is the truth. */
  get running(): boolean {
    return this.#timer !== undefined
  }

  /** The longest that the event loop was late within the last `windowMs`; `undefined` when nobody looked. */
  delayWithin(windowMs: number): number | undefined {
    if (!this.running) return undefined
    const now = this.#clock.now()
    // The loop may be late right now: the timer has not had its turn yet.
    return Math.max(now - (this.#tickedAt ?? now) - periodMs, greatest(this.#late, now - windowMs))
  }

  /** By how much the clocks parted within the last `windowMs`; `undefined` when nobody looked. */
  jumpWithin(windowMs: number): number | undefined {
    if (!this.running) return undefined
    const now = this.#clock.now()
    const since = Math.abs(this.#clock.epoch() - now - this.#offset)
    return Math.max(since < leastJumpMs ? 0 : since, greatest(this.#jumps, now - windowMs))
  }

  #start(): void {
    const now = this.#clock.now()
    const offset = this.#clock.epoch() - now
    // While nobody looked: that machines correct their clocks by a little is nothing.
    const jump = this.#tickedAt === undefined ? 0 : Math.abs(offset - this.#offset)
    if (jump >= leastSleepMs) this.#jumps = added(this.#jumps, { at: now, ms: jump })
    this.#tickedAt = now
    this.#offset = offset
    this.#idleTicks = 0
    this.#arm()
  }

  #arm(): void {
    this.#timer = this.#clock.after(periodMs, () => this.#tick())
    ;(this.#timer as { unref?(): void }).unref?.()
  }

  #tick(): void {
    const now = this.#clock.now()
    const late = now - (this.#tickedAt ?? now) - periodMs
    if (late >= leastMs) this.#late = added(this.#late, { at: now, ms: late })
    const offset = this.#clock.epoch() - now
    const jump = Math.abs(offset - this.#offset)
    if (jump >= leastJumpMs) this.#jumps = added(this.#jumps, { at: now, ms: jump })
    this.#offset = offset
    this.#tickedAt = now
    this.#idleTicks = this.#busy() ? 0 : this.#idleTicks + 1
    if (++this.#ticks % (1000 / periodMs) === 0) this.#everySecond()
    if (this.#idleTicks > mostIdleTicks) this.stop()
    else this.#arm()
  }
}

function greatest(entries: readonly Entry[], since: number): number {
  let most = 0
  // The newest come last.
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index] as Entry
    if (entry.at < since) break
    if (entry.ms > most) most = entry.ms
  }
  return most
}

function added(entries: Entry[], entry: Entry): Entry[] {
  entries.push(entry)
  if (entries.length <= mostEntries) return entries
  const half = entries.length >> 1
  return entries.filter((one, index) => {
    if (index >= half) return true
    const neighbour = entries[index ^ 1] as Entry
    return one.ms > neighbour.ms || (one.ms === neighbour.ms && index % 2 === 1)
  })
}
