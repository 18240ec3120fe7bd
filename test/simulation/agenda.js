/** @typedef {{ at: number, order: number, act: () => void, timer: boolean }} Moment */

/** What is due, earliest first; of one moment in the order of entry. Short enough for a sorted list. */
export class Agenda {
  /** The latest first, so that taking is popping.
   * @type {Moment[]} */
  #moments = []
  #order = 0

  /**
   * @param {{ at: number, act: () => void, timer: boolean }} entry
   * @returns {Moment}
   */
  add(entry) {
    const moment = { ...entry, order: this.#order++ }
    let low = 0
    let high = this.#moments.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (/** @type {Moment} */ (this.#moments[middle]).at > moment.at) low = middle + 1
      else high = middle
    }
    this.#moments.splice(low, 0, moment)
    return moment
  }

  take() {
    return this.#moments.pop()
  }

  /** @param {Moment} moment */
  remove(moment) {
    const index = this.#moments.indexOf(moment)
    if (index < 0) return false
    this.#moments.splice(index, 1)
    return true
  }
}
