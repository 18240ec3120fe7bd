/** The record of one attempt: its exchanges, and which of our limits ended it. Closed into evidence when it fails. */

import { type Clock, roundMs } from '../clock.js'
import type { Evidence, ExchangeFacts, Limit, Timings } from '../failure/evidence.js'
import { redactPath } from '../failure/redact.js'
import { circumstancesOf, lookAround, neighbourhood, type Sight } from './circumstances.js'
import type { Exchange } from './exchange.js'

export class Timeline {
  readonly clock: Clock
  readonly startedAt: number
  /** The exchange in progress, or the last one. */
  exchange: Exchange | undefined
  /** The exchanges before it: redirects. */
  earlier: Exchange[] | undefined
  limit: { readonly name: Limit; readonly ms: number } | undefined
  /** True when the connections are our own, so that sockets can be seen. */
  readonly ownSockets: boolean

  constructor(clock: Clock, ownSockets: boolean, startedAt = clock.now()) {
    this.clock = clock
    this.startedAt = startedAt
    this.ownSockets = ownSockets
  }

  /** A request goes out. A second one in the same attempt means that the first was redirected. */
  begin(exchange: Exchange): void {
    if (this.exchange !== undefined) {
      this.earlier ??= []
      this.earlier.push(this.exchange)
    }
    this.exchange = exchange
  }

  /** Looks around once more; call it before the connection is let go. `undefined` where there is nobody to ask. */
  lookAround(raw: unknown, evidence: Evidence): Promise<Evidence> | undefined {
    const sight = this.#sight(raw)
    return sight && lookAround(sight, evidence)
  }

  #sight(raw: unknown): Sight | undefined {
    const { exchange, startedAt, limit } = this
    if (exchange === undefined) return undefined
    return { exchange, raw, startedAt, at: exchange.endedAt ?? this.clock.now(), limitMs: limit?.ms }
  }

  /**
   * What is known at this moment.
   *
   * @param raw what the exchange failed with
   * @param final nobody will look around later
   */
  evidence(raw?: unknown, final = false): Evidence {
    const { limit } = this
    const total = this.clock.now() - this.startedAt
    const sight = this.#sight(raw)
    if (sight === undefined) {
      return { vantage: 'none', phase: 'admit', timings: { total }, ...limitFacts(limit) }
    }
    const { exchange } = sight
    const { connection, bytes, status } = exchange
    const http2 = exchange.stream?.facts()
    const earlier = [...(this.earlier ?? []).flatMap(factsOf), ...(exchange.restarts ?? [])]
    const ending = exchange.socket?.ending ?? exchange.line?.socket?.ending
    const untried = exchange.startedAt === undefined ? exchange.line?.socket?.addresses?.untried : undefined
    return {
      vantage: this.ownSockets ? 'socket' : 'dispatcher',
      phase: exchange.phase,
      started: exchange.startedAt !== undefined,
      complete: exchange.delivery === 'answered',
      timings: timingsOf(exchange, total),
      circumstances: final ? { ...circumstancesOf(sight), ...neighbourhood(sight) } : circumstancesOf(sight),
      // What is named after a spread is put into the object one by one, at a microsecond each: spreads come last.
      ...(status !== undefined && { status, bodyBytes: exchange.bodyBytes }),
      ...(exchange.closeDelimited && { closeDelimited: true }),
      ...(ending !== undefined && { ending }),
      ...limitFacts(limit),
      ...(connection !== undefined && { connection }),
      ...(untried !== undefined && { otherAddresses: untried }),
      ...(bytes !== undefined && { bytes }),
      ...(http2 !== undefined && { http2 }),
      ...(earlier.length > 0 && { earlier }),
    }
  }
}

function factsOf({ restarts = [], method, origin, path, delivery, status }: Exchange): ExchangeFacts[] {
  return [...restarts, { method, origin, path: redactPath(path), delivery, ...(status !== undefined && { status }) }]
}

function limitFacts(limit: Timeline['limit']): Pick<Evidence, 'limit' | 'limitMs'> {
  return limit === undefined ? {} : { limit: limit.name, limitMs: limit.ms }
}

function timingsOf(exchange: Exchange, total: number): Timings {
  const socket = exchange.socket ?? exchange.line?.socket
  // The dial belongs to this request only when no other had used the connection before.
  const dialled = socket !== undefined && exchange.requestsBefore === 0 && socket.requests <= 1 ? socket : undefined
  const { assignedAt, dispatchedAt, startedAt, sentAt, headAt, endedAt } = exchange
  const waitedUntil = headAt ?? endedAt
  const timings: { -readonly [Step in keyof Timings]: Timings[Step] } = { total: roundMs(total) }
  const add = (step: keyof Timings, ms: number | undefined) => {
    if (ms !== undefined) timings[step] = roundMs(ms)
  }
  if (assignedAt !== undefined) add('queue', assignedAt - dispatchedAt)
  add('dns', dialled?.dnsMs)
  add('connect', dialled?.connectMs)
  add('proxy', dialled?.proxyMs)
  add('tls', dialled?.tlsMs)
  if (startedAt !== undefined && sentAt !== undefined) add('send', sentAt - startedAt)
  if (startedAt !== undefined && waitedUntil !== undefined) add('wait', waitedUntil - startedAt)
  return timings
}
