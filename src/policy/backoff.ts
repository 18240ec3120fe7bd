/**
 * How long to wait before a charged retry: full jitter, capped before the dice are thrown.
 *
 * Many clients that fail at the same moment must not come back at the same moment. With full jitter each of them picks
 * any point between now and the ceiling, which halves the work of a recovering server compared with no jitter
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */

/** The longest wait that Node's timers can do, about 24.8 days; above it they fire at once. Milliseconds. */
export const longestWaitMs = 2 ** 31 - 1

/** The numbers of the backoff, in milliseconds. */
export interface BackoffPolicy {
  /** Ceiling of the first wait after a fault that may pass by itself. */
  readonly baseMs: number
  /** Ceiling of the first wait after a sign of overload (429, ENHANCE_YOUR_CALM, 503 with a hint, this host short of resources). */
  readonly throttledBaseMs: number
  /** No ceiling is higher than this. */
  readonly capMs: number
}

/**
 * The ceiling of the wait before a retry: `min(cap, base · 2^(retry − 1))`, never above {@link longestWaitMs}.
 *
 * @param retry number of the retry, from 1
 */
export function backoffCeiling(retry: number, baseMs: number, capMs: number): number {
  // 2^52 times the smallest base is beyond every cap; above it the power would reach Infinity, and 0 · Infinity is NaN.
  const doublings = Math.min(Math.max(retry, 1) - 1, 52)
  return boundWait(Math.min(capMs, baseMs * 2 ** doublings))
}

/**
 * The wait before a retry, in whole milliseconds: from 0 up to, but not including, the ceiling.
 *
 * @param wait.retry number of the retry, from 1
 * @param wait.dice a throw from 0 (included) to 1 (excluded)
 */
export function backoff(wait: {
  readonly retry: number
  readonly baseMs: number
  readonly capMs: number
  readonly dice: number
}): number {
  return Math.floor(wait.dice * backoffCeiling(wait.retry, wait.baseMs, wait.capMs))
}

/** A wait that a timer can do: from 0 to {@link longestWaitMs}, and 0 for what is not a number. */
export function boundWait(ms: number): number {
  // The comparison is false for NaN.
  return ms > 0 ? Math.min(ms, longestWaitMs) : 0
}
