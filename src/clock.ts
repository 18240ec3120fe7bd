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

/** A delay above this makes Node's timers fire at once. */
export const longestDelayMs = 2 ** 31 - 1

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after: (delayMs, action) => setTimeout(action, Math.min(Math.max(delayMs, 0), longestDelayMs)),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  nextTurn: (action) => {
    setImmediate(action)
  },
}
