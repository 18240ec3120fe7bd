/** One request in a hundred takes 20 to 100 times as long as the others, for no reason of its own. */

import { Agenda } from './agenda.js'
import { dice } from './dice.js'

const perSecond = 1_000

/**
 * @param {import('./contestants.js').Policies} policies
 * @param {{ percentile?: number, maxExtra?: number, calls: number, seed?: number }} run no percentile: no hedging
 * @returns {{ extra: number, percentile: (share: number) => number }} attempts beyond one per call, and the latency that
 *   so many calls do not exceed, in milliseconds
 */
export function hedging(policies, { percentile, maxExtra, calls, seed = 1 }) {
  const agenda = new Agenda()
  const random = dice(seed)
  const settings = { ...policies.hedgeDefaults, ...(percentile && { percentile }), ...(maxExtra && { maxExtra }) }
  const hedge = percentile === undefined ? undefined : new policies.Hedge(settings)
  const budget = new policies.RetryBudget(policies.checkBudgetOptions('hybrid10'))
  /** @type {number[]} */
  const latencies = []
  let extra = 0
  const latency = () => 5 * Math.exp(0.5 * normal(random)) * (random() < 0.01 ? 20 + 80 * random() : 1)
  /** @param {number} startedAt @param {number} ms */
  const finish = (startedAt, ms) => {
    agenda.add(startedAt + ms, (now) => {
      latencies.push(ms)
      budget.onSuccess(now)
      hedge?.record(now, ms)
    })
  }
  for (let call = 0; call < calls; call++) {
    const startedAt = (call * 1_000) / perSecond
    agenda.run(startedAt)
    const first = latency()
    const delayMs = hedge?.hedgeDelay(startedAt)
    if (hedge === undefined || delayMs === undefined || first <= delayMs) {
      finish(startedAt, first)
      continue
    }
    agenda.add(startedAt + delayMs, (now) => {
      if (!hedge.tryHedge(now)) return finish(startedAt, first)
      if (!budget.withdraw(now)) {
        hedge.cancel(now)
        return finish(startedAt, first)
      }
      extra++
      finish(startedAt, Math.min(first, delayMs + latency()))
    })
  }
  agenda.run()
  latencies.sort((left, right) => left - right)
  return {
    extra: extra / calls,
    percentile: (share) => latencies[Math.min(latencies.length - 1, Math.ceil(share * latencies.length) - 1)] ?? 0,
  }
}

/**
 * A number from the standard normal distribution (Box and Muller).
 *
 * @param {() => number} random
 */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
