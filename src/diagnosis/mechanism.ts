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
  if (isStatement(failure) || facts.around.tls?.alert !== undefined) return 'app-protocol'
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
  // A proxy that said nothing had closed instead.
  if (failure.kind === 'proxy') return 'fin'
  if (failure.kind !== 'closed') return 'unknown'
  // A bare "end" of an older libuv, with nobody at the socket to ask the kernel.
  return around.showsResets === false && evidence?.vantage !== 'socket' ? 'unknown' : 'fin'
}

/** Before libuv 1.52 a reset behind unread data is shown as an end; then the kernel has no row of it any more. */
function hidesReset({ around }: Facts): boolean {
  return around.showsResets === false && around.row?.state === 'absent'
}

/** What a look at the clock may be off by, in milliseconds. */
const slackMs = 1
/** So much later than it came may a reset be read while other programs have the processor, unseen by the loop's watch. */
const unseenMs = 4
/** Where the share of a round trip lies for each manner: sooner is no answer, later is one that somebody thought about. */
const ranges: Readonly<Record<ResetManner, readonly [number, number]>> = {
  'too-fast': [0, 0.6],
  solicited: [0.6, 1.6],
  unsolicited: [1.6, Number.POSITIVE_INFINITY],
}
/** Who thinks about it takes a millisecond or half a minute, and any order of size between as likely. */
const longestThoughtMs = 30_000

/** How well each manner fits the times, 0 to 1. */
export type Manners = Readonly<Record<ResetManner, number>>

const any: Manners = { 'too-fast': 1, solicited: 1, unsolicited: 1 }

/**
 * How an RST stood to our last write. Both times are intervals: the loop may have been late when the RST was read, and
 * when the round trip was taken. So the share of a round trip after which it came is an interval as well, and a manner
 * fits by how much of its range that covers.
 */
export function mannersOf(facts: Facts): Manners {
  const { sinceWriteMs, sinceReadMs, rttMs, rttDoubt, shortestMs = 0, lateMs } = facts
  // While a body goes out, a reset may answer any part of it.
  if (sinceWriteMs === undefined || isUpload(facts)) return any
  // They had answered since we last wrote: nothing of ours was open.
  if (sinceReadMs !== undefined && sinceReadMs < sinceWriteMs) return { ...any, 'too-fast': 0, solicited: 0 }
  if (rttMs === undefined || mayHaveBeenUnderWay(facts)) return any
  const low = Math.max(0, sinceWriteMs - lateMs - unseenMs) / rttMs
  // A round trip of a millisecond or two is not told from none, in JavaScript.
  const high = shortestMs > 2 * slackMs ? sinceWriteMs / shortestMs : Number.POSITIVE_INFINITY
  const covered = ([from, to]: readonly [number, number]) => {
    const [start, end] = [Math.max(from, low), Math.min(to, high)]
    // An interval that is a point fits whole where it lies.
    return end < start ? 0 : Math.max(end - start, 0.02) / (to - from)
  }
  const fits = {
    'too-fast': covered(ranges['too-fast']),
    solicited: covered(ranges.solicited),
    unsolicited: thoughtOf({ low, high, longest: longestThoughtMs / rttMs }),
  }
  const best = Math.max(...Object.values(fits))
  // Where the yardstick is too long, what seems too fast was an answer.
  const perhaps = fits['too-fast'] === best ? rttDoubt : 0
  return {
    'too-fast': fits['too-fast'] / best,
    solicited: Math.max(perhaps, fits.solicited / best),
    unsolicited: Math.max(perhaps, fits.unsolicited / best),
  }
}

/** How much of the times that somebody thinks an interval covers, by their orders of size. */
function thoughtOf({ low, high, longest }: Readonly<Record<'low' | 'high' | 'longest', number>>): number {
  const [from] = ranges.unsolicited
  if (high < from) return 0
  if (low >= from) return 1
  return Math.log(Math.min(high, longest) / from) / Math.log(Math.max(longest, 2 * from) / from)
}

/**
 * The peer may reset a new connection as soon as it has accepted it, and then the reset is no answer to a request: where
 * that was written only later, the clock says nothing.
 */
function mayHaveBeenUnderWay({ evidence, sinceWriteMs = 0, sinceReadMs = 0, shortestMs = 0 }: Facts): boolean {
  if (evidence?.connection?.reused !== false || evidence.status !== undefined) return false
  return sinceReadMs > 0 && sinceReadMs >= 0.6 * shortestMs && sinceReadMs - sinceWriteMs > 0.3 * shortestMs
}

/** What fits less than this is not taken for it. */
const leastFit = 0.16

/** The manner, where the times leave no other. */
export function mannerOf(facts: Facts): ResetManner | undefined {
  const fitting = resetManners.filter((manner) => mannersOf(facts)[manner] > leastFit)
  return fitting.length === 1 ? fitting[0] : undefined
}

const resetManners = Object.keys(ranges) as readonly ResetManner[]

/** A body of some length was going out. A small request is written at once; that it was not seen to be means nothing. */
export function isUpload({ around, failure, sentBytes }: Facts): boolean {
  if (around.requestWritten === false) return sentBytes === undefined || sentBytes > 16 * 1024
  return failure.phase === 'send' && (sentBytes ?? 0) > 64 * 1024
}
