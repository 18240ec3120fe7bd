/**
 * The policies that are simulated. The code is offhook's own and comes from outside, so that the command can run what was
 * built and the tests what was written.
 *
 * @typedef {typeof import('../../src/policy/budget.js').RetryBudget} RetryBudgetClass
 * @typedef {import('../../src/policy/budget-options.js').BudgetSettings} BudgetSettings
 * @typedef {object} Policies
 * @property {RetryBudgetClass} RetryBudget
 * @property {typeof import('../../src/policy/budget-options.js').checkBudgetOptions} checkBudgetOptions
 * @property {typeof import('../../src/policy/backoff.js').backoff} backoff
 * @property {typeof import('../../src/policy/hedge.js').Hedge} Hedge
 * @property {typeof import('../../src/policy/hedge.js').hedgeDefaults} hedgeDefaults
 */

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {number} attempts at most, for one call
 * @property {BudgetSettings} budget
 * @property {'success' | 'request'} earnsOn what a deposit is made for
 */

/**
 * @param {Policies} policies
 * @returns {Record<string, Contestant>}
 */
export function contestants({ checkBudgetOptions }) {
  const hybrid10 = checkBudgetOptions('hybrid10')
  const aws2026 = checkBudgetOptions('aws2026')
  const grpc = checkBudgetOptions('grpc')
  const finagle = checkBudgetOptions('finagle')
  const none = checkBudgetOptions('none')
  const bucket = checkBudgetOptions({ ratio: 0, reserve: 100, refill: 0.1, refund: false })
  const ratio = checkBudgetOptions({ ratio: 0.1, reserve: 0, refill: 0, refund: false })
  /** @type {[string, number, BudgetSettings, ('success' | 'request')?][]} */
  const rows = [
    ['no retry', 1, none],
    ['fixed 2 attempts', 2, none],
    ['fixed 3 attempts', 3, none],
    ['AWS old (cost 5)', 3, { ...aws2026, reserve: 500 / 5, refill: 1 / 5 }],
    ['AWS old (cost 10)', 3, { ...aws2026, reserve: 500 / 10, refill: 1 / 10 }],
    ['AWS 2026 (cost 14)', 3, aws2026],
    ['count bucket 140/14', 3, { ...aws2026, reserve: 140 / 14 }],
    ['gRPC 10/0.1', 3, grpc],
    ['gRPC 100/0.1', 3, { ...grpc, reserve: 100, threshold: 50 }],
    ['Brooker 0.1/100', 3, bucket],
    ['Finagle, success-deposit', 3, finagle],
    ['Finagle, request-deposit', 3, finagle, 'request'],
    ['ratio 20 %, no floor', 3, { ...finagle, perSecond: 0 }],
    ['SRE 10 %', 3, ratio, 'request'],
    ['hybrid10', 3, hybrid10],
  ]
  return Object.fromEntries(
    rows.map(([name, attempts, budget, earnsOn = 'success']) => [name, { name, attempts, budget, earnsOn }]),
  )
}

/**
 * Tells a budget what happened, in the order in which a call does.
 *
 * @param {InstanceType<RetryBudgetClass>} budget
 * @param {Contestant} contestant
 */
export function bookkeeper(budget, { attempts, earnsOn }) {
  return {
    /** @param {number} now */
    started(now) {
      if (earnsOn === 'request') budget.onSuccess(now)
    },
    /**
     * @param {number} now
     * @param {number} attempt which one succeeded, from 1
     */
    succeeded(now, attempt) {
      if (earnsOn === 'success') budget.onSuccess(now)
      if (attempt > 1) budget.refund(now)
    },
    /**
     * @param {number} now
     * @param {number} attempt which one failed, from 1
     * @returns {boolean} whether there is another
     */
    failed(now, attempt) {
      budget.onFailure()
      return attempt < attempts && budget.withdraw(now)
    },
  }
}
