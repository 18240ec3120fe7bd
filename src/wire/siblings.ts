/**
 * What becomes of connections, so that at a failure it can be told whether one of them ended or all of them: all to one
 * peer, or all of this host.
 */

import type { SiblingFacts } from '../failure/circumstances.js'
import type { SocketEnding } from '../failure/evidence.js'

/** Ends remembered, and living connections looked at: what is true of so many is true of the others. */
const mostSeen = 256
/** Ends looked at for one failure, the newest first: in a storm of them each failure would look at all the others. */
const mostEnds = 64

/** A connection, as far as its siblings are concerned. */
export interface Sibling {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly establishedAt: number | undefined
  readonly endedAt: number | undefined
  readonly ending: SocketEnding | undefined
  readonly closedByUs: boolean
  readonly sight: {
    readonly answeredAt: number | undefined
    readonly silentAt?: number | undefined
    readonly fastestMs: number
  }
}

/** A connection that has ended, or was never made. */
interface Gone {
  readonly origin: string
  readonly record: Sibling
  readonly at: number
}

/** All connections of one client. */
export class Siblings {
  readonly #live = new Map<Sibling, string>()
  readonly #gone: Gone[] = []
  #next = 0

  /** A connection to an origin is being made. */
  dialled(record: Sibling, origin: string): void {
    this.#live.set(record, origin)
  }

  /** It has ended, or could not be made. Gives the origin that it was dialled for, once. */
  ended(record: Sibling, at: number): string | undefined {
    const origin = this.#live.get(record)
    if (origin === undefined) return undefined
    this.#live.delete(record)
    // Over the oldest one, once there are many.
    this.#gone[this.#next] = { origin, record, at: record.endedAt ?? at }
    this.#next = (this.#next + 1) % mostSeen
    return origin
  }

  /** Where the last answer came from, other than there. */
  lastGood(than: { readonly address: string } | undefined): { address: string; port: number } | undefined {
    let best: Sibling | undefined
    const look = (record: Sibling) => {
      const { remoteAddress, remotePort, sight } = record
      if (remoteAddress === undefined || remotePort === undefined || remoteAddress === than?.address) return
      if ((sight.answeredAt ?? 0) > (best?.sight.answeredAt ?? 0)) best = record
    }
    for (const record of this.#live.keys()) look(record)
    for (const { record } of this.#gone) look(record)
    if (best?.remoteAddress === undefined || best.remotePort === undefined) return undefined
    return { address: best.remoteAddress, port: best.remotePort }
  }

  /**
   * What became of the others since a moment.
   *
   * @param of the connection that the question is about; connections to its address and port are `same`, and where the
   *   address is not known, those to its origin
   */
  since(
    of: { readonly record: Sibling | undefined; readonly origin: string },
    since: number,
  ): { readonly same: SiblingFacts; readonly elsewhere: SiblingFacts } {
    const same = new Count()
    const elsewhere = new Count()
    const { record: peer } = of
    const count = (record: Sibling, origin: string, endedAt: number | undefined) => {
      if (record === peer) return
      const isSame =
        peer?.remoteAddress === undefined || record.remoteAddress === undefined
          ? origin === of.origin
          : record.remotePort === peer.remotePort && record.remoteAddress === peer.remoteAddress
      ;(isSame ? same : elsewhere).add(record, endedAt, since)
    }
    let left = mostSeen
    for (const [record, origin] of this.#live) {
      if (left-- <= 0) break
      count(record, origin, record.endedAt)
    }
    for (let age = 1; age <= Math.min(mostEnds, this.#gone.length); age++) {
      const end = this.#gone[(this.#next - age + mostSeen) % mostSeen]
      if (end !== undefined && end.at >= since) count(end.record, end.origin, end.at)
    }
    return { same: same.facts(), elsewhere: elsewhere.facts() }
  }
}

class Count {
  #stood = 0
  #reset = 0
  #closed = 0
  #answered = 0
  #connected = 0
  #failed = 0
  #silent = 0

  add(record: Sibling, endedAt: number | undefined, since: number): void {
    const { establishedAt, ending, sight } = record
    const { answeredAt } = sight
    const endedSince = endedAt !== undefined && endedAt >= since
    if (endedAt !== undefined && !endedSince) return
    if ((sight.silentAt ?? Number.NEGATIVE_INFINITY) >= since) this.#silent++
    if (establishedAt === undefined) {
      if (endedSince && !record.closedByUs) this.#failed++
      return
    }
    if (establishedAt < since) this.#stood++
    else this.#connected++
    if (answeredAt !== undefined && answeredAt >= since) this.#answered++
    if (!endedSince || record.closedByUs) return
    if (ending === 'rst') this.#reset++
    else if (ending === 'fin' || ending === 'fin-then-rst') this.#closed++
  }

  facts(): SiblingFacts {
    return {
      stood: this.#stood,
      reset: this.#reset,
      closed: this.#closed,
      answered: this.#answered,
      connected: this.#connected,
      failed: this.#failed,
      ...(this.#silent > 0 && { silent: this.#silent }),
    }
  }
}
