/**
 * Options that are each allowed, and together make no sense: refused when the client is made, by an error that names both.
 * A setting that can never take effect is as bad as one that contradicts another: somebody relies on it.
 */

import type { BreakerSettings } from './breaker.js'
import type { HedgeSettings } from './hedge.js'
import { mismatch } from './option-check.js'
import type { RetryPolicy } from './retry-options.js'
import type { ThrottleSettings } from './throttle.js'

/** What has to fit together. Milliseconds; absent: no such limit, or the policy is switched off. */
export interface JoinedSettings {
  readonly timeout: {
    readonly attempt: number | undefined
    readonly headers: number | undefined
    readonly total: number | undefined
  }
  readonly retry: RetryPolicy
  readonly hedge?: HedgeSettings | undefined
  readonly breaker?: BreakerSettings | undefined
  readonly throttle?: ThrottleSettings | undefined
  /** Most connections to one origin. */
  readonly connections?: number | undefined
}

/** An option that does not fit to another one: its path, what it would have to be, and what it is. */
interface Clash {
  readonly option: string
  readonly allowed: string
  readonly value: unknown
}

type Rule = (settings: JoinedSettings) => Clash | undefined

const rules: readonly Rule[] = [
  // The base is the ceiling of the first wait. When even that cannot fit, no retry ever would.
  ({ retry, timeout: { total } }) =>
    total !== undefined && retry.disabled !== true && retry.attempts > 1 && retry.backoff.baseMs >= total
      ? clash(
          'retry.backoff.base',
          `below timeout.total, which is ${total}: no retry could ever be made`,
          retry.backoff.baseMs,
        )
      : undefined,
  ...(['attempt', 'headers', 'total'] as const).map(
    (name): Rule =>
      ({ hedge, timeout: { [name]: limit } }) =>
        hedge !== undefined && limit !== undefined && hedge.minDelayMs >= limit
          ? clash(
              'hedge.minDelayMs',
              `below timeout.${name}, which is ${limit}: no hedge could ever be sent`,
              hedge.minDelayMs,
            )
          : undefined,
  ),
  ({ hedge, connections }) =>
    hedge !== undefined && connections === 1
      ? clash('connections', 'at least 2 with hedge: the second request goes to another connection', connections)
      : undefined,
  ({ breaker, timeout: { attempt } }) =>
    breaker !== undefined && attempt !== undefined && breaker.windowMs < 2 * attempt
      ? clash(
          'breaker.windowMs',
          `at least twice timeout.attempt, which is ${attempt}: attempts must end within it`,
          breaker.windowMs,
        )
      : undefined,
  ({ throttle, timeout: { attempt } }) =>
    throttle !== undefined && attempt !== undefined && throttle.windowMs < attempt
      ? clash(
          'throttle.windowMs',
          `at least timeout.attempt, which is ${attempt}: an attempt must end within it`,
          throttle.windowMs,
        )
      : undefined,
]

/**
 * Refuses what does not fit together.
 *
 * @throws TypeError that names both options
 */
export function refuseIncoherence(settings: JoinedSettings): void {
  for (const rule of rules) {
    const found = rule(settings)
    if (found !== undefined) throw mismatch(found.option, found.allowed, found.value)
  }
}

function clash(option: string, allowed: string, value: unknown): Clash {
  return { option, allowed, value }
}
