/**
 * What HTTP/2 itself says about a connection and its streams. undici keeps the most of it to itself: which stream a
 * GOAWAY names as the last, whether a body was ended or cut, with which code. Node's session knows, and hangs on the
 * socket; it is recognised by its public methods, and where it is not found the facts are absent.
 */

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import type { Http2Facts } from '../failure/evidence.js'
import { leaveWithCancel } from './http2-leave.js'
import { type PingSettings, PingTimer } from './ping-timer.js'

/** What is heard of one connection. */
export class Http2Watch {
  readonly #socket: Socket
  readonly #ping: PingTimer | undefined
  #session: ClientHttp2Session | undefined
  #goaway: Http2Facts['goaway']
  #next: StreamWatch | undefined
  #doubtedAt: number | undefined

  /**
   * @param silence when the peer is asked whether it is still there, if it ever is
   * @param dead called when it did not answer
   */
  constructor(socket: Socket, silence: { ping: PingSettings | undefined; clock: Clock }, dead: () => void) {
    this.#socket = socket
    const { ping, clock } = silence
    const pinged = { read: () => socket.bytesRead, ping: () => this.#ask(), dead }
    this.#ping = ping === undefined ? undefined : new PingTimer(ping, pinged, clock)
  }

  /** A request is about to be written: undici opens its stream right after this. */
  expect(): StreamWatch {
    this.#session ??= this.#find()
    this.#next = new StreamWatch(this)
    return this.#next
  }

  /** Requests are under way on it. */
  busy(): void {
    this.#ping?.start()
  }

  /** None is. */
  idle(): void {
    this.#ping?.stop()
  }

  get goaway(): Http2Facts['goaway'] {
    return this.#goaway
  }

  /** Gone: what a stream ends with now is of our own side's making. */
  get gone(): boolean {
    return this.#session?.destroyed !== false
  }

  /** A request waited in vain. Until another byte comes, whoever has a choice should take another connection. */
  doubt(): void {
    if (this.doubtful) return
    this.#doubtedAt = this.#socket.bytesRead
    // A peer that is there answers at once.
    if (this.#ping !== undefined) this.#ask()
  }

  /** It was doubted, and has been silent since. */
  get doubtful(): boolean {
    return this.#doubtedAt === this.#socket.bytesRead
  }

  #ask(): boolean {
    const session = this.#session
    // An answer is a byte like any other; that one came is seen on the socket.
    return session !== undefined && !session.destroyed && !session.closed && session.ping(() => {})
  }

  #find(): ClientHttp2Session | undefined {
    const held = this.#socket as unknown as Record<symbol, unknown>
    const session = Object.getOwnPropertySymbols(held)
      .map((key) => held[key])
      .find(isSession)
    if (session === undefined) return undefined
    // Before undici, which fails its requests when it hears of it.
    session.prependListener('goaway', (code, lastStream) => {
      this.#goaway = { code, lastStream }
    })
    const request = session.request
    session.request = (...args) => {
      const stream = request.apply(session, args)
      this.#next?.opened(stream)
      this.#next = undefined
      return stream
    }
    return session
  }
}

/** What is heard of one stream. */
export class StreamWatch {
  readonly #connection: Http2Watch
  #stream: ClientHttp2Stream | undefined
  #ended: 'whole' | 'cut' | undefined
  #left: () => boolean = () => false

  constructor(connection: Http2Watch) {
    this.#connection = connection
  }

  opened(stream: ClientHttp2Stream): void {
    this.#stream = stream
    this.#left = leaveWithCancel(stream)
    const push = stream.push
    // END_STREAM comes as the end of a stream that still stands, RST_STREAM as the end of one that is closed already.
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null) this.#ended ??= stream.closed ? 'cut' : 'whole'
      return push.call(stream, chunk, encoding)
    }
  }

  /** The stream was reset, or went with its connection, before the peer had ended it: what came of a body is not the whole of it. */
  get cut(): boolean {
    return this.#ended === 'cut' && !this.#left()
  }

  /** The code with which the peer reset the stream, on a connection that stood; 0 is NO_ERROR. */
  get reset(): number | undefined {
    const stream = this.#stream
    if (stream?.closed !== true || this.#connection.gone || this.#left()) return undefined
    return stream.rstCode === 0 && this.#ended !== 'cut' ? undefined : stream.rstCode
  }

  /** The peer declared that it did not process the request (RFC 9113 §8.7). */
  get refused(): boolean {
    const { stream, goaway, reset } = this.facts()
    if (reset === refusedStream) return true
    return goaway !== undefined && stream !== undefined && stream > goaway.lastStream
  }

  facts(): Http2Facts {
    const { reset } = this
    const { goaway } = this.#connection
    const stream = this.#stream?.id
    return {
      ...(stream !== undefined && { stream }),
      ...(reset !== undefined && { reset }),
      ...(goaway !== undefined && { goaway }),
    }
  }
}

const refusedStream = 7

function isSession(value: unknown): value is ClientHttp2Session {
  if (typeof value !== 'object' || value === null) return false
  const { goaway, ping, request } = value as Record<string, unknown>
  return [goaway, ping, request].every((method) => typeof method === 'function')
}
