/** Rows of the decision table for requests that were written, or in part, and have no complete response. */

import type { Failure } from '../failure/kinds.js'
import { type DecisionRow, ifHarmless, isConnectionFault, isHangUp } from './decision-row.js'
import type { RetryQuestion } from './retry-question.js'

/** The protocol itself says what became of the request. */
export const rowsDeclared: readonly DecisionRow[] = [
  {
    number: 27,
    says: 'the server wants HTTP/1.1 for this request',
    matches: ({ failure }) => failure.http2 === 'HTTP_1_1_REQUIRED',
    idempotent: 'T-once',
    keyed: 'T-once',
    unsafe: [{ manner: 'T-once', optIn: 'unsafeOnHttp11Required' }],
    fresh: true,
    overHttp1: true,
  },
  {
    number: 24,
    says: 'the server declared that it did not process the request',
    matches: ({ failure }) => failure.delivery === 'rejected',
    idempotent: 'T-once-then-C',
    keyed: 'T-once-then-C',
    unsafe: 'T-once-then-C',
  },
  {
    number: 26,
    says: 'the server asks for calm (ENHANCE_YOUR_CALM)',
    matches: ({ failure }) => failure.delivery === 'unknown' && failure.http2 === 'ENHANCE_YOUR_CALM',
    idempotent: 'C-throttle',
    keyed: 'C-throttle',
    unsafe: 'never',
  },
  {
    number: 25,
    says: 'an HTTP/2 connection that had been used before was lost after the request was sent',
    matches: (question) => losesHttp2(question) && question.reused === true,
    idempotent: 'C0',
    keyed: 'C0',
    unsafe: 'never',
    fresh: true,
  },
  {
    number: 25,
    says: 'the HTTP/2 connection was lost after the request was sent',
    matches: losesHttp2,
    ...ifHarmless,
    fresh: true,
  },
  {
    number: 28,
    says: 'the server ended the HTTP/2 stream with an error',
    matches: ({ failure }) => failure.delivery === 'unknown' && failure.http2 !== undefined,
    ...ifHarmless,
  },
]

/** The connection fell silent, or ended, or said something that is no answer. */
export const rowsSent: readonly DecisionRow[] = [
  {
    number: 16,
    says: 'the connection failed while the request was being written',
    matches: ({ failure }) => failure.delivery === 'unknown' && failure.phase === 'send' && isConnectionFault(failure),
    ...ifHarmless,
    fresh: true,
  },
  {
    number: 14,
    says: 'a connection that had been used before ended without one byte of an answer',
    matches: ({ failure, reused }) => failure.delivery === 'unknown' && isHangUp(failure) && reused === true,
    idempotent: 'C0',
    keyed: 'C0',
    unsafe: [{ manner: 'C0', optIn: 'unsafeOnStaleConnection' }],
    fresh: true,
  },
  {
    number: 15,
    says: 'the connection ended without one byte of an answer',
    matches: ({ failure }) => failure.delivery === 'unknown' && isHangUp(failure),
    ...ifHarmless,
    fresh: true,
  },
  {
    number: 18,
    says: 'no answer came in time',
    matches: ({ failure }) => failure.delivery === 'unknown' && failure.kind === 'timeout',
    ...ifHarmless,
    fresh: true,
  },
  {
    number: 20,
    says: 'the answer is not valid HTTP',
    matches: ({ failure }) => failure.kind === 'protocol' && !isCutBody(failure),
    idempotent: [{ manner: 'C', optIn: 'idempotentOnInvalidResponse' }],
    keyed: 'never',
    unsafe: 'never',
    stop: 'permanent',
    fresh: true,
  },
  {
    number: 23,
    says: 'a reset cut a body whose end is the end of the connection',
    matches: isCutAtClose,
    ...ifHarmless,
    keyed: 'never',
    fresh: true,
  },
  {
    number: 21,
    says: 'the answer broke off in its body',
    matches: ({ failure }) => isCutBody(failure),
    idempotent: 'C',
    keyed: [{ manner: 'C', optIn: 'keyedAfterCutBody' }],
    unsafe: 'never',
    fresh: true,
  },
  {
    number: 19,
    says: 'the answer broke off in its head',
    matches: ({ failure }) => failure.delivery === 'partial',
    ...ifHarmless,
    fresh: true,
  },
]

/** A reset of a body that has no other end than the end of the connection: the one cut that looks like success. */
export function isCutAtClose({ failure, closeDelimited }: RetryQuestion): boolean {
  return failure.kind === 'reset' && closeDelimited === true && isCutBody(failure)
}

function isCutBody({ kind, phase, delivery, code }: Failure): boolean {
  if (delivery !== 'partial' || (phase !== 'body' && phase !== 'close')) return false
  // Of what is not valid HTTP, only a body shorter than its announced length is a cut.
  return kind !== 'protocol' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
}

/** Without a GOAWAY, or with one that leaves our stream among those that may have been processed; or a PING that nobody answered. */
function losesHttp2({ failure, protocol }: RetryQuestion): boolean {
  if (failure.delivery !== 'unknown') return false
  if (failure.http2 === 'GOAWAY' || failure.http2 === 'NO_ERROR') return true
  return failure.http2 === undefined ? protocol === 'h2' && isHangUp(failure) : failure.kind === 'timeout'
}
