/**
 * Why a throttle: a server that turns requests away still pays for each of them. When it refuses most of what comes,
 * the kindest and quickest answer is the one that the client gives itself.
 *
 * This is the client-side throttle of the SRE book ("Handling Overload"): over two minutes the client counts what it
 * wanted to send and what was not turned away. As long as at least half is accepted it does nothing. Beyond that it
 * drops a share that settles where the server sees about twice what it can accept: enough to notice at once when it
 * can accept more.
 *
 * Only answers that say "too much" count against the server. A slow answer, a reset or a 500 is trouble of another kind
 * and has policies of its own. By default only the extra attempts are dropped.
 */

import { mismatch, openSection } from './option-check.js'
import type { LoadOutcome } from './outcome.js'
import { SlidingWindow } from './window.js'

/**
 * The options of the adaptive throttle, section `throttle` of `createClient`. All optional; `true` is all defaults.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({ throttle: { throttles: 'all' } })
 * ```
 */
export interface ThrottleOptions {
  /** Over how long is counted, in milliseconds. Default 120 000. */
  readonly windowMs?: number
  /** How many times what is accepted may be sent: 2 tolerates that half is turned away. Default 2. */
  readonly tolerance?: number
  /** The largest share that is dropped, 0 to 1: something must go through to find out. Default 0.9. */
  readonly ceiling?: number
  /** Nothing is dropped while fewer than this were wanted in the window. Default 10: one 503 is not an overload. */
  readonly minRequests?: number
  /** What is dropped: only `retries` (and hedges), or `all`. Default `retries`. */
  readonly throttles?: 'retries' | 'all'
}

/** The options with every default in place. */
export type ThrottleSettings = Required<ThrottleOptions>

/** What the throttle does when nothing else is said (the SRE book's numbers, failsafe-go's ceiling). */
export const throttleDefaults: ThrottleSettings = {
  windowMs: 120_000,
  tolerance: 2,
  ceiling: 0.9,
  minRequests: 10,
  throttles: 'retries',
}

const requests = 0
const refusals = 1

/** The adaptive throttle of one origin. */
export class AdaptiveThrottle {
  readonly #settings: ThrottleSettings
  readonly #window: SlidingWindow

  /** @param settings complete numbers, from {@link checkThrottleOptions} or {@link throttleDefaults} */
  constructor(settings: ThrottleSettings) {
    this.#settings = settings
    this.#window = new SlidingWindow(settings.windowMs, 12, 2)
  }

  /**
   * May this attempt be made? It is counted here, at the moment of sending, so that a burst is seen while its answers
   * are still on their way. What is dropped counts as wanted and turned away: that is what makes the share settle.
   *
   * @param now monotonic milliseconds
   * @param extra whether it is a retry or a hedge, and not the first try of a call
   * @param dice a throw from 0 (included) to 1 (excluded)
   */
  admit(now: number, extra: boolean, dice: number): boolean {
    const concerned = extra || this.#settings.throttles === 'all'
    const dropped = concerned && dice < this.dropShare(now)
    this.#window.add(now, requests, 1)
    if (dropped) this.#window.add(now, refusals, 1)
    return !dropped
  }

  /** An admitted attempt has ended. Only `overload` counts against the server. */
  report(now: number, outcome: LoadOutcome): void {
    if (outcome === 'overload') this.#window.add(now, refusals, 1)
  }

  /** The share that is dropped now: `max(0, (requests − tolerance · accepts) / (requests + 1))`, never above the ceiling. */
  dropShare(now: number): number {
    const wanted = this.#window.total(now, requests)
    if (wanted < this.#settings.minRequests) return 0
    // An answer can fall into a newer slot than its request, so that for a while more is turned away than was wanted.
    const accepted = Math.max(0, wanted - this.#window.total(now, refusals))
    const share = (wanted - this.#settings.tolerance * accepted) / (wanted + 1)
    return Math.min(this.#settings.ceiling, Math.max(0, share))
  }
}

/**
 * The settings for what a user gave: `true` for the defaults, an object for other numbers, `false` or nothing for no
 * throttle.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkThrottleOptions(value: unknown): ThrottleSettings | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return throttleDefaults
  const section = openSection('throttle', value, Object.keys(throttleDefaults))
  const throttles = section.raw('throttles') ?? throttleDefaults.throttles
  if (throttles !== 'retries' && throttles !== 'all')
    throw mismatch('throttle.throttles', `'retries' or 'all'`, throttles)
  return {
    windowMs: section.number('windowMs', { min: 1, max: 86_400_000 }) ?? throttleDefaults.windowMs,
    tolerance: section.number('tolerance', { min: 1, max: 100 }) ?? throttleDefaults.tolerance,
    ceiling: section.number('ceiling', { min: 0, max: 0.99 }) ?? throttleDefaults.ceiling,
    minRequests:
      section.number('minRequests', { min: 0, max: 1_000_000, integer: true }) ?? throttleDefaults.minRequests,
    throttles,
  }
}
