/**
 * What happened on the wire, by rule: the first that matches. Near certain, and settled before anybody is suspected:
 * who did it never changes what was seen.
 */

import type { Mechanism, ResetManner } from '../failure/diagnosis.js'
import type { Failure, FailureKind } from '../failure/kinds.js'
import type { Facts } from './facts.js'

/** This host itself said no when it was asked to connect. */
const refusedHere =
  /^(?:EMFILE|ENFILE|ENOBUFS|ENOMEM|EADDRNOTAVAIL|EADDRINUSE|EACCES|EPERM|EAFNOSUPPORT|EPROTONOSUPPORT|ENETDOWN)$/

const saidBy: readonly FailureKind[] = ['tls', 'protocol', 'rejected', 'status']

/**
 * The mechanism of a failure.
 *
 * A name that does not exist is a statement (`app-protocol`), a resolver that does not answer is `silence`. Where one
 * of our limits ran out, what ended the attempt was the silence before it, not the limit.
 */
export function mechanismOf(facts: Facts): Mechanism {
  const { failure, evidence, code, localSuffix } = facts
  const { kind } = failure
  if (failure.aborted === true || kind === 'not-admitted') return 'self'
  if (evidence?.limit !== undefined) return 'silence'
  if (localSuffix || kind === 'local-resource' || (code !== undefined && refusedHere.test(code))) return 'local-refused'
  // Windows calls a connection aborted for reasons of the other side as well.
  if (code === 'ECONNABORTED' && kind !== 'timeout' && facts.around.platform !== 'win32') return 'local-aborted'
  if (isStatement(failure)) return 'app-protocol'
  if (kind === 'dns') return failure.temporary === true ? 'silence' : 'app-protocol'
  if (kind === 'refused') return 'refused'
  if (kind === 'unreachable') return 'icmp'
  // The kernel's own patience (ETIMEDOUT), or that of a client whose limit is not ours.
  if (kind === 'timeout') return code === 'ETIMEDOUT' && facts.syscall !== undefined ? 'local-timeout' : 'silence'
  return endingOf(facts)
}

/** Somebody said so in the words of a protocol. */
function isStatement({ kind, http2, proxyStatus, tls }: Failure): boolean {
  if (kind === 'tls') return tls !== 'handshake'
  return saidBy.includes(kind) || http2 !== undefined || proxyStatus !== undefined
}

function endingOf(facts: Facts): Mechanism {
  const { evidence, failure, code, syscall, around } = facts
  const ending = evidence?.ending
  if (ending === 'fin-then-rst') return 'fin-then-rst'
  if (ending === 'fin') return hidesReset(facts) ? 'rst' : 'fin'
  const reset = ending === 'rst' || failure.kind === 'reset' || (code === 'ECONNRESET' && syscall !== undefined)
  // Windows shows what its own stack gave up as a reset.
  if (reset && around.platform === 'win32') return 'unknown'
  // Linux says EPIPE when its peer had closed in an orderly way before; BSD says ECONNRESET then.
  if (code === 'EPIPE') return around.platform === 'linux' || around.platform === undefined ? 'fin-then-rst' : 'rst'
  if (reset) return 'rst'
  if (failure.kind !== 'closed') return 'unknown'
  // A bare "end" of an older libuv, with nobody at the socket to ask the kernel.
  return around.showsResets === false && evidence?.vantage !== 'socket' ? 'unknown' : 'fin'
}

/** Before libuv 1.52 a reset behind unread data is shown as an end; then the kernel has no row of it any more. */
function hidesReset({ around }: Facts): boolean {
  return around.showsResets === false && around.row?.state === 'absent'
}

/** Shares of a round trip: sooner is no answer, later is an answer that somebody had thought about. */
const soonest = 0.6
const latest = 1.6
/** What a look at the clock may be off by, in milliseconds. */
const slackMs = 1

/**
 * How an RST stood to our last write; `undefined` where the clock cannot tell. Both times are intervals: the loop may
 * have been late when the RST was read, and when the round trip was taken.
 */
export function mannerOf(facts: Facts): ResetManner | undefined {
  const { sinceWriteMs, sinceReadMs, rttMs, shortestMs = 0, lateMs, around } = facts
  // While a body goes out, a reset may answer any part of it.
  if (sinceWriteMs === undefined || around.requestWritten === false) return undefined
  // They had answered since we last wrote: nothing of ours was open.
  if (sinceReadMs !== undefined && sinceReadMs < sinceWriteMs) return 'unsolicited'
  if (rttMs === undefined) return undefined
  const earliest = Math.max(0, sinceWriteMs - lateMs)
  if (shortestMs > 2 * slackMs && sinceWriteMs < soonest * shortestMs) return 'too-fast'
  if (earliest > latest * rttMs + slackMs) return 'unsolicited'
  const within = earliest >= soonest * rttMs && sinceWriteMs <= latest * shortestMs + slackMs
  return within ? 'solicited' : undefined
}
