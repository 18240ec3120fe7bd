/** What happens next: a binary heap of moments, earliest first; those of one moment in the order of entry. */
export class Agenda {
  /** @type {{ at: number, order: number, act: (now: number) => void }[]} */
  #heap = []
  #order = 0

  /**
   * @param {number} at milliseconds
   * @param {(now: number) => void} act
   */
  add(at, act) {
    const heap = this.#heap
    const entry = { at, order: this.#order++, act }
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(entry, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  /**
   * Acts until nothing is left, or until a moment.
   *
   * @param {number} [until]
   */
  run(until = Number.POSITIVE_INFINITY) {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#shift()
      next.act(next.at)
    }
  }

  #shift() {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      let least = left
      if (right !== undefined && isBefore(right, left)) {
        least = right
        child++
      }
      if (!isBefore(least, last)) break
      heap[index] = least
      index = child
    }
    heap[index] = last
  }
}

/**
 * @param {{ at: number, order: number }} one
 * @param {{ at: number, order: number }} other
 */
function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
