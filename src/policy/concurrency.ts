/**
 * Why a limit on concurrency: what a server can bear is a number of requests at work, not a number per second. When it
 * slows down, an unlimited client answers by having more of them at work, which slows it down further.
 *
 * The limit finds its number by itself, as TCP does: one more for every success while at least half of the limit is in
 * use, a tenth less for every timeout and every "too much". Set `min`, `max` and `initial` to the same number and it is
 * a plain bulkhead.
 *
 * What does not get in waits in a queue, and the queue has an end. A queue without one turns overload into memory and
 * into answers that come after everybody has stopped listening. Here only the counting is done; whoever holds the
 * waiting promises asks this file who may go.
 */

import { mismatch, openSection } from './option-check.js'
import type { LoadOutcome } from './outcome.js'

/**
 * The options of the concurrency limit, section `concurrency` of `createClient`. All optional, `true` is all defaults; all
 * are counts but `backoff`.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({ concurrency: { max: 50, queue: 200 } })
 * ```
 */
export interface ConcurrencyOptions {
  /** Attempts at work at the start. Default 20. */
  readonly initial?: number
  /** The limit never falls below this. Default 1. */
  readonly min?: number
  /** The limit never rises above this. Default 200. */
  readonly max?: number
  /** What the limit is multiplied by after a timeout or an overload, 0 to 1. Default 0.9. */
  readonly backoff?: number
  /** How many may wait. Default 100; 0 refuses at once. */
  readonly queue?: number
}

/** The options with every default in place. */
export type ConcurrencySettings = Required<ConcurrencyOptions>

/** What the limit does when nothing else is said (Netflix's concurrency-limits, AIMD). */
export const concurrencyDefaults: ConcurrencySettings = { initial: 20, min: 1, max: 200, backoff: 0.9, queue: 100 }

/** The answer to "may this attempt be made now?". `queue`: it holds a place in the queue; `refuse`: that is full too. */
export type ConcurrencyAnswer = 'enter' | 'queue' | 'refuse'

/** The concurrency limit of one origin, with the bound of its queue. */
export class ConcurrencyLimit {
  readonly #settings: ConcurrencySettings
  #limit: number
  #inFlight = 0
  #waiting = 0

  /** @param settings complete numbers, from {@link checkConcurrencyOptions} or {@link concurrencyDefaults} */
  constructor(settings: ConcurrencySettings) {
    this.#settings = settings
    this.#limit = settings.initial
  }

  /** How many may be at work now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** How many are at work now. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Asks for a place. `enter`: it must {@link leave}; `queue`: it waits until {@link next} or must {@link giveUp}. */
  tryEnter(): ConcurrencyAnswer {
    // Nobody overtakes those who wait.
    if (this.#waiting === 0 && this.#inFlight < this.limit) {
      this.#inFlight++
      return 'enter'
    }
    if (this.#waiting >= this.#settings.queue) return 'refuse'
    this.#waiting++
    return 'queue'
  }

  /** An attempt that had entered has ended. Ask {@link next} afterwards, until it says no: the limit may have risen. */
  leave(outcome: LoadOutcome): void {
    const { min, max, backoff } = this.#settings
    if (outcome === 'timeout' || outcome === 'overload') this.#limit = Math.max(min, this.#limit * backoff)
    // A limit that is not reached says nothing about whether more would do.
    else if (outcome === 'success' && this.#inFlight * 2 >= this.#limit) this.#limit = Math.min(max, this.#limit + 1)
    this.#inFlight = Math.max(0, this.#inFlight - 1)
  }

  /** May the one that waits longest go now? If so it has entered and must {@link leave}. */
  next(): boolean {
    if (this.#waiting === 0 || this.#inFlight >= this.limit) return false
    this.#waiting--
    this.#inFlight++
    return true
  }

  /** One that waited waits no longer: it was aborted, or its time was up. */
  giveUp(): void {
    this.#waiting = Math.max(0, this.#waiting - 1)
  }
}

/**
 * The settings for what a user gave: `true` for the defaults, an object for other numbers,
 * `false` or nothing for no limit.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkConcurrencyOptions(value: unknown): ConcurrencySettings | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return concurrencyDefaults
  const section = openSection('concurrency', value, Object.keys(concurrencyDefaults))
  const places = { min: 1, max: 1_000_000, integer: true }
  const min = section.number('min', places) ?? concurrencyDefaults.min
  const max = section.number('max', places) ?? Math.max(min, concurrencyDefaults.max)
  if (max < min) throw mismatch('concurrency.max', `at least concurrency.min (${min})`, max)
  const initial = section.number('initial', { min, max }) ?? Math.min(max, Math.max(min, concurrencyDefaults.initial))
  return {
    initial,
    min,
    max,
    backoff: section.number('backoff', { min: 0.1, max: 1 }) ?? concurrencyDefaults.backoff,
    queue: section.number('queue', { min: 0, max: 1_000_000, integer: true }) ?? concurrencyDefaults.queue,
  }
}
