/**
 * The shortest round trip seen to each address. A reset that comes sooner than one can be no answer to what was just
 * written. Handshakes and answers take at least a round trip, and often longer, so only the smallest counts.
 */

import type { Clock } from '../clock.js'

/** A round trip, and what it was taken from. */
export interface RoundTrip {
  readonly ms: number
  readonly from: 'connect' | 'answer'
  /** What it can have been at the least, where this process may have been late to see its end. */
  readonly atLeastMs?: number
  /** Of how many it is the smallest: one alone may have been late by what nobody sees. */
  readonly of?: number
}

interface Kept extends Omit<RoundTrip, 'of'> {
  readonly at: number
  of: number
}

/** Addresses remembered; whoever talks to ever new ones must not grow with them. */
const mostAddresses = 512

/** Roads change. What is older gives way to the next one seen. */
const freshMs = 600_000

export class RoundTrips {
  readonly #clock: Clock
  readonly #least = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something was seen to take a round trip or more. */
  seen(address: string, trip: RoundTrip): void {
    if (!(trip.ms > 0)) return
    const at = this.#clock.now()
    const known = this.#least.get(address)
    const of = 1 + (known?.of ?? 0)
    if (known !== undefined && known.ms <= trip.ms && at - known.at < freshMs) {
      known.of = of
      return
    }
    // The address that was seen last stands last, so that the one to forget is the first.
    this.#least.delete(address)
    this.#least.set(address, { ...trip, at, of })
    const [oldest] = this.#least.keys()
    if (this.#least.size > mostAddresses && oldest !== undefined) this.#least.delete(oldest)
  }

  /** The shortest to this address. */
  least(address: string): RoundTrip | undefined {
    const known = this.#least.get(address)
    if (known === undefined) return undefined
    const { at: _, ...trip } = known
    return trip
  }
}
