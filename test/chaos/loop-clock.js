/**
 * Time in which the event loop turned as it should. A machine that is busy makes every timer late, and that is nobody's fault:
 * a tick that came late by more than its own length counts for nothing.
 */
export class LoopClock {
  static tickMs = 10
  #timer
  #loopMs = 0
  /** @type {{ at: number, loopMs: number }[]} the last of them, oldest first */
  #ticks = [{ at: performance.now(), loopMs: 0 }]
  #all = 0
  #onTime = 0
  /** The longest that a tick was late. */
  worstMs = 0

  constructor() {
    this.#timer = setInterval(() => this.#tick(), LoopClock.tickMs)
  }

  /** The share of ticks that were on time: where it is small, little can be said of who else was. */
  get onTime() {
    return this.#onTime / Math.max(1, this.#all)
  }

  /** How long the loop has turned, in milliseconds. */
  get now() {
    return this.#loopMs
  }

  stop() {
    clearInterval(this.#timer)
  }

  /** @param {number} at a moment of `performance.now()` within the last 20 s */
  #at(at) {
    let low = 0
    let high = this.#ticks.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#ticks[middle]?.at ?? 0) <= at) low = middle
      else high = middle - 1
    }
    const tick = this.#ticks[low] ?? { at, loopMs: 0 }
    return tick.loopMs
  }

  /**
   * How much of the time between two moments the loop turned, in milliseconds.
   *
   * @param {number} from
   * @param {number} to
   */
  between(from, to) {
    return to <= from ? 0 : this.#at(to) - this.#at(from)
  }

  #tick() {
    const at = performance.now()
    const before = this.#ticks[this.#ticks.length - 1] ?? { at, loopMs: 0 }
    this.worstMs = Math.max(this.worstMs, at - before.at - LoopClock.tickMs)
    const tookMs = at - before.at
    this.#all += 1
    if (tookMs <= 2 * LoopClock.tickMs) {
      this.#loopMs += Math.min(tookMs, LoopClock.tickMs)
      this.#onTime += 1
    }
    this.#ticks.push({ at, loopMs: this.#loopMs })
    if (this.#ticks.length > 4_000) this.#ticks.splice(0, 2_000)
  }
}
