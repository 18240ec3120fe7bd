/**
 * Whether the machine has slept since a connection was last used: the monotonic clock stands still meanwhile, the wall
 * clock does not, and neither does the peer's timer.
 */

import type { Clock } from '../clock.js'

/** The wall clock counts whole milliseconds: less than this is no sleep. */
const leastMs = 2

export class SleepWatch {
  readonly #clock: Clock
  /** By how much the wall clock was ahead of the monotonic one when it was looked at last, … */
  #ahead = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  /** … and when the connection was last taken. */
  #aheadAtUse: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The connection is taken. */
  used(now: number): void {
    if (this.#aheadAtUse === undefined) this.#look(now)
    this.#aheadAtUse = this.#ahead
  }

  /** Milliseconds slept since it was last taken. */
  sleptMs(now: number): number {
    this.#look(now)
    const slept = this.#ahead - (this.#aheadAtUse ?? this.#ahead)
    return slept < leastMs ? 0 : slept
  }

  #look(now: number): void {
    // A request that is put on an idle connection asks twice within a moment.
    if (now - this.#lookedAt < 1) return
    this.#lookedAt = now
    this.#ahead = this.#clock.epoch() - now
  }
}
