/** How long requests were waited for, and how many clients left while they waited: what patience they have. */

import type { Hazard } from '../failure/hangup.js'

/** Where the rows begin, in milliseconds. */
export const waitingEdges = [0, 100, 250, 500, 1000, 2000, 3000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000] as const

/** Of the requests that have waited so long, how many clients left before the next row. */
export interface WaitingRow {
  /** Milliseconds of waiting at which the row begins. */
  readonly fromMs: number
  /** Requests that were waited for so long. */
  readonly waited: number
  /** Of those, left by the client before the next row begins. */
  readonly left: number
}

export class WaitingTable {
  readonly #waited = waitingEdges.map(() => 0)
  readonly #left = waitingEdges.map(() => 0)
  readonly #seconds = waitingEdges.map(() => 0)

  /**
   * A request has ended.
   *
   * @param ms how long it was waited for
   * @param left whether it was the client that ended it
   */
  record(ms: number, left: boolean): void {
    for (const [at, edge] of waitingEdges.entries()) {
      if (ms < edge) break
      const until = Math.min(ms, waitingEdges[at + 1] ?? ms)
      this.#waited[at] = (this.#waited[at] ?? 0) + 1
      this.#seconds[at] = (this.#seconds[at] ?? 0) + (until - edge) / 1000
    }
    if (left) {
      const at = rowOf(ms)
      this.#left[at] = (this.#left[at] ?? 0) + 1
    }
  }

  /** How often requests of this age are left, against younger ones; `undefined` where there is nothing to compare. */
  hazardAt(ms: number): Hazard | undefined {
    const at = rowOf(ms)
    const secondsBefore = sum(this.#seconds.slice(0, at))
    const seconds = sum(this.#seconds.slice(at))
    if (secondsBefore <= 0 || seconds <= 0) return undefined
    const hangups = sum(this.#left.slice(at))
    return { perSecond: hangups / seconds, perSecondBefore: sum(this.#left.slice(0, at)) / secondsBefore, hangups }
  }

  /** The rows that any request came to. */
  rows(): WaitingRow[] {
    return waitingEdges.flatMap((fromMs, at) => {
      const waited = this.#waited[at] ?? 0
      return waited === 0 ? [] : [{ fromMs, waited, left: this.#left[at] ?? 0 }]
    })
  }
}

function rowOf(ms: number): number {
  const after = waitingEdges.findIndex((edge) => edge > ms)
  return (after === -1 ? waitingEdges.length : after) - 1
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
