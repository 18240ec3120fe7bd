/** What the learner of `reuse.ts` is asked and told. */

/** How an idle connection is about to be used. Times in milliseconds. */
export interface ReuseQuestion {
  /** By the monotonic clock, since the last answer on it was complete. */
  readonly idleMs: number
  /** The same by the wall clock: the monotonic one can stand still while the machine sleeps. The longer of both counts. */
  readonly wallIdleMs?: number | undefined
  /** Requests that the connection has carried. */
  readonly requests: number
  /** The request must not be executed twice. */
  readonly unsafe: boolean
  /** How late the event loop was lately: ends may wait unseen, and the idle time may have been noted too late. */
  readonly loopStalledMs?: number | undefined
  /** One round trip: the far side will have been idle for that much longer when the request arrives. */
  readonly rttMs?: number | undefined
}

/** How a reused connection failed before it had answered anything. */
export interface StaleUse extends Promptness {
  readonly idleMs: number
  readonly requests?: number
  readonly how?: 'fin' | 'rst' | 'silence'
}

/** How soon after a write a connection ended, in milliseconds, and how soon it could have answered. */
export interface Promptness {
  readonly afterMs?: number | undefined
  readonly rttMs?: number | undefined
}
