/** A map by origin that knows the one it was asked for last: most programs talk to one at a time, and ask on every call. */
export class ByOrigin<Value> {
  readonly #map = new Map<string, Value>()
  #lastOrigin: string | undefined
  #last: Value | undefined

  /** A name that was just made has no hash yet; to compare it with the last one is a fifth of the cost of hashing it. */
  get(origin: string): Value | undefined {
    if (origin === this.#lastOrigin) return this.#last
    const value = this.#map.get(origin)
    if (value === undefined) return undefined
    this.#lastOrigin = origin
    this.#last = value
    return value
  }

  set(origin: string, value: Value): void {
    this.#map.set(origin, value)
    this.#lastOrigin = origin
    this.#last = value
  }

  delete(origin: string): void {
    this.#map.delete(origin)
    if (origin !== this.#lastOrigin) return
    this.#lastOrigin = undefined
    this.#last = undefined
  }

  get size(): number {
    return this.#map.size
  }

  /** The oldest first. */
  keys(): IterableIterator<string> {
    return this.#map.keys()
  }

  values(): IterableIterator<Value> {
    return this.#map.values()
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.#map[Symbol.iterator]()
  }
}
