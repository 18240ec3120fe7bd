/**
 * Why hedge: when one request in a hundred takes fifty times as long as the rest, no retry helps, because nothing has
 * failed. Sending the same request once more, to another connection, after a wait that all but the slowest have beaten,
 * cuts the tail at the price of a few per cent of load (Dean and Barroso, "The Tail at Scale").
 *
 * The wait is the 95th percentile of what was seen lately, so that about one request in twenty is doubled. It follows
 * the origin by itself, which a fixed number does not. And because a percentile of yesterday is wrong today, the share
 * of doubled requests has a cap of its own, and every one of them is paid for from the retry budget as well: when the
 * whole origin slows down, hedges must not be what keeps it slow.
 *
 * One sample a call: the time from its first attempt to whichever answer came first. A loser has no time of its own,
 * but its call has one, and that is at least the wait. Leaving such calls out would teach the estimate that slow
 * requests do not exist, and it would hedge ever earlier.
 */

import { openSection } from './option-check.js'
import { SlidingWindow } from './window.js'

/**
 * The options of hedging, section `hedge` of `createClient`. All optional; `true` is all defaults.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({ hedge: { percentile: 0.99, maxExtra: 0.02 } })
 * ```
 */
export interface HedgeOptions {
  /** The share of requests that the wait lets finish by themselves, 0.5 to 0.999. Default 0.95. */
  readonly percentile?: number
  /** Doubled requests as a share of all, at most 0.1. Default 0.05. */
  readonly maxExtra?: number
  /** No hedging before this many samples. Default 100. */
  readonly minSamples?: number
  /** The estimate is made from this window and the one before it, in milliseconds. Default 30 000. */
  readonly windowMs?: number
  /** No wait is shorter, in milliseconds. Default 1. */
  readonly minDelayMs?: number
}

/** The options with every default in place. */
export type HedgeSettings = Required<HedgeOptions>

/** What hedging does when nothing else is said. */
export const hedgeDefaults: HedgeSettings = {
  percentile: 0.95,
  maxExtra: 0.05,
  minSamples: 100,
  windowMs: 30_000,
  minDelayMs: 1,
}

/** Buckets for each doubling of the latency: 2.2 % wide. */
const perOctave = 32
/** From 1 ms to 131 s. Faster ones are all in the first bucket, slower ones in the last. */
const buckets = 17 * perOctave

const answers = 0
const hedges = 1

/** Decides when the requests of one origin are worth sending twice. */
export class Hedge {
  readonly #settings: HedgeSettings
  readonly #latency: RecentPercentile
  readonly #share: SlidingWindow

  /** @param settings complete numbers, from {@link checkHedgeOptions} or {@link hedgeDefaults} */
  constructor(settings: HedgeSettings) {
    this.#settings = settings
    this.#latency = new RecentPercentile(settings.percentile, settings.windowMs)
    this.#share = new SlidingWindow(settings.windowMs * 2, 12, 2)
  }

  /**
   * A call was answered. One sample a call, hedged or not; none for failures, and none for the loser.
   *
   * @param now monotonic milliseconds
   * @param latencyMs from sending the first attempt to the head of the answer that came first
   */
  record(now: number, latencyMs: number): void {
    this.#latency.add(now, latencyMs)
    this.#share.add(now, answers, 1)
  }

  /**
   * How long to wait for the first attempt before sending the second, in milliseconds. `undefined`: do not hedge,
   * because too little is known or enough was doubled already.
   */
  hedgeDelay(now: number): number | undefined {
    const { minSamples, minDelayMs } = this.#settings
    if (this.#latency.samples(now) < minSamples || !this.#mayDouble(now)) return undefined
    return Math.max(minDelayMs, this.#latency.value())
  }

  /**
   * The wait is over, or the first attempt failed before: may the second be sent? It is counted when it may. The retry
   * budget is asked after this and must agree too; when it does not, call {@link Hedge.cancel}.
   */
  tryHedge(now: number): boolean {
    if (!this.#mayDouble(now)) return false
    this.#share.add(now, hedges, 1)
    return true
  }

  /** A hedge that was counted is not sent after all. */
  cancel(now: number): void {
    this.#share.take(now, hedges, 1)
  }

  /** What is known, for statistics: samples in the two windows, the percentile in milliseconds, hedges among them. */
  snapshot(now: number): { readonly samples: number; readonly delayMs: number; readonly hedges: number } {
    const samples = this.#latency.samples(now)
    return { samples, delayMs: samples === 0 ? 0 : this.#latency.value(), hedges: this.#share.total(now, hedges) }
  }

  /** Measured against answers, not requests: an origin that no longer answers is not sent anything twice. */
  #mayDouble(now: number): boolean {
    const allowed = this.#share.total(now, answers) * this.#settings.maxExtra
    return this.#share.total(now, hedges) + 1 <= allowed
  }
}

/**
 * A percentile of the samples of this window and the one before it. It is kept up to date rather than looked up: the
 * bucket that holds it moves by a step or two with a new sample.
 */
class RecentPercentile {
  readonly #share: number
  readonly #windowMs: number
  /** This window, then the one before. */
  #recent = new Uint32Array(buckets)
  #older = new Uint32Array(buckets)
  #recentCount = 0
  #olderCount = 0
  #endsAt = Number.NEGATIVE_INFINITY
  /** The bucket that holds the percentile, and how many samples lie in the buckets below it. */
  #bucket = 0
  #below = 0

  constructor(share: number, windowMs: number) {
    this.#share = share
    this.#windowMs = windowMs
  }

  add(now: number, ms: number): void {
    this.#rotate(now)
    const bucket = bucketOf(ms)
    this.#recent[bucket] = (this.#recent[bucket] ?? 0) + 1
    this.#recentCount++
    if (bucket < this.#bucket) this.#below++
    this.#settle()
  }

  samples(now: number): number {
    this.#rotate(now)
    return this.#recentCount + this.#olderCount
  }

  /** The upper edge of the bucket: rather a little late than more load than was asked for. */
  value(): number {
    return 2 ** ((this.#bucket + 1) / perOctave)
  }

  #rotate(now: number): void {
    if (!(now >= this.#endsAt)) return
    const gap = now - this.#endsAt >= this.#windowMs
    ;[this.#recent, this.#older] = [this.#older, this.#recent]
    this.#olderCount = gap ? 0 : this.#recentCount
    if (gap) this.#older.fill(0)
    this.#recent.fill(0)
    this.#recentCount = 0
    this.#endsAt = gap ? now + this.#windowMs : this.#endsAt + this.#windowMs
    this.#bucket = 0
    this.#below = 0
    this.#settle()
  }

  #settle(): void {
    const total = this.#recentCount + this.#olderCount
    if (total === 0) return
    const rank = Math.ceil(this.#share * total)
    while (this.#below >= rank) this.#below -= this.#at(--this.#bucket)
    let here = this.#at(this.#bucket)
    while (this.#below + here < rank) {
      this.#below += here
      here = this.#at(++this.#bucket)
    }
  }

  #at(bucket: number): number {
    return (this.#recent[bucket] ?? 0) + (this.#older[bucket] ?? 0)
  }
}

function bucketOf(ms: number): number {
  // False for NaN and for everything up to the floor.
  if (!(ms > 1)) return 0
  return Math.min(buckets - 1, Math.floor(Math.log2(ms) * perOctave))
}

/**
 * The settings for what a user gave: `true` for the defaults, an object for other numbers, `false` or nothing for no
 * hedging.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkHedgeOptions(value: unknown): HedgeSettings | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return hedgeDefaults
  const section = openSection('hedge', value, Object.keys(hedgeDefaults))
  return {
    percentile: section.number('percentile', { min: 0.5, max: 0.999 }) ?? hedgeDefaults.percentile,
    maxExtra: section.number('maxExtra', { min: 0.001, max: 0.1 }) ?? hedgeDefaults.maxExtra,
    minSamples: section.number('minSamples', { min: 10, max: 1_000_000, integer: true }) ?? hedgeDefaults.minSamples,
    windowMs: section.number('windowMs', { min: 100, max: 3_600_000 }) ?? hedgeDefaults.windowMs,
    minDelayMs: section.number('minDelayMs', { min: 1, max: 3_600_000 }) ?? hedgeDefaults.minDelayMs,
  }
}
