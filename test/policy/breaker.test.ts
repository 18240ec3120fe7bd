import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Breaker, type BreakerOptions, breakerDefaults, checkBreakerOptions } from '../../src/policy/breaker.js'
import { type LoadOutcome, loadOutcomes } from '../../src/policy/outcome.js'

/** Dice that always show 1: the full period. */
const make = (options: BreakerOptions = {}, dice = () => 1) => new Breaker({ ...breakerDefaults, ...options }, dice)

function report(breaker: Breaker, now: number, outcome: LoadOutcome, times = 1): void {
  for (let done = 0; done < times; done++) breaker.report(now, outcome, 'pass')
}

/** A breaker that has just opened, at time 0. */
function opened(options: BreakerOptions = {}, dice = () => 1): Breaker {
  const breaker = make(options, dice)
  report(breaker, 0, 'connection', 5)
  expect(breaker.state(0)).toBe('open')
  return breaker
}

describe('what opens a breaker', () => {
  it.each<[string, [LoadOutcome, number][], string]>([
    ['five lost connections in a row', [['connection', 5]], 'open'],
    ['four', [['connection', 4]], 'closed'],
    [
      'four, a success, four',
      [
        ['connection', 4],
        ['success', 1],
        ['connection', 4],
      ],
      'closed',
    ],
    [
      'four, a 404, four',
      [
        ['connection', 4],
        ['answered', 1],
        ['connection', 4],
      ],
      'closed',
    ],
    [
      'four, an abort, one',
      [
        ['connection', 4],
        ['ignored', 1],
        ['connection', 1],
      ],
      'open',
    ],
    [
      'four with timeouts between',
      [
        ['connection', 2],
        ['timeout', 1],
        ['connection', 2],
      ],
      'closed',
    ],
    ['19 failures out of 19', [['failed', 19]], 'closed'],
    ['20 out of 20', [['failed', 20]], 'open'],
    [
      '4 of 20',
      [
        ['success', 16],
        ['failed', 4],
      ],
      'closed',
    ],
    [
      '5 of 20',
      [
        ['success', 15],
        ['failed', 5],
      ],
      'open',
    ],
    [
      '5 of 20, overload and timeouts',
      [
        ['success', 15],
        ['overload', 3],
        ['timeout', 2],
      ],
      'open',
    ],
    ['any number of aborts', [['ignored', 1_000]], 'closed'],
    ['any number of 4xx', [['answered', 1_000]], 'closed'],
    [
      'aborts and 4xx do not thin out failures',
      [
        ['ignored', 100],
        ['answered', 100],
        ['failed', 20],
      ],
      'open',
    ],
  ])('%s: %j makes it %s', (_what, reports, state) => {
    const breaker = make()
    for (const [outcome, times] of reports) report(breaker, 0, outcome, times)
    expect(breaker.state(0)).toBe(state)
  })

  it('is only what happened within the window', () => {
    const breaker = make()
    report(breaker, 0, 'failed', 19)
    report(breaker, 30_000, 'failed', 19)
    expect(breaker.state(30_000)).toBe('closed')
    report(breaker, 30_001, 'failed', 1)
    expect(breaker.state(30_001)).toBe('open')
  })
})

describe('an open breaker', () => {
  it.each<['retries' | 'all', boolean, string]>([
    ['retries', true, 'refuse'],
    ['retries', false, 'pass'],
    ['all', true, 'refuse'],
    ['all', false, 'refuse'],
  ])('that breaks %s, asked for an attempt that is extra: %s, says %s', (breaks, extra, answer) => {
    expect(opened({ breaks }).admit(1, extra)).toBe(answer)
  })

  it.each([
    [0, 2_500],
    [0.5, 3_750],
    [1, 5_000],
  ])('stays so for half to all of 5 s: dice %s, %i ms', (dice, period) => {
    const breaker = opened({}, () => dice)
    expect(breaker.retryInMs(0)).toBe(period)
    expect(breaker.admit(period - 1, true)).toBe('refuse')
    expect(breaker.state(period)).toBe('half-open')
  })

  it('lets one probe through, and no other while it is on its way', () => {
    const breaker = opened({ breaks: 'all' })
    expect(breaker.admit(5_000, false)).toBe('probe')
    for (const extra of [true, false]) expect(breaker.admit(5_001, extra)).toBe('refuse')
    breaker.report(5_100, 'success', 'probe')
    expect(breaker.state(5_100)).toBe('closed')
    expect(breaker.admit(5_100, true)).toBe('pass')
  })

  it('is not moved by what was sent before', () => {
    const breaker = opened()
    report(breaker, 100, 'success', 100)
    report(breaker, 6_000, 'success', 100)
    expect(breaker.state(6_000)).toBe('half-open')
  })

  it.each<[LoadOutcome, string]>([
    ['success', 'closed'],
    ['answered', 'closed'],
    ['failed', 'open'],
    ['overload', 'open'],
    ['timeout', 'open'],
    ['connection', 'open'],
    ['ignored', 'half-open'],
  ])('whose probe ends in %s is %s', (outcome, state) => {
    const breaker = opened()
    expect(breaker.admit(5_000, true)).toBe('probe')
    breaker.report(5_001, outcome, 'probe')
    expect(breaker.state(5_001)).toBe(state)
    // A probe that told nothing makes room for another.
    if (outcome === 'ignored') expect(breaker.admit(5_002, true)).toBe('probe')
  })

  it('gives up waiting for a probe that never reports', () => {
    const breaker = opened()
    expect(breaker.admit(5_000, true)).toBe('probe')
    expect(breaker.admit(34_999, true)).toBe('refuse')
    expect(breaker.admit(35_000, true)).toBe('probe')
  })

  it('doubles its period with each failed probe up to five minutes, and starts anew after a good while', () => {
    const breaker = opened()
    let now = 0
    const periods: number[] = []
    for (let round = 0; round < 9; round++) {
      periods.push(breaker.retryInMs(now))
      now += breaker.retryInMs(now)
      expect(breaker.admit(now, true)).toBe('probe')
      breaker.report(now, 'connection', 'probe')
    }
    expect(periods).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
    now += 300_000
    breaker.admit(now, true)
    breaker.report(now, 'success', 'probe')
    report(breaker, now + 1_000, 'connection', 5)
    expect(breaker.retryInMs(now + 1_000)).toBe(300_000)
    now += 301_000
    breaker.admit(now, true)
    breaker.report(now, 'success', 'probe')
    report(breaker, now + 30_001, 'connection', 5)
    expect(breaker.retryInMs(now + 30_001)).toBe(5_000)
  })

  it('waits no longer than its period when the clock steps back', () => {
    const breaker = make()
    report(breaker, 1_000_000, 'connection', 5)
    expect(breaker.retryInMs(1_000)).toBe(5_000)
    expect(breaker.retryInMs(6_000)).toBe(0)
  })
})

describe('a breaker, whatever happens', () => {
  const step = fc.record({
    pause: fc.integer({ min: -1_000, max: 20_000 }),
    extra: fc.boolean(),
    outcome: fc.constantFrom(...loadOutcomes, undefined),
  })

  it('never stops first tries unless asked to, never has two probes on their way, never waits longer than allowed', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.constantFrom('retries' as const, 'all' as const),
        (steps, breaks) => {
          const breaker = make({ breaks, failures: 2, minRequests: 4 }, () => 0.5)
          let now = 0
          let probeSince: number | undefined
          for (const { pause, extra, outcome } of steps) {
            now += pause
            const state = breaker.state(now)
            const answer = breaker.admit(now, extra)
            if (state === 'closed') expect(answer).toBe('pass')
            if (breaks === 'retries' && !extra) expect(answer).not.toBe('refuse')
            if (state === 'open') expect(answer).not.toBe('probe')
            if (answer === 'probe') {
              if (probeSince !== undefined) expect(now - probeSince).toBeGreaterThanOrEqual(breakerDefaults.windowMs)
              probeSince = now
            }
            // `undefined`: the attempt never reports.
            if (answer !== 'refuse' && outcome !== undefined) {
              breaker.report(now, outcome, answer)
              if (answer === 'probe') probeSince = undefined
            }
            expect(breaker.retryInMs(now)).toBeLessThanOrEqual(breakerDefaults.maxOpenMs)
          }
        },
      ),
    )
  })
})

describe('checkBreakerOptions', () => {
  it.each([undefined, false])('%s is off', (value) => expect(checkBreakerOptions(value)).toBeUndefined())
  it('true is the defaults, and an object fills in', () => {
    expect(checkBreakerOptions(true)).toEqual(breakerDefaults)
    expect(checkBreakerOptions({ openMs: 600_000 })).toEqual({
      ...breakerDefaults,
      openMs: 600_000,
      maxOpenMs: 600_000,
    })
  })
  it.each([
    [{ breaks: 'first' }, /breaker\.breaks must be 'retries' or 'all'/],
    [{ openMs: 10, maxOpenMs: 5 }, /breaker\.maxOpenMs must be at least breaker\.openMs \(10\)/],
    [{ failures: 0 }, /breaker\.failures/],
    [{ threshold: 3 }, /breaker\.threshold is not an option/],
  ])('refuses %j', (value, message) => expect(() => checkBreakerOptions(value)).toThrow(message))
})
