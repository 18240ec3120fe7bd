/**
 * Our own connections, watched by undici's public API alone: an Agent whose Pools are made of Clients of ours. A
 * Client has one socket at a time, so its `connect` hook and its `dispatch` share one record, and request and socket
 * are tied without a global channel or a private symbol.
 */

import net from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import * as undici from 'undici'
import type { Clock } from '../clock.js'
import type { Exchange, Line } from './exchange.js'
import { SocketRecord } from './socket-record.js'

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

/** The private road by which an exchange reaches the Client that will carry it: a property of the dispatch options. */
export const exchangeKey = Symbol('offhook.exchange')
export type WithExchange = undici.Dispatcher.DispatchOptions & { [exchangeKey]?: Exchange }

/**
 * Which way to a connection: one of the pool's; one of its own, closed after one request; or one that speaks HTTP/1.1.
 */
export type Route = 'pooled' | 'fresh' | 'http/1.1'

/** How an idle connection is about to be used. */
export interface Reuse {
  /** Milliseconds; by the clock that runs longer, for one stands still while the machine sleeps. */
  readonly idleMs: number
  /** Requests that the connection has carried. */
  readonly requests: number
  /** The request must not be executed twice. */
  readonly unsafe: boolean
  /** One round trip, in milliseconds, as the TCP handshake took it. */
  readonly rttMs: number | undefined
}

/** How a reused connection failed: `silence` is that nothing came at all. */
export interface StaleUse {
  readonly idleMs: number
  readonly requests: number
  readonly how: 'fin' | 'rst' | 'silence'
}

/** What a server announced: `Keep-Alive: timeout=, max=`, on the so-manieth answer of its connection. */
export interface KeepAliveHint {
  readonly timeoutMs?: number
  readonly max?: number
  readonly requests: number
}

/** Whoever learns from the connections, and judges whether an idle one may be used again. */
export interface ConnectionsWatcher {
  mayReuse(origin: string, use: Reuse): boolean
  opened(origin: string, socket: SocketRecord): void
  /** A connection ended. */
  closed(origin: string, socket: SocketRecord): void
  /** A reused connection answered, after it had been idle for so long. */
  survived(origin: string, idleMs: number, requests: number): void
  /** A reused connection failed before it had answered. */
  failedOnUse(origin: string, use: StaleUse): void
  /** A fresh connection answered, or failed. */
  fresh(origin: string, worked: boolean): void
  announced(origin: string, hint: KeepAliveHint): void
}

/** Connections to all origins, and how many of them stand open at each. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #clock: Clock
  readonly #watcher: ConnectionsWatcher
  readonly #agents = new Map<Route, undici.Agent>()
  readonly #origins = new Map<string, OpenLines>()

  constructor(options: ConnectionsOptions, clock: Clock, watcher: ConnectionsWatcher) {
    this.#options = options
    this.#clock = clock
    this.#watcher = watcher
  }

  /** The dispatcher that goes this way. */
  by(route: Route): undici.Agent {
    let agent = this.#agents.get(route)
    if (agent === undefined) {
      agent = this.#agent(route)
      this.#agents.set(route, agent)
    }
    return agent
  }

  /**
   * Whether a request to this origin should wait until the sockets have been looked at once more: it could be put on
   * one that the peer has closed meanwhile.
   */
  needsLook(origin: string, method: string): boolean {
    const lines = this.#origins.get(origin)
    if (lines === undefined) return false
    // What cannot be mended by sending again is always worth two turns of the loop; the rest only after a pause.
    if (method !== 'GET' && method !== 'HEAD') return true
    return this.#clock.now() - lines.usedAt > pauseMs
  }

  /** Waits for what is in flight, then closes. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.close()))
  }

  /** Closes everything at once. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()))
  }

  #agent(route: Route): undici.Agent {
    const { connections, http2, keepAliveMs, maxHeaderSize, localAddress, tls } = this.#options
    return new undici.Agent({
      ...(connections !== undefined && { connections }),
      // 0 asks for the connection to be closed after the request.
      pipelining: route === 'fresh' ? 0 : 1,
      allowH2: http2 && route !== 'http/1.1',
      keepAliveTimeout: keepAliveMs,
      // Our limits are exact; undici's tick at half a second and can fire early.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(maxHeaderSize !== undefined && { maxHeaderSize }),
      ...(localAddress !== undefined && { localAddress }),
      factory: (origin, poolOptions) => this.#pool(String(origin), poolOptions as undici.Pool.Options, tls),
    })
  }

  #pool(origin: string, options: undici.Pool.Options, tls: ConnectionOptions | undefined): undici.Pool {
    const security = { ...tls, allowH2: options.allowH2 ?? false, timeout: 0 } as undici.buildConnector.BuildOptions
    const secured = undici.buildConnector(security)
    return new undici.Pool(origin, {
      ...options,
      connect: secured,
      factory: (poolOrigin, clientOptions) => {
        const line = new OriginLine(origin, this.#watcher)
        return new WatchedClient(poolOrigin, { ...clientOptions, connect: this.#dial(line, secured) }, line)
      },
    })
  }

  /** Opens the TCP connection itself, so that TLS stands on a socket that can be watched and each step can be timed. */
  #dial(line: OriginLine, secured: undici.buildConnector.connector): undici.buildConnector.connector {
    return (target, callback) => {
      const secure = target.protocol === 'https:'
      const record = new SocketRecord(this.#clock, { secure, named: net.isIP(target.hostname) === 0 })
      line.socket = record
      const raw = net.connect(address(target))
      record.watchDial(raw)
      let settled = false
      const done: undici.buildConnector.Callback = (...result) => {
        if (settled) return
        settled = true
        // A failure comes with one argument, whatever the types say.
        const socket: net.Socket | null | undefined = result[1]
        if (socket) {
          record.established(socket, raw)
          this.#open(line, record, socket)
        }
        callback(...result)
      }
      raw.setKeepAlive(true, tcpKeepAliveMs)
      raw.setNoDelay(true)
      raw.once('error', (error) => done(error, null))
      raw.once('connect', () => (secure ? secured({ ...target, httpSocket: raw }, done) : done(null, raw)))
    }
  }

  #open(line: OriginLine, record: SocketRecord, socket: net.Socket): void {
    const { origin } = line
    const lines = this.#origins.get(origin) ?? new OpenLines()
    this.#origins.set(origin, lines)
    lines.open++
    line.lines = lines
    this.#watcher.opened(origin, record)
    socket.once('close', () => {
      lines.open--
      if (lines.open === 0) this.#origins.delete(origin)
      this.#watcher.closed(origin, record)
    })
  }
}

/** The open connections to one origin. */
class OpenLines {
  open = 0
  /** When a request was last put on one of them. */
  usedAt = 0
}

/** The place of one connection at a time, and what it reports. */
class OriginLine implements Line {
  readonly origin: string
  readonly #watcher: ConnectionsWatcher
  socket: SocketRecord | undefined
  lines: OpenLines | undefined

  constructor(origin: string, watcher: ConnectionsWatcher) {
    this.origin = origin
    this.#watcher = watcher
  }

  used(exchange: Exchange): void {
    if (this.lines !== undefined && exchange.startedAt !== undefined) this.lines.usedAt = exchange.startedAt
  }

  answered(exchange: Exchange): void {
    const { idleMs, requestsBefore } = exchange
    if (idleMs !== undefined) this.#watcher.survived(this.origin, idleMs, requestsBefore)
    if (requestsBefore > 0) return
    this.#watcher.fresh(this.origin, true)
    // What a server announces it announces on every answer; the first one of a connection is enough.
    const hint = keepAliveHint(exchange)
    if (hint !== undefined) this.#watcher.announced(this.origin, hint)
  }

  failed(exchange: Exchange): void {
    const { idleMs, requestsBefore: requests, respondedAt, socket } = exchange
    if (respondedAt !== undefined) return
    if (idleMs === undefined) {
      if (requests === 0) this.#watcher.fresh(this.origin, false)
      return
    }
    const ending = socket?.ending ?? 'local'
    const how = ending === 'local' ? 'silence' : ending === 'fin' ? 'fin' : 'rst'
    this.#watcher.failedOnUse(this.origin, { idleMs, requests, how })
  }

  /** Lets go of the connection when it has been idle for so long that the peer may be about to do so. */
  retireIfStale(method: string): void {
    const { socket } = this
    const idleMs = socket?.idleMs
    if (socket === undefined || idleMs === undefined) return
    const use = { idleMs, requests: socket.requests, unsafe: !isRepeatable(method), rttMs: socket.connectMs }
    if (!this.#watcher.mayReuse(this.origin, use)) socket.retire()
  }
}

/** The hop-by-hop header in which a server says how long it will keep the connection (RFC 2068 §19.7.1.1). */
function keepAliveHint(exchange: Exchange): KeepAliveHint | undefined {
  const header = exchange.header('keep-alive')
  if (header === undefined) return undefined
  const timeout = header.match(/\btimeout\s*=\s*"?(\d{1,9})/i)?.[1]
  const max = header.match(/\bmax\s*=\s*"?(\d{1,9})/i)?.[1]
  return {
    requests: exchange.requestsBefore + 1,
    ...(timeout !== undefined && { timeoutMs: Number(timeout) * 1000 }),
    ...(max !== undefined && { max: Number(max) }),
  }
}

function isRepeatable(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || method === 'OPTIONS'
}

/** After a pause like this a socket may have been closed unseen. */
const pauseMs = 50

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
  readonly #line: OriginLine

  constructor(origin: string | URL, options: undici.Client.Options, line: OriginLine) {
    super(origin, options)
    this.#line = line
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    this.#line.retireIfStale(options.method)
    ;(options as WithExchange)[exchangeKey]?.assigned(this.#line)
    return super.dispatch(options, handler)
  }
}
