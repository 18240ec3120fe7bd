/**
 * Which ends of connections count as evidence about an idle timer, before they are weighed in `idle-ages.ts`.
 *
 * Ends that come together are one event, because they have one cause. When they come together at quite different idle
 * ages the cause is no timer, which ends what is of one age, but a restart or a lost route; such an event does not count
 * at all. Silence counts only after a sign of life: in an outage everything is silent, whatever its age.
 */

import { type End, IdleAges } from './idle-ages.js'

/** Ends no further apart than this, and within a second, are one event. */
const burstGapMs = 100
const burstMs = 1_000
/** Ends of one event whose ages differ by more than this factor are not a timer's. */
const burstSpread = 2
/** A restart empties the pool. Mixed ages that go on and on are several timers, not several restarts. */
const restartPauseMs = 10_000
/** For so long a silence waits to be explained by a sign of life. */
const silenceMs = 30_000

export class IdleEnds {
  readonly ages = new IdleAges()
  /** The event under way: when it began and last went on, and the ages in it. */
  #startedAt = Number.NEGATIVE_INFINITY
  #lastAt = Number.NEGATIVE_INFINITY
  #minMs = 0
  #maxMs = 0
  #how: End = 'closed'
  #isRestart = false
  #restartAt = Number.NEGATIVE_INFINITY
  /** The shortest idle time of reuses that met with silence and are not explained yet. 0: none. */
  #silentMs = 0
  #silentAt = 0

  /** A connection of this idle age came to its end. */
  ended(now: number, ageMs: number, how: End): void {
    const together = now >= this.#startedAt && now - this.#lastAt <= burstGapMs && now - this.#startedAt <= burstMs
    this.#lastAt = now
    if (together) this.#join(now, ageMs, how)
    else this.#begin(now, ageMs, how)
  }

  /** A reuse at this idle age met with silence. */
  silence(now: number, ageMs: number): void {
    this.#silentMs = this.#silentMs > 0 ? Math.min(this.#silentMs, ageMs) : ageMs
    this.#silentAt = now
  }

  /**
   * A reuse at this idle age worked.
   *
   * @returns whether it explained a silence, so that the picture has changed
   */
  worked(now: number, ageMs: number): boolean {
    this.ages.keep(ageMs)
    return this.#silentMs > 0 && this.explainSilence(now, ageMs)
  }

  /** The far side is alive: silence at a greater idle age than that of this sign of life was the age's fault. */
  explainSilence(now: number, ageMs: number): boolean {
    const silentMs = this.#silentMs
    this.#silentMs = 0
    if (!(silentMs > ageMs) || now - this.#silentAt > silenceMs) return false
    this.ended(now, silentMs, 'silent')
    return true
  }

  /** The silence has another cause. */
  forgetSilence(): void {
    this.#silentMs = 0
  }

  #begin(now: number, ageMs: number, how: End): void {
    this.#startedAt = now
    this.#minMs = ageMs
    this.#maxMs = ageMs
    this.#how = how
    this.#isRestart = false
    this.ages.end(ageMs, how)
  }

  #join(now: number, ageMs: number, how: End): void {
    if (this.#isRestart) return
    const lowest = this.#minMs
    this.#minMs = Math.min(lowest, ageMs)
    this.#maxMs = Math.max(this.#maxMs, ageMs)
    if (this.#maxMs > this.#minMs * burstSpread && this.#startedAt - this.#restartAt > restartPauseMs) {
      this.ages.retract(lowest, this.#how)
      this.#isRestart = true
      this.#restartAt = now
    } else if (ageMs < lowest) {
      this.ages.retract(lowest, this.#how)
      this.ages.end(ageMs, how)
      this.#how = how
    }
  }
}
