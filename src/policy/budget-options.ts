/** The numbers of the retry budget: what users may say, and the presets by name. `budget.ts` says why there is one. */

import { mismatch, openSection } from './option-check.js'

/** The budgets that come with numbers of their own, by name. */
export const budgetPresets = ['hybrid10', 'aws2026', 'finagle', 'grpc', 'none'] as const

/**
 * A budget by name.
 *
 * - `hybrid10`, the default: 10 % of the successes of the last 10 s and a reserve of 10 that only successes refill.
 * - `aws2026`: the AWS SDKs' bucket of 500, where a retry costs 14 (5 after a throttling answer) and a success earns 1.
 * - `finagle`: 20 % over 10 s and 10 retries a second; deposits are made on success here, not on request.
 * - `grpc`: the retry throttle of gRPC (gRFC A6), 10 tokens, ratio 0.1: failures drain it, half empty means no retries.
 * - `none`: every retry is granted. The number of attempts is then the only bound.
 */
export type BudgetPreset = (typeof budgetPresets)[number]

/**
 * A budget in numbers. Every key that is left out has the value of `hybrid10`. One token pays for one retry.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({ budget: { ratio: 0.2, reserve: 5 } })
 * ```
 */
export interface BudgetOptions {
  /** Tokens that a success earns for `windowMs`, 0 to 1. Default 0.1. */
  readonly ratio?: number
  /** For how long such a token can be used, in milliseconds. Default 10 000. */
  readonly windowMs?: number
  /** Size of the reserve, in tokens; full at the start. Default 10. */
  readonly reserve?: number
  /** Tokens that a success returns to the reserve, 0 to 1. Default 0.1. */
  readonly refill?: number
  /** Retries a second that are granted whatever happens, up to one window's worth at once. Default 0: see above. */
  readonly perSecond?: number
  /** Whether a retry that succeeds gets its token back. Default true. */
  readonly refund?: boolean
  /** Price of a retry after a throttling answer (429, 503 with a hint), in tokens, 0 to 1. Default 0.4. */
  readonly throttleCost?: number
}

const budgetOptionNames = ['ratio', 'windowMs', 'reserve', 'refill', 'perSecond', 'refund', 'throttleCost']

/** A budget in numbers, complete. Made by {@link checkBudgetOptions}. */
export interface BudgetSettings extends Required<BudgetOptions> {
  /** A success that was a retry earns `ratio` and `refill` like any other. False in `aws2026`: the refund is all. */
  readonly retriesEarn: boolean
  /** Price of a retry, in tokens. 0 in `grpc`, where failures pay. */
  readonly retryCost: number
  /** What every failed attempt takes out of the reserve, in tokens. `grpc` only. */
  readonly failureCost: number
  /** Retries are granted only above this level. `grpc` only. */
  readonly threshold: number
  /** Everything is granted. */
  readonly unlimited: boolean
}

const hybrid10: BudgetSettings = {
  ratio: 0.1,
  windowMs: 10_000,
  reserve: 10,
  refill: 0.1,
  perSecond: 0,
  refund: true,
  throttleCost: 0.4,
  retriesEarn: true,
  retryCost: 1,
  failureCost: 0,
  threshold: 0,
  unlimited: false,
}

/** The numbers behind the names. */
const presets: Record<BudgetPreset, BudgetSettings> = {
  hybrid10,
  // 500 tokens, 14 a retry, 5 a throttled one, +1 a success; divided by 14, so that a retry costs 1.
  aws2026: {
    ...hybrid10,
    ratio: 0,
    reserve: 500 / 14,
    refill: 1 / 14,
    throttleCost: 5 / 14,
    retriesEarn: false,
  },
  finagle: { ...hybrid10, ratio: 0.2, reserve: 0, refill: 0, perSecond: 10, refund: false, throttleCost: 1 },
  grpc: {
    ...hybrid10,
    ratio: 0,
    refund: false,
    throttleCost: 1,
    retryCost: 0,
    failureCost: 1,
    threshold: 5,
  },
  none: { ...hybrid10, unlimited: true },
}

/**
 * The settings for what a user gave as `budget`: a name, numbers, `false` for no budget at all (like `none`), or
 * nothing for `hybrid10`.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkBudgetOptions(value: unknown): BudgetSettings {
  if (value === undefined || value === true) return hybrid10
  if (value === false) return presets.none
  if (typeof value === 'string') {
    const name = budgetPresets.find((preset) => preset === value)
    if (name === undefined) throw mismatch('budget', `one of ${budgetPresets.join(', ')}, or numbers`, value)
    return presets[name]
  }
  const section = openSection('budget', value, budgetOptionNames)
  const share = { min: 0, max: 1 }
  const amount = { min: 0, max: 1_000_000 }
  return {
    ...hybrid10,
    ratio: section.number('ratio', share) ?? hybrid10.ratio,
    windowMs: section.number('windowMs', { min: 1, max: 3_600_000 }) ?? hybrid10.windowMs,
    reserve: section.number('reserve', amount) ?? hybrid10.reserve,
    refill: section.number('refill', share) ?? hybrid10.refill,
    perSecond: section.number('perSecond', amount) ?? hybrid10.perSecond,
    refund: section.boolean('refund') ?? hybrid10.refund,
    throttleCost: section.number('throttleCost', share) ?? hybrid10.throttleCost,
  }
}
