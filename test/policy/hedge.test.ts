import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHedgeOptions, Hedge, type HedgeOptions, hedgeDefaults } from '../../src/policy/hedge.js'

const make = (options: HedgeOptions = {}) => new Hedge({ ...hedgeDefaults, ...options })

/** One more than 2 % of a bucket, so that the upper edge of the bucket passes. */
const bucket = 2 ** (1 / 32)

function record(hedge: Hedge, now: number, samples: readonly number[]): void {
  for (const sample of samples) hedge.record(now, sample)
}

const hundred = Array.from({ length: 100 }, (_, index) => index + 1)

describe('the wait before a hedge', () => {
  it('is not known before 100 samples, and then is their 95th percentile, at most a bucket above', () => {
    const hedge = make()
    record(hedge, 0, hundred.slice(0, 99))
    expect(hedge.hedgeDelay(0)).toBeUndefined()
    record(hedge, 0, [100])
    const delay = hedge.hedgeDelay(0) ?? 0
    expect(delay).toBeGreaterThan(95)
    expect(delay).toBeLessThanOrEqual(95 * bucket)
  })

  it.each([
    ['zero', 0],
    ['negative', -5],
    ['not a number', Number.NaN],
    ['below the floor', 0.01],
  ])('has a floor of about 1 ms when the latency is %s', (_what, sample) => {
    const hedge = make()
    record(
      hedge,
      0,
      Array.from({ length: 200 }, () => sample),
    )
    expect(hedge.hedgeDelay(0)).toBeCloseTo(1, 1)
    expect(make({ minDelayMs: 20 }).hedgeDelay(0)).toBeUndefined()
  })

  it('ends where the buckets end', () => {
    const hedge = make()
    record(
      hedge,
      0,
      Array.from({ length: 200 }, () => Number.MAX_VALUE),
    )
    expect(hedge.hedgeDelay(0)).toBe(2 ** 17)
  })

  it.each([
    ['in the same window', 29_999, true],
    ['in the next', 30_000, true],
    ['at the end of the next', 59_999, true],
    ['in the one after', 60_000, false],
    ['a day later', 86_400_000, false],
    ['before the clock stepped back', -100_000, true],
  ])('knows the samples %s', (_when, later, known) => {
    const hedge = make()
    record(hedge, 0, hundred)
    expect(hedge.hedgeDelay(later) !== undefined).toBe(known)
  })

  it('follows the origin when it becomes slower, and when it becomes faster', () => {
    const hedge = make()
    for (let second = 0; second < 120; second++) {
      const slow = second >= 30 && second < 90
      record(
        hedge,
        second * 1_000,
        Array.from({ length: 20 }, () => (slow ? 100 : 10)),
      )
      const delay = hedge.hedgeDelay(second * 1_000)
      if (second === 29) expect(delay).toBeLessThan(11)
      if (second === 40) expect(delay).toBeGreaterThan(99)
    }
    record(
      hedge,
      150_000,
      hundred.map(() => 10),
    )
    expect(hedge.hedgeDelay(150_000)).toBeLessThan(11)
  })

  it('is the percentile that sorting gives, for any samples and windows', () => {
    const samples = fc.array(
      fc.record({ pause: fc.integer({ min: 0, max: 2_000 }), ms: fc.double({ min: 1, max: 100_000, noNaN: true }) }),
      { minLength: 10, maxLength: 150 },
    )
    fc.assert(
      fc.property(samples, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (list, percentile) => {
        const hedge = make({ percentile, minSamples: 1, maxExtra: 1 })
        const windows: number[][] = [[], []]
        let now = 0
        let endsAt = 30_000
        for (const { pause, ms } of list) {
          now += pause
          if (now >= endsAt) {
            windows.unshift([])
            endsAt += 30_000
          }
          windows[0]?.push(ms)
          hedge.record(now, ms)
          const sorted = [...(windows[0] ?? []), ...(windows[1] ?? [])].sort((left, right) => left - right)
          const exact = sorted[Math.ceil(percentile * sorted.length) - 1] ?? 0
          const delay = hedge.hedgeDelay(now) ?? 0
          expect(delay).toBeGreaterThanOrEqual(exact * 0.999_999)
          expect(delay).toBeLessThanOrEqual(exact * bucket * 1.000_001)
        }
      }),
    )
  })
})

describe('the share of doubled requests', () => {
  it('has a cap, and says so before the wait as well as after it', () => {
    const hedge = make()
    record(hedge, 0, hundred)
    const granted = hundred.filter(() => hedge.tryHedge(0)).length
    expect(granted).toBe(5)
    expect(hedge.hedgeDelay(0)).toBeUndefined()
    record(hedge, 0, hundred.slice(0, 20))
    expect(hedge.hedgeDelay(0)).toBeGreaterThan(0)
  })

  it('gets back what was not sent after all', () => {
    const hedge = make()
    record(hedge, 0, hundred)
    while (hedge.tryHedge(0)) expect(hedge.snapshot(0).hedges).toBeLessThanOrEqual(5)
    hedge.cancel(0)
    expect(hedge.snapshot(0).hedges).toBe(4)
    expect(hedge.tryHedge(0)).toBe(true)
    expect(hedge.tryHedge(0)).toBe(false)
  })

  it('is nothing where nothing is answered any more', () => {
    const hedge = make()
    record(hedge, 0, hundred)
    expect(hedge.tryHedge(60_000)).toBe(false)
  })

  it('never passes the cap, whatever comes in whatever order', () => {
    const event = fc.record({ pause: fc.integer({ min: 0, max: 3_000 }), hedge: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 400 }), fc.constantFrom(0.01, 0.05, 0.1), (events, maxExtra) => {
        const hedge = make({ maxExtra, minSamples: 1 })
        let now = 0
        let answers = 0
        let hedges = 0
        for (const { pause, hedge: wanted } of events) {
          now += pause
          if (wanted && hedge.tryHedge(now)) hedges++
          hedge.record(now, 5)
          answers++
          expect(hedges).toBeLessThanOrEqual(maxExtra * answers)
        }
      }),
    )
  })
})

describe('checkHedgeOptions', () => {
  it.each([undefined, false])('%s is off', (value) => expect(checkHedgeOptions(value)).toBeUndefined())
  it('true is the defaults, and an object fills in', () => {
    expect(checkHedgeOptions(true)).toEqual(hedgeDefaults)
    expect(checkHedgeOptions({ maxExtra: 0.1 })).toEqual({ ...hedgeDefaults, maxExtra: 0.1 })
  })
  it.each([
    [{ maxExtra: 0.11 }, /hedge\.maxExtra .* from 0.001 to 0.1/],
    [{ percentile: 95 }, /hedge\.percentile/],
    [{ minsamples: 5 }, /did you mean minSamples/],
    ['p95', /hedge must be a plain object/],
  ])('refuses %j', (value, message) => expect(() => checkHedgeOptions(value)).toThrow(message))
})
