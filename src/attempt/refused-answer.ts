/** What it is when no exchange failed and the host's API took offence at the answer. */

import type { Failure } from '../failure/kinds.js'
import type { Exchange } from '../wire/exchange.js'

/**
 * The failure of an answer that the host's API does not hand over, for where it redirects to, for its digest, for its
 * status. The same answer would come again.
 */
export function refusedAnswer(failure: Failure, exchange: Exchange | undefined): Failure {
  if (exchange?.headAt === undefined || exchange.failed || failure.aborted === true) return failure
  if (failure.kind !== 'unknown' && failure.kind !== 'not-admitted') return failure
  const answered = { ...failure, delivery: 'answered', permanent: true } as const
  // A 407 is a proxy's own word, which fetch does not let its caller see.
  if (exchange.status === 407 && exchange.socket?.via?.by === 'forward')
    return { ...answered, kind: 'proxy', phase: 'wait', proxyStatus: 407 }
  return { ...answered, kind: failure.kind === 'unknown' ? 'unknown' : 'protocol' }
}
