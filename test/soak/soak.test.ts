// A small soak, and the proof that its judge can fail. `npm run soak` makes the long ones.

import * as index from 'offhook'
import * as server from 'offhook/server'
import * as sockets from 'offhook/socket'
import * as testing from 'offhook/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFarSides } from './far-side.js'
import { judge, type Sample, theilSen } from './judge.js'
import { load } from './load.js'
import { plants } from './plants.js'
import type { Offhook } from './workloads.js'

const offhook = { ...index, ...sockets, ...server } as unknown as Offhook
let far: Awaited<ReturnType<typeof openFarSides>>
beforeAll(async () => {
  far = await openFarSides(testing)
})
afterAll(() => far.close())

const soak = async (plan: Partial<Parameters<typeof load>[0]>) => {
  const { samples, failed } = await load(
    { seconds: 1, samples: 12, perSecond: 5_000, ...plan },
    { offhook, places: far.places, leave: far.leave },
  )
  return { failed, calls: samples.at(-1)?.calls ?? 0, grows: judge(samples).filter(({ ok }) => !ok) }
}
const names = (grows: readonly { name: string }[]) => grows.map(({ name }) => name)
const quick = { only: ['request, read', 'nobody listens'], perSample: 200 }
/** A kept error is a few kilobytes: it takes some to be more than noise. */
const failing = { only: ['nobody listens'], perSample: 600 }

describe('a soak', { timeout: 120_000 }, () => {
  test('of a client that lets go of everything is flat', async () => {
    const { grows, calls, failed } = await soak(quick)
    expect(failed).toBeGreaterThan(200)
    expect(calls - failed).toBeGreaterThan(200)
    expect(grows).toEqual([])
  })

  test('of everything at once leaves no listener, no row and no call behind', async () => {
    const { grows, calls, failed } = await soak({ perSample: 40 })
    expect(failed).toBeGreaterThan(20)
    expect(calls - failed).toBeGreaterThan(100)
    // So few calls say nothing of memory, and the far sides are in this process: the minute of CI judges the rest.
    const told = ['listeners', 'tables', 'inFlight']
    expect(grows.filter(({ name }) => told.includes(name))).toEqual([])
  })

  test.each(Object.keys(plants) as (keyof typeof plants)[])('finds a planted leak: %s', async (plant) => {
    const { grows } = await soak({ ...(plant === 'error' ? failing : quick), plant })
    expect(names(grows)).toEqual(expect.arrayContaining([...plants[plant].breaks]))
  })
})

describe('the judge', () => {
  const sample = (index: number, held: Partial<Sample> = {}): Sample => ({
    calls: index * 500,
    heap: 20_000_000 + (index % 3) * 40_000,
    external: 3_000_000,
    rss: 100_000_000,
    handles: 3,
    timers: 7 + (index % 2),
    listeners: 8,
    files: 30 - (index % 4),
    tables: 6,
    inFlight: 0,
    resources: {},
    ...held,
  })
  const run = (held: (index: number) => Partial<Sample> = () => ({})) =>
    names(judge(Array.from({ length: 40 }, (_, index) => sample(index, held(index)))).filter(({ ok }) => !ok))

  test('takes noise, growth at the beginning, and a third of outliers for flat', () => {
    expect(run()).toEqual([])
    expect(run((index) => (index < 18 ? { heap: index * 1_000_000, timers: index * 5 } : {}))).toEqual([])
    expect(run((index) => (index % 4 === 3 ? { heap: 90_000_000, files: 80 } : {}))).toEqual([])
  })

  test.each([
    ['heap', 1_000],
    ['external', 500],
    ['handles', 0.01],
    ['timers', 0.01],
    ['listeners', 0.01],
    ['files', 0.01],
    ['tables', 0.01],
    ['inFlight', 0.01],
  ] as const)('finds %s that grows by %d a call', (name, perCall) => {
    expect(run((index) => ({ [name]: 50 + Math.floor(index * 500 * perCall) }))).toContain(name)
  })

  test('asks for enough samples', () => {
    expect(() => judge([sample(1), sample(2)])).toThrow('too few')
  })

  test('measures by the median of all slopes', () => {
    const line = Array.from({ length: 21 }, (_, x) => [x, 3 * x + (x % 5 === 0 ? 500 : 0)] as const)
    expect(theilSen(line)).toBe(3)
    expect(theilSen([[1, 1]])).toBe(0)
  })
})
