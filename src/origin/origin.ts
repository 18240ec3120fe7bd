/** What a client keeps for one origin: the state of each policy. Never shared between origins, so that none pays for another. */

import type { Clock } from '../clock.js'
import { Endings, type Hangups, type KeptFailures } from '../diagnosis/endings.js'
import { Recurrence } from '../diagnosis/recurrence.js'
import type { Circumstances } from '../failure/circumstances.js'
import type { Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import { Breaker, type BreakerAnswer, type BreakerSettings, type BreakerState } from '../policy/breaker.js'
import { type BudgetSnapshot, RetryBudget } from '../policy/budget.js'
import type { BudgetSettings } from '../policy/budget-options.js'
import { ConcurrencyLimit, type ConcurrencySettings } from '../policy/concurrency.js'
import { Hedge, type HedgeSettings } from '../policy/hedge.js'
import type { LoadOutcome } from '../policy/outcome.js'
import { endedAtWork, ReuseLearner, type ReuseLimits, type ReuseSettings } from '../policy/reuse.js'
import { AdaptiveThrottle, type ThrottleSettings } from '../policy/throttle.js'
import { Gate } from './gate.js'

/** The policies that are kept per origin. An absent one is switched off. */
export interface OriginSettings {
  readonly budget: BudgetSettings
  readonly reuse: ReuseSettings
  readonly breaker: BreakerSettings | undefined
  readonly throttle: ThrottleSettings | undefined
  readonly concurrency: ConcurrencySettings | undefined
  readonly hedge: HedgeSettings | undefined
}

/** Leave to make an attempt; handed back with how it went. */
export interface Pass {
  readonly breaker: BreakerAnswer
}

/** Who refused an attempt. */
export type Refusal = NonNullable<Extract<Failure['admission'], 'breaker' | 'throttled'>>

const passed: Pass = Object.freeze({ breaker: 'pass' })
const probing: Pass = Object.freeze({ breaker: 'probe' })

/** What a client tells of one origin. */
export interface OriginStats {
  /** The retry budget: tokens left, retries granted and denied. */
  readonly budget: BudgetSnapshot
  /** For how long and how often an idle connection is used again, and where that was learned. */
  readonly reuse: ReuseLimits
  /** How its attempts failed, and who ended them. Absent while nothing has. */
  readonly hangups?: Hangups
  readonly breaker?: BreakerState
  /** The share of attempts that the adaptive throttle drops now, 0 to 1. */
  readonly throttle?: number
  readonly concurrency?: { readonly limit: number; readonly inFlight: number; readonly waiting: number }
  readonly hedge?: ReturnType<Hedge['snapshot']>
}

/** What was asked, as far as it is known again. */
interface Asked {
  readonly method: string
  readonly path: string
}

function nameOf({ method, path }: Asked): string {
  return `${method} ${path.slice(0, 200)}`
}

export class Origin {
  readonly reuse: ReuseLearner
  readonly budget: RetryBudget
  readonly gate: Gate | undefined
  readonly hedge: Hedge | undefined
  readonly #breaker: Breaker | undefined
  readonly #throttle: AdaptiveThrottle | undefined
  /** Made when something has failed: most origins never fail. */
  #endings: Endings | undefined
  /** What was learned up to the last end: an end is no evidence for what is learned from it. */
  #learned: Circumstances['learned']
  /** Made with the first end. */
  #recurrence: Recurrence | undefined
  readonly #clock: Clock
  readonly #random: () => number
  readonly #kept: KeptFailures
  /** Counts the uses of all origins: the smallest number has rested longest. */
  usedAt = 0

  /** @param host what all origins of a client share */
  constructor(
    settings: OriginSettings,
    host: { readonly clock: Clock; readonly random: () => number; readonly kept: KeptFailures },
  ) {
    const { clock, random, kept } = host
    this.#clock = clock
    this.#random = random
    this.#kept = kept
    this.budget = new RetryBudget(settings.budget)
    this.reuse = new ReuseLearner(settings.reuse)
    this.gate = settings.concurrency && new Gate(new ConcurrencyLimit(settings.concurrency))
    this.hedge = settings.hedge && new Hedge(settings.hedge)
    this.#breaker = settings.breaker && new Breaker(settings.breaker, random)
    this.#throttle = settings.throttle && new AdaptiveThrottle(settings.throttle)
  }

  /**
   * May an attempt be made?
   *
   * @param extra whether it is a retry or a hedge, and not the first try of a call
   */
  admit(extra: boolean): Pass | Refusal {
    const now = this.#clock.now()
    const answer = this.#breaker?.admit(now, extra) ?? 'pass'
    if (answer === 'refuse') return 'breaker'
    // A probe is the one attempt that must not be dropped.
    if (answer === 'probe') return probing
    return this.#throttle === undefined || this.#throttle.admit(now, extra, this.#random()) ? passed : 'throttled'
  }

  /** An admitted attempt has ended. */
  report(outcome: LoadOutcome, pass: Pass = passed, now = this.#clock.now()): void {
    if (outcome === 'success') this.budget.onSuccess(now)
    else if (outcome !== 'ignored' && outcome !== 'answered') this.budget.onFailure()
    this.#breaker?.report(now, outcome, pass.breaker)
    this.#throttle?.report(now, outcome)
  }

  /**
   * An attempt has failed.
   *
   * @param target what was asked; not where the answer had begun
   * @returns the evidence, with what earlier ends had taught about this origin
   */
  failed(failure: Failure, evidence: Evidence, target?: Asked): Evidence {
    const request = target && nameOf(target)
    const now = this.#clock.now()
    const recurring = this.#recurrence?.facts(now, request)
    const learned = recurring === undefined ? this.#learned : { ...this.#learned, ...recurring }
    const whole =
      learned === undefined ? evidence : { ...evidence, circumstances: { ...evidence.circumstances, learned } }
    this.#endings ??= new Endings(this.#kept)
    this.#endings.failed(failure, whole)
    const { idleMs } = evidence.connection ?? {}
    const { ending, circumstances = {} } = evidence
    const promptness = { afterMs: circumstances.sinceLastWriteMs, rttMs: circumstances.minRttMs }
    if (ending === undefined || ending === 'local') return whole
    if (idleMs !== undefined && !endedAtWork(promptness)) this.endedIdle(idleMs)
    else this.#recurring.ended(now, undefined)
    if (request !== undefined && evidence.status === undefined) this.#recurring.cut(now, request)
    return whole
  }

  get #recurring(): Recurrence {
    this.#recurrence ??= new Recurrence()
    return this.#recurrence
  }

  /** Whether `answered` need be called: requests were cut of late, and are followed. */
  get followsRequests(): boolean {
    return this.#recurrence?.follows === true
  }

  /** A request was answered. */
  answered(target: Asked): void {
    this.#recurrence?.answered(this.#clock.now(), nameOf(target))
  }

  /** The far side ended a connection that had been idle for so long; the learner has been told. */
  endedIdle(idleMs: number): void {
    this.#endings ??= new Endings(this.#kept)
    this.#endings.endedIdle(idleMs)
    this.#recurring.ended(this.#clock.now(), idleMs)
    const { timerMs, requests, observations } = this.reuse.limits(this.#clock.now())
    if (timerMs === undefined && requests === undefined) return
    this.#learned = {
      ...(timerMs !== undefined && { idleMs: timerMs }),
      ...(requests !== undefined && { requestCap: requests }),
      closes: observations,
    }
  }

  stats(): OriginStats {
    const now = this.#clock.now()
    const limit = this.gate?.limit
    const reuse = this.reuse.limits(now)
    return {
      budget: this.budget.snapshot(now),
      reuse,
      ...(this.#endings !== undefined && { hangups: this.#endings.together(reuse.timerMs) }),
      ...(this.#breaker !== undefined && { breaker: this.#breaker.state(now) }),
      ...(this.#throttle !== undefined && { throttle: this.#throttle.dropShare(now) }),
      ...(limit !== undefined && {
        concurrency: { limit: limit.limit, inFlight: limit.inFlight, waiting: limit.waiting },
      }),
      ...(this.hedge !== undefined && { hedge: this.hedge.snapshot(now) }),
    }
  }
}
