/**
 * Failures that come from the load: one server, first come first served, 300 requests a second, that stalls for ten
 * seconds and goes on working on what its clients have given up long ago.
 */

import { Agenda } from './agenda.js'
import { bookkeeper } from './contestants.js'
import { dice } from './dice.js'

const serviceMs = 1_000 / 300
const timeoutMs = 1_000
const stall = { from: 30_000, to: 40_000 }

/**
 * @param {import('./contestants.js').Policies} policies
 * @param {import('./contestants.js').Contestant} contestant
 * @param {{ perSecond: number, clients: number, seconds: number, seed?: number }} run how many calls, made by how many
 *   processes, each with a budget of its own; and for how long after the stall
 * @returns {{ recovery: number | undefined, goodput: number[], offered: number[] }} seconds from the end of the stall until
 *   95 % of the calls succeed again and go on doing so, `undefined` if never; successes and attempts of each second since
 *   the beginning of the stall, per call
 */
export function stalled(policies, contestant, { perSecond, clients, seconds, seed = 1 }) {
  const agenda = new Agenda()
  const random = dice(seed)
  const books = Array.from({ length: clients }, () =>
    bookkeeper(new policies.RetryBudget(contestant.budget), contestant),
  )
  const end = stall.to + seconds * 1_000
  const good = new Array(end / 1_000).fill(0)
  const offered = new Array(end / 1_000).fill(0)
  /** @param {number[]} row @param {number} now */
  const count = (row, now) => {
    const second = Math.floor(now / 1_000)
    if (second < row.length) row[second] = (row[second] ?? 0) + 1
  }
  let freeAt = 0
  /** @param {number} now @returns {number} when the server has answered a request that arrives now */
  const serve = (now) => {
    const from = Math.max(now, freeAt)
    freeAt = (from >= stall.from && from < stall.to ? stall.to : from) + serviceMs
    return freeAt
  }
  /** @param {number} now @param {ReturnType<typeof bookkeeper>} book @param {number} attempt */
  const send = (now, book, attempt) => {
    count(offered, now)
    const answeredAt = serve(now)
    if (answeredAt - now <= timeoutMs) {
      agenda.add(answeredAt, (then) => {
        book.succeeded(then, attempt)
        count(good, then)
      })
      return
    }
    agenda.add(now + timeoutMs, (then) => {
      if (!book.failed(then, attempt)) return
      const waitMs = policies.backoff({ retry: attempt, baseMs: 50, capMs: 20_000, dice: random() })
      agenda.add(then + waitMs, (later) => send(later, book, attempt + 1))
    })
  }
  // Calls come at random, as they do from many users, so that no client is served by rote.
  for (let at = 0; at < end; at += (-Math.log(1 - random()) * 1_000) / perSecond) {
    agenda.run(at)
    const book = books[Math.floor(random() * clients)]
    if (book === undefined) throw new Error('no such client')
    book.started(at)
    send(at, book, 1)
  }
  agenda.run(end)
  const share = good.map((count) => count / perSecond)
  return {
    recovery: recovery(share.slice(stall.to / 1_000)),
    goodput: share.slice(stall.from / 1_000),
    offered: offered.slice(stall.from / 1_000).map((count) => count / perSecond),
  }
}

/**
 * The first second after which the mean of five is at 95 % or more, and never falls below 80 % again: calls come at
 * random, so that a single second says little.
 *
 * @param {number[]} share
 */
function recovery(share) {
  const mean = share.map((_, index) => {
    const five = share.slice(index, index + 5)
    return five.reduce((sum, value) => sum + value, 0) / five.length
  })
  const usable = mean.slice(0, -5)
  const found = usable.findIndex((value, index) => value >= 0.95 && usable.slice(index).every((later) => later >= 0.8))
  return found === -1 ? undefined : found
}
