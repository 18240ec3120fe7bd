/** One place for connections, one at a time: undici's Client, with an ear on every socket it opens and every request it carries. */

import * as undici from 'undici'
import type { Clock } from '../clock.js'
import { keepAlive } from './answer-marks.js'
import type { Exchange, Line } from './exchange.js'
import type { SocketRecord } from './socket-record.js'

/**
 * The private road by which an exchange reaches the Client that will carry it: its handler, or, where undici puts a
 * handler of its own around that, a property of the dispatch options.
 */
export const exchangeKey = Symbol('offhook.exchange')
export type WithExchange = undici.Dispatcher.DispatchOptions & { [exchangeKey]?: Exchange }

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
  /** Milliseconds from the write of the request to the end. */
  readonly afterMs: number
  /** One round trip, in milliseconds, as the TCP handshake took it. */
  readonly rttMs: number | undefined
}

/** What a server announced: `Keep-Alive: timeout=, max=`, on the so-manieth answer of its connection. */
export interface KeepAliveHint {
  readonly timeoutMs?: number
  readonly max?: number
  readonly requests: number
}

/** Whoever learns from the connections to one origin, and judges whether an idle one may be used again. */
export interface LineWatcher {
  mayReuse(now: number, use: Reuse): boolean
  opened(socket: SocketRecord): void
  /** A connection ended. */
  closed(socket: SocketRecord): void
  /** A reused connection answered, after it had been idle for so long. */
  survived(now: number, idleMs: number, requests: number): void
  /** A reused connection failed before it had answered. */
  failedOnUse(use: StaleUse): void
  /** A fresh connection answered, or failed. */
  fresh(worked: boolean): void
  announced(hint: KeepAliveHint): void
}

/** The open connections to one origin. */
export class OpenLines {
  open = 0
  /** When a request was last put on one of them. */
  usedAt = 0
}

/** The place of one connection at a time, and what it reports. */
export class OriginLine implements Line {
  readonly origin: string
  readonly watcher: LineWatcher
  socket: SocketRecord | undefined
  waiting = 0
  readonly begun = new Set<Exchange>()
  now: number | undefined
  lines: OpenLines | undefined
  /** Told of each connection before the first request is put on it. */
  onOpen: ((socket: SocketRecord) => void) | undefined

  constructor(origin: string, watcher: LineWatcher) {
    this.origin = origin
    this.watcher = watcher
  }

  used(exchange: Exchange): void {
    if (this.lines !== undefined && exchange.startedAt !== undefined) this.lines.usedAt = exchange.startedAt
  }

  answered(exchange: Exchange): void {
    const { idleMs, requestsBefore } = exchange
    if (idleMs !== undefined) this.watcher.survived(exchange.progressAt, idleMs, requestsBefore)
    if (requestsBefore > 0) return
    this.watcher.fresh(true)
    // What a server announces it announces on every answer; the first one of a connection is enough.
    const hint = keepAlive(exchange.header('keep-alive'))
    if (hint !== undefined) this.watcher.announced({ ...hint, requests: requestsBefore + 1 })
  }

  failed(exchange: Exchange): void {
    const { idleMs, requestsBefore: requests, responding, socket } = exchange
    if (exchange.startedAt === undefined) this.socket?.dialTimedOut()
    if (exchange.startedAt === undefined || responding) return
    // A stream that the peer resets says nothing against its connection.
    if (exchange.failed && socket?.protocol === 'h2' && socket.ending === undefined) return
    if (idleMs === undefined) {
      if (requests === 0) this.watcher.fresh(false)
      return
    }
    const ending = socket?.ending ?? 'local'
    const how = ending === 'local' ? 'silence' : ending === 'fin' ? 'fin' : 'rst'
    const afterMs = (exchange.endedAt ?? exchange.progressAt) - exchange.startedAt
    this.watcher.failedOnUse({ idleMs, requests, how, afterMs, rttMs: socket?.connectMs })
  }

  /** Lets go of the connection when it has been idle for so long that the peer may be about to do so. */
  retireIfStale(method: string, now: number): void {
    const { socket } = this
    const idleMs = socket?.idleAt(now)
    if (socket === undefined || idleMs === undefined) return
    const use = { idleMs, requests: socket.requests, unsafe: !isRepeatable(method), rttMs: socket.connectMs }
    if (socket.http2?.doubtful === true || !this.watcher.mayReuse(now, use)) socket.retire()
  }

  /**
   * A dial is for somebody. undici dials anew behind a request that was given up on a connection, and would wait for it
   * as long as that takes. Over HTTP/2 it may be for streams that it starts once more.
   */
  get isWaitedFor(): boolean {
    return this.waiting > 0 || this.socket?.protocol === 'h2'
  }

  /** Others wait on this connection, in vain as it seems: no place for one more. */
  get doubtful(): boolean {
    return this.socket !== undefined && this.socket.busy > 0 && this.socket.http2?.doubtful === true
  }
}

function isRepeatable(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || method === 'OPTIONS'
}

/** undici 7 is used with one stream a connection: when it loses one it repeats others that may have been processed. */
const multiplexes = 'Dispatcher1Wrapper' in undici

/** undici 8's own limit of streams. */
const mostStreams = 100

/** Where a Client stands. */
export interface Place {
  readonly clock: Clock
  /** Where requests go for which this connection is no good. */
  readonly elsewhere: undici.Dispatcher['dispatch']
  /** The way that speaks HTTP/1.1, where this connection may speak HTTP/2. */
  readonly overHttp1?: undici.Dispatcher['dispatch']
  /** What makes of a request what is to be written, where that is not the request itself. */
  readonly rewrite?: (options: undici.Dispatcher.DispatchOptions) => undici.Dispatcher.DispatchOptions
}

export class WatchedClient extends undici.Client {
  readonly #line: OriginLine
  readonly #place: Place

  constructor(line: OriginLine, options: undici.Client.Options, place: Place) {
    super(line.origin, options)
    this.#line = line
    this.#place = place
    const { pipelining } = this
    line.onOpen = ({ protocol }) => {
      // Over HTTP/2 undici 8 takes this number for the streams that may be open on a connection which is being left
      // when the next one is dialled: with 1, what a GOAWAY refused would wait for all that it let stand.
      if (multiplexes) this.pipelining = protocol === 'h2' ? mostStreams : pipelining
    }
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    // Whether there is room elsewhere is no matter of this connection: its pool would wait for it to drain, for ever.
    const { clock, elsewhere, overHttp1, rewrite } = this.#place
    if (overHttp1 !== undefined && bodyIsUnusual(options)) {
      overHttp1(options, handler)
      return true
    }
    const now = clock.now()
    this.#line.retireIfStale(options.method, now)
    if (this.#line.doubtful) {
      elsewhere(options, handler)
      return true
    }
    const exchange = (handler as { exchange?: Exchange }).exchange ?? (options as WithExchange)[exchangeKey]
    exchange?.assigned(this.#line, now)
    this.#line.now = now
    try {
      return super.dispatch(rewrite === undefined ? options : rewrite(options), handler)
    } finally {
      this.#line.now = undefined
    }
  }
}

/**
 * A body with a method that seldom has one. Over HTTP/2 undici 7 and 8 stumble over an assertion of their own then, on
 * whose way out every request of that connection is left without an end, or the process goes down.
 */
function bodyIsUnusual({ method, body }: undici.Dispatcher.DispatchOptions): boolean {
  return body !== null && body !== undefined && method !== 'POST' && method !== 'PUT' && method !== 'PATCH'
}
