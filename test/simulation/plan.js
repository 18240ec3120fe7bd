// What happens in one history: the client's policies, the calls, the weather at the far side. All of it from the seed.

import { Choices } from '../chaos/choices.js'
import { fates } from './fates.js'

/**
 * @typedef {import('./fates.js').RequestClass} RequestClass
 * @typedef {{ on: 'time' | 'begin' | 'start' | 'over' | 'head', ms: number, hops: number }} AbortPlan
 * @typedef {{ id: number, seed: number, at: number, origin: string, method: string, cls: RequestClass, body: 'replayable' | 'once',
 *   abort: AbortPlan | undefined, sharesSignal: boolean, total: number | undefined, throwOnStatus: boolean, hedge: boolean,
 *   foreign: boolean, inner?: boolean }} CallPlan
 * @typedef {{ seed: number, calls: readonly CallPlan[], retry: object | false, budget: unknown, breaker: unknown, throttle: unknown,
 *   concurrency: unknown, hedge: unknown, primed: number, limits: Record<'attempt' | 'connect' | 'headers' | 'body', number | undefined>,
 *   heard: boolean, looks: boolean, probes: boolean, destroyAt: number | undefined,
 *   weather: { good: number, statuses: readonly number[], names: readonly string[], slow: number, bodyCut: number } }} HistoryPlan
 */

const statuses = [400, 401, 404, 408, 409, 421, 422, 425, 429, 500, 501, 502, 503, 504]
const switches = [
  'unsafeOnStaleConnection',
  'unsafeOn429',
  'unsafeOn503',
  'unsafeOnHttp11Required',
  'idempotentOnInvalidResponse',
]

/**
 * @param {number} seed
 * @returns {HistoryPlan}
 */
export function planHistory(seed) {
  const dice = new Choices(seed, 1)
  const hedge = dice.chance(0.25) ? { minSamples: 10, maxExtra: dice.one([0.05, 0.1]), minDelayMs: 1 } : undefined
  const optIns = dice.chance(0.3) ? switches.filter(() => dice.chance(0.5)) : []
  const count = dice.weighted({ 1: 5, 3: 4, 6: 2, 12: 0.5 })
  return {
    seed,
    calls: planCalls(dice, seed, Number(count)),
    retry: dice.chance(0.05) ? false : planRetry(dice, optIns),
    budget: planBudget(dice),
    breaker: dice.chance(0.25)
      ? {
          failures: dice.whole(1, 4),
          minRequests: dice.whole(2, 8),
          openMs: dice.one([50, 500, 3_000]),
          windowMs: dice.one([1_000, 30_000]),
          breaks: dice.one(['retries', 'all']),
        }
      : undefined,
    throttle: dice.chance(0.15)
      ? { minRequests: dice.whole(0, 5), throttles: dice.one(['retries', 'all']), windowMs: dice.one([2_000, 120_000]) }
      : undefined,
    concurrency: dice.chance(0.25) ? planConcurrency(dice) : undefined,
    hedge,
    primed: hedge === undefined ? 0 : dice.whole(10, 60),
    limits: {
      attempt: dice.chance(0.2) ? dice.one([20, 300, 3_000]) : undefined,
      connect: dice.chance(0.6) ? dice.one([10, 200, 5_000]) : undefined,
      headers: dice.chance(0.6) ? dice.one([50, 1_000, 10_000]) : undefined,
      body: dice.chance(0.6) ? dice.one([50, 1_000]) : undefined,
    },
    heard: dice.chance(0.2),
    looks: dice.chance(0.5),
    probes: dice.chance(0.1),
    destroyAt: dice.chance(0.05) ? dice.whole(0, 2_000) : undefined,
    weather: {
      good: dice.one([0, 0.2, 0.5, 0.8]),
      statuses: [dice.one(statuses), dice.one(statuses), dice.one([429, 503, 502])],
      names: Array.from({ length: 3 }, () => dice.one([...Object.keys(fates), 'nested'])),
      slow: dice.one([0, 0.1, 0.5]),
      bodyCut: dice.one([0, 0.2]),
    },
  }
}

/**
 * @param {Choices} dice
 * @param {number} seed
 * @param {number} count
 */
function planCalls(dice, seed, count) {
  const spread = dice.one([0, 50, 3_000])
  const wanting = dice.one([0, 0.1, 0.5])
  return Array.from({ length: count }, (_, id) => {
    const cls = /** @type {RequestClass} */ (dice.weighted({ idempotent: 5, keyed: 2, unsafe: 4 }))
    /** @type {CallPlan} */
    const plan = {
      id,
      seed: seed * 1_000 + id,
      at: dice.whole(0, spread),
      origin: dice.chance(0.85) ? 'http://one.test' : 'http://two.test',
      method: cls === 'idempotent' ? dice.one(['GET', 'PUT', 'DELETE']) : 'POST',
      cls,
      body: dice.chance(0.8) ? 'replayable' : 'once',
      abort: dice.chance(wanting) ? planAbort(dice) : undefined,
      sharesSignal: dice.chance(0.2),
      total: dice.chance(0.6) ? dice.one([1, 30, 200, 1_000, 10_000]) : undefined,
      throwOnStatus: dice.chance(0.3),
      hedge: dice.chance(0.9),
      foreign: dice.chance(0.15),
    }
    return plan
  })
}

/** @param {Choices} dice @returns {AbortPlan} */
function planAbort(dice) {
  return {
    on: dice.one(['time', 'begin', 'start', 'over', 'head']),
    ms: dice.one([0, 1, dice.whole(0, 300)]),
    hops: dice.whole(0, 14),
  }
}

/**
 * @param {Choices} dice
 * @param {readonly string[]} optIns
 */
function planRetry(dice, optIns) {
  const cap = dice.one([1, 100, 20_000])
  const attempts = Number(dice.weighted({ 1: optIns.length > 0 ? 0 : 1, 2: 2, 3: 4, 7: 1 }))
  return {
    attempts,
    backoff: { base: dice.whole(0, Math.min(cap, 100)), throttledBase: dice.whole(0, Math.min(cap, 1_000)), cap },
    ...(dice.chance(0.3) && {
      statuses: statuses.filter((status) => dice.chance(0.5) || (optIns.length > 0 && [429, 503].includes(status))),
    }),
    maxRetryAfter: dice.one([0, 1_000, 60_000]),
    ...(dice.chance(0.2) && { stopHeader: 'x-stop' }),
    ...(dice.chance(0.2) && { pushbackHeader: 'x-pushback' }),
    ...(optIns.length > 0 && dice.chance(0.5) && { nackHeader: 'x-nack' }),
    ...Object.fromEntries(optIns.map((name) => [name, true])),
  }
}

/** @param {Choices} dice */
function planBudget(dice) {
  if (dice.chance(0.5)) return dice.one(['hybrid10', 'aws2026', 'finagle', 'grpc', 'none', false])
  return {
    ratio: dice.one([0, 0.1, 1]),
    reserve: dice.one([0, 1, 3]),
    refill: dice.one([0, 0.1, 1]),
    windowMs: dice.one([100, 10_000]),
    perSecond: dice.one([0, 0, 2]),
    refund: dice.chance(0.5),
    throttleCost: dice.one([0, 0.4, 1]),
  }
}

/** @param {Choices} dice */
function planConcurrency(dice) {
  const max = dice.whole(1, 4)
  return { min: 1, max, initial: dice.whole(1, max), queue: dice.one([0, 1, 100]), backoff: dice.one([0.5, 0.9]) }
}
