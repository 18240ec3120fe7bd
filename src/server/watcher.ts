/** What all protocols have in common: connections, requests under way, what is lost, and what is counted. */

import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import type { HangupFacts, HangupPhase } from '../failure/hangup.js'
import { redactPath } from '../failure/redact.js'
import { ClientBook } from './client-book.js'
import { ClientConnection } from './client-connection.js'
import { ClientGoneError } from './client-gone-error.js'
import { Departures } from './departures.js'
import { Exchange, type ExchangeView, type Loss, lossOf } from './exchange.js'
import { GoneSignal } from './gone-signal.js'
import type { HangupDesk } from './hangup-desk.js'
import { LoopDelay } from './loop-delay.js'
import { readRequester } from './requester.js'
import type { RouteBook } from './route-book.js'

/** What a route is named by. */
export interface RouteRequest {
  readonly method: string
  /** Without the query string. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** A request as its protocol hands it in. */
export interface Beginning {
  readonly protocol: 'http/1.1' | 'h2' | 'raw'
  readonly connection: ClientConnection
  readonly view: ExchangeView
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Named by the caller; without it the route is made of the request. */
  readonly route?: string
}

/** Something that was lost with a connection, and was no request under way. */
export interface IdleLoss {
  readonly phase: HangupPhase
  readonly protocol: 'http/1.1' | 'h2' | 'raw'
}

/** What a watcher is made of. */
export interface WatcherParts {
  readonly clock: Clock
  readonly secure: boolean
  readonly routes: RouteBook
  readonly desk: HangupDesk
  readonly nameRoute: (request: RouteRequest) => string
  /** What the end of a connection means on which no request was lost. */
  readonly idleEnd: (connection: ClientConnection) => IdleLoss | 'silent' | undefined
  /** Whether connections on which nothing was ever asked are reported. */
  readonly probes: boolean
}

/** Clients that are told apart at one time. */
const mostClients = 5000
/** How slowly the usual number of requests under way follows the present one. */
const inertia = 1 / 256

export class ClientWatcher {
  readonly clients = new ClientBook(mostClients)
  readonly connections = new Map<Socket, ClientConnection>()
  /** Connections that a client made and ended without a byte. */
  silentConnections = 0
  /** The connection that was opened last. */
  lastOpened: ClientConnection | undefined
  readonly #parts: WatcherParts
  readonly #open = new Set<Exchange>()
  readonly #known = new WeakMap<object, GoneSignal>()
  readonly #last = new WeakMap<ClientConnection, Exchange>()
  readonly #departures = new Departures()
  readonly #loop: LoopDelay
  #usuallyInFlight = 0

  constructor(parts: WatcherParts) {
    this.#parts = parts
    this.#loop = new LoopDelay(parts.clock)
  }

  get inFlight(): number {
    return this.#open.size
  }

  get loopDelayMs(): number {
    return this.#loop.ms
  }

  /** The record of a connection; made now where it stood before anybody watched. */
  readonly connectionOf = (socket: Socket): ClientConnection => {
    const known = this.connections.get(socket)
    if (known !== undefined) return known
    const connection = new ClientConnection(socket, this.#parts.clock, { closed: this.#onClosed })
    this.connections.set(socket, connection)
    this.lastOpened = connection
    return connection
  }

  /** A request's head is complete. @param release takes the protocol's listeners off */
  begin(beginning: Beginning, release: () => void): Exchange {
    const { protocol, connection, view, method, url, headers } = beginning
    const requester = readRequester(headers)
    const path = redactPath(url)
    const route = beginning.route ?? this.#parts.nameRoute({ method, path, headers })
    const startedAt = this.#parts.clock.now()
    const requestsBefore = connection.requests++
    const named = beginning.route === undefined ? { method, path } : {}
    const exchange = new Exchange(
      {
        protocol,
        connection,
        startedAt,
        route,
        ...named,
        requester,
        view,
        requestsBefore,
        startedLateMs: this.#loop.presentMs,
      },
      { finished: this.#onFinished, lost: this.#onLost },
      release,
    )
    const clientKey = connection.clientKey ?? `${connection.remoteAddress} ${requester.agentMark}`
    if (connection.clientKey === undefined) this.clients.opened(clientKey)
    connection.clientKey = clientKey
    this.clients.asked(clientKey, startedAt, route)
    this.#open.add(exchange)
    this.#last.set(connection, exchange)
    this.#usuallyInFlight += (this.#open.size - this.#usuallyInFlight) * inertia
    this.#loop.start()
    return exchange
  }

  /** Under which objects a handler may ask for the signal. */
  knowAs(exchange: Exchange, ...subjects: readonly object[]): void {
    for (const subject of subjects) this.#known.set(subject, exchange.gone)
  }

  signalOf(subject: object): AbortSignal {
    const known = this.#known.get(subject)
    if (known !== undefined) return known.signal
    const gone = new GoneSignal()
    // What is not watched (a request that a test injects) has no client that could leave.
    if (this.connections.has(subject as Socket)) this.#known.set(subject, gone)
    return gone.signal
  }

  /** A connection ended, and something was lost that was no request under way. */
  lostIdle(connection: ClientConnection, { phase, protocol }: IdleLoss): void {
    const last = phase === 'connect' || phase === 'send' ? undefined : this.#last.get(connection)
    const { method, path } = last?.start ?? {}
    const requester = last?.start.requester ?? { agent: 'none' as const, proxied: false, userMark: '' }
    const since = last?.start.startedAt ?? connection.openedAt
    const facts = this.#facts(connection, lossOf(connection), {
      protocol,
      phase,
      afterMs: (connection.endedAt ?? this.#parts.clock.now()) - since,
      route: last?.start.route ?? (protocol === 'raw' ? '(connection)' : '(no request)'),
      ...(method !== undefined && path !== undefined && { method, path }),
      agent: requester.agent,
      proxied: requester.proxied,
      requestsBefore: connection.requests,
    })
    this.#report(facts, { client: connection.clientKey ?? `${connection.remoteAddress}`, user: requester.userMark })
  }

  stop(): void {
    for (const exchange of [...this.#open]) exchange.abandon()
    this.#open.clear()
    for (const connection of this.connections.values()) connection.release()
    this.connections.clear()
    this.lastOpened = undefined
    this.#loop.stop()
  }

  readonly #onFinished = (exchange: Exchange): void => {
    this.#leave(exchange)
    this.#parts.routes.of(exchange.start.route).answered(this.#parts.clock.now() - exchange.start.startedAt)
  }

  readonly #onLost = (exchange: Exchange, loss: Loss): void => {
    const { connection, protocol, startedAt, route, method, path, requester, view, requestsBefore, startedLateMs } =
      exchange.start
    const now = this.#parts.clock.now()
    const endedAt = loss.ending === 'stream-reset' ? now : (connection.endedAt ?? now)
    const unsent = view.unsent()
    const facts = this.#facts(connection, loss, {
      protocol,
      phase: exchange.phase,
      afterMs: Math.max(0, endedAt - startedAt),
      route,
      ...(method !== undefined && path !== undefined && { method, path }),
      agent: requester.agent,
      proxied: requester.proxied,
      requestsBefore,
      startedLateMs,
      ...(unsent !== undefined && { unsent }),
    })
    this.#leave(exchange)
    exchange.gone.fire(new ClientGoneError({ ...facts, what: method === undefined ? route : `${method} ${path}` }))
    this.#report(facts, {
      client: connection.clientKey ?? '',
      user: `${connection.remoteAddress} ${requester.userMark}`,
    })
  }

  /** What is the same for all: the line, the load, and what is known of the route. */
  #facts(connection: ClientConnection, loss: Loss, seen: Seen): HangupFacts {
    const { clock, secure, routes } = this.#parts
    const { requestsBefore, unsent, startedLateMs = 0, ...rest } = seen
    const { remoteAddress, remotePort } = connection
    const record = routes.of(seen.route)
    const usual = record.usual()
    const hazard = record.hazardAt(seen.afterMs)
    return {
      ...rest,
      ...loss,
      secure,
      at: clock.epoch(),
      ...(connection.goodbye && loss.ending === 'fin' && { goodbye: true as const }),
      bytes: bytesOf(connection, seen),
      inFlight: this.#open.size,
      usuallyInFlight: this.#usuallyInFlight,
      loopDelayMs: this.#loop.ms,
      startedLateMs,
      ...(usual !== undefined && { usual }),
      ...(hazard !== undefined && { hazard }),
      connection: {
        ...(remoteAddress !== undefined && { remoteAddress }),
        ...(remotePort !== undefined && { remotePort }),
        ageMs: clock.now() - connection.openedAt,
        requestsBefore,
      },
    }
  }

  #report(facts: HangupFacts, who: { readonly client: string; readonly user: string }): void {
    const { routes, desk, clock } = this.#parts
    const at = clock.now()
    const { ending, afterMs, route } = facts
    routes.of(route).lost(afterMs, ending !== 'local')
    if (ending === 'local') {
      desk.judge(facts)
      return
    }
    this.clients.lostRequest(who.client, { at, ageMs: afterMs })
    const address = facts.connection.remoteAddress ?? ''
    const late = facts.loopDelayMs + facts.startedLateMs
    const sameAge = this.#departures.compare({ at, afterMs, address, ...who }, late)
    // Only requests come and go; a connection without one has no client to compare.
    desk.take({ ...facts, sameAge }, () => this.clients.around(who.client, at, route))
  }

  #leave(exchange: Exchange): void {
    this.#open.delete(exchange)
    if (this.#open.size === 0) this.#loop.stop()
  }

  readonly #onClosed = (connection: ClientConnection): void => {
    this.connections.delete(connection.socket)
    const { ending, endedAt = this.#parts.clock.now(), openedAt, clientKey } = connection
    const byClient = ending !== 'local'
    if (clientKey !== undefined) {
      this.clients.closed(clientKey, byClient ? { at: endedAt, ageMs: endedAt - openedAt } : undefined)
    }
    const gone = { ...lossOf(connection), phase: 'close' as const, afterMs: endedAt - openedAt }
    this.#known.get(connection.socket)?.fire(new ClientGoneError({ ...gone, what: 'connection' }))
    // What was lost with requests has been told with them.
    if (connection.handedOver || connection.carries.size > 0) return
    const end = this.#parts.idleEnd(connection)
    if (end === 'silent') this.silentConnections += 1
    if (end === 'silent' && this.#parts.probes) this.lostIdle(connection, { phase: 'connect', protocol: 'raw' })
    else if (typeof end === 'object') this.lostIdle(connection, end)
  }
}

/** What differs from one hang-up to another. */
type Seen = Pick<HangupFacts, 'protocol' | 'phase' | 'afterMs' | 'route' | 'method' | 'path' | 'agent' | 'proxied'> & {
  readonly requestsBefore: number
  readonly startedLateMs?: number
  readonly unsent?: number
}

/** Over HTTP/2 the connection's bytes belong to all of its streams. */
function bytesOf(connection: ClientConnection, { protocol, unsent }: Seen): HangupFacts['bytes'] {
  if (protocol === 'h2') return unsent === undefined ? {} : { unsent }
  const { settledSent, settledReceived } = connection
  return {
    received: Math.max(0, connection.bytesReceived - settledReceived),
    sent: Math.max(0, connection.bytesSent - settledSent),
    unsent: connection.unsent,
  }
}
