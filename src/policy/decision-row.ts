/** The form of a row of the decision table, and the cells that many rows share. */

import type { Failure, FailureKind, StopReason } from '../failure/kinds.js'
import type { OptIn, RetryPolicy } from './retry-options.js'
import type { RetryQuestion } from './retry-question.js'

/**
 * How an attempt is repeated. `T`: transparently, that is at once, on another connection and not charged. `T-once`:
 * transparently, one time. `T-once-then-C`: the second time it is charged. `C`: charged, after the backoff. `C0`:
 * charged, the first time without the backoff. `C-once`: charged, one time. `C-slow`: charged, with the backoff of
 * overload. `C-throttle`: the same, for the price of a throttled retry.
 */
export type Manner = 'T' | 'T-once' | 'T-once-then-C' | 'C' | 'C0' | 'C-once' | 'C-slow' | 'C-throttle'

/** A way to a retry that is open only if the option was set, if the condition holds, or both. */
export interface Opening {
  readonly manner: Manner
  readonly optIn?: OptIn
  readonly when?: Condition
}

/** What an opening may depend on. */
export type Condition = 'unsent' | 'proved' | 'resumable' | 'nack' | 'never-forwarded'

/** What a row says for one class: a manner, never, the first opening that is open, or whatever the status says. */
export type Cell = Manner | 'never' | 'as-status' | readonly Opening[]

/** One row: when it applies, and what it says for each class of request. */
export interface DecisionRow {
  readonly number: number
  /** What happened, in one clause. */
  readonly says: string
  /** `waitMs` is given when it is known how long the next attempt would have to wait, and to row 40 alone. */
  matches(question: RetryQuestion, policy: RetryPolicy, waitMs?: number): boolean
  readonly idempotent: Cell
  readonly keyed: Cell
  readonly unsafe: Cell
  /** Why a class that may not be repeated may not. Absent: `unsafe`. */
  readonly stop?: StopReason | ((failure: Failure) => StopReason)
  /** Why a "once" that was used is not used again. Absent: `permanent`. */
  readonly used?: StopReason
  /** The row holds only for statuses that are listed in `retry.statuses`. */
  readonly listed?: true
  /** A wait that the server asked for makes it a sign of overload. */
  readonly throttledByHint?: true
  /** The connection, or all that were opened with it, cannot be relied on: the next attempt opens its own. */
  readonly fresh?: true
  /** It speaks against an address: while the name has one that was not tried, the next attempt need not wait. */
  readonly elsewhere?: true
  readonly overHttp1?: true
}

/** Any class: it is proved that the request was not processed. */
export const always = { idempotent: 'C', keyed: 'C', unsafe: 'C' } as const
/** The classes that a second execution does not harm. */
export const ifHarmless = { idempotent: 'C', keyed: 'C', unsafe: 'never' } as const
/** No class. */
export const never = { idempotent: 'never', keyed: 'never', unsafe: 'never' } as const
/** No class, because it cannot help. */
export const permanent = { ...never, stop: 'permanent' } as const

/** Not one byte was given to a socket, and it is one of these kinds. */
export function isUnsent(failure: Failure, ...kinds: readonly FailureKind[]): boolean {
  return failure.delivery === 'unsent' && kinds.includes(failure.kind)
}

/** The connection was reset or closed. */
export function isHangUp(failure: Failure): boolean {
  return failure.kind === 'reset' || failure.kind === 'closed'
}

/** The connection was reset, closed, or silent for too long. */
export function isConnectionFault(failure: Failure): boolean {
  return isHangUp(failure) || failure.kind === 'timeout'
}
