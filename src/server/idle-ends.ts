/** What it means that a connection ends on which no request is under way: nearly always nothing. */

import type { ClientConnection } from './client-connection.js'
import type { IdleLoss } from './watcher.js'

/** A line end or two after the body of a request are old clients' manners, and begin no request. */
const strayBytes = 4

/**
 * HTTP: connections are closed while idle, by either side, and that is as it should be. Something is lost only where a
 * request had begun to come, or where TCP says that the last answer was never acknowledged.
 */
export function httpIdleEnd(connection: ClientConnection): IdleLoss | 'silent' | undefined {
  const { ending, code, requests, settledReceived, requestLeftOver, http2 } = connection
  const byClient = ending !== 'local'
  if (requests === 0 && connection.bytesReceived === 0) return byClient ? 'silent' : undefined
  const protocol = http2 ? 'h2' : 'http/1.1'
  if (ending === 'silence' && requests > 0) return { phase: 'close', protocol }
  if (http2 || requestLeftOver || connection.bytesReceived - settledReceived <= strayBytes) return undefined
  // A head that never came to its end: the client left, or the server's patience with it ran out.
  return byClient || code === 'ERR_HTTP_REQUEST_TIMEOUT' ? { phase: 'send', protocol } : undefined
}

/**
 * Other protocols: a FIN is how conversations end. Something is lost where bytes of ours could not go out, and where the
 * client slams the phone down.
 */
export function rawIdleEnd(connection: ClientConnection): IdleLoss | 'silent' | undefined {
  const { ending, cut, bytesSent, bytesReceived } = connection
  if (ending === 'local') return undefined
  if (cut) return { phase: 'body', protocol: 'raw' }
  if (bytesSent === 0 && bytesReceived === 0) return 'silent'
  if (ending === 'fin') return undefined
  return { phase: bytesSent === 0 ? 'wait' : 'close', protocol: 'raw' }
}
