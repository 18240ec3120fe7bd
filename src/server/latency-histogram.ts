/** Quantiles of durations in bounded memory: counts in buckets that grow by 8 %, so that a quantile is off by 4 % at most. */

const growth = 1.08
const firstMs = 0.5
/** Up to two hours; whatever is longer falls into the last one. */
const buckets = 206
/** From here on all counts are halved now and then, so that what is old fades. */
const halveAt = 2000

const logOfGrowth = Math.log(growth)

export class LatencyHistogram {
  readonly #counts = new Uint16Array(buckets)
  #total = 0

  /** How many durations the quantiles rest on. */
  get total(): number {
    return this.#total
  }

  /** @param ms a duration, 0 or more */
  record(ms: number): void {
    const at = ms <= firstMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / firstMs) / logOfGrowth))
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#total += 1
    if (this.#total >= halveAt) this.#halve()
  }

  /** @param share 0 to 1: 0.95 for the duration that 95 % do not exceed; `undefined` before the first one */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined
    let left = Math.max(1, Math.ceil(share * this.#total))
    const at = this.#counts.findIndex((count) => {
      left -= count
      return left <= 0
    })
    // The middle of the bucket, on the logarithmic scale that the buckets have.
    return firstMs * growth ** (at - 0.5)
  }

  #halve(): void {
    this.#total = 0
    for (const [at, count] of this.#counts.entries()) {
      this.#counts[at] = count >> 1
      this.#total += count >> 1
    }
  }
}
