/**
 * One request on one connection, watched from inside: a handler that stands between undici and the caller's own
 * handler, writes down when each thing happened, and passes everything on. Facts only.
 * undici has two sets of names for its handlers' methods; `exchange-handlers.ts` speaks both and calls the marks here.
 */

import type { Clock } from '../clock.js'
import type { ByteCounts, ConnectionFacts, ExchangeFacts } from '../failure/evidence.js'
import type { Delivery, Phase } from '../failure/kinds.js'
import { redactPath } from '../failure/redact.js'
import { deliveryOf, phaseOf } from './exchange-progress.js'
import type { HeaderReader } from './handler-shapes.js'
import { endsWithConnection, hiddenCut, LetGo } from './hidden-cut.js'
import type { StreamWatch } from './http2-watch.js'
import { PingTimeout } from './ping-timer.js'
import type { SocketRecord } from './socket-record.js'
import { asStop, reasonOf } from './stop-reason.js'

/** A place for connections that hold one socket at a time: which one it holds, or is opening, now. */
export interface Line {
  socket: SocketRecord | undefined
  /** Requests that it was given and that have not been started. */
  waiting: number
  /** What was started there and has not ended; undici 8 may have put it back into its queue. */
  readonly begun: Set<Exchange>
  /** The time, while a request is being put on it: what happens at once happens now. */
  readonly now?: number | undefined
  /** A request is about to be written on the socket. */
  used(exchange: Exchange): void
  /** The response head is complete. */
  answered(exchange: Exchange): void
  failed(exchange: Exchange): void
}

/** What an exchange tells its attempt. */
export interface ExchangeListener {
  /** The request is about to be written. */
  onStart(exchange: Exchange): void
  /** The response head is complete; not called for 1xx. */
  onHead(exchange: Exchange): void
  onEnd(exchange: Exchange): void
  /** The exchange failed; what is returned is handed to the caller's handler in place of the raw error, and `undefined` as an end. */
  onFailure(exchange: Exchange, raw: unknown): unknown
  /** The caller's handler stops the exchange (a cancelled body, content it cannot decode); returns the reason to pass on. */
  onStop(exchange: Exchange, reason: unknown): unknown
}

const noHeaders: HeaderReader = () => undefined

export class Exchange {
  readonly method: string
  readonly origin: string
  readonly path: string
  readonly clock: Clock
  readonly listener: ExchangeListener
  readonly dispatchedAt: number
  /** When a connection's queue took it. */
  assignedAt: number | undefined
  /** When undici announced that it would write the request: from here on bytes may be out. */
  startedAt: number | undefined
  /** When the request, body included, had been given to the socket. */
  sentAt: number | undefined
  /** The first byte of the response was seen. */
  responding = false
  headAt: number | undefined
  endedAt: number | undefined
  /** When anything last moved, for idle limits. */
  progressAt: number
  status: number | undefined
  header: HeaderReader = noHeaders
  bodyBytes = 0
  /** The reader of the response is behind: silence is not the peer's. */
  paused = false
  failed = false
  /** The body of the response will be ended by nothing but the end of the connection. */
  closeDelimited = false
  line: Line | undefined
  socket: SocketRecord | undefined
  requestsBefore = 0
  idleMs: number | undefined
  /** What HTTP/2 says about its stream. */
  stream: StreamWatch | undefined
  /** Earlier times that it was put on the wire by itself: by a foreign dispatcher that repeats, or refused by the peer. */
  restarts: ExchangeFacts[] | undefined
  #readBefore = 0
  #writtenBefore = 0
  /** The count of requests on the connection with this one, or 0 when others were under way. */
  #takenAs = 0
  #stop: ((reason: unknown) => void) | undefined
  #queued = false
  /** Set when our side gave up; a request that undici has not started by then will never be. */
  abandoned: { readonly reason: unknown } | undefined
  /** The caller's own handler stopped it: what undici reports next is an echo, not a failure. */
  stopped = false

  constructor(request: { method: string; origin: string; path: string }, clock: Clock, listener: ExchangeListener) {
    this.method = request.method
    this.origin = request.origin
    this.path = request.path
    this.clock = clock
    this.listener = listener
    this.dispatchedAt = clock.now()
    this.progressAt = this.dispatchedAt
  }

  /** A connection's queue has taken the request. */
  assigned(line: Line, now = this.clock.now()): void {
    this.#leaveQueue()
    this.line?.begun.delete(this)
    this.line = line
    this.assignedAt = now
    // A pool has queues of its own: what was given up in one of them waits for no dial, and nobody gives it up again.
    if (this.abandoned !== undefined) return
    line.waiting++
    this.#queued = true
  }

  started(stop: (reason: unknown) => void): void {
    // A caller that has gone must not have its request sent; throwing here fails it without harming the connection.
    if (this.abandoned !== undefined) throw this.abandoned.reason
    // undici would send by itself again what a GOAWAY left behind, be its body gone by then, or its answer half read.
    if (this.startedAt !== undefined && this.socket?.protocol === 'h2') throw new LetGo()
    const now = this.line?.now ?? this.clock.now()
    this.#stop = stop
    if (this.startedAt !== undefined) this.#restarts('unknown')
    this.startedAt ??= now
    this.line?.begun.add(this)
    this.#leaveQueue()
    this.progressAt = now
    if (this.line?.socket !== undefined) this.#take(this.line.socket, now)
    this.listener.onStart(this)
  }

  sent(): void {
    this.sentAt = this.line?.now ?? this.clock.now()
    this.progressAt = this.sentAt
  }

  /** Part of the request body was taken. */
  moved(): void {
    this.progressAt = this.clock.now()
  }

  /** The reader of the response wants more of it. */
  resumed(): void {
    this.paused = false
    this.progressAt = this.clock.now()
  }

  responded(): void {
    this.responding = true
  }

  head(status: number, header: HeaderReader): void {
    const now = this.clock.now()
    this.progressAt = now
    this.responding = true
    if (status < 200) return
    this.headAt = now
    this.status = status
    this.header = header
    this.socket?.sight.answered(header, now, status < 400 ? now - (this.startedAt ?? now) : Number.POSITIVE_INFINITY)
    this.line?.answered(this)
    this.listener.onHead(this)
  }

  data(length: number): void {
    this.bodyBytes += length
    this.progressAt = this.clock.now()
  }

  /** The response ended, as undici sees it. Returns the error that the end hides, if it hides one. */
  ended(): unknown {
    const hidden = hiddenCut(this)
    this.closeDelimited = this.socket?.ending !== undefined && endsWithConnection(this)
    if (hidden !== undefined) return this.failure(hidden)
    this.endedAt = this.clock.now()
    this.#release()
    this.listener.onEnd(this)
    return undefined
  }

  /** The exchange failed. Returns what the caller's handler is to be told; `undefined`: that it has ended. */
  failure(given: unknown): unknown {
    const raw = reasonOf(given)
    this.failed = true
    this.#undoStart()
    this.endedAt = this.clock.now()
    this.#release()
    if (this.startedAt !== undefined && !this.stopped && this.abandoned === undefined) this.line?.failed(this)
    // undici 8 has another name for it when it ends a body of known length.
    return this.listener.onFailure(this, this.socket?.error instanceof PingTimeout ? this.socket.error : raw)
  }

  /** Nothing came for so long that one of our limits ran out. */
  timedOut(): void {
    this.socket?.http2?.doubt()
    this.line?.failed(this)
  }

  /** The caller's handler wants no more of it. */
  stop(reason: unknown): unknown {
    if (this.endedAt !== undefined) return reason
    this.stopped = true
    return this.listener.onStop(this, reason)
  }

  /** Time is up: what was not sent, or was refused, is not sent any more while the connection is being asked about it. */
  hold(reason: unknown): void {
    ;(this.socket ?? this.line?.socket)?.sight.unanswered(this.clock.now())
    if (this.startedAt === undefined || this.stream?.refused === true) this.abandoned ??= { reason }
  }

  /** Ends the exchange from our side; a request that was not started yet will never be. */
  abandon(reason: unknown): void {
    if (this.endedAt !== undefined) return
    this.abandoned ??= { reason }
    this.#stop?.(asStop(reason, this.socket))
    // A dial that nobody waits for any more would go on for as long as it takes, or for ever.
    if (this.#leaveQueue() && this.line?.waiting === 0 && this.line.begun.size === 0) this.line.socket?.abandonDial()
  }

  get connection(): ConnectionFacts | undefined {
    const socket = this.socket ?? this.line?.socket
    if (socket === undefined) return undefined
    if (this.socket !== undefined) return socket.facts({ requestsBefore: this.requestsBefore, idleMs: this.idleMs })
    // It died in our hands before the request was written, or never came to be.
    return socket.facts({ requestsBefore: socket.requests, idleMs: socket.idleMs })
  }

  /** What the connection has counted since the start; unknown when it carried another request meanwhile. */
  get bytes(): ByteCounts | undefined {
    const { socket } = this
    if (socket === undefined || socket.requests !== this.#takenAs) return undefined
    return { sent: socket.bytesWritten - this.#writtenBefore, received: socket.bytesRead - this.#readBefore }
  }

  /** How far the marks say it came. */
  get phase(): Phase {
    return phaseOf(this, this.line?.socket?.dialPhase)
  }

  /** Whether the handler in use would have been told that the request had been given to the socket. */
  tellsSent = false

  get delivery(): Delivery {
    return deliveryOf(this)
  }

  #take(socket: SocketRecord, now: number): void {
    // An earlier start of its own on the same connection does not make that a used one.
    if (socket !== this.socket) {
      this.requestsBefore = socket.requests
      this.idleMs = socket.idleAt(now)
    }
    this.socket = socket
    this.#takenAs = socket.busy === 0 ? socket.requests + 1 : 0
    socket.take()
    this.stream = socket.http2?.expect()
    this.line?.used(this)
    this.#readBefore = socket.bytesRead
    this.#writtenBefore = socket.bytesWritten
  }

  #restarts(delivery: Delivery): void {
    const { method, origin, path } = this
    this.restarts = [...(this.restarts ?? []), { method, origin, path: redactPath(path), delivery }]
    this.sentAt = undefined
    this.stream = undefined
    this.socket?.giveBack(this.clock.now())
  }

  /** undici meant to put a refused request on another connection, and could not make one: it was not sent again. */
  #undoStart(): void {
    const next = this.line?.socket
    if (this.responding || this.stream?.refused !== true) return
    if (next === this.socket || next?.establishedAt !== undefined) return
    this.#restarts('rejected')
    this.startedAt = undefined
    this.socket = undefined
    this.requestsBefore = 0
    this.idleMs = undefined
  }

  /** True when it had been waiting in the queue of a connection. */
  #leaveQueue(): boolean {
    const { line } = this
    if (!this.#queued || line === undefined) return false
    this.#queued = false
    line.waiting--
    return true
  }

  #release(): void {
    this.#leaveQueue()
    this.line?.begun.delete(this)
    this.#stop = undefined
    this.socket?.giveBack(this.endedAt ?? this.dispatchedAt)
  }
}
