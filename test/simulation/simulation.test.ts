// A few histories for every change, and the proof that the judge can fail. `npm run simulate` makes 100,000.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { runCall } from '../../src/call/call.js'
import { isOffhookError } from '../../src/failure/errors.js'
import { checkClientOptions } from '../../src/options.js'
import { Gate } from '../../src/origin/gate.js'
import { Origin } from '../../src/origin/origin.js'
import { Origins } from '../../src/origin/origins.js'
import { Breaker } from '../../src/policy/breaker.js'
import { RetryBudget } from '../../src/policy/budget.js'
import { ConcurrencyLimit } from '../../src/policy/concurrency.js'
import { channelNames } from '../../src/telemetry/channels.js'
import { SocketRecord } from '../../src/wire/socket-record.js'
import { Connections } from '../../src/wire/undici-connections.js'
import { type Parts, World } from './history.js'
import { simulate } from './simulation.js'

const parts: Parts = { runCall, Origins, Connections, SocketRecord, isOffhookError, checkClientOptions, channelNames }

afterEach(() => void vi.restoreAllMocks())

test('1,000 histories keep every rule', { timeout: 120_000 }, async () => {
  const { done, calls, attempts, found } = await simulate(parts, { seed: 7_000_000, histories: 1_000 })
  expect(found).toEqual([])
  expect([done, calls > done, attempts > calls]).toEqual([1_000, true, true])
})

test('a history happens again as it did, step by step', async () => {
  for (const seed of [3, 44, 555]) {
    const [first, second] = [new World(parts, seed, true), new World(parts, seed, true)]
    await first.run()
    await second.run()
    expect(first.story.length).toBeGreaterThan(0)
    expect(second.story).toEqual(first.story)
  }
})

describe('the judge finds', () => {
  const spoils: [string, () => void][] = [
    ['a budget that grants everything', () => void vi.spyOn(RetryBudget.prototype, 'withdraw').mockReturnValue(true)],
    ['a budget that grants nothing', () => void vi.spyOn(RetryBudget.prototype, 'withdraw').mockReturnValue(false)],
    [
      'a limit that lets everybody in',
      () => void vi.spyOn(ConcurrencyLimit.prototype, 'tryEnter').mockReturnValue('enter'),
    ],
    ['a limit that nobody leaves', () => void vi.spyOn(ConcurrencyLimit.prototype, 'leave').mockReturnValue()],
    ['a gate that is not left', () => void vi.spyOn(Gate.prototype, 'leave').mockReturnValue()],
    ['a breaker that never refuses', () => void vi.spyOn(Breaker.prototype, 'admit').mockReturnValue('pass')],
    ['a breaker that learns nothing', () => void vi.spyOn(Breaker.prototype, 'report').mockReturnValue()],
    [
      'an origin that admits by the word of another',
      () => void vi.spyOn(Origin.prototype, 'admit').mockReturnValue('breaker'),
    ],
  ]
  test.each(spoils)('%s', { timeout: 120_000 }, async (_, spoil) => {
    spoil()
    const { found } = await simulate(parts, { seed: 1, histories: 3_000 })
    expect(found.length).toBeGreaterThan(0)
  })
})
