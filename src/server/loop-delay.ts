/** How late the event loop has been of late: a hang-up behind a stalled loop is seen late, and may be its fault. */

import type { Clock, Timer } from '../clock.js'

/** Milliseconds between two looks. */
const beat = 100
/** A delay that ended so long ago still explains what is being read. */
const justNow = 20
/** How far back a delay counts, in looks that were in time. */
const remembered = 10

/** Looks while there is something to look at, so that an idle server is left in peace. */
export class LoopDelay {
  readonly #clock: Clock
  #timer: Timer | undefined
  #dueAt = 0
  #recent: number[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins to look; does nothing when it does already. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#recent = []
    this.#arm()
  }

  stop(): void {
    this.#clock.cancel(this.#timer)
    this.#timer = undefined
  }

  /** The longest delay of the last second in milliseconds; the one that goes on at this moment included. */
  get ms(): number {
    const overdue = this.#timer === undefined ? 0 : this.#clock.now() - this.#dueAt
    // A timer is late by a millisecond or two on the quietest machine.
    const longest = Math.max(0, overdue, ...this.#recent)
    return longest < 5 ? 0 : Math.round(longest)
  }

  /** How late it is at this very moment: what is read now may have waited so long. */
  get presentMs(): number {
    if (this.#timer === undefined) return 0
    const now = this.#clock.now()
    const last = now - (this.#dueAt - beat) < justNow ? (this.#recent.at(-1) ?? 0) : 0
    const present = Math.max(now - this.#dueAt, last)
    return present < 5 ? 0 : Math.round(present)
  }

  #arm(): void {
    this.#dueAt = this.#clock.now() + beat
    this.#timer = this.#clock.after(beat, () => {
      this.#recent.push(this.#clock.now() - this.#dueAt)
      if (this.#recent.length > remembered) this.#recent.shift()
      this.#arm()
    })
    unref(this.#timer)
  }
}

/** A timer that keeps no process alive. Clocks of tests have timers of their own, which need not know the word. */
export function unref(timer: Timer): void {
  ;(timer as { unref?: () => void } | undefined)?.unref?.()
}
