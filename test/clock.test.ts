// The clock of this machine: timers that were cancelled are gone, whatever their delays were.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../src/clock.js'

/** Counts what was set with Node and has neither run nor been cleared. */
function counted() {
  const waiting = new Set<unknown>()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  vi.stubGlobal('setTimeout', (action: () => void, ms: number) => {
    const timer = set(() => {
      waiting.delete(timer)
      action()
    }, ms)
    waiting.add(timer)
    return timer
  })
  vi.stubGlobal('clearTimeout', (timer: NodeJS.Timeout) => {
    waiting.delete(timer)
    clear(timer)
  })
  return waiting
}

afterEach(() => vi.unstubAllGlobals())

describe('timers that were cancelled', () => {
  test.each([
    ['one delay', () => 300_000],
    ['what is left of a limit', (index: number) => 300_000 - index * 0.37],
    ['a limit of its own for each', (index: number) => 300_000 - index],
    ['short ones', (index: number) => 10 + index / 3],
  ])('do not pile up: %s', (_, delayOf) => {
    const waiting = counted()
    for (let index = 0; index < 1_000; index++) systemClock.cancel(systemClock.after(delayOf(index), () => {}))
    expect(waiting.size).toBeLessThanOrEqual(64)
  })
})

test('every timer runs once, in the order of their delays, and those that were cancelled do not', async () => {
  const ran: string[] = []
  const run = (name: string, ms: number) => systemClock.after(ms, () => ran.push(name))
  // Pooled, of its own, and pooled again.
  run('1000 first', 1_000)
  const gone = run('1000 second', 1_000)
  run('1000.5', 1_000.5)
  run('20', 20)
  systemClock.cancel(gone)
  systemClock.cancel(gone)
  systemClock.cancel(undefined)
  await vi.waitUntil(() => ran.length === 3, { timeout: 5_000 })
  expect(ran).toEqual(['20', '1000 first', '1000.5'])
})
