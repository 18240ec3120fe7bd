/**
 * Our own connections, watched by undici's public API alone: an Agent whose Pools are made of Clients of ours. A
 * Client has one socket at a time, so its `connect` hook and its `dispatch` share one record, and request and socket
 * are tied without a global channel or a private symbol.
 */

import net from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import * as undici from 'undici'
import type { Clock } from '../clock.js'
import { Exchange, type ExchangeListener, type Line } from './exchange.js'
import { type Watch, watchHandler } from './exchange-handlers.js'
import type { AnyHandler } from './handler-shapes.js'
import { SocketRecord } from './socket-record.js'
import type { Timeline } from './timeline.js'

export type Dispatcher = undici.Dispatcher

/** How undici's connections are to be made. */
export interface ConnectionsOptions {
  /** Most connections to one origin; `undefined` is no limit. */
  readonly connections: number | undefined
  /** How long an idle connection is kept, ms. */
  readonly keepAliveMs: number
  readonly http2: boolean
  /** Options of `node:tls`: `ca`, `cert`, `key`, `rejectUnauthorized`, … */
  readonly tls?: ConnectionOptions
  readonly maxHeaderSize?: number
  readonly localAddress?: string
}

/** undici 8 speaks only its new handlers; 7 speaks the old ones inside and translates. */
const coreSpeaksOld = !('Dispatcher1Wrapper' in undici)

/** The private road by which an exchange reaches the Client that will carry it: a property of the dispatch options. */
const exchangeKey = Symbol('offhook.exchange')
type WithExchange = undici.Dispatcher.DispatchOptions & { [exchangeKey]?: Exchange }

/** Connections to all origins, and how many of them stand open at each. */
export class Connections {
  readonly agent: undici.Agent
  readonly #open = new Map<string, number>()
  readonly #clock: Clock

  constructor(options: ConnectionsOptions, clock: Clock) {
    this.#clock = clock
    this.agent = new undici.Agent({
      ...(options.connections !== undefined && { connections: options.connections }),
      pipelining: 1,
      allowH2: options.http2,
      keepAliveTimeout: options.keepAliveMs,
      // Our limits are exact; undici's tick at half a second and can fire early.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(options.maxHeaderSize !== undefined && { maxHeaderSize: options.maxHeaderSize }),
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      factory: (origin, poolOptions) => this.#pool(String(origin), poolOptions as undici.Pool.Options, options.tls),
    })
  }

  /** Whether a request to this origin could be put on a connection that has stood open for a while. */
  mayReuse(origin: string): boolean {
    return (this.#open.get(origin) ?? 0) > 0
  }

  /** Waits for what is in flight, then closes. */
  async close(): Promise<void> {
    await this.agent.close()
  }

  /** Closes everything at once. */
  async destroy(): Promise<void> {
    await this.agent.destroy()
  }

  #pool(origin: string, options: undici.Pool.Options, tls: ConnectionOptions | undefined): undici.Pool {
    const security = { ...tls, allowH2: options.allowH2 ?? false, timeout: 0 } as undici.buildConnector.BuildOptions
    const secured = undici.buildConnector(security)
    return new undici.Pool(origin, {
      ...options,
      connect: secured,
      factory: (poolOrigin, clientOptions) => {
        const line: Line = { socket: undefined }
        return new WatchedClient(poolOrigin, { ...clientOptions, connect: this.#dial(origin, line, secured) }, line)
      },
    })
  }

  /** Opens the TCP connection itself, so that TLS stands on a socket that can be watched and each step can be timed. */
  #dial(origin: string, line: Line, secured: undici.buildConnector.connector): undici.buildConnector.connector {
    return (target, callback) => {
      const secure = target.protocol === 'https:'
      const record = new SocketRecord(this.#clock, secure)
      line.socket = record
      const raw = net.connect(address(target))
      record.watchDial(raw)
      let settled = false
      const done: undici.buildConnector.Callback = (...result) => {
        if (settled) return
        settled = true
        const socket = result[1]
        if (socket !== null) {
          record.established(socket, raw)
          this.#count(origin, socket)
        }
        callback(...result)
      }
      raw.setKeepAlive(true, tcpKeepAliveMs)
      raw.setNoDelay(true)
      raw.once('error', (error) => done(error, null))
      raw.once('connect', () => (secure ? secured({ ...target, httpSocket: raw }, done) : done(null, raw)))
    }
  }

  #count(origin: string, socket: net.Socket): void {
    this.#open.set(origin, (this.#open.get(origin) ?? 0) + 1)
    socket.once('close', () => {
      const left = (this.#open.get(origin) ?? 1) - 1
      if (left > 0) this.#open.set(origin, left)
      else this.#open.delete(origin)
    })
  }
}

/** How long a connection is silent before the kernel asks whether the peer is still there; undici's own figure. */
const tcpKeepAliveMs = 60_000

function address(target: undici.buildConnector.Options): net.NetConnectOpts {
  if (typeof target.socketPath === 'string') return { path: target.socketPath }
  const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80)
  const local = target.localAddress
  // As undici itself has it; `net.connect` passes the stream's options on, though its types do not say so.
  const flow = { highWaterMark: 65_536 }
  return { host: target.hostname, port, ...flow, ...(typeof local === 'string' && { localAddress: local }) }
}

class WatchedClient extends undici.Client {
  readonly #line: Line

  constructor(origin: string | URL, options: undici.Client.Options, line: Line) {
    super(origin, options)
    this.#line = line
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    ;(options as WithExchange)[exchangeKey]?.assigned(this.#line)
    return super.dispatch(options, handler)
  }
}

/** Whom an attempt's dispatcher serves. */
export interface DispatchListener extends ExchangeListener {
  /** A request is about to go to the connections. */
  onDispatch(exchange: Exchange, options: DispatchFacts): void
}

/** What can be read off the dispatch options about the body. */
export interface DispatchFacts {
  readonly hasBody: boolean
  /** What `content-length` the host's API has worked out; absent where it does not know. */
  readonly contentLength: number | undefined
}

/** The dispatcher of one attempt: passes requests on to the connections and lets the timeline watch. */
export class WatchingDispatcher extends undici.Dispatcher {
  readonly #target: undici.Dispatcher
  readonly #own: Connections | undefined
  readonly #timeline: Timeline
  readonly #listener: DispatchListener

  constructor(target: Connections | undici.Dispatcher, timeline: Timeline, listener: DispatchListener) {
    super()
    this.#own = target instanceof Connections ? target : undefined
    this.#target = target instanceof Connections ? target.agent : target
    this.#timeline = timeline
    this.#listener = listener
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    const { clock } = this.#timeline
    const origin = String(options.origin)
    const exchange = new Exchange({ method: options.method, origin, path: options.path }, clock, this.#listener)
    this.#timeline.begin(exchange)
    const watch = watchHandler(
      exchange,
      handler as AnyHandler,
      this.#own === undefined ? 'any' : coreSpeaksOld ? 'old' : 'new',
    )
    this.#listener.onDispatch(exchange, bodyFacts(options))
    const watched: WithExchange = { ...options, [exchangeKey]: exchange }
    const send = () => {
      if (exchange.abandoned !== undefined) return this.#refuse(watch, exchange.abandoned.reason)
      return this.#target.dispatch(watched, watch as undici.Dispatcher.DispatchHandler)
    }
    if (this.#own === undefined || !this.#own.mayReuse(origin) || !needsLook(options.method)) return send()
    // undici looks at an idle socket for one turn of the loop, which from a poll-phase callback sees nothing of what
    // already waits in the kernel. Two turns turn a whole class of stale-socket failures into successes.
    clock.nextTurn(() =>
      clock.nextTurn(() => {
        try {
          send()
        } catch (error) {
          this.#refuse(watch, error)
        }
      }),
    )
    return true
  }

  #refuse(watch: Watch, reason: unknown): false {
    watch.refuse(reason)
    return false
  }
}

/** Methods whose loss cannot be mended by sending again are worth two turns of the loop; the others are sent at once. */
function needsLook(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

function bodyFacts(options: undici.Dispatcher.DispatchOptions): DispatchFacts {
  const hasBody = options.body !== null && options.body !== undefined
  if (!hasBody) return { hasBody, contentLength: 0 }
  const headers = options.headers as Record<string, unknown> | undefined
  const length =
    headers !== undefined && !Array.isArray(headers) ? Number(headers['content-length'] ?? Number.NaN) : Number.NaN
  return { hasBody, contentLength: Number.isNaN(length) ? undefined : length }
}
