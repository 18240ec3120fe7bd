import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlidingWindow } from '../../src/policy/window.js'

const slotMs = 100
const slots = 10

/** The slow truth: every addition with the slot it fell into. Slots stand on the clock, whoever looks at it and when. */
class Model {
  readonly entries: { slot: number; amount: number }[] = []
  #slot = Number.NEGATIVE_INFINITY

  at(now: number): void {
    this.#slot = Math.max(this.#slot, Math.floor(now / slotMs))
  }

  add(now: number, amount: number): void {
    this.at(now)
    this.entries.push({ slot: this.#slot, amount })
  }

  live(now: number): { slot: number; amount: number }[] {
    this.at(now)
    return this.entries.filter(({ slot }) => slot > this.#slot - slots)
  }

  total(now: number): number {
    return this.live(now).reduce((sum, { amount }) => sum + amount, 0)
  }

  take(now: number, amount: number): number {
    let missing = Math.min(amount, this.total(now))
    const taken = missing
    for (const entry of this.live(now)) {
      const part = Math.min(entry.amount, missing)
      entry.amount -= part
      missing -= part
    }
    return taken
  }
}

describe('SlidingWindow', () => {
  it.each([
    ['in the slot it was added', 0, 5],
    ['in the last moment of the oldest slot', 999, 5],
    ['no more when that slot is over', 1_000, 0],
    ['no more after a leap of a year', 31_536_000_000, 0],
    ['still when the clock has stepped back', -5_000, 5],
  ])('has an amount %s', (_when, offset, expected) => {
    const window = new SlidingWindow(slots * slotMs, slots)
    window.add(50_000, 0, 5)
    expect(window.total(50_000 + offset, 0)).toBe(expected)
  })

  it('keeps rows apart', () => {
    const window = new SlidingWindow(1_000, 10, 2)
    window.add(0, 0, 3)
    window.add(0, 1, 7)
    expect([window.total(10, 0), window.total(10, 1)]).toEqual([3, 7])
    window.take(10, 1, 2)
    expect([window.total(10, 0), window.total(10, 1)]).toEqual([3, 5])
    window.clear()
    expect([window.total(10, 0), window.total(10, 1)]).toEqual([0, 0])
  })

  it('drops and takes from a row without touching the other', () => {
    const window = new SlidingWindow(1_000, 10, 2)
    for (let slot = 0; slot < 10; slot++) {
      window.add(slot * 100, 0, 1)
      window.add(slot * 100, 1, 10)
    }
    expect(window.take(950, 1, 25)).toBe(25)
    expect([window.total(950, 0), window.total(950, 1)]).toEqual([10, 75])
    // Three of the ten slots are over; the first two and a half had been taken from the second row.
    expect([window.total(1_250, 0), window.total(1_250, 1)]).toEqual([7, 70])
    expect([window.total(1_850, 0), window.total(1_850, 1)]).toEqual([1, 10])
  })

  it('takes the oldest first', () => {
    const window = new SlidingWindow(1_000, 10)
    window.add(0, 0, 4)
    window.add(500, 0, 4)
    expect(window.take(600, 0, 5)).toBe(5)
    // The first four would end at 1,000; what is left is of the second lot and lives until 1,500.
    expect(window.total(1_000, 0)).toBe(3)
    expect(window.total(1_499, 0)).toBe(3)
    expect(window.total(1_500, 0)).toBe(0)
  })

  it('gives nothing for less than nothing', () => {
    const window = new SlidingWindow(1_000, 10)
    window.add(0, 0, 4)
    for (const amount of [-3, 0, Number.NaN]) expect(window.take(0, 0, amount)).toBe(0)
    expect(window.total(0, 0)).toBe(4)
  })

  it('does what a list of every addition does, whatever the clock does', () => {
    const step = fc.record({
      // Mostly forward, sometimes far, sometimes back.
      moves: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
        { weight: 1, arbitrary: fc.integer({ min: -2_000, max: 0 }) },
        { weight: 1, arbitrary: fc.integer({ min: 900, max: 5_000 }) },
      ),
      add: fc.integer({ min: 0, max: 100 }),
      take: fc.integer({ min: 0, max: 150 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const window = new SlidingWindow(slots * slotMs, slots)
        const model = new Model()
        let now = 10_000
        let newest = Number.NEGATIVE_INFINITY
        for (const { moves, add, take } of steps) {
          now += moves
          // What came before the newest slot was written into the newest slot.
          newest = Math.max(newest, now)
          window.add(now, 0, add)
          model.add(newest, add)
          expect(window.take(now, 0, take)).toBe(model.take(newest, take))
          expect(window.total(now, 0)).toBe(model.total(newest))
        }
      }),
    )
  })

  it('is not changed by being asked', () => {
    const step = fc.record({
      moves: fc.integer({ min: 0, max: 300 }),
      // What a reader of statistics does, and what a call does.
      asks: fc.boolean(),
      adds: fc.integer({ min: 0, max: 5 }),
      takes: fc.integer({ min: 0, max: 9 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 80 }), (steps) => {
        const [quiet, asked] = [new SlidingWindow(slots * slotMs, slots), new SlidingWindow(slots * slotMs, slots)]
        let now = 0
        for (const { moves, asks, adds, takes } of steps) {
          now += moves
          if (asks) {
            asked.total(now, 0)
            continue
          }
          expect(asked.take(now, 0, takes)).toBe(quiet.take(now, 0, takes))
          for (const window of [quiet, asked]) window.add(now, 0, adds)
        }
      }),
    )
  })
})
