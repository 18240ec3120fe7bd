/** Runs the scenarios and holds the figures against what is expected and what is required. */

import { contestants } from './contestants.js'
import { failureShares, hedgeFigures, stallFigures, stallRuns, steadyFigures } from './expected.js'
import { hedging } from './hedging.js'
import { stalled } from './stall.js'
import { massReset, steady } from './steady.js'

/**
 * @typedef {object} Check
 * @property {string} what
 * @property {string} found
 * @property {string} allowed
 * @property {boolean} ok
 *
 * @typedef {{ head: string[], rows: string[][] }} Table
 * @typedef {import('./contestants.js').Policies} Policies
 */

/**
 * The steady state: every figure within 2 % of the load and one point of the successes; the equilibrium of a bucket that
 * empties is a matter of luck, so gRPC's near its own has 5 %.
 *
 * @param {Policies} policies
 * @param {{ seconds: number, names?: string[] }} size
 * @returns {{ table: Table, checks: Check[] }}
 */
export function steadyState(policies, { seconds, names = Object.keys(steadyFigures) }) {
  /** @type {Check[]} */
  const checks = []
  const rows = names.map((name) => {
    const contestant = pick(policies, name)
    const expected = steadyFigures[name] ?? []
    const cells = failureShares.map((share, index) => {
      const { load, successShare } = steady(policies, contestant, {
        seconds,
        warmUp: seconds / 3,
        failing: () => share,
      })
      const [expectedLoad = 0, expectedSuccess = 0] = String(expected[index]).split('/').map(Number)
      const slack = name.startsWith('gRPC') && share === 0.1 ? 0.05 : 0.02
      const found = `${load.toFixed(3)}/${(successShare * 100).toFixed(1)}`
      checks.push({
        what: `steady state, ${name}, ${share * 100} % fail: load / per cent of success`,
        found,
        allowed: `about ${expected[index]}`,
        ok: Math.abs(load / expectedLoad - 1) <= slack && Math.abs(successShare * 100 - expectedSuccess) <= 100 * slack,
      })
      return `${found} (${expected[index]})`
    })
    const granted = massReset(policies, contestant)
    checks.push({
      what: `200 calls reset at once, ${name}: first retries granted`,
      found: `${granted}`,
      allowed: `${expected[7]}`,
      ok: granted === expected[7],
    })
    return [name, ...cells, `${granted} (${expected[7]})`]
  })
  return { table: { head: ['policy', ...failureShares.map((share) => `f=${share}`), '200 reset'], rows }, checks }
}

/**
 * A full outage, after 20 good seconds: the load that the default budget offers, second by second.
 *
 * @param {Policies} policies
 * @returns {{ loadBySecond: number[], checks: Check[] }} from the last good seconds on
 */
export function outage(policies) {
  const failing = (/** @type {number} */ second) => (second >= 20 ? 1 : 0)
  const run = { seconds: 80, warmUp: 0, failing }
  const { loadBySecond } = steady(policies, pick(policies, 'hybrid10'), run)
  const most = Math.max(...loadBySecond.slice(30))
  const check = {
    what: 'full outage, hybrid10: load from 10 s on, at most',
    found: most.toFixed(3),
    allowed: 'up to 1.05',
    ok: most <= 1.05,
  }
  return { loadBySecond: loadBySecond.slice(15), checks: [check] }
}

/**
 * The stall. Each run is made with several seeds, and the median counts.
 *
 * @param {Policies} policies
 * @param {{ seeds: number, seconds: number, names?: string[], runs?: typeof stallRuns }} size
 * @returns {{ table: Table, checks: Check[] }}
 */
export function stall(policies, { seeds, seconds, names = Object.keys(stallFigures), runs = stallRuns }) {
  /** @type {Record<string, number[]>} */
  const found = {}
  for (const name of names) {
    found[name] = runs.map((run) => {
      const recoveries = Array.from({ length: seeds }, (_, index) => {
        const { recovery } = stalled(policies, pick(policies, name), { ...run, seconds, seed: index + 1 })
        return recovery ?? Number.POSITIVE_INFINITY
      })
      return recoveries.sort((left, right) => left - right)[Math.floor(seeds / 2)] ?? Number.NaN
    })
  }
  const rows = names.map((name) => [
    name,
    ...runs.map((run, index) => {
      const expected = stallFigures[name]?.[stallRuns.indexOf(run)]
      return `${text(found[name]?.[index])} (${expected})`
    }),
  ])
  const head = runs.map(
    ({ perSecond, clients }) => `${perSecond}/s, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
  )
  return { table: { head: ['policy', ...head], rows }, checks: stallChecks(found, runs) }
}

/**
 * @param {Record<string, number[]>} found
 * @param {typeof stallRuns} runs
 */
function stallChecks(found, runs) {
  /** @type {Check[]} */
  const checks = []
  for (const [index, run] of runs.entries()) {
    const where = `stall of 10 s at ${Math.round(run.perSecond / 3)} % of capacity, clients: ${run.clients}`
    const [base = 0, mine = 0] = [found['no retry']?.[index], found['hybrid10']?.[index]]
    checks.push({
      what: `${where}, hybrid10: seconds to recover`,
      found: text(mine),
      allowed: `up to ${2 * base}, twice that without retries`,
      ok: mine <= 2 * base,
    })
    for (const name of ['fixed 2 attempts', 'fixed 3 attempts']) {
      const seconds = found[name]?.[index]
      if (seconds === undefined) continue
      checks.push({
        what: `${where}, ${name}: seconds to recover (the stall must be one that retries can keep alive)`,
        found: text(seconds),
        allowed: 'never',
        ok: seconds === Number.POSITIVE_INFINITY,
      })
    }
  }
  return checks
}

/**
 * @param {Policies} policies
 * @param {{ calls: number, names?: string[] }} size
 * @returns {{ table: Table, checks: Check[], results: { name: string, result: ReturnType<typeof hedging> }[] }}
 */
export function stragglers(policies, { calls, names }) {
  const wanted = hedgeFigures.filter(({ name }) => names === undefined || names.includes(name))
  const results = wanted.map(({ name, run }) => ({ name, result: hedging(policies, { ...run, calls }) }))
  const rows = wanted.map(({ name, p99, p999, extra }, index) => {
    const result = results[index]?.result
    if (result === undefined) throw new Error(`no result for ${name}`)
    return [
      name,
      `${result.percentile(0.99).toFixed(1)} (${p99})`,
      `${result.percentile(0.999).toFixed(1)} (${p999})`,
      `+${(100 * result.extra).toFixed(2)} % (+${(100 * extra).toFixed(1)} %)`,
    ]
  })
  const [none, hedged] = ['no hedge', 'after p95 (default)'].map(
    (name) => results.find((row) => row.name === name)?.result,
  )
  if (none === undefined || hedged === undefined) throw new Error('the two to compare are missing')
  const gain = none.percentile(0.999) / hedged.percentile(0.999)
  const checks = [
    { what: 'hedging: p99.9 better by', found: `${gain.toFixed(1)} times`, allowed: 'at least 10', ok: gain >= 10 },
    {
      what: 'hedging: load beyond one attempt a call',
      found: `${(100 * hedged.extra).toFixed(2)} %`,
      allowed: 'up to 5.5 %',
      ok: hedged.extra <= 0.055,
    },
  ]
  return { table: { head: ['hedge', 'p99 ms', 'p99.9 ms', 'extra load'], rows }, checks, results }
}

/**
 * @param {Policies} policies
 * @param {string} name
 */
export function pick(policies, name) {
  const found = contestants(policies)[name]
  if (found === undefined) throw new Error(`no policy is called ${name}`)
  return found
}

/** @param {number | undefined} seconds */
function text(seconds) {
  return seconds === Number.POSITIVE_INFINITY ? 'never' : String(seconds)
}
