/**
 * The arithmetic of patience: how much of a call's time is left, and how much of it one attempt may take.
 * All times are milliseconds; `now` and `startedAt` come from one monotonic clock.
 */

import { boundWait } from './backoff.js'

/** The limits of a call. An absent one does not exist. */
export interface TimeLimits {
  /** For the whole call: every attempt, every wait between them, the body. */
  readonly totalMs?: number | undefined
  /** For each attempt. */
  readonly attemptMs?: number | undefined
}

/** What one attempt may take, and which limit says so. */
export interface AttemptTime {
  readonly ms: number
  readonly limit: 'attempt' | 'total'
}

/**
 * Milliseconds until the total deadline, never below 0. Without a total limit there is no deadline: `undefined`.
 *
 * @param startedAt when the call began
 * @param now the same clock, now; a clock that ran backwards gives no time back beyond the limit
 */
export function remainingTime(startedAt: number, now: number, totalMs: number | undefined): number | undefined {
  if (totalMs === undefined) return undefined
  return Math.max(0, totalMs - Math.max(0, now - startedAt))
}

/**
 * What the next attempt may take: the attempt's own limit, or what is left of the total if that is less. The name goes
 * with it, because an attempt that ran out may be tried again and a call that ran out may not. `undefined`: no limit.
 *
 * @example
 * ```ts
 * const time = attemptTime({ totalMs: 10_000, attemptMs: 4_000 }, 7_500)
 * // { ms: 2500, limit: 'total' } when 7,500 ms have passed
 * ```
 */
export function attemptTime(limits: TimeLimits, elapsedMs: number): AttemptTime | undefined {
  const left = remainingTime(0, elapsedMs, limits.totalMs)
  const { attemptMs } = limits
  if (left !== undefined && (attemptMs === undefined || left <= attemptMs))
    return { ms: boundWait(left), limit: 'total' }
  return attemptMs === undefined ? undefined : { ms: boundWait(attemptMs), limit: 'attempt' }
}

/**
 * Whether something may begin after a wait: only if the wait ends before the deadline. Sleeping into the deadline
 * would turn a failure with a reason into a timeout without one, later.
 *
 * @param remainingMs until the deadline; `undefined` where there is none
 */
export function endsInTime(waitMs: number, remainingMs: number | undefined): boolean {
  return remainingMs === undefined || waitMs < remainingMs
}
