/** Rows of the decision table for answers: a complete response exists, and its status decides. */

import type { Delivery, Failure } from '../failure/kinds.js'
import { type DecisionRow, ifHarmless, isConnectionFault, permanent } from './decision-row.js'
import type { RetryPolicy } from './retry-options.js'
import type { RetryQuestion } from './retry-question.js'

/** A status that has a row of its own comes before those that do not. */
export const rowsAnswered: readonly DecisionRow[] = [
  {
    number: 17,
    says: 'the server answered before the whole request was written',
    matches: ({ failure }) =>
      failure.status !== undefined &&
      failure.delivery === 'answered' &&
      (isConnectionFault(failure) || (failure.kind === 'status' && failure.phase === 'send')),
    idempotent: 'as-status',
    keyed: 'as-status',
    unsafe: 'as-status',
  },
  {
    number: 29,
    says: 'the server refused early data',
    matches: ({ failure }) => isStatus(failure, 425) || (failure.kind === 'rejected' && failure.phase === 'tls'),
    idempotent: 'T-once',
    keyed: 'T-once',
    unsafe: [{ manner: 'T-once', when: 'proved' }],
    listed: true,
  },
  {
    number: 30,
    says: 'this connection leads to a server that does not answer for the origin (421)',
    matches: ({ failure }) => isStatus(failure, 421),
    idempotent: 'T-once',
    keyed: 'T-once',
    unsafe: [{ manner: 'T-once', when: 'proved' }],
    fresh: true,
  },
  {
    number: 31,
    says: 'the server gave up waiting for the request on a connection that had been idle (408)',
    matches: ({ failure, reused }) => isStatus(failure, 408) && (reused === true || failure.delivery === 'unsent'),
    idempotent: 'T-once',
    keyed: 'T-once',
    unsafe: [{ manner: 'T-once', when: 'unsent' }],
    used: 'attempts',
    listed: true,
    fresh: true,
  },
  {
    number: 32,
    says: 'the server asks for fewer requests (429)',
    matches: ({ failure }) => isStatus(failure, 429),
    idempotent: 'C-throttle',
    keyed: 'C-throttle',
    unsafe: [{ manner: 'C-throttle', optIn: 'unsafeOn429' }],
    listed: true,
  },
  {
    number: 33,
    says: 'the server is unavailable (503)',
    matches: ({ failure }) => isStatus(failure, 503),
    idempotent: 'C',
    keyed: 'C',
    unsafe: [
      { manner: 'C', optIn: 'nackHeader', when: 'nack' },
      { manner: 'C', optIn: 'trustProxyStatus', when: 'never-forwarded' },
      { manner: 'C', optIn: 'unsafeOn503' },
    ],
    listed: true,
    throttledByHint: true,
  },
  {
    number: 34,
    says: 'a gateway got no usable answer from the origin',
    matches: ({ failure }) => isStatus(failure, 502, 504),
    idempotent: 'C',
    keyed: 'C',
    unsafe: [{ manner: 'C', optIn: 'trustProxyStatus', when: 'never-forwarded' }],
    listed: true,
  },
  {
    number: 36,
    says: 'a first try with the same Idempotency-Key is still running there (409)',
    matches: (question, policy) =>
      isStatus(question.failure, 409) && (question.requestClass === 'keyed' || !isListed(question, policy)),
    idempotent: 'never',
    keyed: 'C',
    unsafe: 'never',
    stop: 'permanent',
  },
  {
    number: 37,
    says: 'the server does not accept the request, or not with this Idempotency-Key',
    matches: (question, policy) =>
      isStatus(question.failure, 400, 422) && (question.requestClass === 'keyed' || !isListed(question, policy)),
    ...permanent,
  },
  {
    number: 35,
    says: 'the server answered with an error that may pass',
    matches: (question, policy) =>
      isStatus(question.failure, 500) || (question.failure.kind === 'status' && isListed(question, policy)),
    ...ifHarmless,
    listed: true,
  },
  {
    number: 38,
    says: 'the server answered with an error that another try does not change',
    matches: ({ failure }) => failure.kind === 'status',
    ...permanent,
  },
]

/**
 * What a complete answer says about delivery. 421 and 425 declare that the request was not processed
 * (RFC 9110 §15.5.20, RFC 8470 §5.2); any other status leaves open what was done before it was sent.
 */
export function deliveryOfStatus(status: number): Delivery {
  return status === 421 || status === 425 ? 'rejected' : 'answered'
}

function isStatus(failure: Failure, ...statuses: readonly number[]): boolean {
  return failure.kind === 'status' && failure.status !== undefined && statuses.includes(failure.status)
}

function isListed({ failure }: RetryQuestion, policy: RetryPolicy): boolean {
  return failure.status !== undefined && policy.statuses.includes(failure.status)
}
