/** The policies of load as a call obeys them, on real sockets. Their arithmetic is tested where they live. */

import { createClient, type FetchInit, isOffhookError, NotAdmittedError, type OffhookError } from 'offhook'
import { describe, expect, test } from 'vitest'
import { failTimes, misdeeds, refusedPort, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'

const good = { request: [{ respond: { body: 'ok' } }] } as const

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

describe('the retry budget', () => {
  test('ends the retries of one origin when it is empty, and says so', async () => {
    await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
    const client = createClient({
      random: () => 0,
      budget: { ratio: 0, refill: 0, reserve: 1 },
      retry: { attempts: 5 },
    })
    const first = await rejection(client.fetch(server.url))
    expect(first).toMatchObject({ stopReason: 'budget', advice: 'do-not-retry' })
    expect(first.attempts).toHaveLength(2)
    const second = await rejection(client.fetch(server.url))
    expect(second.attempts).toHaveLength(1)
    expect(client.stats().origins[server.url]?.budget).toMatchObject({ granted: 1, denied: 2, level: 0 })
    await client.destroy()
  })

  test('is not touched by what is proved unsent', async () => {
    await using server = await rudeServer()
    const client = createClient({ budget: { ratio: 0, refill: 0, reserve: 0 } })
    for (let number = 0; number < 20; number++) {
      await (await client.fetch(server.url, { method: 'POST', body: 'x' })).text()
      await server.until(() => server.connections.idle === server.connections.open)
      server.resetIdle()
    }
    expect(client.stats().origins[server.url]?.budget).toMatchObject({ granted: 0, denied: 0 })
    await client.destroy()
  })

  test.each([
    [1, 1],
    [0.5, 2],
    [0.25, 4],
  ])('takes %d of a token after a sign of overload, if it is told so: %d retries', async (throttleCost, retries) => {
    await using server = await rudeServer({ script: { request: [{ respond: { status: 429, body: '' } }] } })
    const budget = { ratio: 0, refill: 0, reserve: 1, throttleCost }
    const client = createClient({ random: () => 0, budget, retry: { attempts: 10 }, throwOnStatus: true })
    const error = await rejection(client.fetch(server.url))
    expect(error).toMatchObject({ stopReason: 'budget', attempts: { length: retries + 1 } })
    await client.destroy()
  })

  test('gets its token back from a retry that succeeds', async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
    const client = createClient({ random: () => 0, budget: { ratio: 0, refill: 0, reserve: 1 } })
    for (let number = 0; number < 5; number++) {
      const response = await client.fetch(server.url, { headers: { 'x-request-id': `r${number}` } })
      expect(await response.text()).toBe('ok')
    }
    expect(client.stats().origins[server.url]?.budget).toMatchObject({ level: 1, granted: 5, refunded: 5 })
    await client.destroy()
  })
})

test('an outer offhook does not multiply what an inner one has already repeated', async () => {
  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  const inner = createClient({ random: () => 0 })
  const outer = createClient({ random: () => 0, fetch: (input, init) => inner.fetch(input, init as FetchInit) })
  const error = await rejection(outer.fetch(server.url, { headers: { 'x-request-id': 'it' } }))
  expect(error).toMatchObject({ kind: 'reset', stopReason: 'server-said' })
  expect(server.ledger.executions('it')).toBe(3)
  await Promise.all([inner.destroy(), outer.destroy()])
})

describe('hedging', () => {
  // Longer than a good answer ever takes here, so that only the slow one is doubled.
  const hedge = { minSamples: 10, maxExtra: 0.1, minDelayMs: 150 }

  test('a request that takes longer than most is sent again, and the faster answer wins', async () => {
    await using server = await rudeServer({ script: good })
    const client = createClient({ hedge, retry: false })
    for (let number = 0; number < 20; number++) await (await client.fetch(server.url)).text()
    server.on({ turns: [misdeeds['stall-before-head'], good], per: 'request-id' })
    const response = await client.fetch(server.url, { headers: { 'x-request-id': 'slow' } })
    expect(await response.text()).toBe('ok')
    expect(server.ledger.began('slow')).toBe(2)
    expect(client.stats().origins[server.url]?.hedge).toMatchObject({ hedges: 1 })
    // The loser's connection is let go.
    await server.until(() => server.connections.open === server.connections.idle)
    await client.destroy()
  })

  test('never doubles a request that could be executed twice', async () => {
    await using server = await rudeServer({ script: good })
    const client = createClient({ hedge, retry: false, timeout: { headers: 200 } })
    for (let number = 0; number < 20; number++) await (await client.fetch(server.url)).text()
    server.on(misdeeds['stall-before-head'])
    await rejection(client.fetch(server.url, { method: 'POST', body: 'x', headers: { 'x-request-id': 'order' } }))
    expect(server.ledger.executions('order')).toBe(1)
    await client.destroy()
  })

  test('learns from a doubled call how long it took from its first attempt, once', async () => {
    await using server = await rudeServer({ script: good })
    const clock = new ManualClock()
    const limits = { connect: false, headers: false, body: false } as const
    const client = createClient({ hedge: { ...hedge, percentile: 0.999 }, retry: false, clock, timeout: limits })
    for (let number = 0; number < 20; number++) await (await client.fetch(server.url)).text()
    expect(client.stats().origins[server.url]?.hedge).toMatchObject({ samples: 20, hedges: 0 })
    server.on({ turns: [misdeeds['stall-before-head'], good], per: 'request-id' })
    const response = client.fetch(server.url, { headers: { 'x-request-id': 'slow' } })
    await server.until(() => server.ledger.began('slow') === 1)
    clock.advance(150)
    expect(await (await response).text()).toBe('ok')
    const learned = client.stats().origins[server.url]?.hedge
    expect(learned).toMatchObject({ samples: 21, hedges: 1 })
    expect(learned?.delayMs).toBeGreaterThan(140)
    await client.destroy()
  })

  test('fires at once when the first attempt fails in a way that can be repeated', async () => {
    await using server = await rudeServer({ script: good })
    const client = createClient({ hedge: { ...hedge, minDelayMs: 60_000 }, random: () => 0 })
    for (let number = 0; number < 20; number++) await (await client.fetch(server.url)).text()
    server.on({ turns: [misdeeds['reset-after-request'], good], per: 'request-id' })
    expect(await (await client.fetch(server.url, { headers: { 'x-request-id': 'it' } })).text()).toBe('ok')
    expect(client.stats().origins[server.url]?.hedge).toMatchObject({ hedges: 1 })
    await client.destroy()
  })
})

describe('the breaker', () => {
  test('does not even dial while it is open, and lets one probe through afterwards', async () => {
    const port = await refusedPort()
    const clock = new ManualClock()
    const breaker = { failures: 2, breaks: 'all', openMs: 5_000 } as const
    const client = createClient({
      clock,
      breaker,
      retry: false,
      random: () => 0.5,
      timeout: { connect: false, headers: false, body: false },
    })
    await rejection(client.fetch(port.url))
    await rejection(client.fetch(port.url))
    const refused = await rejection(client.fetch(port.url))
    expect(refused).toBeInstanceOf(NotAdmittedError)
    expect(refused).toMatchObject({
      admission: 'breaker',
      delivery: 'unsent',
      mayHaveExecuted: false,
      stopReason: 'local',
    })
    clock.advance(10_000)
    expect(await rejection(client.fetch(port.url))).toMatchObject({ kind: 'refused' })
    expect(await rejection(client.fetch(port.url))).toMatchObject({ admission: 'breaker' })
    await client.destroy()
  })

  test('by default stops only the retries', async () => {
    const port = await refusedPort()
    const client = createClient({ breaker: { failures: 2 }, random: () => 0 })
    const error = await rejection(client.fetch(port.url))
    expect(error).toMatchObject({ kind: 'refused', stopReason: 'local' })
    expect(error.attempts).toHaveLength(2)
    expect((await rejection(client.fetch(port.url))).attempts).toHaveLength(1)
    await client.destroy()
  })
})

test('a call that ends in the wait before its retry takes no place with it', async () => {
  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  const clock = new ManualClock()
  const limits = { connect: false, headers: false, body: false } as const
  const concurrency = { initial: 1, max: 1, queue: 0 }
  const client = createClient({ clock, concurrency, random: () => 0.5, timeout: limits })
  const controller = new AbortController()
  const call = client.fetch(server.url, { signal: controller.signal })
  while (!clock.waits.includes(25)) await turns()
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  expect(client.stats().origins[server.url]?.concurrency).toEqual({ limit: 1, inFlight: 0, waiting: 0 })
  server.on(good)
  expect(await (await client.fetch(server.url)).text()).toBe('ok')
  await client.destroy()
})

test('a probe for which there is no place in the queue is not waited for: the next attempt is one', async () => {
  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  const clock = new ManualClock()
  const client = createClient({
    clock,
    random: () => 0.5,
    concurrency: { initial: 1, max: 1, queue: 0 },
    breaker: { failures: 1, openMs: 10 },
    timeout: { connect: false, headers: false, body: false },
  })
  await rejection(client.fetch(server.url))
  server.on(misdeeds['stall-before-head'])
  const controller = new AbortController()
  const slow = client.fetch(server.url, { signal: controller.signal, headers: { 'x-request-id': 'slow' } })
  await server.until(() => server.ledger.began('slow') > 0)
  clock.advance(10)
  expect(await rejection(client.fetch(server.url))).toMatchObject({ admission: 'queue-full' })
  controller.abort(new Error('enough'))
  await expect(slow).rejects.toThrow('enough')
  server.on(good)
  expect(await (await client.fetch(server.url)).text()).toBe('ok')
  expect(client.stats().origins[server.url]?.breaker).toBe('closed')
  await client.destroy()
})

test('the concurrency limit lets the others wait in order, and refuses whom it has no place for', async () => {
  await using server = await rudeServer({ script: misdeeds['stall-before-head'] })
  const client = createClient({ concurrency: { initial: 1, max: 1, queue: 1 }, retry: false })
  const controller = new AbortController()
  const first = client.fetch(server.url, { signal: controller.signal, headers: { 'x-request-id': 'first' } })
  await server.until(() => server.ledger.began('first') > 0)
  const second = client.fetch(server.url)
  await turns()
  const third = await rejection(client.fetch(server.url))
  expect(third).toMatchObject({ kind: 'not-admitted', admission: 'queue-full', mayHaveExecuted: false })
  expect(client.stats().origins[server.url]?.concurrency).toEqual({ limit: 1, inFlight: 1, waiting: 1 })
  server.on(good)
  controller.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  expect(await (await second).text()).toBe('ok')
  await client.destroy()
})
