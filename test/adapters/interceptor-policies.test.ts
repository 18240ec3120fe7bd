/** The policies of a client hold through the interceptor: waits, deadline, budget, breaker, concurrency, hedge, channels. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { NotAdmittedError, type OffhookError, StatusError, TimeoutError } from 'offhook'
import { failTimes, misdeeds, type RudeServer, rudeServer, type Script, type Step } from 'offhook/testing'
import { Agent, type Dispatcher, Pool, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { type ResilientOptions, resilient } from '../../src/adapters/interceptor.js'
import { ManualClock } from './manual-clock.js'

interface Bench {
  readonly server: RudeServer
  readonly clock: ManualClock
  readonly dispatcher: Dispatcher
  get(path?: string, more?: object): Promise<Dispatcher.ResponseData>
}

/** One server, one Agent with the interceptor, one clock that only the test moves. */
async function on(options: ResilientOptions, use: (bench: Bench) => Promise<void>): Promise<void> {
  await using server = await rudeServer()
  const clock = new ManualClock()
  const agent = new Agent()
  const dispatcher = agent.compose(resilient({ clock, random: () => 0.5, ...options }))
  const get: Bench['get'] = (path = '/', more = {}) => request(`${server.url}${path}`, { dispatcher, ...more })
  await use({ server, clock, dispatcher, get })
  await agent.destroy()
}

/** Done to the first request, whichever it is. */
const onceOf = (script: Script | readonly Step[]) => ({ ...failTimes(1, script), per: 'server' }) as const
const once = onceOf(misdeeds['reset-after-request'])

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  )

async function text(answer: Promise<Dispatcher.ResponseData>): Promise<string> {
  return (await answer).body.text()
}

describe.concurrent('waiting', () => {
  test.each([
    ['in seconds', () => 2, 2_000],
    ['as a date', (clock: ManualClock) => new Date(clock.epoch() + 7_000), 7_000],
  ] as const)('Retry-After is heeded, %s', (_form, retryAfter, wait) =>
    on({ random: () => 0 }, async ({ server, clock, get }) => {
      const busy = { status: 503, retryAfter: retryAfter(clock) }
      server.on(onceOf([{ respond: busy }]))
      const answer = text(get())
      await clock.until(wait)
      clock.pass(wait - 1)
      expect(server.ledger.entries()).toHaveLength(1)
      clock.pass(1)
      expect(await answer).toBe('ok')
    }),
  )

  test('a wait that does not fit before the deadline is not begun', () =>
    on({ timeout: 10_000 }, async ({ server, get }) => {
      server.on([{ respond: { status: 503, retryAfter: 30, body: 'later' } }])
      const answer = await get()
      expect([answer.statusCode, await answer.body.text()]).toEqual([503, 'later'])
      server.on(misdeeds['reset-after-request'])
      expect(server.ledger.entries()).toHaveLength(1)
    }))

  test('the backoff is the jittered one', () =>
    on({ retry: { backoff: { base: 1_000 } } }, async ({ server, clock, get }) => {
      server.on({ ...failTimes(2, [{ respond: { status: 500 } }]), per: 'server' })
      const answer = text(get())
      await clock.until(500)
      clock.pass(500)
      await clock.until(1_000)
      clock.pass(1_000)
      expect(await answer).toBe('ok')
    }))
})

describe.concurrent('limits', () => {
  test('the total deadline ends a call that waits for its answer', () =>
    on({ timeout: 5_000 }, async ({ server, clock, get }) => {
      server.on(misdeeds['stall-before-head'])
      const error = caught(get())
      await server.until(() => server.ledger.entries()[0]?.executed === 1)
      clock.pass(5_000)
      expect(await error).toBeInstanceOf(TimeoutError)
      expect(await error).toMatchObject({ limit: 'total', limitMs: 5_000, phase: 'call', stopReason: 'deadline' })
    }))

  test('the total deadline ends a body, and its reader is told by a typed error', () =>
    on({ timeout: 5_000 }, async ({ server, clock, get }) => {
      server.on(misdeeds['stall-mid-body-content-length'])
      const { body } = await get()
      const error = caught(body.text())
      clock.pass(5_000)
      expect(await error).toMatchObject({ kind: 'timeout', limit: 'total', delivery: 'partial' })
      expect(clock.set).toEqual([])
    }))

  test('an attempt that takes too long is followed by another', () =>
    on({ timeout: { attempt: 700 } }, async ({ server, clock, get }) => {
      server.on(onceOf(misdeeds['stall-before-head']))
      const answer = text(get())
      await server.until(() => server.ledger.entries()[0]?.executed === 1)
      clock.pass(700)
      await clock.until(25)
      clock.pass(25)
      expect(await answer).toBe('ok')
      expect(server.ledger.entries().reduce((sum, { began }) => sum + began, 0)).toBe(2)
    }))

  test('a body that stands still for too long', () =>
    on({ timeout: { body: 300 } }, async ({ server, clock, get }) => {
      server.on(misdeeds['stall-mid-body-chunked'])
      const { body } = await get()
      body.once('data', () => setImmediate(() => clock.pass(300_000)))
      expect(await caught(body.toArray())).toMatchObject({ kind: 'timeout', limit: 'body', stopReason: 'committed' })
    }))
})

describe.concurrent('what retries may cost', () => {
  test('an empty budget stops them, per origin', () =>
    on(
      { budget: { ratio: 0, reserve: 2, refill: 0 }, retry: { attempts: 10 }, random: () => 0 },
      async ({ server, dispatcher, get }) => {
        server.on(misdeeds['reset-after-request'])
        expect(await caught(get('/', { headers: { 'x-request-id': 'spends' } }))).toMatchObject({
          stopReason: 'budget',
          advice: 'do-not-retry',
        })
        expect(server.ledger.began('spends')).toBe(3)
        expect(await caught(get('/', { headers: { 'x-request-id': 'finds-none' } }))).toMatchObject({
          stopReason: 'budget',
        })
        expect(server.ledger.began('finds-none')).toBe(1)
        await using other = await rudeServer({ script: once })
        expect(await text(request(other.url, { dispatcher }))).toBe('ok')
      },
    ))

  test('an origin that is given as a URL is the same origin', () =>
    on({ budget: { ratio: 0, reserve: 2, refill: 0 }, random: () => 0 }, async ({ server, dispatcher, get }) => {
      server.on(misdeeds['reset-after-request'])
      expect(await caught(get())).toMatchObject({ stopReason: 'attempts', origin: server.url })
      const byUrl = dispatcher.request({ origin: new URL(server.url), path: '/', method: 'GET' })
      expect(await caught(byUrl)).toMatchObject({ stopReason: 'budget', origin: server.url })
    }))

  test('an open breaker that stops everything says so, and nothing is sent', () =>
    on({ breaker: { failures: 2, breaks: 'all' }, retry: false }, async ({ server, get }) => {
      server.on(misdeeds['reset-after-request'])
      await caught(get())
      await caught(get())
      const before = server.connections.accepted
      const error = await caught(get())
      expect(error).toBeInstanceOf(NotAdmittedError)
      expect(error).toMatchObject({
        admission: 'breaker',
        delivery: 'unsent',
        stopReason: 'local',
        mayHaveExecuted: false,
      })
      expect(server.connections.accepted).toBe(before)
    }))

  test('an outer offhook does not repeat what an inner one has given up', () =>
    on({ random: () => 0 }, async ({ server, dispatcher }) => {
      server.on(misdeeds['reset-after-request'])
      const outer = dispatcher.compose(resilient({ random: () => 0 }))
      await caught(request(server.url, { dispatcher: outer, headers: { 'x-request-id': 'once' } }))
      expect(server.ledger.began('once')).toBe(3)
    }))

  test('429 to every attempt: the last answer is handed over, or thrown where that is asked for', () =>
    on({ throwOnStatus: true, random: () => 0, retry: { attempts: 2 } }, async ({ server, get }) => {
      server.on([{ respond: { status: 429, headers: { 'x-why': 'quota' }, body: { bytes: 2 ** 24 } } }])
      const error = await caught(get())
      expect(error).toBeInstanceOf(StatusError)
      expect(error).toMatchObject({ status: 429, response: { statusCode: 429, headers: { 'x-why': 'quota' } } })
      expect(JSON.stringify(error)).not.toContain('quota')
      // The bodies, which nobody can read, do not hold their connections.
      await server.until(() => server.connections.open === 0)
    }))
})

describe.concurrent('load', () => {
  test('concurrency: the second waits for its place, the third finds no room, one that leaves the queue never comes', () =>
    on({ concurrency: { initial: 1, min: 1, max: 1, queue: 2 }, retry: false }, async ({ server, get }) => {
      server.route('/slow', [{ read: 'request' }, 'execute', { wait: 60 }, { respond: { body: 'slow' } }])
      const first = text(get('/slow'))
      const leaves = new AbortController()
      const second = caught(get('/second', { signal: leaves.signal }))
      const third = text(get('/third'))
      const fourth = caught(get('/fourth'))
      expect(await fourth).toMatchObject({ kind: 'not-admitted', admission: 'queue-full' })
      leaves.abort(new Error('enough'))
      expect(await second).toMatchObject({ message: 'enough' })
      expect(await first).toBe('slow')
      expect(await third).toBe('ok')
      expect(server.ledger.entries().map(({ path }) => path)).toEqual(['/slow', '/third'])
    }))

  test('hedge: a slow answer is overtaken by a second request, and the loser is cancelled', () =>
    on({ hedge: { minSamples: 20, maxExtra: 0.1 }, random: () => 0 }, async ({ server, clock, get }) => {
      for (let sample = 0; sample < 40; sample++) await text(get())
      server.on(onceOf(misdeeds['stall-before-head']))
      const answer = text(get('/slow'))
      await server.until(() => server.ledger.entries().some(({ path }) => path === '/slow'))
      clock.pass(1_000)
      expect(await answer).toBe('ok')
      await server.until(() => server.connections.open <= 2)
      expect(server.ledger.entries().filter(({ path }) => path === '/slow')).toHaveLength(2)
    }))
})

test('the channels tell of calls and attempts, each start with its end', async () => {
  const events: string[] = []
  const hear = (name: string) => (message: unknown) => {
    const { event, number, status, path } = message as Record<string, unknown>
    if (path === '/orders')
      events.push([name, event ?? 'decided', number, status].filter((part) => part !== undefined).join(' '))
  }
  const listeners = ['call', 'attempt', 'decision'].map((name) => [`offhook:${name}`, hear(name)] as const)
  for (const [name, listener] of listeners) subscribe(name, listener)
  await on({ random: () => 0 }, async ({ server, get }) => {
    server.on(onceOf(misdeeds['fin-after-request']))
    await text(get('/orders?card=4111'))
  })
  for (const [name, listener] of listeners) unsubscribe(name, listener)
  expect(events).toEqual([
    'call start',
    'attempt start 1',
    'attempt error 1',
    'decision decided 1',
    'attempt start 2',
    'attempt end 2 200',
    'call end 200',
  ])
})

describe('options', () => {
  const refusals: readonly (readonly [unknown, RegExp])[] = [
    [{ connections: 3 }, /options\.connections|connections/],
    [{ dispatcher: new Agent() }, /dispatcher/],
    [{ http2: true }, /http2/],
    [{ tls: {} }, /tls/],
    [{ timout: 5 }, /timout.*timeout|timeout.*timout/s],
    [{ timeout: { connect: 5 } }, /timeout\.connect.*dispatcher/],
    [{ timeout: { attempt: 10, total: 5 } }, /timeout\.attempt.*timeout\.total/],
    [{ retry: { attempts: 0 } }, /retry\.attempts/],
    [{ budget: 'lots' }, /budget/],
    [{ random: 4 }, /random/],
    [{ clock: {} }, /clock/],
    [5, /plain object/],
    [null, /plain object/],
  ]
  test.each(refusals)('%j is refused when the interceptor is made', (options, message) => {
    expect(() => resilient(options as ResilientOptions)).toThrow(TypeError)
    expect(() => resilient(options as ResilientOptions)).toThrow(message)
  })

  const fine: readonly (ResilientOptions | undefined)[] = [
    undefined,
    {},
    { retry: false, timeout: 5 },
    { timeout: { attempt: 5, headers: false } },
    { budget: 'grpc', hedge: true, breaker: true, throttle: true, concurrency: true },
  ]
  test.each(fine)('%j is taken', (options) => {
    expect(resilient(options)).toBeTypeOf('function')
  })

  test('one interceptor on two Pools keeps the state of each apart', async () => {
    await using bad = await rudeServer({ script: misdeeds['reset-after-request'] })
    await using good = await rudeServer({ script: once })
    const interceptor = resilient({ budget: { ratio: 0, reserve: 1, refill: 0 }, random: () => 0 })
    const pools = [new Pool(bad.url), new Pool(good.url)] as const
    const [onBad, onGood] = pools.map((pool) => pool.compose(interceptor)) as [Dispatcher, Dispatcher]
    const ask = { path: '/orders', method: 'GET' } as Dispatcher.RequestOptions
    const error = await caught(onBad.request(ask))
    expect(error).toMatchObject({ stopReason: 'budget', path: '/orders' })
    // A Pool of undici 7 does not say the origin, which only the Pool knows.
    expect(['', bad.url]).toContain((error as OffhookError).origin)
    expect(await text(onGood.request(ask))).toBe('ok')
    for (const pool of pools) await pool.destroy()
  })
})
