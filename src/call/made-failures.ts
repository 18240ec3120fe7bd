/** Failures and verdicts that no attempt brings along, and that the call makes itself. */

import { LimitReached } from '../attempt/stage-timer.js'
import { worstOf } from '../diagnosis/reading.js'
import type { Evidence } from '../failure/evidence.js'
import type { Delivery, Failure, StopReason } from '../failure/kinds.js'
import { deliveryOfStatus } from '../policy/decision-rows-answered.js'
import type { Verdict } from '../policy/retry-question.js'

/** A verdict that there is no further attempt. */
export function refusal(stopReason: StopReason, because: string, row?: number): Verdict {
  return {
    retry: false,
    because,
    stopReason,
    cost: 0,
    transparent: false,
    freshConnection: false,
    ...(row !== undefined && { row }),
  }
}

/** An answer with an error status, as a failure. */
export function statusFailure(status: number): Failure {
  return { kind: 'status', phase: 'body', delivery: deliveryOfStatus(status), status, cause: undefined }
}

/** The deadline passed while the call waited for a place in the queue of its own client. */
export function neverTried(totalMs: number): { failure: Failure; evidence: Evidence } {
  const cause = new LimitReached('total', totalMs)
  return {
    failure: { kind: 'timeout', phase: 'call', delivery: 'unsent', code: cause.code, cause },
    evidence: { vantage: 'none', phase: 'admit', limit: 'total', limitMs: totalMs },
  }
}

/**
 * How surely a call that ends now was heard. Unsent only where our own wire has seen that it was: a fetch with sockets
 * of its own shows nothing, and before the request that is being dialled there may have been one that was redirected.
 */
export function deliverySoFar(evidence: Evidence | undefined): Delivery {
  if (evidence === undefined) return 'unsent'
  const earlier = (evidence.earlier ?? []).map((exchange) => exchange.delivery)
  return worstOf([...earlier, evidence.started === false ? 'unsent' : 'unknown'])
}

/** The verdict that goes with a deadline. */
export const pastDeadline = {
  retry: false,
  because: 'the total deadline of the call has passed',
  stopReason: 'deadline',
} as const

/** The Fetch standard makes a request that is answered by 421 once more, by itself and on another connection. */
export function wasRepeated({ status }: Failure, evidence: Evidence | undefined): boolean {
  return status === 421 && evidence?.earlier?.some((exchange) => exchange.status === 421) === true
}

/** Why an origin's policies do not let a further attempt out. */
export const refusals = {
  breaker: 'the breaker of this origin is open, so no further attempt was made',
  throttled: 'this origin is overloaded and retries are throttled, so no further attempt was made',
}

/**
 * What an attempt that was not fine throws inside the loop. Not a TypeError: p-retry ends its loop at one. One for all,
 * since nothing is in it and its stack would cost more than the rest of the loop.
 */
export const notFine = new Error('the attempt was not fine')
