/**
 * Our own connections, watched by undici's public API alone: an Agent whose Pools are made of Clients of ours. A
 * Client has one socket at a time, so its `connect` hook and its `dispatch` share one record, and request and socket
 * are tied without a global channel or a private symbol.
 */

import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import * as undici from 'undici'
import type { Clock } from '../clock.js'
import type { AddressBook } from './address-book.js'
import { ByOrigin } from './by-origin.js'
import { Lookout } from './lookout.js'
import type { PingSettings } from './ping-timer.js'
import type { SocketRecord } from './socket-record.js'
import { connectorOf, type DialHost } from './undici-dial.js'
import { forwarding } from './undici-forward.js'
import { type LineWatcher, OpenLines, OriginLine, type Place, WatchedClient } from './undici-line.js'
import { OneOffClients } from './undici-one-off.js'
import type { ProxySettings, ViaOf } from './via.js'

export type Dispatcher = undici.Dispatcher

/** How undici's connections are to be made. */
export interface ConnectionsOptions {
  /** Most connections to one origin; `undefined` is no limit. */
  readonly connections: number | undefined
  /** How long an idle connection is kept, ms. */
  readonly keepAliveMs: number
  /** Offer HTTP/2 to TLS servers, and when to look into the silence of one; absent: HTTP/1.1 only. */
  readonly http2?: { readonly ping: PingSettings | undefined }
  /** Options of `node:tls`: `ca`, `cert`, `key`, `rejectUnauthorized`, … */
  readonly tls?: ConnectionOptions
  readonly maxHeaderSize?: number
  readonly localAddress?: string
  /** The way to each origin. Asked when a connection is to be made; the same origin must always go the same way. */
  readonly via?: ViaOf
}

/**
 * Which way to a connection: one of the pool's; one of its own, closed after one request; or one that speaks HTTP/1.1.
 */
export type Route = 'pooled' | 'fresh' | 'http/1.1'

type Shared = undici.Client.Options & { readonly connect: undici.buildConnector.connector }

interface Ground extends DialHost, Place {
  readonly origin: string
}

/** Connections to all origins, and how many of them stand open at each. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #clock: Clock
  readonly #addresses: AddressBook
  readonly #lookout: Lookout
  readonly #watch: (origin: string) => LineWatcher
  readonly #ways = new Map<Route, PoolsByOrigin | OneOffClients>()
  readonly #origins = new ByOrigin<OpenLines>()
  readonly #proxies = new Map<ProxySettings | undefined, undici.buildConnector.connector>()

  /** @param host what connections are made with, and who is told of them, by origin */
  constructor(
    options: ConnectionsOptions,
    host: {
      readonly clock: Clock
      readonly addresses: AddressBook
      readonly lookout?: Lookout
      readonly watch: (origin: string) => LineWatcher
    },
  ) {
    this.#options = options
    this.#clock = host.clock
    this.#addresses = host.addresses
    this.#lookout = host.lookout ?? new Lookout(host.clock, () => false)
    this.#watch = host.watch
  }

  /** The dispatcher that goes this way. */
  by(route: Route): undici.Dispatcher {
    let way = this.#ways.get(route)
    if (way === undefined) {
      way = this.#way(route)
      this.#ways.set(route, way)
    }
    return way
  }

  /**
   * Whether a request to this origin should wait until the sockets have been looked at once more: it could be put on
   * one that the peer has closed meanwhile.
   */
  needsLook(origin: string, method: string, now: number): boolean {
    const lines = this.#origins.get(origin)
    if (lines === undefined) return false
    // What cannot be mended by sending again is always worth a turn of the loop; the rest only after a pause.
    if (method !== 'GET' && method !== 'HEAD') return true
    return now - lines.usedAt > pauseMs
  }

  /** Waits for what is in flight, then closes. */
  async close(): Promise<void> {
    await Promise.all([...this.#ways.values()].map((way) => way.close()))
    this.#lookout.close()
  }

  /** Closes everything at once. */
  async destroy(): Promise<void> {
    this.#lookout.close()
    await Promise.all([...this.#ways.values()].map((way) => way.destroy()))
  }

  #way(route: Route): PoolsByOrigin | OneOffClients {
    const { connections } = this.#options
    if (route === 'fresh') {
      const shared = this.#shared(route)
      // Pipelining 0 tells an HTTP/1.1 server that this connection ends after the request.
      const make = (origin: string) => this.#client(this.#ground(origin, shared), { ...shared, pipelining: 0 })
      return new OneOffClients(make, connections ?? Number.POSITIVE_INFINITY)
    }
    return new PoolsByOrigin((origin) => {
      const shared = this.#shared(route)
      const ground = this.#ground(origin, shared)
      const factory = (_: URL, options: undici.Client.Options) => this.#client(ground, options)
      return new undici.Pool(origin, { ...shared, ...(connections !== undefined && { connections }), factory })
    })
  }

  #client(ground: Ground, options: undici.Client.Options): WatchedClient {
    const line = new OriginLine(ground.origin, this.#watch(ground.origin))
    return new WatchedClient(line, { ...options, connect: connectorOf(line, ground) }, ground)
  }

  /** What all connections of one way to an origin have in common. */
  #ground(origin: string, { allowH2, connect: secure }: Shared): Ground {
    const via = this.#options.via?.(origin)
    return {
      origin,
      clock: this.#clock,
      addresses: this.#addresses,
      lookout: this.#lookout,
      ping: this.#options.http2?.ping,
      via,
      secure,
      secureProxy: (...dial) =>
        this.#securedProxy(via !== undefined && 'proxy' in via ? via.proxy : undefined)(...dial),
      opened: (...opened) => this.#open(...opened),
      elsewhere: (...request) => this.by('fresh').dispatch(...request),
      ...(allowH2 === true &&
        origin.startsWith('https:') && { overHttp1: (...request) => this.by('http/1.1').dispatch(...request) }),
      ...(via?.by === 'forward' && { rewrite: forwarding(origin, via.proxy) }),
    }
  }

  /** One for each proxy: it keeps the TLS sessions. */
  #securedProxy(proxy: ProxySettings | undefined): undici.buildConnector.connector {
    let secured = this.#proxies.get(proxy)
    if (secured === undefined) {
      secured = undici.buildConnector({
        ...proxy?.tls,
        allowH2: false,
        timeout: 0,
      } as undici.buildConnector.BuildOptions)
      this.#proxies.set(proxy, secured)
    }
    return secured
  }

  #shared(route: Route): Shared {
    const { http2, keepAliveMs, maxHeaderSize, localAddress, tls } = this.#options
    const allowH2 = http2 !== undefined && route !== 'http/1.1'
    const security = { ...tls, allowH2, timeout: 0 } as undici.buildConnector.BuildOptions
    return {
      pipelining: 1,
      allowH2,
      // undici sends PINGs and does not mind whether they are answered; ours are sent by the socket's record.
      pingInterval: 0,
      keepAliveTimeout: keepAliveMs,
      // Our limits are exact; undici's tick at half a second and can fire early.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(maxHeaderSize !== undefined && { maxHeaderSize }),
      ...(localAddress !== undefined && { localAddress }),
      connect: undici.buildConnector(security),
    }
  }

  #open(line: OriginLine, record: SocketRecord, socket: Socket): void {
    const { origin } = line
    const lines = this.#origins.get(origin) ?? new OpenLines()
    this.#origins.set(origin, lines)
    lines.open++
    line.lines = lines
    this.#lookout.stands(record)
    line.watcher.opened(record)
    socket.once('close', () => {
      lines.open--
      if (lines.open === 0) this.#origins.delete(origin)
      this.#lookout.ended(record)
      line.watcher.closed(record)
    })
  }
}

/**
 * A pool for each origin. undici's Agent would do, but for one habit: it closes a pool whose last connection has ended,
 * with whatever has been put on it meanwhile, so that the connection made for the next request serves that one alone.
 */
class PoolsByOrigin extends undici.Dispatcher {
  readonly #make: (origin: string) => undici.Pool
  readonly #pools = new ByOrigin<undici.Pool>()

  constructor(make: (origin: string) => undici.Pool) {
    super()
    this.#make = make
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    const origin = String(options.origin)
    let pool = this.#pools.get(origin)
    if (pool === undefined) {
      pool = this.#make(origin)
      this.#makeRoom()
      this.#pools.set(origin, pool)
    }
    return pool.dispatch(options, handler)
  }

  override async close(): Promise<void> {
    // Closing what has been destroyed is no mistake, but undici takes it for one.
    await Promise.all([...this.#pools.values()].map((pool) => (pool.destroyed ? undefined : pool.close())))
  }

  override async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
  }

  /** Pools that nobody uses are forgotten, the oldest first, when there are many. */
  #makeRoom(): void {
    if (this.#pools.size < mostPools) return
    for (const [origin, pool] of this.#pools) {
      const { size, connected } = pool.stats
      if (size === 0 && connected === 0) this.#pools.delete(origin)
      if (this.#pools.size < mostPools) return
    }
  }
}

const mostPools = 1000

/** After a pause like this a socket may have been closed unseen. */
const pauseMs = 50
