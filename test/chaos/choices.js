import { dice } from '../sim/dice.js'

/**
 * Choices out of a seed: each world, call and connection has a source of its own, so that what one of them chooses does not
 * hang on how far the others have come.
 */
export class Choices {
  #next

  /** @param {readonly number[]} from the seed, and which of what it is for */
  constructor(...from) {
    let state = 0x9e3779b9
    for (const number of from) {
      state = Math.imul(state ^ number ^ (number / 2 ** 32), 0x85ebca6b)
      state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35) ^ (state >>> 16)
    }
    this.#next = dice(state)
  }

  /** In [0, 1). */
  number() {
    return this.#next()
  }

  /** @param {number} probability */
  chance(probability) {
    return this.#next() < probability
  }

  /**
   * A whole number, both ends included.
   *
   * @param {number} from
   * @param {number} to
   */
  whole(from, to) {
    return from + Math.floor(this.#next() * (to - from + 1))
  }

  /**
   * @template Value
   * @param {readonly Value[]} list
   * @returns {Value}
   */
  one(list) {
    return /** @type {Value} */ (list[Math.floor(this.#next() * list.length)])
  }

  /**
   * One name, as often as its weight says.
   *
   * @template {string} Name
   * @param {Readonly<Record<Name, number>>} weights
   * @returns {Name}
   */
  weighted(weights) {
    const entries = /** @type {[Name, number][]} */ (Object.entries(weights))
    let left = this.#next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return /** @type {[Name, number]} */ (entries[0])[0]
  }
}
