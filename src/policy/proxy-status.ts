/** `Proxy-Status` (RFC 9209): what the intermediaries between here and the origin say they did with the request. */

import { parseList } from './structured-fields.js'

/** What one intermediary says of itself. */
export interface ProxyStatusEntry {
  /** Its name, as it chose it. */
  readonly name: string
  /** The error type, one of those in RFC 9209 §2.3 or another. Absent: it reports no error. */
  readonly error?: string
  /** The status that it received from the next hop: the next hop was reached. */
  readonly receivedStatus?: number
}

/**
 * The error types that say that the request was not forwarded: there was no address, no connection, no verified peer,
 * or no permission to use one. The others, `connection_terminated` and all timeouts of an open connection first among
 * them, may come after the origin has acted. Source: RFC 9209 §2.3.
 */
export const neverForwarded: ReadonlySet<string> = new Set([
  'dns_timeout',
  'dns_error',
  'destination_not_found',
  'destination_unavailable',
  'destination_ip_prohibited',
  'destination_ip_unroutable',
  'connection_refused',
  'connection_timeout',
  'connection_limit_reached',
  'tls_certificate_error',
  'http_request_denied',
])

/**
 * Reads the field. `undefined`: absent, or not well formed. Members that are neither a string nor a token are no names
 * of intermediaries and make the field malformed.
 */
export function parseProxyStatus(field: string | undefined): readonly ProxyStatusEntry[] | undefined {
  const items = field === undefined ? undefined : parseList(field)
  if (items === undefined || items.length === 0) return undefined
  const entries: ProxyStatusEntry[] = []
  for (const { type, value, parameters } of items) {
    if (type !== 'string' && type !== 'token') return undefined
    const error = parameters.get('error')
    const received = parameters.get('received-status')
    entries.push({
      name: String(value),
      ...(error?.type === 'token' ? { error: String(error.value) } : undefined),
      ...(received?.type === 'number' ? { receivedStatus: Number(received.value) } : undefined),
    })
  }
  return entries
}

/**
 * Whether the field proves, to those who trust it, that the origin never saw the request: at least one intermediary
 * did not forward it, none reports anything else, and none received a status from its next hop. One contradiction and
 * it proves nothing.
 */
export function provesNeverForwarded(entries: readonly ProxyStatusEntry[] | undefined): boolean {
  if (entries === undefined) return false
  const errors = entries.flatMap((entry) => entry.error ?? [])
  const contradicted = entries.some((entry) => entry.receivedStatus !== undefined)
  return errors.length > 0 && !contradicted && errors.every((error) => neverForwarded.has(error))
}
