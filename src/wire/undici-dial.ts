/**
 * One dial: TCP, to the host itself, to its proxy or to a Unix socket; the proxy's TLS and its tunnel where there is one;
 * the origin's TLS. Each step is ours, so that each can be watched and timed, and the step that failed is known.
 */

import net from 'node:net'
import type * as undici from 'undici'
import type { Clock } from '../clock.js'
import type { AddressBook, DialledAddresses } from './address-book.js'
import { openTunnel, TunnelError } from './connect-tunnel.js'
import type { Lookout } from './lookout.js'
import { tcpKeepAliveMs } from './peer-question.js'
import type { PingSettings } from './ping-timer.js'
import { DialAbandoned } from './socket-ends.js'
import { SocketRecord } from './socket-record.js'
import { openSocksTunnel } from './socks-tunnel.js'
import type { OriginLine } from './undici-line.js'
import type { ProxySettings, Via } from './via.js'

type Connector = undici.buildConnector.connector
type Target = undici.buildConnector.Options
type Callback = undici.buildConnector.Callback

/** What the dials to one origin have in common. */
export interface DialHost {
  readonly clock: Clock
  readonly addresses: AddressBook
  readonly ping: PingSettings | undefined
  readonly lookout: Lookout
  /** Puts TLS with the origin over a socket. */
  readonly secure: Connector
  /** Puts TLS with an `https:` proxy over a socket. */
  readonly secureProxy: Connector
  /** The way to the origin; absent: to its own host. */
  readonly via: Via | undefined
  opened(line: OriginLine, record: SocketRecord, socket: net.Socket): void
}

/** The `connect` hook of a Client that serves this line. */
export function connectorOf(line: OriginLine, host: DialHost): Connector {
  return (target, callback) => {
    if (line.isWaitedFor) new Dial(line, host, { target, callback }).start()
    else process.nextTick(callback, new DialAbandoned(), null)
  }
}

/** What a socket tells of its dial alone. */
const dialEvents = ['lookup', 'connectionAttempt', 'connectionAttemptTimeout', 'connectionAttemptFailed'] as const

class Dial {
  readonly #line: OriginLine
  readonly #host: DialHost
  readonly #target: Target
  readonly #callback: Callback
  readonly #record: SocketRecord
  readonly #addresses: DialledAddresses
  readonly #raw: net.Socket
  readonly #secure: boolean
  #settled = false
  readonly #onError = (error: Error) => this.#fail(error)

  constructor(line: OriginLine, host: DialHost, { target, callback }: { target: Target; callback: Callback }) {
    this.#line = line
    this.#host = host
    this.#target = target
    this.#callback = callback
    this.#secure = target.protocol === 'https:'
    const { via, clock, ping } = host
    const to = endpointOf(target, via)
    const named = 'host' in to && net.isIP(to.host) === 0
    host.lookout.beforeDial()
    this.#record = new SocketRecord(clock, { secure: this.#secure, named, ping, via })
    line.socket = this.#record
    this.#record.sight.lookout = host.lookout
    host.lookout.dials(this.#record, line.origin)
    if ('host' in to && !named) this.#record.dials(to.host, to.port)
    this.#addresses = host.addresses.dial('port' in to ? to.port : 0)
    this.#record.addresses = this.#addresses
    const { localAddress } = target
    // As undici itself has it; `net.connect` passes the stream's options on, though its types do not say so.
    const flow = { highWaterMark: 65_536, ...(typeof localAddress === 'string' && { localAddress }) }
    this.#raw = net.connect({ ...to, ...flow, lookup: this.#addresses.lookup } as net.NetConnectOpts)
  }

  start(): void {
    const raw = this.#raw
    if (this.#host.via?.by !== 'unix') this.#addresses.watch(raw)
    this.#record.watchDial(raw)
    raw.setKeepAlive(true, tcpKeepAliveMs)
    raw.setNoDelay(true)
    raw.once('error', this.#onError)
    raw.once('connect', () => this.#reached(this.#host.via))
  }

  /** TCP is there. */
  #reached(via: Via | undefined): void {
    if (via === undefined || via.by === 'unix') this.#toOrigin(this.#raw)
    else if (via.proxy.protocol === 'https:') this.#toProxy(via.proxy, (proxied) => this.#atProxy(via, proxied))
    else this.#atProxy(via, this.#raw)
  }

  #toProxy({ host, port }: ProxySettings, then: (secured: net.Socket) => void): void {
    const target = { hostname: host, host, protocol: 'https:', port: String(port), httpSocket: this.#raw }
    this.#host.secureProxy(target, (...result) => {
      // A failure comes with one argument, whatever the types say.
      const [error, secured] = result as [NodeJS.ErrnoException | null, net.Socket | undefined]
      if (secured === undefined) return this.#fail(error?.code === 'ECONNRESET' ? error : new ProxyTlsError(error))
      this.#record.watchProxy(secured)
      then(secured)
    })
  }

  /** The proxy listens. */
  #atProxy(via: Via & { readonly proxy: ProxySettings }, socket: net.Socket): void {
    if (via.by === 'forward') {
      this.#done(socket)
      return
    }
    const made = (error?: Error) => {
      if (error !== undefined) return this.#fail(error)
      this.#record.tunnelled()
      this.#toOrigin(socket)
    }
    const { headers, login, protocol } = via.proxy
    const target = { host: this.#target.hostname, port: portOf(this.#target) }
    if (protocol === 'socks5:') openSocksTunnel(socket, { ...target, login }, made)
    else openTunnel(socket, { authority: authorityOf(target), headers }, made)
  }

  /** What is written from now on, the origin reads. */
  #toOrigin(socket: net.Socket): void {
    if (!this.#secure) {
      this.#done(socket)
      return
    }
    this.#host.secure({ ...this.#target, httpSocket: socket }, (...result) => {
      const [error, secured] = result as [Error | null, net.Socket | undefined]
      if (secured === undefined) this.#fail(error)
      else this.#done(secured, socket)
    })
    // Making it ready takes milliseconds, of which a round trip is none.
    this.#record.sight.greetedAt = this.#host.clock.now()
  }

  /** @param beneath what carries it; without TLS it is the TCP socket itself */
  #done(socket: net.Socket, beneath = this.#raw): void {
    if (this.#settled) return
    this.#settled = true
    this.#addresses.worked()
    // A connection lives much longer than its dial, which nobody need keep.
    this.#raw.removeListener('error', this.#onError)
    for (const event of dialEvents) this.#raw.removeAllListeners(event)
    this.#record.established(socket, beneath)
    this.#host.opened(this.#line, this.#record, socket)
    this.#line.onOpen?.(this.#record)
    this.#callback(null, socket)
  }

  #fail(error: Error | null): void {
    if (this.#settled) return
    this.#settled = true
    // A proxy that answers works, whatever it says of the target.
    const answered = error instanceof TunnelError && (error.statusCode !== undefined || /REPLY_\d/.test(error.code))
    if (!this.#record.closedByUs && !answered) this.#addresses.failed((error as NodeJS.ErrnoException | null)?.code)
    this.#host.lookout.ended(this.#record)
    this.#callback(error ?? new Error('the connection could not be made'), null)
    this.#raw.destroy()
  }
}

type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number }

function endpointOf(target: Target, via: Via | undefined): Endpoint {
  if (via?.by === 'unix') return { path: via.path }
  if (via !== undefined) return { host: via.proxy.host, port: via.proxy.port }
  return { host: target.hostname, port: portOf(target) }
}

function portOf({ port, protocol }: Target): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80)
}

function authorityOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${net.isIPv6(host) ? `[${host}]` : host}:${port}`
}

/**
 * TLS with the proxy failed. Not handed on as it came: undici waits for ever when it sees the code of a certificate
 * with the wrong name, which it takes for the origin's.
 */
class ProxyTlsError extends Error {
  override readonly name = 'ProxyTlsError'
  readonly code = 'UND_ERR_PRX_TLS'
  constructor(cause: Error | null) {
    super('TLS with the proxy failed', { cause })
  }
}
