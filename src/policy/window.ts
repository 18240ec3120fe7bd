/**
 * Why a ring of slots: "the last ten seconds" is a question that the budget, the breaker and the throttle ask on every
 * call. A list of time stamps answers it exactly and costs memory by the call; a ring of slots answers it to the width
 * of one slot, in constant time and constant memory.
 *
 * The price of that is the edge: the window is between `slots - 1` and `slots` slots long, because the newest slot is
 * still filling while the oldest has already been dropped.
 *
 * Slots begin where the clock says, at whole multiples of their length, and not where somebody first looked: reading
 * statistics must not move the moment at which credit expires.
 *
 * Time only ever moves the ring forward. A clock that steps back writes into the newest slot, and a clock that leaps
 * ahead empties the ring; neither can bring back what was dropped or keep what is too old.
 */
export class SlidingWindow {
  readonly #slotMs: number
  readonly #slots: number
  /** One row of slots after the other. */
  readonly #cells: Float64Array
  readonly #totals: Float64Array
  #newest = 0
  /** Which slot of all time is the newest. Minus infinity: nothing was seen yet. */
  #reached = Number.NEGATIVE_INFINITY

  /**
   * @param windowMs length of the window in milliseconds
   * @param slots how many slots it is cut into
   * @param rows how many numbers are kept side by side, addressed from 0
   */
  constructor(windowMs: number, slots: number, rows = 1) {
    this.#slotMs = windowMs / slots
    this.#slots = slots
    this.#cells = new Float64Array(slots * rows)
    this.#totals = new Float64Array(rows)
  }

  /** Adds to the newest slot of a row. */
  add(now: number, row: number, amount: number): void {
    this.#advance(now)
    const cell = row * this.#slots + this.#newest
    this.#cells[cell] = (this.#cells[cell] ?? 0) + amount
    this.#totals[row] = (this.#totals[row] ?? 0) + amount
  }

  /** The sum of a row over the window. */
  total(now: number, row: number): number {
    this.#advance(now)
    return this.#totals[row] ?? 0
  }

  /**
   * Takes an amount out of a row, oldest slots first, so that what would be dropped next is used first.
   *
   * @returns what was taken: the amount, or all there was when that is less
   */
  take(now: number, row: number, amount: number): number {
    this.#advance(now)
    let missing = Math.min(amount, this.#totals[row] ?? 0)
    if (!(missing > 0)) return 0
    const taken = missing
    for (let age = this.#slots - 1; age >= 0 && missing > 0; age--) {
      const cell = row * this.#slots + ((this.#newest - age + this.#slots) % this.#slots)
      const part = Math.min(this.#cells[cell] ?? 0, missing)
      this.#cells[cell] = (this.#cells[cell] ?? 0) - part
      missing -= part
    }
    this.#totals[row] = (this.#totals[row] ?? 0) - taken
    return taken
  }

  /** Forgets everything. */
  clear(): void {
    this.#cells.fill(0)
    this.#totals.fill(0)
  }

  #advance(now: number): void {
    const slot = Math.floor(now / this.#slotMs)
    if (!(slot > this.#reached)) return
    const steps = slot - this.#reached
    this.#reached = slot
    if (steps >= this.#slots) this.clear()
    else for (let step = 0; step < steps; step++) this.#drop()
  }

  /** Moves on by one slot: the oldest becomes the newest and is emptied. */
  #drop(): void {
    this.#newest = (this.#newest + 1) % this.#slots
    for (let row = 0; row < this.#totals.length; row++) {
      const cell = row * this.#slots + this.#newest
      this.#totals[row] = (this.#totals[row] ?? 0) - (this.#cells[cell] ?? 0)
      this.#cells[cell] = 0
    }
  }
}
