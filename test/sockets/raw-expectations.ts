/** What a raw connection must say of each misdeed of the rude server that makes sense below HTTP. */

import type { Delivery, FailureKind, Phase } from 'offhook'
import type { MisdeedName } from 'offhook/testing'

/**
 * Where it shows. `dial`: no connection comes of it. `error`: the connection stood, and its `'error'` tells. `end`: the other
 * side hung up politely, which is its right below HTTP: an `'end'`, and no error.
 */
export type Shows = 'dial' | 'error' | 'end'

export interface RawExpectation {
  readonly shows: readonly Shows[]
  readonly kind: readonly FailureKind[]
  readonly phase: readonly Phase[]
  readonly delivery: readonly Delivery[]
  /** Another dial may help. */
  readonly passes: boolean
}

function row(shows: string, kinds: string, phases = 'wait', deliveries = 'unknown', passes = true): RawExpectation {
  return {
    shows: shows.split(' ') as Shows[],
    kind: kinds.split(' ') as FailureKind[],
    phase: phases.split(' ') as Phase[],
    delivery: deliveries.split(' ') as Delivery[],
    passes,
  }
}

const handshake = (kind: FailureKind, passes = true) => row('dial', kind, 'tls', 'unsent', passes)
// Whether the reset comes before or after the last byte was written is the scheduler's choice.
const reset = row('error', 'reset', 'send wait')
const cut = row('error', 'reset', 'wait', 'partial')
// FIN is no failure, unless we write into it and are answered by RST.
const polite = row('end error', 'closed', 'send wait', 'unknown partial')

// Both come, FIN and, since bytes were left unread, RST. Beneath TLS the two can look like one.
const unread = row('end error', 'closed reset', 'send wait')

/** The same over TCP and TLS, but for those that are about TLS alone. */
export const rawExpectations: Partial<Record<MisdeedName, RawExpectation>> = {
  // On loopback the reset may come before `connect` is reported, or after.
  'reset-at-accept': row('dial error', 'reset', 'connect tls send wait', 'unsent unknown'),
  // Over TLS there is a handshake to be cut.
  'fin-at-accept': row('end error dial', 'closed', 'send wait tls', 'unknown unsent'),
  'reset-with-request-unread': row('error dial', 'reset', 'send wait tls', 'unknown unsent'),
  'tls-reset-after-client-hello': handshake('reset'),
  'tls-fin-after-client-hello': handshake('closed'),
  'tls-stall-after-client-hello': handshake('timeout'),
  'tls-alert-handshake-failure': handshake('tls', false),
  'tls-alert-protocol-version': handshake('tls', false),
  'tls-alert-unrecognized-name': handshake('tls', false),
  'tls-plain-http-answer': handshake('tls', false),
  'tls-garbage-answer': handshake('tls', false),
  'tls-expired-certificate': handshake('tls', false),
  'tls-wrong-name-certificate': handshake('tls', false),
  'tls-self-signed-certificate': handshake('tls', false),
  'tls-reset-after-handshake': row('dial error', 'reset', 'tls send wait', 'unsent unknown'),
  'tls-fin-after-handshake': row('dial end error', 'closed reset', 'tls send wait', 'unsent unknown'),
  'reset-mid-request-head': reset,
  'reset-after-request-head': reset,
  'fin-after-request-head': unread,
  'reset-mid-upload': reset,
  'execute-head-then-reset': reset,
  'execute-prefix-then-reset': reset,
  'reset-after-request': reset,
  'fin-after-request': polite,
  'half-close-after-request': polite,
  'bare-fin-after-request': row('error', 'closed', 'wait', 'unknown'),
  'reset-after-early-hints': cut,
  'reset-mid-head': cut,
  'fin-mid-head': polite,
  'reset-before-body': cut,
  'reset-mid-body-content-length': cut,
  'reset-mid-body-chunked': cut,
  'reset-mid-body-close-delimited': cut,
  // The reset overtakes what the kernel holds: some of it may never be seen.
  'reset-mid-body-at-once': row('error', 'reset', 'wait', 'partial unknown'),
  'fin-before-body': polite,
  'fin-mid-body-content-length': polite,
  'fin-mid-body-chunked': polite,
  'bare-fin-mid-body-content-length': row('error', 'closed', 'wait', 'partial'),
  'bare-fin-mid-body-close-delimited': row('error', 'closed', 'wait', 'partial'),
}
