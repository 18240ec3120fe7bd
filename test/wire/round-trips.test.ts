/** The shortest round trip to each address. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RoundTrips } from '../../src/wire/round-trips.js'
import { ManualClock } from '../manual-clock.js'

const address = '10.0.0.1'

test('the least counts, and what it was taken from', () => {
  const trips = new RoundTrips(new ManualClock())
  expect(trips.least(address)).toBeUndefined()
  trips.seen(address, { ms: 40, from: 'connect' })
  trips.seen(address, { ms: 55, from: 'answer' })
  expect(trips.least(address)).toEqual({ ms: 40, from: 'connect', of: 2 })
  trips.seen(address, { ms: 38, from: 'answer' })
  expect(trips.least(address)).toEqual({ ms: 38, from: 'answer', of: 3 })
  expect(trips.least('10.0.0.2')).toBeUndefined()
})

test('after ten minutes the road may be another one', () => {
  const clock = new ManualClock()
  const trips = new RoundTrips(clock)
  trips.seen(address, { ms: 5, from: 'connect' })
  clock.advance(599_999)
  trips.seen(address, { ms: 80, from: 'connect' })
  expect(trips.least(address)?.ms).toBe(5)
  clock.advance(1)
  trips.seen(address, { ms: 80, from: 'connect' })
  expect(trips.least(address)?.ms).toBe(80)
})

test.each([0, -1, Number.NaN])('%s ms is no round trip', (ms) => {
  const trips = new RoundTrips(new ManualClock())
  trips.seen(address, { ms, from: 'connect' })
  expect(trips.least(address)).toBeUndefined()
})

test('the least of any series within ten minutes; and the latest addresses are remembered', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 500, noNaN: true }), { minLength: 1 }), (series) => {
      const trips = new RoundTrips(new ManualClock())
      for (const ms of series) trips.seen(address, { ms, from: 'answer' })
      expect(trips.least(address)?.ms).toBe(Math.min(...series))
      for (let other = 0; other < 511; other++) trips.seen(`other ${other}`, { ms: 1, from: 'connect' })
      expect(trips.least(address)?.ms).toBe(Math.min(...series))
      trips.seen('one more', { ms: 1, from: 'connect' })
      expect(trips.least(address)).toBeUndefined()
    }),
    { numRuns: 20 },
  )
})
