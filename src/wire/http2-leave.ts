/**
 * How a stream of HTTP/2 is left before its time. undici leaves with `close()`, which is NO_ERROR, and Node's stream then does
 * two things that no caller can live with. What was written of a body is given END_STREAM, and a server that was told no
 * length takes the part for the whole. And where all was written but not yet sent, the RST_STREAM waits for that; a stream that
 * is destroyed meanwhile is forgotten by Node and not by its nghttp2, which asks for the rest in an endless loop as
 * soon as the peer says anything (Node 20 to 26): a thread that never returns, and memory without end. An RST_STREAM with CANCEL
 * may itself wait until the loop turns (Node's list of pending ones), and goes to no stream that is destroyed by then: so a
 * stream is destroyed a turn after it was left.
 */

import type { ClientHttp2Stream } from 'node:http2'

/** RFC 9113 §7: the stream is no longer needed. */
const cancel = 8

/**
 * From now on this stream is left with RST_STREAM CANCEL, at once, and its body is never given an end that it does not have.
 *
 * @returns whether it was left by this side
 */
export function leaveWithCancel(stream: ClientHttp2Stream): () => boolean {
  const { close, destroy, end } = stream
  let left = false
  /** The loop has not turned since. */
  let leaving = false
  const leave = (callback?: () => void) => {
    left = true
    leaving = true
    setImmediate(() => {
      leaving = false
    })
    close.call(stream, cancel, callback)
  }
  stream.close = (code, callback) => {
    // Closed already: by the peer, or before.
    if (stream.closed || stream.destroyed) close.call(stream, code, callback)
    else leave(callback)
  }
  stream.destroy = (error) => {
    // A session that goes takes its streams along at once, and one that is pending has nothing to reset.
    const alone = stream.session?.destroyed === false && !stream.destroyed && !stream.pending
    if (alone && !stream.closed) leave()
    if (!alone || !leaving) return destroy.call(stream, error)
    setImmediate(() => destroy.call(stream, error))
    return stream
  }
  // `close` ends the writable side, and what is ended so goes out as END_STREAM.
  stream.end = ((...given: Parameters<typeof end>) =>
    left ? stream : end.apply(stream, given)) as ClientHttp2Stream['end']
  return () => left
}
