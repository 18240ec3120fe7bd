/**
 * What must come of each misdeed of the rude server, written by hand from the decision table and the taxonomy, and not
 * derived from the code under test. Where the kernel's timing decides between two outcomes, both stand here.
 */

import type { Delivery, FailureKind, Phase } from '../../src/failure/kinds.js'
import type { MisdeedName } from '../../src/testing/rude-server.js'

/** Which requests must succeed when the misdeed is done only once. */
export type Recovers = 'all' | 'idempotent' | 'none' | 'timing'

export interface Expectation {
  readonly kind: readonly FailureKind[]
  readonly phase: readonly Phase[]
  readonly delivery: readonly Delivery[]
  readonly recovers: Recovers
  /** The misdeed can befall a request on a connection that has served one before. */
  readonly reusable: boolean
}

function row(kind: FailureKind, phases: string, deliveries: string, recovers: Recovers, reusable = true): Expectation {
  return {
    kind: [kind],
    phase: phases.split(' ') as Phase[],
    delivery: deliveries.split(' ') as Delivery[],
    recovers,
    reusable,
  }
}

const handshake = (kind: FailureKind, recovers: Recovers = 'all') => row(kind, 'tls', 'unsent', recovers, false)
const unanswered = (kind: FailureKind) => row(kind, 'send wait', 'unknown', 'idempotent')
const cutHead = (kind: FailureKind) => row(kind, 'head', 'partial', 'idempotent')
const notHttp = row('protocol', 'head', 'partial', 'none')
// A body that is cut before the response could be handed over is tried again; one that was being read is not.
const cutBody = (kind: FailureKind) => row(kind, 'body', 'partial', 'timing')

export const expectations: Partial<Record<MisdeedName, Expectation>> = {
  // On loopback the reset can come while connecting, or when the request is on its way already.
  'reset-at-accept': row('reset', 'connect send wait', 'unsent unknown', 'timing', false),
  'fin-at-accept': row('closed', 'send wait', 'unknown', 'idempotent', false),
  'stall-at-accept': row('timeout', 'send wait', 'unknown', 'idempotent', false),
  'reset-with-request-unread': row('reset', 'send wait', 'unknown', 'idempotent', false),
  'tls-reset-after-client-hello': handshake('reset'),
  'tls-fin-after-client-hello': handshake('closed'),
  'tls-stall-after-client-hello': handshake('timeout'),
  'tls-alert-handshake-failure': handshake('tls', 'none'),
  'tls-alert-protocol-version': handshake('tls', 'none'),
  'tls-alert-unrecognized-name': handshake('tls', 'none'),
  'tls-plain-http-answer': handshake('tls', 'none'),
  'tls-garbage-answer': handshake('tls', 'none'),
  'tls-expired-certificate': handshake('tls', 'none'),
  'tls-wrong-name-certificate': handshake('tls', 'none'),
  'tls-self-signed-certificate': handshake('tls', 'none'),
  'tls-reset-after-handshake': row('reset', 'tls send wait', 'unsent unknown', 'timing', false),
  'tls-fin-after-handshake': row('closed', 'tls send wait', 'unsent unknown', 'timing', false),
  'reset-mid-request-head': unanswered('reset'),
  'reset-after-request-head': unanswered('reset'),
  'fin-after-request-head': unanswered('closed'),
  'reset-mid-upload': unanswered('reset'),
  'stop-reading': unanswered('timeout'),
  'execute-head-then-reset': unanswered('reset'),
  'execute-prefix-then-reset': unanswered('reset'),
  'reset-after-request': unanswered('reset'),
  'fin-after-request': unanswered('closed'),
  'bare-fin-after-request': unanswered('closed'),
  'half-close-after-request': unanswered('closed'),
  'stall-before-head': unanswered('timeout'),
  'stall-without-executing': unanswered('timeout'),
  'reset-after-early-hints': row('reset', 'head', 'partial', 'idempotent'),
  'reset-mid-head': cutHead('reset'),
  'fin-mid-head': cutHead('closed'),
  'stall-mid-head': cutHead('timeout'),
  garbage: notHttp,
  'other-protocol': notHttp,
  'bad-status-line': notHttp,
  'bad-header-line': notHttp,
  'overlong-headers': notHttp,
  'conflicting-lengths': row('protocol', 'head body', 'partial', 'none'),
  'length-and-chunked': row('protocol', 'head body', 'partial', 'none'),
  'reset-before-body': cutBody('reset'),
  'fin-before-body': cutBody('closed'),
  'reset-mid-body-content-length': cutBody('reset'),
  'reset-mid-body-chunked': cutBody('reset'),
  'reset-mid-body-close-delimited': cutBody('reset'),
  'fin-mid-body-content-length': cutBody('closed'),
  'fin-mid-body-chunked': cutBody('closed'),
  'fin-before-last-chunk': cutBody('closed'),
  'fin-mid-body-close-announced': cutBody('closed'),
  'bare-fin-mid-body-content-length': cutBody('closed'),
  'bare-fin-mid-body-close-delimited': cutBody('closed'),
  'stall-mid-body-content-length': cutBody('timeout'),
  'stall-mid-body-chunked': cutBody('timeout'),
  'stall-mid-body-close-delimited': cutBody('timeout'),
  'bad-chunk': row('protocol', 'body', 'partial', 'none'),
  'overlong-chunk': row('protocol', 'body', 'partial', 'none'),
}
