/**
 * Why a breaker, and why not by default: when an origin is gone, every attempt costs a connection, a timeout and the
 * patience of whoever waits. A breaker stops trying for a while and lets one attempt find out whether it is back.
 *
 * A breaker judges from what one process sees. With many small clients each of them sees little, and a breaker that
 * trips on little turns a flaky hundredth of an origin into a whole outage. So it is off until somebody asks for it,
 * it stands per origin, and when it is open it stops only the extra attempts, retries and hedges, and lets the first
 * try of every call through. `breaks: 'all'` is the classical breaker.
 *
 * Open and closed are questions to the clock, not states that a timer switches: a breaker has nothing to clean up, and
 * a process that slept wakes up with the right answer.
 */

import { mismatch, openSection } from './option-check.js'
import type { LoadOutcome } from './outcome.js'
import { SlidingWindow } from './window.js'

/**
 * The options of the breaker, section `breaker` of `createClient`. All optional; `true` is all defaults.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({ breaker: { failures: 10, breaks: 'all' } })
 * ```
 */
export interface BreakerOptions {
  /** Connection-class failures in a row that open it. Default 5. */
  readonly failures?: number
  /** Share of successes below which it opens, 0 to 1. Default 0.8. */
  readonly successRate?: number
  /** Over how long the share is taken, in milliseconds. Default 30 000. */
  readonly windowMs?: number
  /** Fewer attempts than this in the window do not make a share. Default 20. */
  readonly minRequests?: number
  /** How long it stays open the first time, in milliseconds, jittered between half and all of it. Default 5 000. */
  readonly openMs?: number
  /** Each time a probe fails the time doubles, up to this, in milliseconds. Default 300 000. */
  readonly maxOpenMs?: number
  /** What it stops when it is open: only `retries` (and hedges), or `all`. Default `retries`. */
  readonly breaks?: 'retries' | 'all'
}

/** The options with every default in place. */
export type BreakerSettings = Required<BreakerOptions>

/** What the breaker does when nothing else is said (Finagle's and linkerd's triggers). */
export const breakerDefaults: BreakerSettings = {
  failures: 5,
  successRate: 0.8,
  windowMs: 30_000,
  minRequests: 20,
  openMs: 5_000,
  maxOpenMs: 300_000,
  breaks: 'retries',
}

/**
 * The answer to "may this attempt be made?". `probe`: yes, and its outcome decides whether the breaker closes; hand it
 * back to {@link Breaker.report}.
 */
export type BreakerAnswer = 'pass' | 'probe' | 'refuse'

/** `half-open`: the time is over, and the next attempt (or the one on its way) is the probe. */
export type BreakerState = 'closed' | 'open' | 'half-open'

const successes = 0
const failures = 1

/** The breaker of one origin. */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #random: () => number
  readonly #window: SlidingWindow
  #inRow = 0
  #openedAt = 0
  /** How long it stays open from then on. 0: it is closed. */
  #openForMs = 0
  /** How often it has opened without a good while between. */
  #times = 0
  #closedAt = Number.NEGATIVE_INFINITY
  /** Until then the probe on its way is waited for. */
  #probeUntil = Number.NEGATIVE_INFINITY

  /**
   * @param settings complete numbers, from {@link checkBreakerOptions} or {@link breakerDefaults}
   * @param random throws the dice for the jitter: 0 (included) to 1 (excluded)
   */
  constructor(settings: BreakerSettings, random: () => number) {
    this.#settings = settings
    this.#random = random
    this.#window = new SlidingWindow(settings.windowMs, 10, 2)
  }

  /**
   * May this attempt be made?
   *
   * @param now monotonic milliseconds
   * @param extra whether it is a retry or a hedge, and not the first try of a call
   */
  admit(now: number, extra: boolean): BreakerAnswer {
    if (this.#openForMs === 0) return 'pass'
    if (this.retryInMs(now) === 0 && now >= this.#probeUntil) {
      // A probe that never reports must not keep the breaker open: after a window it counts as lost.
      this.#probeUntil = now + this.#settings.windowMs
      return 'probe'
    }
    return extra || this.#settings.breaks === 'all' ? 'refuse' : 'pass'
  }

  /**
   * An admitted attempt has ended.
   *
   * @param now monotonic milliseconds
   * @param outcome how
   * @param answer what {@link Breaker.admit} had said about it
   */
  report(now: number, outcome: LoadOutcome, answer: BreakerAnswer): void {
    if (this.#openForMs === 0) this.#count(now, outcome)
    // While it is open, the outcomes of attempts begun before, or of first tries let through, are old news.
    else if (answer === 'probe') this.#judgeProbe(now, outcome)
  }

  state(now: number): BreakerState {
    if (this.#openForMs === 0) return 'closed'
    return this.retryInMs(now) > 0 ? 'open' : 'half-open'
  }

  /** Milliseconds until a probe is allowed; 0 when it is closed or already allowed. */
  retryInMs(now: number): number {
    // A clock that stepped back starts the period anew, rather than stretching it by the length of the step.
    if (now < this.#openedAt) this.#openedAt = now
    return Math.max(0, this.#openForMs - (now - this.#openedAt))
  }

  #count(now: number, outcome: LoadOutcome): void {
    if (outcome === 'ignored') return
    if (outcome === 'success' || outcome === 'answered') {
      this.#inRow = 0
      if (outcome === 'success') this.#window.add(now, successes, 1)
      return
    }
    this.#window.add(now, failures, 1)
    if (outcome === 'connection') this.#inRow++
    if (this.#inRow >= this.#settings.failures || this.#rateIsLow(now)) this.#open(now)
  }

  #rateIsLow(now: number): boolean {
    const good = this.#window.total(now, successes)
    const all = good + this.#window.total(now, failures)
    return all >= this.#settings.minRequests && good < this.#settings.successRate * all
  }

  #judgeProbe(now: number, outcome: LoadOutcome): void {
    this.#probeUntil = Number.NEGATIVE_INFINITY
    if (outcome === 'ignored') return
    if (outcome === 'success' || outcome === 'answered') {
      this.#openForMs = 0
      this.#closedAt = now
      this.#forget()
    } else {
      this.#open(now)
    }
  }

  #open(now: number): void {
    const { openMs, maxOpenMs, windowMs } = this.#settings
    // Having been closed for a whole window ends the doubling.
    if (this.#openForMs === 0 && now - this.#closedAt > windowMs) this.#times = 0
    const fullMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(this.#times, 52))
    this.#times++
    this.#openedAt = now
    this.#openForMs = fullMs / 2 + (this.#random() * fullMs) / 2
    this.#forget()
  }

  #forget(): void {
    this.#inRow = 0
    this.#window.clear()
  }
}

/**
 * The settings for what a user gave: `true` for the defaults, an object for other numbers, `false` or nothing for no
 * breaker.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkBreakerOptions(value: unknown): BreakerSettings | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'boolean') return value ? breakerDefaults : undefined
  const section = openSection('breaker', value, Object.keys(breakerDefaults))
  const breaks = section.raw('breaks') ?? breakerDefaults.breaks
  if (breaks !== 'retries' && breaks !== 'all') throw mismatch('breaker.breaks', `'retries' or 'all'`, breaks)
  const time = { min: 1, max: 86_400_000 }
  const openMs = section.number('openMs', time) ?? breakerDefaults.openMs
  const settings: BreakerSettings = {
    failures: section.number('failures', { min: 1, max: 1_000_000, integer: true }) ?? breakerDefaults.failures,
    successRate: section.number('successRate', { min: 0, max: 1 }) ?? breakerDefaults.successRate,
    windowMs: section.number('windowMs', time) ?? breakerDefaults.windowMs,
    minRequests:
      section.number('minRequests', { min: 1, max: 1_000_000, integer: true }) ?? breakerDefaults.minRequests,
    openMs,
    maxOpenMs: section.number('maxOpenMs', time) ?? Math.max(breakerDefaults.maxOpenMs, openMs),
    breaks,
  }
  if (settings.maxOpenMs < openMs)
    throw mismatch('breaker.maxOpenMs', `at least breaker.openMs (${openMs})`, settings.maxOpenMs)
  return settings
}
