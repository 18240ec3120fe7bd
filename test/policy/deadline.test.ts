import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { longestWaitMs } from '../../src/policy/backoff.js'
import { attemptTime, endsInTime, remainingTime } from '../../src/policy/deadline.js'

const ms = fc.double({ min: 0, max: 1e9, noNaN: true })
const perhaps = fc.option(ms, { nil: undefined })

describe('remainingTime', () => {
  it.each([
    { startedAt: 1000, now: 1000, totalMs: 500, left: 500 },
    { startedAt: 1000, now: 1400, totalMs: 500, left: 100 },
    { startedAt: 1000, now: 1500, totalMs: 500, left: 0 },
    { startedAt: 1000, now: 9000, totalMs: 500, left: 0 },
    { startedAt: 1000, now: 400, totalMs: 500, left: 500 },
    { startedAt: 0, now: 0, totalMs: 0, left: 0 },
    { startedAt: 0, now: 9000, totalMs: undefined, left: undefined },
  ])('from $startedAt to $now of $totalMs leaves $left', ({ startedAt, now, totalMs, left }) => {
    expect(remainingTime(startedAt, now, totalMs)).toBe(left)
  })
})

describe('attemptTime', () => {
  it.each([
    { limits: {}, elapsed: 9000, time: undefined },
    { limits: { attemptMs: 4000 }, elapsed: 9000, time: { ms: 4000, limit: 'attempt' } },
    { limits: { totalMs: 10_000 }, elapsed: 2000, time: { ms: 8000, limit: 'total' } },
    { limits: { totalMs: 10_000, attemptMs: 4000 }, elapsed: 5999, time: { ms: 4000, limit: 'attempt' } },
    { limits: { totalMs: 10_000, attemptMs: 4000 }, elapsed: 6000, time: { ms: 4000, limit: 'total' } },
    { limits: { totalMs: 10_000, attemptMs: 4000 }, elapsed: 7500, time: { ms: 2500, limit: 'total' } },
    { limits: { totalMs: 10_000, attemptMs: 4000 }, elapsed: 20_000, time: { ms: 0, limit: 'total' } },
    { limits: { attemptMs: 1e12 }, elapsed: 0, time: { ms: longestWaitMs, limit: 'attempt' } },
  ])('of $limits after $elapsed ms is $time', ({ limits, elapsed, time }) => {
    expect(attemptTime(limits, elapsed)).toEqual(time)
  })

  it('never lets an attempt outlive the call, nor its own limit', () => {
    fc.assert(
      fc.property(perhaps, perhaps, ms, (totalMs, attemptMs, elapsed) => {
        const time = attemptTime({ totalMs, attemptMs }, elapsed)
        expect(time === undefined).toBe(totalMs === undefined && attemptMs === undefined)
        if (time === undefined) return
        expect(time.ms).toBeGreaterThanOrEqual(0)
        expect(time.ms).toBeLessThanOrEqual(remainingTime(0, elapsed, totalMs) ?? Number.POSITIVE_INFINITY)
        expect(time.ms).toBeLessThanOrEqual(attemptMs ?? Number.POSITIVE_INFINITY)
      }),
    )
  })
})

describe('endsInTime', () => {
  it.each([
    [0, undefined, true],
    [longestWaitMs, undefined, true],
    [99, 100, true],
    [100, 100, false],
    [0, 0, false],
  ])('a wait of %d with %s left: %s', (waitMs, remainingMs, inTime) => {
    expect(endsInTime(waitMs, remainingMs)).toBe(inTime)
  })
})
