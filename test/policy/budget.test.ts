import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RetryBudget } from '../../src/policy/budget.js'
import {
  type BudgetOptions,
  type BudgetPreset,
  budgetPresets,
  checkBudgetOptions,
} from '../../src/policy/budget-options.js'

const make = (options?: BudgetPreset | BudgetOptions | false) => new RetryBudget(checkBudgetOptions(options))

/** How many retries are granted at once. */
function drain(budget: RetryBudget, now: number, cost = 1): number {
  let granted = 0
  while (granted < 10_000 && budget.withdraw(now, cost)) granted++
  return granted
}

function succeed(budget: RetryBudget, now: number, times: number): void {
  for (let done = 0; done < times; done++) budget.onSuccess(now)
}

describe('the default budget', () => {
  it.each([
    ['nothing yet', 0, 10],
    ['9 successes', 9, 10],
    ['10 successes', 10, 11],
    ['2,000 successes, 200 requests under way and all of them reset', 2_000, 210],
  ])('has, after %s, enough for the retries of a burst', (_what, successes, granted) => {
    const budget = make()
    succeed(budget, 0, successes)
    expect(drain(budget, 100)).toBe(granted)
    expect(budget.level(100)).toBeLessThan(1)
  })

  it('loses credit after its window, and keeps the reserve', () => {
    const budget = make()
    succeed(budget, 0, 500)
    expect(budget.level(9_999)).toBe(60)
    expect(budget.level(10_000)).toBe(10)
    expect(budget.level(10 * 3_600_000)).toBe(10)
  })

  it('grants the same to whoever reads its statistics and to whoever does not', () => {
    const [quiet, read] = [make({ reserve: 0, ratio: 1 }), make({ reserve: 0, ratio: 1 })]
    read.snapshot(100)
    read.level(100)
    for (const budget of [quiet, read]) succeed(budget, 900, 1)
    read.snapshot(5_000)
    expect([quiet.level(10_500), read.level(10_500)]).toEqual([0, 0])
    // Nor does it matter that somebody looked in when the window had been left empty.
    read.snapshot(31_100)
    for (const budget of [quiet, read]) succeed(budget, 31_900, 1)
    expect([quiet.level(40_999), read.level(40_999)]).toEqual([1, 1])
    expect([quiet.withdraw(41_000), read.withdraw(41_000)]).toEqual([false, false])
  })

  it('is not refilled by time, only by successes, a tenth each', () => {
    const budget = make({ ratio: 0 })
    drain(budget, 0)
    expect(budget.level(3_600_000)).toBe(0)
    succeed(budget, 3_600_000, 9)
    expect(budget.withdraw(3_600_000)).toBe(false)
    succeed(budget, 3_600_000, 1)
    expect(budget.withdraw(3_600_000)).toBe(true)
  })

  it('does not owe after a step back of the clock, and does not earn by it', () => {
    const budget = make()
    succeed(budget, 100_000, 100)
    expect(budget.level(50_000)).toBe(20)
    succeed(budget, 50_000, 100)
    expect(budget.level(100_001)).toBe(30)
    expect(budget.level(110_000)).toBe(10)
  })

  it('takes less for a retry after a throttling answer', () => {
    const budget = make()
    expect(drain(budget, 0, budget.throttleCost)).toBe(25)
  })

  it('gives the token of a successful retry back, once', () => {
    const budget = make({ ratio: 0, refill: 0 })
    budget.withdraw(0)
    budget.withdraw(0)
    budget.refund(0)
    expect(budget.level(0)).toBe(9)
    budget.refund(0)
    budget.refund(0)
    budget.refund(0)
    expect(budget.snapshot(0)).toEqual({ level: 10, credit: 0, reserve: 10, granted: 2, denied: 0, refunded: 2 })
  })

  it('puts what does not fit into the reserve back into the credit', () => {
    const budget = make()
    succeed(budget, 0, 20)
    expect(drain(budget, 100)).toBe(12)
    expect(budget.withdraw(100)).toBe(false)
    // Twelve were paid: ten of them fill the reserve.
    for (let retry = 0; retry < 12; retry++) budget.refund(5_000)
    expect(budget.snapshot(5_000)).toEqual({ level: 12, credit: 2, reserve: 10, granted: 12, denied: 2, refunded: 12 })
    expect(budget.level(14_999)).toBe(12)
    expect(budget.level(15_100)).toBe(10)
  })

  it('divides a refund that half fits: the reserve is filled, and what is over goes back into the credit', () => {
    const budget = make()
    for (let retry = 0; retry < 3; retry++) budget.withdraw(0)
    succeed(budget, 0, 26)
    // The reserve stands at 9.6.
    budget.refund(0)
    const { credit, reserve } = budget.snapshot(0)
    expect([credit, reserve]).toEqual([3.2, 10])
  })

  it('grants for nothing what costs nothing, empty or not', () => {
    const budget = make({ reserve: 0, throttleCost: 0 })
    expect(budget.withdraw(0, budget.throttleCost)).toBe(true)
    expect(budget.withdraw(0)).toBe(false)
  })

  it('earns for a retry that succeeds as for any success, beside the refund', () => {
    const budget = make()
    drain(budget, 0)
    budget.onSuccess(0)
    budget.refund(0)
    expect(budget.level(0)).toBe(1.2)
  })

  it.each([
    ['finagle', 100],
    ['grpc', 10],
  ] as const)('is not given back in %s', (preset, level) => {
    const budget = make(preset)
    budget.withdraw(0)
    const before = budget.level(0)
    budget.refund(0)
    expect(budget.level(0)).toBe(before)
    expect(budget.snapshot(0).refunded).toBe(0)
    expect(before).toBeCloseTo(preset === 'finagle' ? level - 1 : level)
  })

  it('is never had for nothing: not for a cost that is no number, and a negative one earns nothing', () => {
    const budget = make()
    expect(budget.withdraw(0, Number.NaN)).toBe(false)
    expect(budget.withdraw(0, Number.POSITIVE_INFINITY)).toBe(false)
    budget.withdraw(0, -5)
    budget.refund(0, -5)
    budget.refund(0, Number.NaN)
    expect(budget.level(0)).toBe(10)
  })
})

describe('presets', () => {
  // Reference: reference rows "first retries granted when 200 in flight are reset at once", after 10 s of 1,000 a second.
  it.each<[BudgetPreset, number]>([
    ['hybrid10', 200],
    ['aws2026', 35],
    ['grpc', 4],
    ['finagle', 200],
    ['none', 200],
  ])('%s grants %i of 200 retries at once', (preset, expected) => {
    const budget = make(preset)
    for (let second = 0; second < 10; second++) succeed(budget, second * 1_000, 1_000)
    let granted = 0
    for (let request = 0; request < 200; request++) {
      budget.onFailure()
      if (budget.withdraw(9_900)) granted++
    }
    expect(granted).toBe(expected)
  })

  it('aws2026 counts like its model: 500, 14 a retry, 5 after throttling, 1 a success, a retry that succeeds gets 14', () => {
    const budget = make('aws2026')
    expect(drain(budget, 0)).toBe(35)
    // 500 − 35 · 14 = 10 are left: two throttled retries.
    expect(drain(budget, 0, budget.throttleCost)).toBe(2)
    succeed(budget, 0, 13)
    expect(budget.withdraw(0)).toBe(false)
    succeed(budget, 0, 1)
    expect(budget.withdraw(0)).toBe(true)
    // The deposit of the success is part of the 14.
    budget.onSuccess(0)
    budget.refund(0)
    expect(budget.level(0) * 14).toBeCloseTo(14, 3)
  })

  it('aws2026 has a bucket that cannot be fuller than full', () => {
    const budget = make('aws2026')
    budget.withdraw(0)
    succeed(budget, 0, 10)
    budget.refund(0)
    expect(budget.level(0) * 14).toBeCloseTo(500, 3)
    expect(budget.snapshot(0).credit).toBe(0)
  })

  it('finagle neither owes nor earns when the clock steps back', () => {
    const budget = make('finagle')
    expect(drain(budget, 100_000)).toBe(100)
    expect(budget.level(50_000)).toBe(0)
    expect(budget.level(100_000)).toBe(0)
    expect(budget.level(100_100)).toBe(1)
  })

  it('finagle has ten a second, and a window of them at the start', () => {
    const budget = make('finagle')
    expect(drain(budget, 0)).toBe(100)
    expect(drain(budget, 1_000)).toBe(10)
    expect(drain(budget, 3_600_000)).toBe(100)
  })

  it('grpc stops at half, and needs failures to fall and successes to rise', () => {
    const budget = make('grpc')
    expect(drain(budget, 0)).toBe(10_000)
    for (let failed = 0; failed < 5; failed++) budget.onFailure()
    expect(budget.withdraw(0)).toBe(false)
    budget.onSuccess(0)
    expect(budget.withdraw(0)).toBe(true)
    for (let failed = 0; failed < 100; failed++) budget.onFailure()
    succeed(budget, 0, 50)
    expect(budget.withdraw(0)).toBe(false)
    succeed(budget, 0, 1)
    expect(budget.withdraw(0)).toBe(true)
  })

  it('none and false grant everything, and take nothing for it', () => {
    for (const off of ['none', false] as const) {
      const budget = make(off)
      expect(drain(budget, 0)).toBe(10_000)
      expect(budget.snapshot(0)).toMatchObject({ level: Number.POSITIVE_INFINITY, credit: 0, reserve: 10 })
    }
  })
})

describe('budget options', () => {
  const others: Required<BudgetOptions> = {
    ratio: 0.3,
    windowMs: 7_000,
    reserve: 5,
    refill: 0.2,
    perSecond: 4,
    refund: false,
    throttleCost: 0.7,
  }
  const names = Object.keys(others) as (keyof BudgetOptions)[]

  it.each(names)('%s alone changes what it says, and nothing else', (name) => {
    const settings = checkBudgetOptions({ [name]: others[name] })
    expect(settings).toEqual({ ...checkBudgetOptions(undefined), [name]: others[name] })
    expect(checkBudgetOptions(others)[name]).toBe(others[name])
  })

  it.each([
    ['ratio', -0.1, 1.1],
    ['windowMs', 0, 3_600_001],
    ['reserve', -1, 1_000_001],
    ['refill', -0.1, 1.1],
    ['perSecond', -1, 1_000_001],
    ['throttleCost', -0.1, 1.1],
    ['refund', 'yes', 1],
  ])('%s is neither %s nor %s, and the error names it', (name, less, more) => {
    for (const value of [less, more]) {
      expect(() => checkBudgetOptions({ [name]: value })).toThrow(TypeError)
      expect(() => checkBudgetOptions({ [name]: value })).toThrow(`budget.${name}`)
    }
  })

  it('is the default by default, and a name or numbers otherwise', () => {
    expect(checkBudgetOptions(true)).toEqual(checkBudgetOptions('hybrid10'))
    expect(checkBudgetOptions({})).toEqual(checkBudgetOptions(undefined))
    expect(() => checkBudgetOptions('aws')).toThrow(/budget.*hybrid10, aws2026, finagle, grpc, none, or numbers.*aws/)
    expect(() => checkBudgetOptions({ rate: 1 })).toThrow(/budget.*rate/)
    expect(() => checkBudgetOptions(5)).toThrow(/budget/)
  })
})

describe('the budget as a model', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('success' as const), times: fc.integer({ min: 1, max: 50 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('retry' as const), cost: fc.constantFrom(1, 0.4, 0.25) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('refund' as const), cost: fc.constantFrom(1, 0.4, 0.25) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -3_000, max: 12_000 }) }),
    },
  )
  const options = fc.oneof(
    fc.constantFrom(...budgetPresets.filter((preset) => preset !== 'none' && preset !== 'grpc')),
    fc.record({
      ratio: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
      reserve: fc.integer({ min: 0, max: 50 }),
      refill: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
    }),
  )

  it('is never negative, spends no more than was there and deposited, and gives back no more than was paid', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 200 }), (given, steps) => {
        const settings = checkBudgetOptions(given)
        const budget = new RetryBudget(settings)
        let now = 0
        let latest = 0
        let successes = 0
        let spent = 0
        let returned = 0
        for (const action of steps) {
          const before = budget.level(now)
          if (action.do === 'wait') now += action.ms
          else if (action.do === 'fail') budget.onFailure()
          else if (action.do === 'success') {
            succeed(budget, now, action.times)
            successes += action.times
          } else if (action.do === 'retry') {
            const granted = budget.withdraw(now, action.cost)
            expect(granted).toBe(before >= action.cost - 1e-6 * 0.5)
            if (granted) spent += action.cost
            expect(budget.level(now)).toBeCloseTo(granted ? before - action.cost : before, 5)
          } else {
            budget.refund(now, action.cost)
            returned += Math.max(0, budget.level(now) - before)
          }
          latest = Math.max(latest, now)
          const deposits = successes * (settings.ratio + settings.refill)
          const byTime = settings.perSecond * ((settings.windowMs + latest) / 1_000)
          expect(budget.level(now)).toBeGreaterThanOrEqual(0)
          expect(returned).toBeLessThanOrEqual(spent + 1e-3)
          expect(spent).toBeLessThanOrEqual(settings.reserve + deposits + byTime + returned + 1e-3)
        }
      }),
    )
  })

  it('has the credit of a list that remembers every deposit, second by second', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 30 })), { maxLength: 60 }),
        (steps) => {
          const budget = make({ reserve: 0, refill: 0 })
          const deposits: { second: number; left: number }[] = []
          let second = 0
          for (const [pause, successes] of steps) {
            second += pause
            succeed(budget, second * 1_000, successes)
            deposits.push({ second, left: successes })
            const live = deposits.filter((deposit) => deposit.second > second - 10)
            const level = live.reduce((sum, { left }) => sum + left, 0)
            expect(budget.level(second * 1_000) * 10).toBeCloseTo(level, 6)
            if (!budget.withdraw(second * 1_000)) continue
            let owed = 10
            for (const deposit of live) {
              const part = Math.min(deposit.left, owed)
              deposit.left -= part
              owed -= part
            }
            expect(owed).toBe(0)
          }
        },
      ),
    )
  })
})
