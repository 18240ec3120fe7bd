/**
 * The few facts that stand nowhere but in a message. Texts change between versions, so everything else is decided by
 * class, code, syscall and what the wire saw; these are read because nothing else tells them.
 */

import { type ErrorFacts, read } from './error-chain.js'

/** undici reports a proxy that refused the tunnel as an abort; only the text has the status (undici 6 to 8). */
export function proxyAnswer({ message }: ErrorFacts): number | undefined {
  const status = /^Proxy response \((\d{3})\) !== 200 when HTTP Tunneling/.exec(message)?.[1]
  return status === undefined ? undefined : Number(status)
}

/**
 * The code of an HTTP/2 stream or session that ended. undici 8 puts it on the error; Node and undici 7 only into the
 * text, where REFUSED_STREAM (not processed) and INTERNAL_ERROR (who knows) must not be confused.
 */
export function streamCode({ value, message, code }: ErrorFacts, names: readonly string[]): string | undefined {
  const number = read(value, 'http2ErrorCode')
  if (typeof number === 'number' && code === 'ERR_HTTP2_STREAM_ERROR') return names[number]
  if (/"GOAWAY" frame received/.test(message)) return 'GOAWAY'
  if (code !== 'ERR_HTTP2_STREAM_ERROR' && code !== 'ERR_HTTP2_SESSION_ERROR') return undefined
  return /NGHTTP2_([A-Z0-9_]+)/.exec(message)?.[1]
}

/** fetch's own refusals to follow a redirect. */
export function unexpectedRedirect({ message }: ErrorFacts): boolean {
  return /^(?:unexpected redirect|redirect count exceeded|URL scheme must be a HTTP\(S\) scheme|cross origin not allowed)/i.test(
    message,
  )
}
