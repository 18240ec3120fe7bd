/** Rows of the decision table for requests that never left: not one byte of them was given to a socket. */

import type { Failure } from '../failure/kinds.js'
import { always, type DecisionRow, isConnectionFault, isHangUp, isUnsent, permanent } from './decision-row.js'

/** In the order of a dial: name, TLS that cannot work, proxy, connection, and at last the pooled connection that had died. */
export const rowsUnsent: readonly DecisionRow[] = [
  {
    number: 4,
    says: 'the resolver failed for now',
    matches: ({ failure }) =>
      (isUnsent(failure, 'dns') && failure.temporary === true) ||
      (isUnsent(failure, 'timeout') && failure.phase === 'dns'),
    ...always,
  },
  {
    number: 5,
    says: 'the name has no address',
    matches: ({ failure }) => isUnsent(failure, 'dns'),
    idempotent: 'C-once',
    keyed: 'C-once',
    unsafe: 'C-once',
  },
  {
    number: 10,
    says: 'TLS cannot be agreed with this server',
    matches: ({ failure }) =>
      failure.kind === 'tls' && (failure.permanent ?? (failure.tls !== undefined && failure.tls !== 'handshake')),
    ...permanent,
  },
  {
    number: 12,
    says: 'the proxy hung up, or did not answer',
    matches: ({ failure }) =>
      failure.delivery === 'unsent' &&
      (failure.kind === 'proxy'
        ? failure.proxyStatus === undefined && mayPassAtProxy(failure)
        : failure.phase === 'proxy' && isConnectionFault(failure)),
    ...always,
    elsewhere: true,
  },
  {
    number: 12,
    says: 'the proxy could not make the tunnel',
    matches: ({ failure }) => isUnsent(failure, 'proxy') && mayPassAtProxy(failure),
    ...always,
  },
  {
    number: 11,
    says: 'the proxy refused the tunnel, or the request',
    matches: ({ failure }) => isUnsent(failure, 'proxy') || (failure.kind === 'proxy' && failure.permanent === true),
    ...permanent,
  },
  {
    number: 6,
    says: 'the connection was refused',
    matches: ({ failure }) => isUnsent(failure, 'refused'),
    ...always,
    elsewhere: true,
  },
  {
    number: 7,
    says: 'no connection could be made in time, or there is no way there',
    matches: ({ failure }) => isUnsent(failure, 'timeout', 'unreachable'),
    ...always,
    elsewhere: true,
  },
  {
    number: 8,
    says: 'this host is short of resources',
    matches: ({ failure }) => isUnsent(failure, 'local-resource'),
    idempotent: 'C-slow',
    keyed: 'C-slow',
    unsafe: 'C-slow',
  },
  {
    number: 9,
    says: 'the connection ended before it was ready',
    matches: ({ failure, reused }) =>
      isUnsent(failure, 'tls') ||
      (failure.delivery === 'unsent' &&
        isHangUp(failure) &&
        reused !== true &&
        (failure.phase === 'connect' || failure.phase === 'tls')),
    ...always,
    elsewhere: true,
  },
  {
    number: 13,
    says: 'the connection was dead before the request was written',
    matches: ({ failure }) => isUnsent(failure, 'reset', 'closed', 'protocol'),
    idempotent: 'T',
    keyed: 'T',
    unsafe: 'T',
  },
]

/** A proxy that refuses (407, 403, …) will refuse again; one that failed, or gave no status at all, may not. */
function mayPassAtProxy({ permanent, proxyStatus }: Failure): boolean {
  if (permanent === true) return false
  return proxyStatus === undefined || [408, 429, 500, 502, 503, 504].includes(proxyStatus)
}
