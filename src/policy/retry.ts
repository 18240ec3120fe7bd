/** May this failure be followed by another attempt, when, and at whose cost? The table says it; here it is read. */

import type { StopReason } from '../failure/kinds.js'
import { backoff, boundWait } from './backoff.js'
import { endsInTime } from './deadline.js'
import type { Cell, Condition, DecisionRow, Manner } from './decision-row.js'
import { findRow, rowOfStatus, tooLate } from './decision-table.js'
import { provesNeverForwarded } from './proxy-status.js'
import type { OptIn, RetryPolicy } from './retry-options.js'
import type { RetryQuestion, Verdict } from './retry-question.js'
import { forbids, permits } from './retry-reasons.js'
import { serverDelayMs } from './server-signals.js'

export type { RetryPolicy } from './retry-options.js'
export type { RetryQuestion, Verdict } from './retry-question.js'

/**
 * Most transparent retries in a row. A connection that dies before it is written to proves nothing about the next one,
 * but a race that never ends must. The last of them is given a connection of its own; after it, retries are charged.
 */
export const mostTransparentRetries = 3

/** Tokens of the retry budget for a charged retry, and for one after a sign of overload (5 to 14, as in AWS's SDKs). */
const fullCost = 1
const throttledCost = 0.4

/**
 * Decides about another attempt. Pure: the same question and policy give the same verdict.
 *
 * The guards, in this order: the caller aborted; the answer was handed over; the table forbids it; the body cannot be
 * sent again; the attempts are used up; the wait would end after the deadline. The budget is the caller's to ask, for
 * `cost` tokens, once the verdict is to retry; and where the verdict is a stop, the wait that the server asked for is
 * the caller's to pass on (`serverDelayMs(question.signals)`).
 *
 * @example
 * ```ts
 * import type { Failure } from '../failure/kinds.js'
 * import { decide } from './retry.js'
 * import { defaultRetryPolicy } from './retry-options.js'
 *
 * const failure: Failure = { kind: 'reset', phase: 'wait', delivery: 'unknown', cause: undefined }
 * const verdict = decide(
 *   { failure, requestClass: 'idempotent', replayable: true, attempts: 1, transparent: 0, dice: Math.random() },
 *   defaultRetryPolicy,
 * )
 * console.log(verdict.retry, verdict.waitMs, verdict.because)
 * ```
 */
export function decide(question: RetryQuestion, policy: RetryPolicy): Verdict {
  const reading = read(question, policy)
  const { row, says } = reading
  const stop = (stopReason: StopReason, why: string, number = row.number): Verdict => ({
    retry: false,
    because: `${says}; ${why}`,
    row: number,
    stopReason,
    cost: 0,
    transparent: false,
    freshConnection: false,
  })

  if (reading.manner === undefined) return stop(reading.stopReason, reading.why)
  if (policy.disabled === true) return stop('disabled', 'retries are switched off')
  if (!question.replayable) return stop('body', 'the body was a stream and its beginning is gone')

  const transparent = isTransparent(reading.manner, row, question)
  if (!transparent && question.attempts >= policy.attempts) {
    return stop(
      'attempts',
      policy.attempts === 1 ? 'the only attempt was used' : `all ${policy.attempts} attempts were used`,
    )
  }

  const throttled = isThrottled(reading.manner, row, question)
  const elsewhere = row.elsewhere === true && question.otherAddress === true
  const atOnce = transparent || elsewhere || (reading.manner === 'C0' && grantedBy(row, question) === 0)
  const waitMs = waitFor({ atOnce, throttled }, question, policy)
  if (tooLate.matches(question, policy, waitMs)) {
    const late = whyTooLate(waitMs, question, policy)
    return stop(late.stopReason, late.why, tooLate.number)
  }

  const price = throttled && reading.manner !== 'C-slow' ? (question.throttleCost ?? throttledCost) : fullCost
  return {
    retry: true,
    because: `${says}; ${permits({ question, transparent, elsewhere, ...optInOf(reading.optIn) })}`,
    row: row.number,
    waitMs,
    charged: !transparent,
    ...optInOf(reading.optIn),
    cost: transparent ? 0 : price,
    transparent,
    freshConnection: row.fresh === true || (transparent && question.transparent + 1 >= mostTransparentRetries),
    ...(row.overHttp1 === true ? { overHttp1: true } : undefined),
  }
}

/** What the table says: a manner, or why there is none. */
type Reading = { readonly row: DecisionRow; readonly says: string } & (
  | { readonly manner: Manner; readonly optIn?: OptIn }
  | { readonly manner?: undefined; readonly stopReason: StopReason; readonly why: string }
)

function read(question: RetryQuestion, policy: RetryPolicy): Reading {
  const found = findRow(question, policy)
  const early = cellOf(found, question) === 'as-status'
  const row = early ? rowOfStatus(question, policy) : found
  const says = early ? `${found.says}: ${row.says}` : row.says
  const never = (stopReason: StopReason, why: string): Reading => ({ row, says, stopReason, why })

  const open = openingOf(cellOf(row, question), question, policy)
  if (open === undefined) {
    const stopReason = stopOf(row, question)
    return never(stopReason, forbids({ question, stopReason, cell: cellOf(row, question) }))
  }
  if (question.requestClass === 'unsafe' && question.earlierAnswered === true) {
    return never('unsafe', 'a redirect before it was answered, so the request may have been executed')
  }
  const { status } = question.failure
  if (row.listed === true && status !== undefined && !policy.statuses.includes(status)) {
    return never('disabled', `${status} is not listed in retry.statuses`)
  }
  if (isOnce(open.manner) && grantedBy(row, question) > 0) {
    return never(row.used ?? 'permanent', 'it was tried again once, and that did not help')
  }
  return { row, says, ...open }
}

function cellOf(row: DecisionRow, { requestClass }: RetryQuestion): Cell {
  return row[requestClass]
}

/** The manner that a cell allows under this policy, and the option that it takes to get there. */
function openingOf(
  cell: Cell,
  question: RetryQuestion,
  policy: RetryPolicy,
): { readonly manner: Manner; readonly optIn?: OptIn } | undefined {
  // `as-status` was followed before; a row of a status never says it.
  if (cell === 'never' || cell === 'as-status') return undefined
  if (typeof cell === 'string') return { manner: cell }
  return cell.find(
    ({ optIn, when }) =>
      (optIn === undefined || policy.optIns.has(optIn)) && (when === undefined || holds(when, question)),
  )
}

function holds(condition: Condition, { failure, signals, resumable }: RetryQuestion): boolean {
  switch (condition) {
    case 'unsent':
      return failure.delivery === 'unsent'
    case 'proved':
      return failure.delivery === 'unsent' || failure.delivery === 'rejected'
    case 'resumable':
      return resumable === true && failure.kind !== 'protocol' && failure.permanent !== true && signals?.stop !== true
    case 'nack':
      return signals?.nack === true
    case 'never-forwarded':
      return provesNeverForwarded(signals?.proxyStatus)
  }
}

function stopOf(row: DecisionRow, { failure }: RetryQuestion): StopReason {
  return typeof row.stop === 'function' ? row.stop(failure) : (row.stop ?? 'unsafe')
}

function isOnce(manner: Manner): boolean {
  return manner === 'T-once' || manner === 'C-once'
}

/** A transparent retry becomes a charged one when it is not the first of its row, or when too many went before it. */
function isTransparent(manner: Manner, row: DecisionRow, question: RetryQuestion): boolean {
  if (question.transparent >= mostTransparentRetries) return false
  return manner === 'T' || manner === 'T-once' || (manner === 'T-once-then-C' && grantedBy(row, question) === 0)
}

/** Retries that this row granted to the call before. */
function grantedBy(row: DecisionRow, { retriesOfRow }: RetryQuestion): number {
  return retriesOfRow?.(row.number) ?? 0
}

function isThrottled(manner: Manner, row: DecisionRow, { signals }: RetryQuestion): boolean {
  if (manner === 'C-throttle' || manner === 'C-slow') return true
  return row.throttledByHint === true && serverDelayMs(signals) !== undefined
}

/**
 * The wait before the next attempt. Never shorter than the server asked for; its 0 is "now". Everybody whom a server
 * told to come back in 30 s would do so at the same moment, so the backoff's jitter is put on top, as far as time allows.
 */
function waitFor(
  how: { readonly atOnce: boolean; readonly throttled: boolean },
  question: RetryQuestion,
  policy: RetryPolicy,
): number {
  const { baseMs, throttledBaseMs, capMs } = policy.backoff
  const own = backoff({
    retry: question.attempts,
    baseMs: how.throttled ? throttledBaseMs : baseMs,
    capMs,
    dice: question.dice,
  })
  const asked = serverDelayMs(question.signals)
  if (asked === undefined) return how.atOnce ? 0 : own
  const spread = boundWait(asked + own)
  return asked === 0 || how.atOnce || !endsInTime(spread, question.remainingMs) ? asked : spread
}

function whyTooLate(
  waitMs: number,
  question: RetryQuestion,
  policy: RetryPolicy,
): { readonly stopReason: StopReason; readonly why: string } {
  if (!endsInTime(waitMs, question.remainingMs)) {
    const left = Math.round(question.remainingMs ?? 0)
    return {
      stopReason: 'deadline',
      why: `the next try would begin in ${Math.round(waitMs)} ms and only ${left} ms are left`,
    }
  }
  const asked = serverDelayMs(question.signals)
  const most = policy.maxRetryAfterMs
  return {
    stopReason: 'server-said',
    why: `the server wants ${asked} ms of peace, more than retry.maxRetryAfter (${most} ms)`,
  }
}

function optInOf(optIn: OptIn | undefined): { readonly optIn?: OptIn } {
  return optIn === undefined ? {} : { optIn }
}
