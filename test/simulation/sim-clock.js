// Time that moves when everything that can happen now has happened.

import { Agenda } from './agenda.js'

/** @typedef {{ at: number, order: number, act: () => void, timer: boolean }} Moment */

/** The clock of one history: the code's timers and the far side's doings stand on one agenda. */
export class SimClock {
  #agenda = new Agenda()
  /** @type {(() => void)[]} */
  #turns = []
  #now = 1_000
  /** Timers that were set, have not run and were not cancelled. */
  pending = 0

  now() {
    return this.#now
  }

  epoch() {
    return 1_800_000_000_000 + this.#now
  }

  /**
   * @param {number} delayMs
   * @param {() => void} act
   * @returns {Moment}
   */
  after(delayMs, act) {
    this.pending++
    // On a grid of binary fractions, so that what was added can be subtracted.
    const at = Math.ceil((this.#now + Math.max(0, delayMs)) * 1024) / 1024
    return this.#agenda.add({ at, act, timer: true })
  }

  /** @param {unknown} timer */
  cancel(timer) {
    if (timer !== undefined && this.#agenda.remove(/** @type {Moment} */ (timer))) this.pending--
  }

  /** Nothing waits for a turn of the loop. */
  get quiet() {
    return this.#turns.length === 0
  }

  /** @param {() => void} act */
  nextTurn(act) {
    this.#turns.push(act)
  }

  /**
   * Something that the world does and that is no timer of the code's.
   *
   * @param {number} delayMs
   * @param {() => void} act
   */
  later(delayMs, act) {
    this.#agenda.add({ at: this.#now + delayMs, act, timer: false })
  }

  /** Lets the next thing happen: what waits for a turn of the loop, and then what is due first. False: nothing is left. */
  step() {
    if (this.#turns.length > 0) {
      for (const act of this.#turns.splice(0)) act()
      return true
    }
    const moment = this.#agenda.take()
    if (moment === undefined) return false
    this.#now = Math.max(this.#now, moment.at)
    if (moment.timer) this.pending--
    moment.act()
    return true
  }
}
