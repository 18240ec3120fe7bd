/** Requests over HTTP/2: one stream each, which a client may reset while the connection stands. */

import { type EventEmitter, errorMonitor } from 'node:events'
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { ClientConnection } from './client-connection.js'
import { type Exchange, type ExchangeView, lossOf } from './exchange.js'
import type { ClientWatcher } from './watcher.js'

/** Error codes by number (RFC 9113 §7). */
const codes: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]

/** Listens to one server's sessions and streams. @returns stops listening */
export function hearHttp2(server: EventEmitter, watcher: ClientWatcher): () => void {
  const connections = new WeakMap<Http2Session, ClientConnection>()
  const sessions = new Map<ServerHttp2Session, () => void>()

  const opened = (session: ServerHttp2Session): void => {
    // Node makes the session while it tells of the connection, and our listener was told first.
    const connection = watcher.lastOpened
    if (connection === undefined || connection.remotePort !== session.socket.remotePort) return
    connections.set(session, connection)
    connection.http2 = true
    const goodbye = (code: number): void => {
      if (code === 0) connection.goodbye = true
    }
    const forget = (): void => {
      session.off('goaway', goodbye).off('close', forget)
      sessions.delete(session)
    }
    session.on('goaway', goodbye).on('close', forget)
    sessions.set(session, forget)
  }

  const asked = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const session = stream.session
    // CONNECT opens a tunnel or a WebSocket: a language of its own.
    if (session === undefined || headers[':method'] === 'CONNECT') return
    const connection = connections.get(session) ?? watcher.connectionOf(socketOf(session))
    connection.http2 = true
    connections.set(session, connection)
    follow(stream, { connection, headers, watcher })
  }

  // Before the handler: it may ask for the signal at once.
  server.prependListener('session', opened)
  server.prependListener('stream', asked)
  return () => {
    server.off('session', opened)
    server.off('stream', asked)
    for (const forget of [...sessions.values()]) forget()
  }
}

/**
 * The socket of a session that stood before anybody watched. `session.socket` is a stand-in that throws once the session is
 * over; what its `off` gives back, as every emitter's does, is the socket itself.
 */
function socketOf(session: Http2Session): Socket {
  return session.socket.off('end', () => {}) as Socket
}

interface Asked {
  readonly connection: ClientConnection
  readonly headers: IncomingHttpHeaders
  readonly watcher: ClientWatcher
}

function follow(stream: ServerHttp2Stream, { connection, headers, watcher }: Asked): void {
  const view = new StreamView(stream)
  const end = new StreamEnd(stream, connection, view)
  const emitter: EventEmitter = stream
  const aborted = (): void => end.aborted(exchange)
  const failed = (error: NodeJS.ErrnoException): void => end.failed(error)
  const closed = (): void => end.closed(exchange)
  const exchange: Exchange = watcher.begin(
    { protocol: 'h2', connection, view, method: text(headers[':method']), url: text(headers[':path']), headers },
    () => emitter.off('aborted', aborted).off(errorMonitor, failed).off('close', closed),
  )
  emitter.on('aborted', aborted).on(errorMonitor, failed).on('close', closed)
  watcher.knowAs(exchange, stream)
}

function text(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}

/** How far the stream had come; kept as it was when the end was first seen, since closing it changes what it says. */
class StreamView implements ExchangeView {
  readonly #stream: ServerHttp2Stream
  #kept: { complete: boolean; begun: boolean; unsent: number } | undefined

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  keep(): void {
    this.#kept ??= this.#now()
  }

  requestComplete(): boolean {
    return (this.#kept ?? this.#now()).complete
  }

  answerBegun(): boolean {
    return (this.#kept ?? this.#now()).begun
  }

  /** Node 26 has cleared its count by the time a stream closes: nothing is then no answer. */
  unsent(): number | undefined {
    return (this.#kept ?? this.#now()).unsent || undefined
  }

  answered(): boolean {
    return this.#stream.writableFinished && !this.#stream.aborted
  }

  #now(): { complete: boolean; begun: boolean; unsent: number } {
    const { endAfterHeaders, readableEnded, headersSent, bufferSize, writableLength } = this.#stream
    const unsent = Math.max(bufferSize, writableLength)
    return { complete: endAfterHeaders || readableEnded, begun: headersSent, unsent }
  }
}

/** Who ended the stream: the client by RST_STREAM, the end of the connection, or this server. */
class StreamEnd {
  readonly #stream: ServerHttp2Stream
  readonly #connection: ClientConnection
  readonly #view: StreamView
  #error: NodeJS.ErrnoException | undefined

  constructor(stream: ServerHttp2Stream, connection: ClientConnection, view: StreamView) {
    this.#stream = stream
    this.#connection = connection
    this.#view = view
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#error ??= error
  }

  /**
   * Node says `aborted` whoever ended it. What the peer's RST_STREAM ends is destroyed when the event is over, not while it
   * goes on; `destroy()` here destroys first, and `close()` here waits until its own RST_STREAM is out.
   */
  aborted(exchange: Exchange): void {
    this.#view.keep()
    const destroyedHere = this.#stream.destroyed
    process.nextTick(() => this.#conclude(exchange, !destroyedHere && this.#stream.destroyed))
  }

  closed(exchange: Exchange): void {
    // Node may close a stream, with NO_ERROR, before it tells that the last write is done.
    const whole = this.#stream.rstCode === 0 && !this.#stream.aborted && this.#error === undefined
    if (whole || this.#view.answered()) {
      exchange.finish()
      return
    }
    this.#view.keep()
    // Without `aborted`, the answer had been written whole and was not yet sent: only the error tells who ended it.
    this.#conclude(exchange, this.#error === undefined || this.#error.code === 'ERR_HTTP2_STREAM_ERROR')
  }

  #conclude(exchange: Exchange, byPeer: boolean): void {
    if (this.#connection.ending !== undefined) {
      exchange.lose(lossOf(this.#connection))
      return
    }
    const http2 = codes[this.#stream.rstCode ?? 0] ?? String(this.#stream.rstCode)
    exchange.lose({ ending: byPeer ? 'stream-reset' : 'local', kind: byPeer ? 'reset' : 'closed', http2 })
  }
}
