/**
 * How an attempt ended, as far as load is concerned. The retry table asks "may this be sent again?"; breaker, throttle
 * and concurrency limit ask something coarser: is the far side well, busy, or gone? One word answers all three, so
 * that they cannot come to contradict each other about the same failure.
 */

import type { Failure } from '../failure/kinds.js'

/** Every outcome, from well to gone. */
export const loadOutcomes = ['success', 'answered', 'failed', 'overload', 'timeout', 'connection', 'ignored'] as const

/**
 * How an attempt ended.
 *
 * - `success`: a response below 400.
 * - `answered`: a 4xx. The far side works, the request was wrong: no sign of trouble.
 * - `failed`: it answered, and the answer says or shows that something is broken there.
 * - `overload`: it says that it has too much to do (429, 503, ENHANCE_YOUR_CALM).
 * - `timeout`: it had the request and did not answer in time.
 * - `connection`: no connection, or the connection was lost.
 * - `ignored`: nothing was learned about it: the caller aborted, this client did not dial, this host ran out, or a
 *   graceful goodbye.
 */
export type LoadOutcome = (typeof loadOutcomes)[number]

/** The outcome of a complete response, by its status. 408 and 425 say that the server waited or refused to: `answered`. */
export function outcomeOfStatus(status: number): LoadOutcome {
  if (status < 400) return 'success'
  if (status === 429 || status === 503) return 'overload'
  return status < 500 ? 'answered' : 'failed'
}

/** The outcome of an attempt that failed. */
export function outcomeOfFailure(failure: Failure): LoadOutcome {
  if (failure.aborted === true) return 'ignored'
  if (failure.http2 === 'ENHANCE_YOUR_CALM') return 'overload'
  switch (failure.kind) {
    case 'status':
      return failure.status === undefined ? 'failed' : outcomeOfStatus(failure.status)
    case 'timeout':
      return outcomeOfTimeout(failure)
    case 'reset':
    case 'closed':
    case 'refused':
    case 'unreachable':
    case 'proxy':
      return 'connection'
    case 'dns':
      return failure.temporary === true ? 'connection' : 'ignored'
    case 'tls':
      // A wrong certificate is no matter of load; a handshake that was cut is.
      return failure.permanent === true || failure.tls === 'certificate' ? 'ignored' : 'connection'
    case 'protocol':
    case 'unknown':
      return 'failed'
    case 'rejected':
    case 'local-resource':
    case 'not-admitted':
      return 'ignored'
  }
}

function outcomeOfTimeout(failure: Failure): LoadOutcome {
  switch (failure.phase) {
    case 'dns':
    case 'connect':
    case 'proxy':
    case 'tls':
      return 'connection'
    // Never dialled: it waited for a place of our own.
    case 'admit':
      return 'ignored'
    default:
      return 'timeout'
  }
}
