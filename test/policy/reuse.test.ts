import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReuseLearner, reuseDefaults, reuseSettings } from '../../src/policy/reuse.js'
import { dice } from '../sim/dice.js'
import { type FarSide, run } from './far-side.js'

const hour = 3_600_000

/** Reuses that worked, one every 20 ms, at ages spread evenly up to the greatest. Returns the time afterwards. */
function work(learner: ReuseLearner, from: number, times: number, upToMs: number): number {
  for (let done = 0; done < times; done++) learner.survivedIdle(from + done * 20, (upToMs * (done + 1)) / times)
  return from + times * 20
}

/** Idle connections closed one by one, a second apart. Returns the time afterwards. */
function close(learner: ReuseLearner, from: number, ages: readonly number[]): number {
  for (const [index, idleMs] of ages.entries()) {
    learner.closedWhileIdle(from + index * 1_000, { idleMs, requests: 1 + index, how: 'fin' })
  }
  return from + ages.length * 1_000
}

describe('while nothing is known', () => {
  it.each([
    [3_999, false, true],
    [4_000, false, false],
    [1_499, true, true],
    [1_500, true, false],
    [Number.NaN, false, false],
  ])('a connection idle for %i ms may be reused when unsafe is %s: %s', (idleMs, unsafe, expected) => {
    expect(new ReuseLearner().mayReuse(0, { idleMs, requests: 3, unsafe })).toBe(expected)
  })

  it('what has come to pass around the connection counts as idle time', () => {
    const learner = new ReuseLearner()
    const use = { idleMs: 1_000, requests: 1, unsafe: true }
    expect(learner.mayReuse(0, use)).toBe(true)
    // The machine slept, the monotonic clock with it.
    expect(learner.mayReuse(0, { ...use, wallIdleMs: hour })).toBe(false)
    // The wall clock was set back.
    expect(learner.mayReuse(0, { ...use, wallIdleMs: -hour })).toBe(true)
    expect(learner.mayReuse(0, { ...use, loopStalledMs: 600 })).toBe(false)
    expect(learner.mayReuse(0, { ...use, rttMs: 600 })).toBe(false)
  })

  it.each([
    [4_000, 4_000, 1_500],
    [30_000, 30_000, 22_500],
    [1_000, 1_000, 750],
    [600_000, 118_000, 118_000],
  ])('a keepAlive of %i ms makes limits of %i and %i', (keepAlive, idleMs, unsafeIdleMs) => {
    expect(new ReuseLearner(reuseSettings(keepAlive)).limits(0)).toMatchObject({ idleMs, unsafeIdleMs })
  })
})

describe('what the server announces', () => {
  it.each([
    // timeout, limit, limit for unsafe requests
    [0, 0, 0],
    [1, 500, 500],
    [2, 1_000, 1_000],
    [5, 3_000, 3_000],
    [60, 58_000, 45_000],
    [3_600, 118_000, 118_000],
  ])('Keep-Alive: timeout=%i makes limits of %i and %i ms', (seconds, idleMs, unsafeIdleMs) => {
    const learner = new ReuseLearner()
    learner.keepAliveHint(0, { timeoutMs: seconds * 1_000 })
    const limits = learner.limits(0)
    expect(limits).toMatchObject({ idleMs, unsafeIdleMs })
    expect(limits.why).toContain(`${seconds * 1_000} ms`)
  })

  it('is the least that was said of late', () => {
    const learner = new ReuseLearner()
    learner.keepAliveHint(0, { timeoutMs: 60_000 })
    learner.keepAliveHint(1_000, { timeoutMs: 5_000 })
    learner.keepAliveHint(2_000, { timeoutMs: 60_000 })
    expect(learner.limits(2_000).idleMs).toBe(3_000)
    learner.keepAliveHint(61_001, { timeoutMs: 60_000 })
    expect(learner.limits(61_001).idleMs).toBe(58_000)
  })

  it('does not help against what is seen', () => {
    const learner = new ReuseLearner()
    learner.keepAliveHint(0, { timeoutMs: 60_000 })
    const now = close(learner, 0, [1_000, 1_010, 1_005])
    expect(learner.limits(now).idleMs).toBeLessThan(1_000)
    expect(learner.limits(now).why).toMatch(/seen to end after about \d+ ms, lately by FIN, and the server announces/)
  })
})

describe('a server that closes idle connections', () => {
  it('is heeded at once for unsafe requests, and after the second time for others', () => {
    const learner = new ReuseLearner()
    close(learner, 0, [200])
    expect(learner.limits(0).idleMs).toBe(4_000)
    expect(learner.limits(0).unsafeIdleMs).toBeLessThanOrEqual(150)
    close(learner, 10_000, [205])
    expect(learner.limits(10_000).idleMs).toBeLessThanOrEqual(180)
  })

  it.each([30, 100, 200, 1_000, 2_000, 3_900])(
    'after %i ms is given a margin, wider for unsafe requests',
    (timerMs) => {
      const learner = new ReuseLearner()
      const now = close(
        learner,
        0,
        Array.from({ length: 20 }, (_, index) => timerMs * (1 + 0.01 * (index % 7))),
      )
      const { idleMs, unsafeIdleMs, observations } = learner.limits(now)
      expect(idleMs).toBeLessThanOrEqual(timerMs * 0.9)
      expect(idleMs).toBeGreaterThan(timerMs * 0.6)
      expect(unsafeIdleMs).toBeLessThanOrEqual(timerMs * 0.75)
      expect(unsafeIdleMs).toBeGreaterThan(timerMs * 0.25)
      expect(observations).toBe(20)
    },
  )

  it.each([5_000, 60_000, 350_000])('after %i ms, later than we keep them, changes nothing', (timerMs) => {
    const learner = new ReuseLearner()
    const now = close(
      learner,
      0,
      Array.from({ length: 20 }, () => timerMs),
    )
    expect(learner.limits(now)).toMatchObject({ idleMs: 4_000, unsafeIdleMs: reuseDefaults.unsafeIdleMs })
  })

  it('with two timers behind one name is measured by the shorter', () => {
    const learner = new ReuseLearner()
    let now = 0
    // Both close all the time, in the same instants.
    for (let round = 0; round < 400; round++, now += 50) {
      learner.closedWhileIdle(now, { idleMs: round % 2 === 0 ? 200 : 2_000, requests: round % 5, how: 'fin' })
      if (round % 4 === 0) learner.survivedIdle(now, 1_000 + (round % 500))
    }
    expect(learner.limits(now).unsafeIdleMs).toBeLessThanOrEqual(150)
    expect(learner.limits(now).idleMs).toBeLessThanOrEqual(180)
  })

  it('that sweeps by the tick, and so closes at ages from its timer to a tick more', () => {
    const learner = new ReuseLearner()
    const random = dice(11)
    for (let tick = 1; tick <= 40; tick++) {
      for (let socket = 0; socket < 8; socket++) {
        learner.closedWhileIdle(tick * 500, { idleMs: 1_000 + 500 * random(), requests: socket, how: 'fin' })
      }
    }
    expect(learner.limits(20_000).idleMs).toBeLessThanOrEqual(950)
    expect(learner.limits(20_000).unsafeIdleMs).toBeLessThanOrEqual(800)
  })
})

describe('a server that dies at work', () => {
  it.each(['fin', 'rst'] as const)('teaches nothing about idle connections by its %s', (how) => {
    const learner = new ReuseLearner()
    for (let round = 0; round < 5; round++)
      learner.staleOnUse(round * 1_000, { idleMs: 108, requests: 1, how, afterMs: 251, rttMs: 1 })
    expect(learner.limits(5_000)).toMatchObject({ ...new ReuseLearner().limits(5_000) })
  })

  it('but one whose end comes within the round trip does', () => {
    const learner = new ReuseLearner()
    for (let round = 0; round < 5; round++)
      learner.staleOnUse(round * 1_000, { idleMs: 208, requests: 1, how: 'fin', afterMs: 39, rttMs: 40 })
    expect(learner.limits(5_000).idleMs).toBeLessThan(208)
  })
})

describe('a restart', () => {
  /** Twelve connections of a pool, busy and idle ones, all closed within 60 ms. */
  const pool = [15, 22, 40, 80, 130, 250, 333, 512, 900, 1_500, 2_700, 3_500]

  it.each(['closed', 'stale'] as const)('of a server whose connections were %s is not an idle timer', (how) => {
    for (const [name, order] of Object.entries({ pool, reversed: pool.toReversed() })) {
      const learner = new ReuseLearner()
      const now = work(learner, 0, 50, 3_900)
      const before = learner.limits(now)
      for (const [index, idleMs] of order.entries()) {
        const at = now + index * 5
        if (how === 'closed') learner.closedWhileIdle(at, { idleMs, requests: index, how: 'fin' })
        else learner.staleOnUse(at, { idleMs, requests: index, how: 'rst' })
      }
      const after = learner.limits(now + 100)
      expect({ name, idleMs: after.idleMs, unsafeIdleMs: after.unsafeIdleMs }).toEqual({
        name,
        idleMs: before.idleMs,
        unsafeIdleMs: before.unsafeIdleMs,
      })
    }
  })

  it('every hour does not add up to one', () => {
    const learner = new ReuseLearner()
    let now = 0
    for (let restart = 0; restart < 12; restart++) {
      now = work(learner, now, 500, 3_900)
      for (const [index, idleMs] of pool.entries())
        learner.closedWhileIdle(now + index * 5, { idleMs, requests: 9, how: 'rst' })
      now += hour
    }
    expect(learner.limits(now)).toMatchObject({ idleMs: 4_000, unsafeIdleMs: 1_500 })
  })

  it('of a pool of one is outweighed by what had worked', () => {
    const learner = new ReuseLearner()
    const now = work(learner, 0, 1_000, 3_900)
    close(learner, now, [300])
    expect(learner.limits(now)).toMatchObject({ idleMs: 4_000, unsafeIdleMs: 1_500 })
  })

  it('that comes first of all makes only unsafe requests careful, and what works afterwards ends that', () => {
    const learner = new ReuseLearner()
    close(learner, 0, [300])
    expect(learner.limits(0).idleMs).toBe(4_000)
    expect(learner.limits(0).unsafeIdleMs).toBeLessThan(300)
    const now = work(learner, 1_000, 200, 3_900)
    expect(learner.limits(now).unsafeIdleMs).toBe(1_500)
  })
})

describe('silence', () => {
  it('is explained by a fresh connection that works', () => {
    const learner = new ReuseLearner()
    for (let round = 0; round < 3; round++) {
      learner.staleOnUse(round * 5_000, { idleMs: 300 + round, requests: 4, how: 'silence' })
      expect(learner.limits(round * 5_000).observations).toBe(round + 1)
      learner.freshWorked(round * 5_000 + 100)
    }
    expect(learner.limits(20_000).idleMs).toBeLessThan(300)
    expect(learner.limits(20_000).why).toContain('silence')
  })

  it('in an outage, where fresh connections fail too, means nothing', () => {
    const learner = new ReuseLearner()
    let now = work(learner, 0, 100, 3_900)
    for (let request = 0; request < 500; request++, now += 20) {
      learner.staleOnUse(now, { idleMs: 20 + (request % 300), requests: 4, how: 'silence' })
      if (request % 3 === 0) learner.freshFailed()
    }
    learner.freshFailed()
    learner.freshWorked(now)
    expect(learner.limits(now)).toMatchObject({ idleMs: 4_000, unsafeIdleMs: 1_500 })
  })

  it('is contradicted by a connection that was idle for longer and works', () => {
    const learner = new ReuseLearner()
    learner.staleOnUse(0, { idleMs: 300, requests: 4, how: 'silence' })
    learner.survivedIdle(100, 400, 2)
    learner.freshWorked(200)
    expect(learner.limits(200).unsafeIdleMs).toBe(1_500)
  })

  it('that nobody explains in time is forgotten', () => {
    const learner = new ReuseLearner()
    learner.staleOnUse(0, { idleMs: 300, requests: 4, how: 'silence' })
    learner.freshWorked(31_000)
    expect(learner.limits(31_000).unsafeIdleMs).toBe(1_500)
  })

  it('of one slow call in twenty on a healthy origin does not stop reuse', () => {
    const learner = new ReuseLearner()
    const random = dice(3)
    let now = 0
    for (let call = 0; call < 5_000; call++, now += 50) {
      const idleMs = 3_500 * random()
      if (call % 20 === 0) learner.staleOnUse(now, { idleMs, requests: 9, how: 'silence' })
      else learner.survivedIdle(now, idleMs, 9)
    }
    expect(learner.limits(now)).toMatchObject({ idleMs: 4_000, unsafeIdleMs: 1_500 })
  })
})

describe('a number of requests', () => {
  it('after which the connection ends right away is a rule when it repeats', () => {
    const learner = new ReuseLearner()
    const may = (requests: number, unsafe: boolean, now = 20_000) =>
      learner.mayReuse(now, { idleMs: 5, requests, unsafe })
    for (let round = 0; round < 2; round++)
      learner.closedWhileIdle(round * 2_000, { idleMs: 1, requests: 100, how: 'fin' })
    expect([may(99, true), may(100, true), may(100, false)]).toEqual([true, false, true])
    for (let round = 2; round < 5; round++) learner.staleOnUse(round * 2_000, { idleMs: 1, requests: 100, how: 'rst' })
    expect(may(100, false)).toBe(false)
    expect(learner.limits(20_000)).toMatchObject({ requests: 100, idleMs: 4_000, unsafeIdleMs: 1_500 })
    // It does not last for ever, and requests that can be repeated are the first to try again.
    expect(may(100, false, 20_000 + hour)).toBe(true)
    learner.survivedIdle(20_000 + hour, 5, 100)
    expect(may(100, true, 20_000 + hour)).toBe(true)
  })

  it('that differs every time is none', () => {
    const learner = new ReuseLearner()
    for (let round = 0; round < 50; round++) learner.connectionClose(round * 2_000, 10 + ((round * 7) % 23))
    expect(learner.mayReuse(100_000, { idleMs: 5, requests: 40, unsafe: true })).toBe(true)
    expect(learner.limits(100_000).requests).toBeUndefined()
  })

  it('is not learned from one shutdown, however many connections it ends', () => {
    const learner = new ReuseLearner()
    for (let socket = 0; socket < 40; socket++) learner.connectionClose(socket * 10, 1)
    expect(learner.mayReuse(500, { idleMs: 5, requests: 1, unsafe: true })).toBe(true)
  })

  it.each([
    ['counts down', [100, 99, 98]],
    ['stays the same', [100, 100, 100]],
  ])('is announced, whether it %s', (_how, announced) => {
    const learner = new ReuseLearner()
    for (const [index, max] of announced.entries()) learner.keepAliveHint(index, { max, requests: index + 1 })
    expect(learner.limits(10).requests).toBe(100)
    expect(learner.mayReuse(10, { idleMs: 5, requests: 99, unsafe: true })).toBe(true)
    expect(learner.mayReuse(10, { idleMs: 5, requests: 100, unsafe: false })).toBe(false)
  })
})

describe('forgetting', () => {
  const taught = () => {
    const learner = new ReuseLearner()
    close(learner, 0, [200, 203, 201, 207])
    return learner
  }

  it.each([
    [hour / 3, 'both limits', true, true],
    [2 * hour, 'the limit for unsafe requests only', false, true],
    [12 * hour, 'neither', false, false],
    [20_000 * hour, 'neither', false, false],
  ])('%i ms after the last end there is %s', (later, _what, repeatable, unsafe) => {
    const limits = taught().limits(later)
    expect(limits.idleMs < 4_000).toBe(repeatable)
    expect(limits.unsafeIdleMs < 1_500).toBe(unsafe)
  })

  it('does not happen by a clock that stands still or steps back', () => {
    const learner = taught()
    const before = learner.limits(5_000)
    for (let round = 0; round < 1_000; round++) learner.limits(-round * hour)
    expect(learner.limits(5_000)).toEqual(before)
  })

  it('is quicker where the new world shows itself: a longer timer takes over', () => {
    const learner = taught()
    let now = 2 * hour
    expect(learner.limits(now).idleMs).toBe(4_000)
    now = work(learner, now, 300, 3_900)
    expect(learner.limits(now).unsafeIdleMs).toBe(1_500)
  })

  it('a long good past does not drown a new, shorter timer', () => {
    const learner = new ReuseLearner()
    let now = work(learner, 0, 50_000, 3_900)
    now = close(
      learner,
      now,
      Array.from({ length: 20 }, (_, index) => 200 + (index % 5)),
    )
    expect(learner.limits(now).unsafeIdleMs).toBeLessThanOrEqual(150)
    now = close(
      learner,
      now,
      Array.from({ length: 15 }, (_, index) => 200 + (index % 5)),
    )
    expect(learner.limits(now).idleMs).toBeLessThanOrEqual(180)
  })
})

describe('traffic whose pauses are spread around the timer', () => {
  const sides: FarSide['how'][] = ['fin', 'rst', 'drop']

  it.each(sides.flatMap((how) => [1, 8].map((workers) => ({ how, workers }))))(
    'of 5,000 calls, half of them unsafe, none of these fails after 20 observations: $how, $workers at once',
    ({ how, workers }) => {
      for (let seed = 1; seed <= 10; seed++) {
        const random = dice(seed)
        const learner = new ReuseLearner()
        const farSide = { how, timerMs: 200, lateMs: 20, oneWayMs: 1 }
        const gapMs = () => 100 + 200 * random()
        const outcome = run(learner, farSide, { calls: 5_000, workers, gapMs, random, unsafeShare: 0.5 })
        expect(outcome.failedUnsafe.filter((observations) => observations >= 20)).toEqual([])
        // Nor was it bought by not reusing at all: a quarter of the pauses is shorter than 150 ms.
        expect(outcome.reused).toBeGreaterThan(1_000)
        expect(outcome.failedUnsafe.length).toBeLessThanOrEqual(3)
        expect(outcome.failedRepeatable.length).toBeLessThanOrEqual(25)
      }
    },
  )

  it('would fail again and again if nothing were learned', () => {
    class Deaf extends ReuseLearner {
      override closedWhileIdle(): void {}
      override staleOnUse(): void {}
    }
    for (const how of sides) {
      const random = dice(1)
      const farSide = { how, timerMs: 200, lateMs: 20, oneWayMs: 1 }
      const gapMs = () => 100 + 200 * random()
      const outcome = run(new Deaf(), farSide, { calls: 5_000, workers: 1, gapMs, random, unsafeShare: 0.5 })
      expect(outcome.failedUnsafe.length).toBeGreaterThan(how === 'drop' ? 500 : 10)
    }
  })

  it('holds for any timer, lateness, network and pauses', () => {
    fc.assert(
      fc.property(
        fc.record({
          how: fc.constantFrom(...sides),
          timerMs: fc.integer({ min: 100, max: 20_000 }),
          late: fc.double({ min: 0, max: 0.5, noNaN: true }),
          // The margin for unsafe requests is a quarter; a network that eats it up is not the learner's to mend.
          way: fc.double({ min: 0, max: 0.05, noNaN: true }),
          shortest: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
          workers: fc.integer({ min: 1, max: 6 }),
          seed: fc.integer(),
        }),
        ({ how, timerMs, late, way, shortest, workers, seed }) => {
          const random = dice(seed)
          const farSide = { how, timerMs, lateMs: late * timerMs, oneWayMs: way * timerMs }
          const gapMs = () => timerMs * (shortest + (2 - 2 * shortest) * random())
          const traffic = { calls: 1_500, workers, gapMs, random, unsafeShare: 0.5 }
          const outcome = run(new ReuseLearner(), farSide, traffic)
          expect(outcome.failedUnsafe.filter((observations) => observations >= 20)).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('the learner, whatever it is told', () => {
  const event = fc.oneof(
    fc.record({ is: fc.constantFrom('survived', 'closed', 'rst', 'silence', 'stale'), idleMs: fc.double() }),
    fc.record({ is: fc.constantFrom('fresh worked', 'fresh failed'), idleMs: fc.constant(0) }),
    fc.record({ is: fc.constantFrom('hint', 'max', 'close'), idleMs: fc.integer({ min: 0, max: 1_000_000 }) }),
  )

  it('is stricter with unsafe requests, never looser than asked, and refuses more the longer it has been idle', () => {
    const steps = fc.array(fc.record({ event, pause: fc.integer({ min: -10_000, max: 4_000_000 }) }), { maxLength: 80 })
    const ages = fc.tuple(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 200_000 }))
    fc.assert(
      fc.property(steps, ages, (list, [one, other]) => {
        const learner = new ReuseLearner()
        let now = 0
        for (const { event: told, pause } of list) {
          now += pause
          const { idleMs } = told
          if (told.is === 'survived') learner.survivedIdle(now, idleMs, 3)
          else if (told.is === 'closed') learner.closedWhileIdle(now, { idleMs, requests: 3, how: 'fin' })
          else if (told.is === 'hint') learner.keepAliveHint(now, { timeoutMs: idleMs })
          else if (told.is === 'max') learner.keepAliveHint(now, { max: idleMs })
          else if (told.is === 'close') learner.connectionClose(now, idleMs)
          else if (told.is === 'fresh worked') learner.freshWorked(now)
          else if (told.is === 'fresh failed') learner.freshFailed()
          else learner.staleOnUse(now, { idleMs, requests: 2, how: told.is === 'stale' ? 'fin' : (told.is as 'rst') })
          const limits = learner.limits(now)
          expect(limits.idleMs).toBeGreaterThanOrEqual(0)
          expect(limits.idleMs).toBeLessThanOrEqual(reuseDefaults.maxIdleMs)
          expect(limits.unsafeIdleMs).toBeGreaterThanOrEqual(0)
          expect(limits.unsafeIdleMs).toBeLessThanOrEqual(limits.idleMs)
          const may = (age: number, unsafe: boolean) => learner.mayReuse(now, { idleMs: age, requests: 1, unsafe })
          if (may(one, true)) expect(may(one, false)).toBe(true)
          if (may(Math.max(one, other), true)) expect(may(Math.min(one, other), true)).toBe(true)
          expect(may(one, false)).toBe(may(one, false))
        }
      }),
    )
  })
})
