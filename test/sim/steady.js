/** Failures that have nothing to do with the load: each attempt fails with the same probability, whatever else happens. */

import { Agenda } from './agenda.js'
import { bookkeeper } from './contestants.js'
import { dice } from './dice.js'

const perSecond = 1_000
const latencyMs = 20

/**
 * 1,000 calls a second.
 *
 * @param {import('./contestants.js').Policies} policies
 * @param {import('./contestants.js').Contestant} contestant
 * @param {{ seconds: number, warmUp: number, failing: (second: number) => number, seed?: number }} run `failing`: the
 *   probability that an attempt which ends in that second has failed
 * @returns {{ load: number, successShare: number, loadBySecond: number[] }} attempts per call and the share of calls that
 *   succeeded, after the warm-up; and the attempts of each second per call of that second
 */
export function steady(policies, contestant, { seconds, warmUp, failing, seed = 1 }) {
  const agenda = new Agenda()
  const random = dice(seed)
  const books = bookkeeper(new policies.RetryBudget(contestant.budget), contestant)
  const total = { calls: 0, attempts: 0, successes: 0 }
  const sent = new Array(seconds + 1).fill(0)
  /** @param {number} now @param {number} attempt @param {boolean} counts */
  const send = (now, attempt, counts) => {
    const second = Math.floor(now / 1_000)
    if (second < sent.length) sent[second]++
    if (counts) total.attempts++
    agenda.add(now + latencyMs, (end) => finish(end, attempt, counts))
  }
  /** @param {number} now @param {number} attempt @param {boolean} counts */
  const finish = (now, attempt, counts) => {
    if (random() >= failing(now / 1_000)) {
      books.succeeded(now, attempt)
      if (counts) total.successes++
    } else if (books.failed(now, attempt)) {
      const waitMs = policies.backoff({ retry: attempt, baseMs: 50, capMs: 20_000, dice: random() })
      agenda.add(now + waitMs, (later) => send(later, attempt + 1, counts))
    }
  }
  for (let call = 0; call < seconds * perSecond; call++) {
    const at = (call * 1_000) / perSecond
    agenda.run(at)
    const counts = at >= warmUp * 1_000
    if (counts) total.calls++
    books.started(at)
    send(at, 1, counts)
  }
  agenda.run()
  return {
    load: total.attempts / total.calls,
    successShare: total.successes / total.calls,
    loadBySecond: sent.slice(0, seconds).map((count) => count / perSecond),
  }
}

/**
 * A rolling restart: after ten good seconds 200 calls in flight are reset at once.
 *
 * @param {import('./contestants.js').Policies} policies
 * @param {import('./contestants.js').Contestant} contestant
 * @returns {number} how many of them are granted their first retry
 */
export function massReset(policies, contestant) {
  const books = bookkeeper(new policies.RetryBudget(contestant.budget), contestant)
  for (let call = 0; call < 10 * perSecond; call++) {
    const now = (call * 1_000) / perSecond
    books.started(now)
    books.succeeded(now, 1)
  }
  let granted = 0
  for (let call = 0; call < 200; call++) if (books.failed(9_999, 1)) granted++
  return granted
}
