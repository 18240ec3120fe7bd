/**
 * Who the clients are, as far as a server can tell them apart: by address and User-Agent. Kept while they have
 * connections and a little longer; bounded. No header value is stored, only a number made of it.
 */

import type { SiblingsOfClient } from '../failure/hangup.js'

/** What happens within this time of a hang-up happened with it. */
const togetherMs = 100
const mostEnds = 64

/** The end of one connection or request of a client. */
interface End {
  readonly at: number
  readonly ageMs: number
}

class ClientRecord {
  connections = 0
  lastRequestAt = Number.NEGATIVE_INFINITY
  lastRoute = ''
  /** Ends of connections by the client, and of its requests that were lost. */
  readonly ends: End[] = []
  readonly lost: End[] = []
}

export class ClientBook {
  readonly #most: number
  #latest: string | undefined
  readonly #clients = new Map<string, ClientRecord>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#clients.size
  }

  opened(key: string): void {
    this.#of(key).connections += 1
  }

  asked(key: string, at: number, route: string): void {
    const client = this.#of(key)
    client.lastRequestAt = at
    client.lastRoute = route
  }

  /** A connection is gone. @param end absent when this server ended it */
  closed(key: string, end?: End): void {
    const client = this.#of(key)
    client.connections = Math.max(0, client.connections - 1)
    if (end !== undefined) push(client.ends, end)
  }

  lostRequest(key: string, end: End): void {
    push(this.#of(key).lost, end)
  }

  /** What became of the client's other connections and requests around `at`; asked a little later. */
  around(key: string, at: number, route: string): SiblingsOfClient {
    const client = this.#of(key)
    const near = (end: End) => Math.abs(end.at - at) <= togetherMs
    const ended = Math.max(1, client.ends.filter(near).length)
    const ages = client.lost.filter(near).map(({ ageMs }) => ageMs)
    const apart = Math.max(...ages) - Math.min(...ages)
    const back = client.lastRequestAt > at
    return {
      stood: client.connections + ended,
      ended,
      lost: Math.max(1, ages.length),
      ...(ages.length > 1 && { lostAtSameAge: apart <= Math.max(30, Math.max(...ages) * 0.02) }),
      ...(back && { backAfterMs: client.lastRequestAt - at, backForSame: client.lastRoute === route }),
    }
  }

  #of(key: string): ClientRecord {
    const known = this.#clients.get(key)
    if (known !== undefined) {
      if (key === this.#latest) return known
      this.#latest = key
      // The order of the map is the order of last use.
      this.#clients.delete(key)
      this.#clients.set(key, known)
      return known
    }
    const fresh = new ClientRecord()
    this.#latest = key
    this.#clients.set(key, fresh)
    if (this.#clients.size > this.#most) this.#forgetOne()
    return fresh
  }

  #forgetOne(): void {
    const idle = [...this.#clients].slice(0, 16).find(([, { connections }]) => connections === 0)
    const oldest = idle?.[0] ?? this.#clients.keys().next().value
    if (oldest === undefined) return
    this.#clients.delete(oldest)
    if (oldest === this.#latest) this.#latest = undefined
  }
}

function push(ends: End[], end: End): void {
  ends.push(end)
  if (ends.length > mostEnds) ends.shift()
}
