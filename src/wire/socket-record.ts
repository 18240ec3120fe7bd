/**
 * What is known of one connection, from the dial to its end. Written by listeners that stand on the socket before
 * undici's own, so that the order of events is ours to know. Judges nothing.
 */

import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import type { ConnectionFacts, SocketEnding } from '../failure/evidence.js'
import type { DialledAddresses } from './address-book.js'
import { announcesClose } from './answer-marks.js'
import { type ConnectionUse, connectionFacts } from './connection-facts.js'
import type { DialPhase } from './dial-phase.js'
import { Http2Watch } from './http2-watch.js'
import { type PingSettings, PingTimeout } from './ping-timer.js'
import { SleepWatch } from './sleep-watch.js'
import { DialAbandoned, isReset, Retired, UnseenReset } from './socket-ends.js'
import { SocketSight } from './socket-sight.js'
import { TlsLedger } from './tls-ledger.js'
import type { Via } from './via.js'

let lastId = 0

export class SocketRecord {
  readonly id = ++lastId
  readonly #clock: Clock
  readonly startedAt: number
  dialPhase: DialPhase
  dnsMs: number | undefined
  connectMs: number | undefined
  /** From the connection to the proxy until the tunnel stood. */
  proxyMs: number | undefined
  tlsMs: number | undefined
  establishedAt: number | undefined
  protocol: 'http/1.1' | 'h2' = 'http/1.1'
  localAddress: string | undefined
  localPort: number | undefined
  remoteAddress: string | undefined
  remotePort: number | undefined
  /** Requests that have been started on this connection. */
  requests = 0
  /** Requests that are under way on it: more than one on HTTP/2. */
  busy = 0
  /** When the last exchange on it ended. */
  lastUsedAt: number | undefined
  readonly #sleep: SleepWatch
  #readAtTake = 0
  /** What can be asked of its sockets, and what its answers said. */
  readonly sight = new SocketSight()
  ending: SocketEnding | undefined
  /** The socket's own error, which undici may keep to itself. */
  error: Error | undefined
  endedAt: number | undefined
  closed = false
  /** Ends by our own hand, so that the end says nothing about the peer. */
  closedByUs = false
  #socket: Socket | undefined
  #raw: Socket | undefined
  #tls: TlsLedger | undefined
  #mark: number
  /** The way to the origin, where it is not straight. */
  readonly via: Via | undefined
  readonly secure: boolean
  readonly #ping: PingSettings | undefined
  /** What HTTP/2 says, where that is what is spoken. */
  http2: Http2Watch | undefined
  /** The addresses that the dial has to choose from. */
  addresses: DialledAddresses | undefined

  /**
   * @param dial whether TLS follows, whether the host is a name that must be looked up first, when the silence of an
   *   HTTP/2 peer is looked into, and the way, where it is not straight
   */
  constructor(
    clock: Clock,
    dial: { secure: boolean; named: boolean; ping?: PingSettings | undefined; via?: Via | undefined },
  ) {
    this.#clock = clock
    this.#sleep = new SleepWatch(clock)
    this.startedAt = clock.now()
    this.#mark = this.startedAt
    this.via = dial.via
    this.dialPhase = dial.named ? 'dns' : this.#firstPhase
    this.secure = dial.secure
    this.#ping = dial.ping
  }

  /** The address is known before any look-up. */
  dials(address: string, port: number | undefined): void {
    this.remoteAddress = address
    this.remotePort = port
  }

  /** Follows the TCP socket while it connects. */
  watchDial(raw: Socket): void {
    this.#raw = raw
    this.sight.raw = raw
    raw.once('lookup', (error: Error | null) => {
      this.dnsMs = this.#lap()
      if (error === null) this.dialPhase = this.#firstPhase
    })
    // Of several addresses the one tried last is the one that answered.
    raw.on('connectionAttempt', (ip: string, port: number) => {
      this.remoteAddress = ip
      this.remotePort = port
    })
    raw.once('connect', () => {
      // An address needs no look-up, and then what has passed was the connect alone.
      this.connectMs = this.#lap()
      if (this.dialPhase !== 'proxy') this.dialPhase = this.secure ? 'tls' : 'open'
      this.#readAddresses(raw)
    })
    raw.on('error', (error) => this.failed(error))
    raw.on('close', () => this.#onClose())
  }

  /** TLS with a proxy stands over the TCP socket. */
  watchProxy(socket: Socket): void {
    socket.on('error', (error) => this.failed(error))
  }

  /** The proxy has made its tunnel: what comes now is the origin's. */
  tunnelled(): void {
    this.proxyMs = this.#lap()
    this.dialPhase = this.secure ? 'tls' : 'open'
  }

  /** Takes the socket that requests will be written on: the TCP socket itself, or the TLS socket over it (`raw` is what carries that). */
  established(socket: Socket, raw: Socket | undefined): void {
    this.#socket = socket
    this.dialPhase = 'open'
    this.establishedAt = this.#clock.now()
    if (this.secure) this.tlsMs = this.#lap()
    this.sight.stands(socket)
    if ((socket as { alpnProtocol?: string | false }).alpnProtocol === 'h2') this.#speaksHttp2(socket)
    this.#readAddresses(raw ?? socket)
    if (socket !== raw) {
      // The dial watched the TCP socket; the one above it (TLS, a tunnel) has events of its own.
      if (raw !== undefined) this.#tls = new TlsLedger(socket, raw, this.#clock)
      socket.on('error', (error) => this.failed(error))
      socket.on('close', () => this.#onClose())
    }
    socket.on('end', () => this.#onEnd())
  }

  /** How long the step of the dial that failed had lasted then. `undefined` for a connection that was made. */
  stepMs(failedAt: number): number | undefined {
    return this.establishedAt === undefined ? Math.max(0, failedAt - this.#mark) : undefined
  }

  /** Bytes received, plaintext where that can be told. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** Bytes given to the socket, sent or not. */
  get bytesWritten(): number {
    return this.#socket?.bytesWritten ?? 0
  }

  /** A TLS connection that ended without the close_notify that proves the end was meant (RFC 8446 §6.1). */
  get cutBeneathTls(): boolean {
    return this.ending === 'fin' && this.#tls?.endedWithoutNotice() === true
  }

  /** The peer said that it would close after the last answer (RFC 9112 §9.6). */
  get endAnnounced(): boolean {
    return this.sight.header !== undefined && announcesClose(this.sight.header)
  }

  /** Whether TLS ended with the notice that says it was meant; `undefined` where it did not end, or nobody can tell. */
  get closeNotify(): boolean | undefined {
    const without = this.ending === 'fin' ? this.#tls?.endedWithoutNotice() : undefined
    return without === undefined ? undefined : !without
  }

  /** A request takes the connection. */
  take(): void {
    this.requests++
    this.busy++
    this.#readAtTake = this.#wireRead
    this.#sleep.used(this.establishedAt ?? this.startedAt)
    this.http2?.busy()
  }

  /** A request is done with it. */
  giveBack(now: number): void {
    this.busy = Math.max(0, this.busy - 1)
    if (this.busy === 0) this.http2?.idle()
    this.lastUsedAt = now
  }

  /**
   * How long the connection has been idle; `undefined` while it is in use, was never used, or has ended. The longer of
   * two clocks counts: the monotonic one stands still while the machine sleeps, and the peer's timer does not.
   */
  idleAt(now: number): number | undefined {
    if (this.lastUsedAt === undefined || this.busy > 0) return undefined
    if (this.endedAt === undefined) {
      return now - this.lastUsedAt + this.#sleep.sleptMs(now)
    }
    // It ended in use when its last request ended because of it.
    return this.endedAt > this.lastUsedAt ? this.endedAt - this.lastUsedAt : undefined
  }

  get idleMs(): number | undefined {
    return this.idleAt(this.#clock.now())
  }

  /** Ends an idle connection, by our own hand; whoever wants to use it dials anew. */
  retire(): void {
    if (this.closed) return
    this.closedByUs = true
    // undici 7 throws where nobody can catch it when an HTTP/2 connection closes without an error.
    this.#socket?.destroy(this.http2 === undefined ? undefined : new Retired())
  }

  /** A limit of ours ran out while the connection was being made. */
  dialTimedOut(): void {
    if (this.establishedAt === undefined) this.addresses?.failed()
  }

  /** Gives up a connection that is still being made; one that stands is left alone. */
  abandonDial(): void {
    if (this.establishedAt !== undefined) return
    this.closedByUs = true
    this.#raw?.destroy(new DialAbandoned())
  }

  /** The connection as evidence for the request that began at `startedAt`, or for one that never began. */
  facts(use: ConnectionUse): ConnectionFacts {
    return connectionFacts(this, use, this.#clock.now())
  }

  get #firstPhase(): DialPhase {
    return this.via === undefined || this.via.by === 'unix' ? 'connect' : 'proxy'
  }

  #speaksHttp2(socket: Socket): void {
    this.protocol = 'h2'
    this.http2 = new Http2Watch(socket, { ping: this.#ping, clock: this.#clock }, () => {
      this.closedByUs = true
      socket.destroy(new PingTimeout(this.#ping?.timeoutMs ?? 0))
    })
  }

  #lap(): number {
    const now = this.#clock.now()
    const lap = now - this.#mark
    this.#mark = now
    return lap
  }

  #readAddresses(socket: Socket): void {
    // Read once, at connect: afterwards a closed socket no longer knows them. The peer's address is not read from the
    // socket, which would remember it: whether it can still be asked for is how an end is told from a reset.
    this.localAddress ??= socket.localAddress
    this.localPort ??= socket.localPort
  }

  #onEnd(): void {
    this.endedAt ??= this.#clock.now()
    if (this.ending !== undefined) return
    this.ending = this.#endSeen()
    if (this.ending === 'rst') this.error ??= new UnseenReset()
  }

  /**
   * Up to libuv 1.51 (Node 20 and 22) a reset that finds unread data in the kernel is shown as a clean end. After a FIN
   * the kernel still knows the peer; after a RST it does not (getpeername(2): ENOTCONN). Where nothing had come since
   * the last request there was nothing unread: the end was one, and the reset followed it.
   */
  #endSeen(): SocketEnding {
    const raw = this.#raw
    // When our own FIN had gone before, the kernel forgets the peer at a polite end too.
    if (raw === undefined || raw.destroyed || this.#socket?.writableFinished === true) return 'fin'
    if (raw.remoteAddress !== undefined) return 'fin'
    return this.#wireRead > this.#readAtTake && this.closeNotify !== true ? 'rst' : 'fin-then-rst'
  }

  /** Beneath TLS there may be unread what is no plaintext: a session ticket, most often. */
  get #wireRead(): number {
    return this.secure ? (this.#raw?.bytesRead ?? 0) : this.bytesRead
  }

  /** The connection failed, as its error event says, or is about to say. */
  failed(error: Error): void {
    if (this.error !== undefined) return
    this.error = error
    this.sight.ended()
    this.endedAt ??= this.#clock.now()
    if (this.closedByUs) this.ending ??= 'local'
    else if (isReset(error)) this.ending = this.ending?.startsWith('fin') ? 'fin-then-rst' : 'rst'
  }

  #onClose(): void {
    this.closed = true
    this.endedAt ??= this.#clock.now()
    this.ending ??= 'local'
  }
}
