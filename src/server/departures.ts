/** The hang-ups of late and the ages at which they came: one age again and again, at different moments, is a timer. */

import type { SameAge } from '../failure/hangup.js'

/** How many are kept. */
const kept = 64
/** So many from one address are compared with each other alone. */
const enough = 4
/** What one client drops in one moment counts once. */
const momentMs = 250

/** One hang-up, as far as others are compared with it. */
export interface Departure {
  readonly at: number
  readonly afterMs: number
  readonly address: string
  /** The client of the connection. */
  readonly client: string
  /** The user behind it, who may have come through a proxy. */
  readonly user: string
}

export class Departures {
  #recent: Departure[] = []

  /**
   * Remembers one, and says how many others came at its age.
   *
   * @param lateMs by how much ages may be off: how late the event loop was
   */
  compare(departure: Departure, lateMs = 0): SameAge {
    const apart = this.#recent.filter(
      ({ at, client }) => client !== departure.client || Math.abs(at - departure.at) > momentMs,
    )
    const neighbours = apart.filter(({ address }) => address === departure.address)
    const sameAddress = neighbours.length >= enough
    const others = sameAddress ? neighbours : apart
    const spread = Math.max(15, departure.afterMs * 0.015) + Math.min(lateMs, 100)
    const near = others.filter(({ afterMs }) => Math.abs(afterMs - departure.afterMs) <= spread)
    this.#recent.push(departure)
    if (this.#recent.length > kept) this.#recent = this.#recent.slice(-kept)
    const users = new Set([departure.user, ...near.map(({ user }) => user)]).size
    return { others: others.length, near: near.length, sameAddress, users }
  }
}
