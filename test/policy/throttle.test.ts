import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LoadOutcome } from '../../src/policy/outcome.js'
import { loadOutcomes } from '../../src/policy/outcome.js'
import {
  AdaptiveThrottle,
  checkThrottleOptions,
  type ThrottleOptions,
  throttleDefaults,
} from '../../src/policy/throttle.js'
import { dice } from '../sim/dice.js'

const make = (options: ThrottleOptions = {}) => new AdaptiveThrottle({ ...throttleDefaults, ...options })

/** Attempts that all go through and end so. */
function send(throttle: AdaptiveThrottle, now: number, outcome: LoadOutcome, times: number): void {
  for (let done = 0; done < times; done++) {
    expect(throttle.admit(now, false, 0)).toBe(true)
    throttle.report(now, outcome)
  }
}

describe('the share that is dropped', () => {
  it.each([
    [0, 0, 0],
    [9, 9, 0],
    [10, 10, 10 / 11],
    [100, 0, 0],
    [100, 50, 0],
    [100, 51, 2 / 101],
    [100, 75, 50 / 101],
    [1_000, 1_000, 0.9],
  ])('of %i sent and %i turned away: %f', (sent, refused, share) => {
    const throttle = make()
    send(throttle, 0, 'success', sent - refused)
    send(throttle, 0, 'overload', refused)
    expect(throttle.dropShare(0)).toBeCloseTo(Math.min(0.9, share), 10)
  })

  it.each(loadOutcomes.filter((outcome) => outcome !== 'overload'))('is not raised by %s', (outcome) => {
    const throttle = make()
    send(throttle, 0, outcome, 500)
    expect(throttle.dropShare(0)).toBe(0)
  })

  it('does not take a burst on its way for a refusal', () => {
    const throttle = make()
    for (let request = 0; request < 200; request++) throttle.admit(0, false, 0)
    expect(throttle.dropShare(0)).toBe(0)
  })

  it('forgets after two minutes', () => {
    const throttle = make()
    send(throttle, 0, 'overload', 100)
    expect(throttle.dropShare(119_999)).toBe(0.9)
    expect(throttle.dropShare(120_000)).toBe(0)
  })

  it('stays between 0 and the ceiling, and is 0 as long as half is accepted', () => {
    const step = fc.record({
      pause: fc.integer({ min: -5_000, max: 30_000 }),
      extra: fc.boolean(),
      dice: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      // Later than the request, perhaps in another slot, perhaps never.
      answer: fc.constantFrom(...loadOutcomes, undefined),
      twice: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const throttle = make()
        let now = 0
        for (const { pause, extra, dice: thrown, answer, twice } of steps) {
          now += pause
          const share = throttle.dropShare(now)
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(0.9)
          expect(throttle.admit(now, extra, thrown)).toBe(!(extra && thrown < share))
          if (answer !== undefined) throttle.report(now, answer)
          if (answer !== undefined && twice) throttle.report(now, answer)
        }
      }),
    )
  })
})

describe('who is dropped', () => {
  it.each<['retries' | 'all', boolean, boolean]>([
    ['retries', true, false],
    ['retries', false, true],
    ['all', true, false],
    ['all', false, false],
  ])('throttling %s, an attempt that is extra: %s goes through: %s', (throttles, extra, goes) => {
    const throttle = make({ throttles })
    for (let refused = 0; refused < 1_000; refused++) {
      throttle.admit(0, false, 0.99)
      throttle.report(0, 'overload')
    }
    expect(throttle.admit(0, extra, 0.5)).toBe(goes)
    expect(throttle.admit(0, extra, 0.95)).toBe(true)
  })

  it('settles where a server that accepts 100 a second of 1,000 wanted sees about 200', () => {
    const throttle = make({ throttles: 'all' })
    const random = dice(7)
    let seen = 0
    for (let second = 0; second < 240; second++) {
      let accepted = 0
      for (let request = 0; request < 1_000; request++) {
        if (!throttle.admit(second * 1_000, false, random())) continue
        if (second >= 120) seen++
        throttle.report(second * 1_000, ++accepted <= 100 ? 'success' : 'overload')
      }
    }
    expect(seen / 120).toBeGreaterThan(150)
    expect(seen / 120).toBeLessThan(250)
  })
})

describe('checkThrottleOptions', () => {
  it.each([undefined, false])('%s is off', (value) => expect(checkThrottleOptions(value)).toBeUndefined())
  it('true is the defaults, and an object fills in', () => {
    expect(checkThrottleOptions(true)).toEqual(throttleDefaults)
    expect(checkThrottleOptions({ ceiling: 0.75 })).toEqual({ ...throttleDefaults, ceiling: 0.75 })
  })
  it.each([
    [{ ceiling: 1 }, /throttle\.ceiling/],
    [{ tolerance: 0.5 }, /throttle\.tolerance/],
    [{ throttles: 'none' }, /throttle\.throttles must be 'retries' or 'all'/],
  ])('refuses %j', (value, message) => expect(() => checkThrottleOptions(value)).toThrow(message))
})
