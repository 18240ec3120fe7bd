/**
 * Which addresses failed to connect of late. A name often stands for several addresses; one that has just failed is
 * asked last by the next dial, and never left out: when all of them have failed, each is as good as the others.
 *
 * Only a dial that fails is evidence against an address. A connection that worked once and was reset later says nothing
 * about the next one (OkHttp's rule).
 */

/** An address and a port: what refuses on one port may listen on another. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface AddressSettings {
  /** A failure is forgotten after so many milliseconds. */
  readonly forgetMs: number
  /** Most failures that are remembered; the oldest goes first. */
  readonly most: number
}

/**
 * Half a minute: long enough that a burst of dials does not pay for the same dead address again and again, short
 * enough that a machine which was restarted gets its share back.
 */
export const defaultAddressSettings: AddressSettings = Object.freeze({ forgetMs: 30_000, most: 1_000 })

/** This host had no means to dial: that says nothing about the address. */
const localCodes: readonly string[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

export class AddressMemory {
  readonly #settings: AddressSettings
  /** When each failed last, the one that failed first in front. */
  readonly #failures = new Map<string, number>()

  constructor(settings: AddressSettings = defaultAddressSettings) {
    this.#settings = settings
  }

  /**
   * No connection could be made.
   *
   * @param code the error's, where there was one
   */
  failed(now: number, endpoint: Endpoint, code?: string): void {
    if (code !== undefined && localCodes.includes(code)) return
    const key = keyOf(endpoint)
    this.#failures.delete(key)
    this.#failures.set(key, now)
    for (const [oldest, at] of this.#failures) {
      if (this.#failures.size <= this.#settings.most && this.#isFresh(now, at)) break
      this.#failures.delete(oldest)
    }
  }

  /** A connection was made. */
  worked(endpoint: Endpoint): void {
    if (this.#failures.size > 0) this.#failures.delete(keyOf(endpoint))
  }

  /** Whether it failed of late, and has not worked since. */
  hasFailed(now: number, endpoint: Endpoint): boolean {
    const at = this.#failures.get(keyOf(endpoint))
    return at !== undefined && this.#isFresh(now, at)
  }

  /** The resolver's order, but with those that failed of late behind, the one that has rested longest first. */
  order<Found extends { readonly address: string }>(now: number, port: number, found: readonly Found[]): Found[] {
    if (this.#failures.size === 0) return [...found]
    const failedAt = ({ address }: Found): number => {
      const at = this.#failures.get(keyOf({ address, port }))
      return at !== undefined && this.#isFresh(now, at) ? at : Number.NEGATIVE_INFINITY
    }
    // Two that did not fail are equal: infinity minus itself would be no number.
    return [...found].sort((a, b) => (failedAt(a) === failedAt(b) ? 0 : failedAt(a) - failedAt(b)))
  }

  /** How many failures are remembered. */
  get size(): number {
    return this.#failures.size
  }

  #isFresh(now: number, at: number): boolean {
    return now - at < this.#settings.forgetMs
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`
}
