/** The hang-ups of late and the ages at which they came: one age again and again, at different moments, is a timer. */

import type { SameAge } from '../failure/hangup.js'

/** How many are kept. */
const kept = 64
/** What one client drops in one moment counts once. */
const momentMs = 250

/** One hang-up, as far as others are compared with it. */
export interface Departure {
  readonly at: number
  readonly afterMs: number
  /** The client of the connection. */
  readonly client: string
  /** The user behind it, who may have come through a proxy. */
  readonly user: string
}

export class Departures {
  #recent: Departure[] = []

  /** Remembers one, and says how many others came at its age. */
  compare(departure: Departure): SameAge {
    const others = this.#recent.filter(
      ({ at, client }) => client !== departure.client || Math.abs(at - departure.at) > momentMs,
    )
    const spread = Math.max(12, departure.afterMs * 0.01)
    const near = others.filter(({ afterMs }) => Math.abs(afterMs - departure.afterMs) <= spread)
    this.#recent.push(departure)
    if (this.#recent.length > kept) this.#recent = this.#recent.slice(-kept)
    return {
      others: others.length,
      near: near.length,
      users: new Set([departure.user, ...near.map(({ user }) => user)]).size,
    }
  }
}
