/** The watch over the event loop: it sees a stall, in its own window alone, and leaves nothing behind. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LoopWatch } from '../../src/wire/loop-watch.js'
import { ManualClock } from '../manual-clock.js'

/** A machine that can be busy, and sleep. */
class Machine extends ManualClock {
  #slept = 0
  #busyMs = 0

  override now(): number {
    return super.now() + this.#busyMs
  }

  override epoch(): number {
    return super.epoch() + this.#busyMs + this.#slept
  }

  /** Nothing runs for so long; what is due meanwhile comes after it. */
  busy(ms: number): void {
    this.#busyMs += ms
  }

  /** The wall clock goes on, and the monotonic one stands still. */
  sleep(ms: number): void {
    this.#slept += ms
  }
}

function started(busy: () => boolean = () => true) {
  const machine = new Machine()
  let seconds = 0
  const watch = new LoopWatch(busy, () => seconds++, machine)
  watch.wake()
  return { machine, watch, seconds: () => seconds }
}

describe('a stall', () => {
  test('is seen while it lasts, and after it', () => {
    const { machine, watch } = started()
    machine.advance(200)
    machine.busy(150)
    expect(watch.delayWithin(1_000)).toBe(130)
    machine.advance(40)
    expect(watch.delayWithin(1_000)).toBe(150)
  })

  test('belongs to the windows that it lies in', () => {
    const { machine, watch } = started()
    machine.busy(500)
    machine.advance(1_000)
    expect(watch.delayWithin(2_000)).toBe(500)
    expect(watch.delayWithin(500)).toBe(0)
  })

  test('of any series the longest in a window is told, or a longer one of its edge', () => {
    const step = fc.record({ idleMs: fc.integer({ min: 20, max: 300 }), stallMs: fc.integer({ min: 0, max: 2_000 }) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat({ max: 20_000 }), (steps, window) => {
        const { machine, watch } = started()
        const stalls: { end: number; ms: number }[] = []
        for (const { idleMs, stallMs } of steps) {
          machine.advance(idleMs)
          machine.busy(stallMs)
          stalls.push({ end: machine.now(), ms: stallMs })
          machine.advance(20)
        }
        const since = machine.now() - window
        const longest = Math.max(0, ...stalls.filter(({ end }) => end >= since).map(({ ms }) => ms))
        const told = watch.delayWithin(window) ?? Number.NaN
        expect(told).toBeGreaterThanOrEqual(longest - 20)
        expect(told).toBeLessThanOrEqual(Math.max(...stalls.map(({ ms }) => ms)) + 20)
      }),
    )
  })

  test('the longest of very many is not forgotten', () => {
    const { machine, watch } = started()
    machine.busy(900)
    for (let count = 0; count < 5_000; count++) {
      machine.advance(20)
      machine.busy(5 + (count % 7))
    }
    expect(watch.delayWithin(10_000_000)).toBe(900)
  })
})

describe('a sleep', () => {
  test('is seen in its window', () => {
    const { machine, watch } = started()
    machine.advance(100)
    expect(watch.jumpWithin(1_000)).toBe(0)
    machine.sleep(60_000)
    expect(watch.jumpWithin(1_000)).toBe(60_000)
    machine.advance(2_000)
    expect(watch.jumpWithin(5_000)).toBe(60_000)
    expect(watch.jumpWithin(1_000)).toBe(0)
    expect(watch.delayWithin(5_000)).toBe(0)
  })

  test('is seen by who wakes the watch after it', () => {
    const { machine, watch } = started(() => false)
    machine.advance(10_000)
    expect(watch.running).toBe(false)
    machine.sleep(3_600_000)
    watch.wake()
    expect(watch.jumpWithin(100)).toBe(3_600_000)
  })

  test('a clock that is set right by a little while nobody looks has not slept', () => {
    const { machine, watch } = started(() => false)
    machine.advance(10_000)
    machine.sleep(300)
    watch.wake()
    expect(watch.jumpWithin(100)).toBe(0)
  })
})

describe('it runs', () => {
  test('while calls are under way, and 4 s longer', () => {
    let busy = true
    const { machine, watch, seconds } = started(() => busy)
    machine.advance(60_000)
    expect(watch.running).toBe(true)
    expect(seconds()).toBe(60)
    busy = false
    machine.advance(4_000)
    expect(watch.running).toBe(true)
    machine.advance(100)
    expect(watch.running).toBe(false)
    expect(machine.pending).toBe(0)
  })

  test('with one timer, however often it is woken', () => {
    const { machine, watch } = started()
    for (let count = 0; count < 10; count++) watch.wake()
    expect(machine.pending).toBe(1)
    watch.stop()
    expect(machine.pending).toBe(0)
  })

  test('or nothing is said', () => {
    const watch = new LoopWatch(() => true, undefined, new Machine())
    expect([watch.delayWithin(1_000), watch.jumpWithin(1_000)]).toEqual([undefined, undefined])
    watch.wake()
    expect([watch.delayWithin(1_000), watch.jumpWithin(1_000)]).toEqual([0, 0])
    watch.stop()
    expect([watch.delayWithin(1_000), watch.jumpWithin(1_000)]).toEqual([undefined, undefined])
  })

  test('by this machine, without keeping the process alive', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const watch = new LoopWatch(() => true)
    watch.wake()
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(before)
    watch.stop()
  })
})
