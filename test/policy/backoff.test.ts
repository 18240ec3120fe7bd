import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoff, backoffCeiling, boundWait, longestWaitMs } from '../../src/policy/backoff.js'

const retry = fc.integer({ min: 1, max: 5000 })
const ms = fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true })
const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoff', () => {
  it.each([
    [1, 50],
    [2, 100],
    [3, 200],
    [9, 12_800],
    [10, 20_000],
    [100, 20_000],
  ])('has its ceiling doubled up to the cap: retry %i has %i ms', (number, ceiling) => {
    expect(backoffCeiling(number, 50, 20_000)).toBe(ceiling)
    expect(backoff({ retry: number, baseMs: 50, capMs: 20_000, dice: 0.5 })).toBe(ceiling / 2)
  })

  it('throws the dice over the whole way from 0 to the ceiling', () => {
    expect(backoff({ retry: 1, baseMs: 50, capMs: 20_000, dice: 0 })).toBe(0)
    expect(backoff({ retry: 1, baseMs: 50, capMs: 20_000, dice: 1 - Number.EPSILON })).toBe(49)
  })

  it('is a whole number of milliseconds from 0 to the ceiling, whatever it is given', () => {
    fc.assert(
      fc.property(retry, ms, ms, dice, (number, baseMs, capMs, throwOf) => {
        const wait = backoff({ retry: number, baseMs, capMs, dice: throwOf })
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(Math.min(capMs, longestWaitMs))
        expect(wait).toBeLessThanOrEqual(backoffCeiling(number, baseMs, capMs))
      }),
    )
  })

  it('never shrinks: not with the retries, not with the dice, not with the base', () => {
    fc.assert(
      fc.property(retry, ms, ms, dice, dice, (number, baseMs, capMs, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one]
        const wait = (retries: number, throwOf: number, base: number) =>
          backoff({ retry: retries, baseMs: base, capMs, dice: throwOf })
        expect(wait(number + 1, low, baseMs)).toBeGreaterThanOrEqual(wait(number, low, baseMs))
        expect(wait(number, high, baseMs)).toBeGreaterThanOrEqual(wait(number, low, baseMs))
        expect(wait(number, low, baseMs)).toBeGreaterThanOrEqual(wait(number, low, baseMs / 2))
      }),
    )
  })
})

describe('boundWait', () => {
  it.each([
    [-1, 0],
    [-0, 0],
    [Number.NaN, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [0.5, 0.5],
    [longestWaitMs, longestWaitMs],
    [longestWaitMs + 1, longestWaitMs],
    [Number.POSITIVE_INFINITY, longestWaitMs],
  ])('makes a wait that a timer can do of %d', (given, bounded) => {
    expect(boundWait(given)).toBe(bounded)
  })
})
