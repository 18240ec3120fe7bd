/** The plots of the documentation. */

import { lineChart } from '../plots/line-chart.js'
import { outage, pick, stragglers } from './figures.js'
import { stalled } from './stall.js'
import { steady } from './steady.js'

/**
 * @param {import('./contestants.js').Policies} policies
 * @param {ReturnType<typeof stragglers>['results']} hedged
 * @returns {Record<string, string>} the SVGs by name of file
 */
export function charts(policies, hedged) {
  return {
    'steady-load.svg': steadyLoad(policies),
    'outage-load.svg': outageLoad(policies),
    ...stallCharts(policies),
    'hedging-latency.svg': hedgingLatency(hedged),
  }
}

/** @param {import('./contestants.js').Policies} policies */
function steadyLoad(policies) {
  const shares = Array.from({ length: 21 }, (_, index) => index / 20)
  const names = ['hybrid10', 'fixed 3 attempts', 'Finagle, request-deposit', 'AWS 2026 (cost 14)', 'gRPC 10/0.1']
  return lineChart({
    title: 'Load of a client whose attempts fail with some probability',
    x: { label: 'probability that an attempt fails', min: 0, max: 1, ticks: ticks([0, 0.2, 0.4, 0.6, 0.8, 1]) },
    y: { label: 'attempts per call', min: 1, max: 3, ticks: ticks([1, 1.5, 2, 2.5, 3]) },
    series: names.map((name) => ({
      name,
      points: shares.map((share) => {
        const run = { seconds: 60, warmUp: 30, failing: () => share }
        return [share, steady(policies, pick(policies, name), run).load]
      }),
    })),
  })
}

/** @param {import('./contestants.js').Policies} policies */
function outageLoad(policies) {
  const failing = (/** @type {number} */ second) => (second >= 20 ? 1 : 0)
  const names = ['fixed 3 attempts', 'Finagle, success-deposit', 'AWS 2026 (cost 14)']
  const others = names.map((name) => {
    const { loadBySecond } = steady(policies, pick(policies, name), { seconds: 80, warmUp: 0, failing })
    return { name, loadBySecond: loadBySecond.slice(15) }
  })
  const all = [{ name: 'hybrid10', loadBySecond: outage(policies).loadBySecond }, ...others]
  return lineChart({
    title: 'A full outage, from second 0 on',
    x: { label: 'seconds', min: -5, max: 30, ticks: ticks([-5, 0, 5, 10, 15, 20, 25, 30]) },
    y: { label: 'attempts per call', min: 0.5, max: 3.25, ticks: ticks([0.5, 1, 1.5, 2, 2.5, 3]) },
    series: all.map(({ name, loadBySecond }) => ({
      name,
      points: loadBySecond.slice(0, 36).map((load, second) => [second - 5, load]),
    })),
  })
}

/** @param {import('./contestants.js').Policies} policies */
function stallCharts(policies) {
  const names = ['hybrid10', 'fixed 2 attempts', 'Finagle, success-deposit', 'AWS 2026 (cost 14)', 'no retry']
  const runs = names.map((name) => ({
    name,
    run: stalled(policies, pick(policies, name), { perSecond: 200, clients: 100, seconds: 120 }),
  }))
  const x = {
    label: 'seconds since the stall began (it lasts 10)',
    min: 0,
    max: 90,
    ticks: ticks([0, 10, 20, 30, 45, 60, 75, 90]),
  }
  /** @param {(run: ReturnType<typeof stalled>) => number[]} row */
  const series = (row) => runs.map(({ name, run }) => ({ name, points: smooth(row(run)) }))
  return {
    'stall-goodput.svg': lineChart({
      title: 'Calls that succeed: 200 a second from 100 processes, capacity 300, stalled for 10 s',
      x,
      y: { label: 'share of calls', min: 0, max: 1.5, ticks: ticks([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]) },
      series: series((run) => run.goodput),
    }),
    'stall-offered.svg': lineChart({
      title: 'Attempts that the server gets in the same run',
      x,
      y: { label: 'attempts per call', min: 0.5, max: 3.25, ticks: ticks([0.5, 1, 1.5, 2, 2.5, 3]) },
      series: series((run) => run.offered),
    }),
  }
}

/** @param {ReturnType<typeof stragglers>['results']} results */
function hedgingLatency(results) {
  /** @type {[number, string][]} */
  const shares = [0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999].map((share, index) => [
    index,
    `p${+(share * 100).toFixed(4)}`,
  ])
  const values = [0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999]
  const order = ['after p95 (default)', 'no hedge', 'after p90', 'after p99']
  return lineChart({
    title: 'Latency when 1 % of the requests take 20 to 100 times as long',
    x: { label: 'percentile', min: 0, max: values.length - 1, ticks: shares },
    y: {
      label: 'milliseconds',
      min: 4,
      max: 2_000,
      log: true,
      ticks: ticks([5, 10, 20, 50, 100, 200, 500, 1_000, 2_000]),
    },
    series: order.flatMap((name) => {
      const result = results.find((row) => row.name === name)?.result
      if (result === undefined) return []
      return [
        {
          name,
          points: values.map((share, index) => /** @type {[number, number]} */ ([index, result.percentile(share)])),
        },
      ]
    }),
  })
}

/**
 * The mean of each second and its two neighbours: calls come at random.
 *
 * @param {number[]} row
 * @returns {[number, number][]}
 */
function smooth(row) {
  return row.map((_, second) => {
    const near = row.slice(Math.max(0, second - 1), second + 2)
    return [second, near.reduce((sum, value) => sum + value, 0) / near.length]
  })
}

/**
 * @param {number[]} values
 * @returns {[number, string][]}
 */
function ticks(values) {
  return values.map((value) => [value, value.toLocaleString('en')])
}
