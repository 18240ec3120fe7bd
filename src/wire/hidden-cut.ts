/**
 * Bodies that were cut and that undici takes for whole: by the reset of a connection whose end was to be their end, or
 * by the reset of their HTTP/2 stream with a code that Node takes for no error.
 */

import type { HeaderReader } from './handler-shapes.js'
import type { StreamWatch } from './http2-watch.js'
import type { SocketRecord } from './socket-record.js'

/** An answer that undici says is complete. */
export interface EndedAnswer {
  readonly method: string
  readonly status: number | undefined
  readonly header: HeaderReader
  readonly bodyBytes: number
  readonly socket: SocketRecord | undefined
  readonly stream: StreamWatch | undefined
}

/** The body has no other end than the end of the connection (RFC 9112 §6.3, rule 8). */
export function endsWithConnection(answer: EndedAnswer): boolean {
  const { header, socket } = answer
  if (!hasBody(answer) || socket?.protocol === 'h2') return false
  return header('content-length') === undefined && header('transfer-encoding') === undefined
}

/** The error that such an end hides; `undefined` where it was one. */
export function hiddenCut(answer: EndedAnswer): unknown {
  const { socket } = answer
  if (socket?.protocol === 'h2') return cutOfStream(answer)
  if (socket?.ending === undefined || !endsWithConnection(answer)) return undefined
  if (socket.ending === 'rst' || socket.ending === 'fin-then-rst') return socket.error
  return socket.cutBeneathTls ? new CutBeneathTls() : undefined
}

function cutOfStream(answer: EndedAnswer): unknown {
  const { header, bodyBytes, stream } = answer
  if (!hasBody(answer)) return undefined
  // The codes that streams have when their connection goes are nobody's.
  const lost = () => (stream?.reset === undefined ? new LetGo() : new StreamCut(stream.reset))
  const reset = stream?.cut === true ? lost() : undefined
  const length = header('content-length')
  // What arrived whole is whole, whatever was said of the stream afterwards.
  if (length === undefined || !/^\d+$/.test(length)) return reset
  return Number(length) === bodyBytes ? undefined : (reset ?? new ShortBody())
}

function hasBody({ status, method }: EndedAnswer): boolean {
  return status !== undefined && method !== 'HEAD' && status !== 204 && status !== 304
}

/** The TCP connection ended under TLS that had not: anybody on the way could have cut it (RFC 8446 §6.1). */
export class CutBeneathTls extends Error {
  readonly code = 'ERR_TLS_NO_CLOSE_NOTIFY'
  constructor() {
    super('the TLS connection ended without close_notify')
  }
}

/** RST_STREAM came where END_STREAM should have (RFC 9113 §8.1). */
class StreamCut extends Error {
  readonly code = 'ERR_HTTP2_STREAM_ERROR'
  constructor(code: number) {
    super(`the stream was reset with code ${code} before its body had ended`)
  }
}

/** undici 7 does not count over HTTP/2; 8 does, and has this code for it (RFC 9113 §8.1.1). */
class ShortBody extends Error {
  readonly code = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  constructor() {
    super('the stream ended before the body had the announced length')
  }
}

/** The connection let go of a request that it had taken, and undici would send it again on another. */
export class LetGo extends Error {
  readonly code = 'UND_ERR_SOCKET'
  constructor() {
    super('the connection let go of the request before its answer was complete')
  }
}
