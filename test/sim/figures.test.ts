// The figures that offhook has to reach under load, in runs short enough for every change. `npm run sim` makes the long ones.
import { describe, expect, it } from 'vitest'
import { backoff } from '../../src/policy/backoff.js'
import { RetryBudget } from '../../src/policy/budget.js'
import { checkBudgetOptions } from '../../src/policy/budget-options.js'
import { Hedge, hedgeDefaults } from '../../src/policy/hedge.js'
import { lineChart } from '../plots/line-chart.js'
import { stallRuns } from './expected.js'
import { type Check, outage, stall, steadyState, stragglers } from './figures.js'

const policies = { RetryBudget, checkBudgetOptions, backoff, Hedge, hedgeDefaults }

function expectAll(checks: readonly Check[], count: number): void {
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks).toHaveLength(count)
}

describe('under load', () => {
  it('the default budget and the presets spend in the steady state what they should, and grant 200 of 200', () => {
    const names = ['hybrid10', 'AWS 2026 (cost 14)', 'gRPC 10/0.1', 'Finagle, success-deposit']
    expectAll(steadyState(policies, { seconds: 90, names }).checks, names.length * 8)
  })

  it('a full outage costs no more than 5 % after ten seconds', () => {
    const { loadBySecond, checks } = outage(policies)
    expectAll(checks, 1)
    // It was an outage that would have cost something: there was credit to spend.
    expect(Math.max(...loadBySecond)).toBeGreaterThan(1.5)
  })

  it('a stall at two thirds of the capacity is survived by one process and by a hundred, and not without a budget', () => {
    const names = ['no retry', 'fixed 2 attempts', 'hybrid10']
    expectAll(stall(policies, { seeds: 3, seconds: 120, names, runs: stallRuns.slice(0, 2) }).checks, 4)
  })

  it('hedging cuts the tail to a tenth for a twentieth of load', () => {
    const names = ['no hedge', 'after p95 (default)']
    expectAll(stragglers(policies, { calls: 100_000, names }).checks, 2)
  })

  it('the checks can fail: three attempts without a budget miss', () => {
    const generous = { ...policies, checkBudgetOptions: () => checkBudgetOptions('none') }
    const missed = (checks: readonly Check[]) => checks.filter(({ ok }) => !ok).length
    expect(missed(outage(generous).checks)).toBe(1)
    expect(missed(steadyState(generous, { seconds: 30, names: ['hybrid10'] }).checks)).toBeGreaterThan(0)
    const size = { seeds: 1, seconds: 60, names: ['no retry', 'hybrid10'], runs: stallRuns.slice(0, 1) }
    expect(missed(stall(generous, size).checks)).toBe(1)
  })
})

describe('lineChart', () => {
  it('draws every line within its frame, with its name', () => {
    const svg = lineChart({
      title: 'a < b & c',
      x: {
        label: 'x',
        min: 0,
        max: 10,
        ticks: [
          [0, '0'],
          [10, '10'],
        ],
      },
      y: { label: 'y', min: 1, max: 100, log: true, ticks: [[10, 'ten']] },
      series: [
        {
          name: 'one',
          points: [
            [0, 1],
            [5, 10],
            [10, 100],
            [20, 5],
          ],
        },
        {
          name: 'two',
          points: [
            [0, 0.1],
            [10, 1_000],
          ],
        },
      ],
    })
    // The point beyond the end of the axis is left out, and what is too small or too large lies on the edge.
    expect(svg).toContain('M64 344L337 196L610 48"')
    expect(svg).toContain('M64 344L610 48"')
    expect(svg).toContain('>two</text>')
    expect(svg).toContain('a &#60; b &#38; c')
  })
})
