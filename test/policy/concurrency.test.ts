import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ConcurrencyLimit,
  type ConcurrencyOptions,
  checkConcurrencyOptions,
  concurrencyDefaults,
} from '../../src/policy/concurrency.js'
import { type LoadOutcome, loadOutcomes } from '../../src/policy/outcome.js'

const make = (options: ConcurrencyOptions = {}) => new ConcurrencyLimit({ ...concurrencyDefaults, ...options })

function enter(limit: ConcurrencyLimit, times: number): void {
  for (let done = 0; done < times; done++) expect(limit.tryEnter()).toBe('enter')
}

describe('the limit', () => {
  it.each<[string, number, LoadOutcome, number]>([
    ['rises by one when half is in use', 10, 'success', 21],
    ['does not rise when less is', 9, 'success', 20],
    ['falls by a tenth after a timeout', 1, 'timeout', 18],
    ['falls by a tenth after an overload', 20, 'overload', 18],
    ['does not heed a lost connection', 20, 'connection', 20],
    ['does not heed a failure', 20, 'failed', 20],
    ['does not heed a 4xx', 20, 'answered', 20],
    ['does not heed an abort', 20, 'ignored', 20],
  ])('%s: %i at work, one ends in %s, then %i', (_what, atWork, outcome, limit) => {
    const concurrency = make()
    enter(concurrency, atWork)
    concurrency.leave(outcome)
    expect(concurrency.limit).toBe(limit)
    expect(concurrency.inFlight).toBe(atWork - 1)
  })

  it.each<[LoadOutcome, number]>([
    ['overload', 1],
    ['success', 200],
  ])('ends, after many of %s, at %i', (outcome, expected) => {
    const concurrency = make({ queue: 0 })
    for (let round = 0; round < 100; round++) {
      while (concurrency.tryEnter() === 'enter') expect(concurrency.inFlight).toBeLessThanOrEqual(200)
      while (concurrency.inFlight > 0) concurrency.leave(outcome)
    }
    expect(concurrency.limit).toBe(expected)
  })

  it('stands still when all three numbers are the same', () => {
    const concurrency = make({ initial: 4, min: 4, max: 4 })
    for (const outcome of loadOutcomes) {
      enter(concurrency, 4)
      expect(concurrency.tryEnter()).toBe('queue')
      concurrency.giveUp()
      for (let done = 0; done < 4; done++) concurrency.leave(outcome)
      expect(concurrency.limit).toBe(4)
    }
  })

  it('finds what a server can bear, from below and from above', () => {
    // A server that is overloaded by more than 50 at once, and a client that always wants more.
    for (const initial of [1, 200]) {
      const concurrency = make({ initial, queue: 0 })
      const seen: number[] = []
      for (let round = 0; round < 2_000; round++) {
        while (concurrency.tryEnter() === 'enter');
        seen.push(concurrency.inFlight)
        concurrency.leave(concurrency.inFlight > 50 ? 'overload' : 'success')
      }
      const settled = seen.slice(500)
      expect(Math.min(...settled)).toBeGreaterThan(25)
      expect(Math.max(...settled)).toBeLessThan(60)
    }
  })
})

describe('the queue', () => {
  it('takes as many as it may, and lets nobody overtake', () => {
    const concurrency = make({ initial: 1, queue: 2 })
    expect([1, 2, 3, 4].map(() => concurrency.tryEnter())).toEqual(['enter', 'queue', 'queue', 'refuse'])
    concurrency.leave('ignored')
    // There is room, and it belongs to whoever waits.
    expect(concurrency.tryEnter()).toBe('refuse')
    expect([concurrency.next(), concurrency.next()]).toEqual([true, false])
    expect(concurrency.tryEnter()).toBe('queue')
  })

  it('has the place of one that gave up', () => {
    const concurrency = make({ initial: 1, queue: 1 })
    expect([1, 2, 3].map(() => concurrency.tryEnter())).toEqual(['enter', 'queue', 'refuse'])
    concurrency.giveUp()
    expect(concurrency.tryEnter()).toBe('queue')
  })

  it('keeps its books: at most the limit enters, at most the bound waits, and whoever waits gets in', () => {
    const step = fc.constantFrom('enter', 'leave', 'giveUp')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.constantFrom(...loadOutcomes)), { maxLength: 300 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 5 }),
        (steps, initial, queue) => {
          const concurrency = make({ initial, queue, max: 10 })
          let inside = 0
          let waiting = 0
          for (const [action, outcome] of steps) {
            if (action === 'enter') {
              const answer = concurrency.tryEnter()
              if (answer === 'enter') {
                expect(waiting).toBe(0)
                inside++
                expect(inside).toBeLessThanOrEqual(concurrency.limit)
              } else if (answer === 'queue') waiting++
              else expect(waiting).toBe(queue)
            } else if (action === 'leave' && inside > 0) {
              concurrency.leave(outcome)
              inside--
            } else if (action === 'giveUp' && waiting > 0) {
              concurrency.giveUp()
              waiting--
            }
            while (concurrency.next()) {
              waiting--
              inside++
            }
            expect(concurrency.inFlight).toBe(inside)
            expect(concurrency.waiting).toBe(waiting)
            expect(waiting === 0 || inside >= concurrency.limit).toBe(true)
            expect(concurrency.limit).toBeGreaterThanOrEqual(1)
            expect(concurrency.limit).toBeLessThanOrEqual(10)
          }
        },
      ),
    )
  })
})

describe('checkConcurrencyOptions', () => {
  it.each([undefined, false])('%s is off', (value) => expect(checkConcurrencyOptions(value)).toBeUndefined())
  it.each([
    [true, concurrencyDefaults],
    [{ max: 5 }, { ...concurrencyDefaults, max: 5, initial: 5 }],
    [{ min: 300 }, { ...concurrencyDefaults, min: 300, max: 300, initial: 300 }],
  ])('fills in what goes with %j', (value, settings) => expect(checkConcurrencyOptions(value)).toEqual(settings))
  it.each([
    [{ min: 5, max: 4 }, /concurrency\.max must be at least concurrency\.min \(5\)/],
    [{ initial: 0 }, /concurrency\.initial .* from 1 to 200/],
    [{ queue: -1 }, /concurrency\.queue/],
    [{ backoff: 0 }, /concurrency\.backoff/],
  ])('refuses %j', (value, message) => expect(() => checkConcurrencyOptions(value)).toThrow(message))
})
