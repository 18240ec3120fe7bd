/**
 * Many servers let go of a connection after a number of requests: Apache and Tomcat after 100, nginx after 1000. Most
 * announce it, with `Connection: close` on the last answer or a countdown in `Keep-Alive`; some just hang up, and then
 * the next request meets the hang-up on its way. Ends that come right after an answer, again and again after the same
 * number of requests, are such a rule.
 */

/** Votes nearer to each other than this are one: a shutdown ends many connections, in quiet times all of them after one request. */
const apartMs = 1_000

/** After how many requests the far side lets go, whether it announces it or not. */
export class RequestCap {
  #candidate = 0
  #votes = 0
  #votedAt = Number.NEGATIVE_INFINITY
  #announced: number | undefined

  /** The number believed in, if any. */
  get cap(): number | undefined {
    const learned = this.#votes >= 2 ? this.#candidate : undefined
    if (this.#announced === undefined || learned === undefined) return this.#announced ?? learned
    return Math.min(this.#announced, learned)
  }

  /** Requests that can be repeated may go on trying until there is little doubt left. */
  forbids(requests: number, unsafe: boolean): boolean {
    if (this.#announced !== undefined && requests >= this.#announced) return true
    return requests >= this.#candidate && this.#votes >= (unsafe ? 2 : 4)
  }

  /** A connection ended right after its so-manieth answer. A majority of equal numbers is a rule. */
  ended(now: number, requests: number): void {
    if (!(requests >= 1)) return
    if (requests === this.#candidate) {
      if (now - this.#votedAt >= apartMs) this.#votes = Math.min(5, this.#votes + 1)
    } else if (this.#votes > 1) {
      this.#votes--
    } else {
      this.#candidate = requests
      this.#votes = 1
    }
    this.#votedAt = now
  }

  /** A connection that had carried so many requests carried one more. */
  outlived(requests: number): void {
    if (requests >= this.#candidate) this.#votes = 0
  }

  announced(max: number, first: boolean): void {
    // Where it counts down, the largest number is that of a new connection.
    this.#announced = first ? Math.max(1, max) : Math.max(max, this.#announced ?? 1)
  }

  halve(): void {
    this.#votes = Math.floor(this.#votes / 2)
  }
}
