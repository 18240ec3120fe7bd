/** msw intercepts the fetch of a client as it does the global one, without any configuration; real handlers, no network. */

import { delay, HttpResponse, http, passthrough } from 'msw'
import { setupServer } from 'msw/node'
import {
  ConnectionRefusedError,
  createClient,
  fetch as defaultFetch,
  type FetchInit,
  isOffhookError,
  type OffhookError,
  StatusError,
  TimeoutError,
  UnknownNetworkError,
} from 'offhook'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { refusedPort, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock } from './manual-clock.js'

const api = 'https://api.example.com'
const msw = setupServer()

beforeAll(() => msw.listen({ onUnhandledRequest: 'error' }))
afterEach(() => msw.resetHandlers())
afterAll(() => msw.close())

/** Answers `/orders` in turn, the last one for ever, and counts. */
function answers(...responses: readonly (() => Response)[]): { count: number; bodies: string[] } {
  const seen = { count: 0, bodies: [] as string[] }
  msw.use(
    http.all(`${api}/orders`, async ({ request }) => {
      seen.bodies.push(await request.text())
      const make = responses[Math.min(seen.count, responses.length - 1)]
      seen.count++
      return (make as () => Response)()
    }),
  )
  return seen
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new HttpResponse('so it is', { status: code, headers })
const good = () => HttpResponse.json({ apples: 3 })
const broken = () => HttpResponse.error()

const requests = {
  GET: {},
  PUT: { method: 'PUT', body: 'x' },
  POST: { method: 'POST', body: 'x' },
  'POST with key': { method: 'POST', body: 'x', idempotencyKey: 'order-7' },
} as const satisfies Record<string, FetchInit>
type Which = keyof typeof requests

/** Waits take no time, since the dice show 0 where nothing else is asked for. */
const impatient = { random: () => 0, budget: false } as const

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

describe('what a handler answers is what fetch resolves to', () => {
  test('by a client and by the default one', async () => {
    const seen = answers(good)
    await using client = createClient()
    for (const fetch of [client.fetch, defaultFetch]) {
      const response = await fetch(`${api}/orders?fresh=1`, { headers: { 'x-a': '1' } })
      expect(response).toBeInstanceOf(Response)
      expect(await response.json()).toEqual({ apples: 3 })
    }
    expect(seen.count).toBe(2)
  })

  test.each([
    ['a string', () => 'hello', 'hello'],
    ['a form', () => new URLSearchParams({ a: '1' }), 'a=1'],
    ['a stream', () => new Blob(['stream']).stream(), 'stream'],
    ['a function', () => () => new Blob(['made']).stream(), 'made'],
  ])('with a body: %s', async (_, body, text) => {
    const seen = answers(good)
    await using client = createClient()
    const response = await client.fetch(`${api}/orders`, { method: 'POST', body: body(), duplex: 'half' })
    expect(response.status).toBe(200)
    expect(seen.bodies).toEqual([text])
  })
})

/** How often a handler that always answers so is called: what the decision table says, with the default three attempts. */
const counts: readonly (readonly [number, Readonly<Record<Which, number>>])[] = [
  [400, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
  [401, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
  [404, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
  [408, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [409, { GET: 1, PUT: 1, POST: 1, 'POST with key': 3 }],
  [421, { GET: 2, PUT: 2, POST: 2, 'POST with key': 2 }],
  [422, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
  [425, { GET: 2, PUT: 2, POST: 2, 'POST with key': 2 }],
  [429, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [500, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [501, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
  [502, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [503, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [504, { GET: 3, PUT: 3, POST: 1, 'POST with key': 3 }],
  [505, { GET: 1, PUT: 1, POST: 1, 'POST with key': 1 }],
]

describe.each(counts)('status %i', (code, expected) => {
  test.each(Object.keys(requests) as Which[])('of a %s', async (which) => {
    const seen = answers(status(code))
    await using client = createClient(impatient)
    const response = await client.fetch(`${api}/orders`, requests[which])
    expect(response.status).toBe(code)
    expect(await response.text()).toBe('so it is')
    expect(seen.count).toBe(expected[which])
    expect(new Set(seen.bodies).size).toBe(1)
  })

  test('as an error, where that is asked for', async () => {
    answers(status(code))
    await using client = createClient({ ...impatient, throwOnStatus: true })
    const error = await rejection(client.fetch(`${api}/orders`))
    expect(error).toBeInstanceOf(StatusError)
    expect(error).toMatchObject({ kind: 'status', status: code, origin: api, path: '/orders' })
    expect(await ((error as StatusError).response as Response).text()).toBe('so it is')
  })

  test('once, then good', async () => {
    const seen = answers(status(code), good)
    await using client = createClient(impatient)
    const response = await client.fetch(`${api}/orders`)
    expect(response.status).toBe(expected.GET > 1 ? 200 : code)
    expect(seen.count).toBe(Math.min(expected.GET, 2))
  })
})

describe('Retry-After', () => {
  const clock = () => new ManualClock()
  const date = (at: ManualClock, ms: number) => new Date(Math.ceil(at.epoch() / 1000) * 1000 + ms).toUTCString()

  test.each([
    ['seconds', () => '7', 7_000],
    ['a date', (at: ManualClock) => date(at, 30_000), 30_000],
    [
      'a date of RFC 850',
      (at: ManualClock) =>
        date(at, 20_000).replace(/^(\w+), (\d+) (\w+) \d\d(\d\d)/, (_, __, d, m, y) => `Friday, ${d}-${m}-${y}`),
      20_000,
    ],
  ])('in %s is waited for, and not less', async (_, header, ms) => {
    const at = clock()
    const seen = answers(status(503, { 'retry-after': header(at) }), good)
    const client = createClient({ ...impatient, clock: at })
    const call = client.fetch(`${api}/orders`)
    await at.until(ms)
    at.pass(ms - 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.count).toBe(1)
    at.pass(1)
    expect((await call).status).toBe(200)
    expect(seen.count).toBe(2)
    await client.destroy()
  })

  test.each([
    ['0', '0'],
    ['a date that has passed', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    ['something that is neither', 'soon'],
    ['a negative number', '-5'],
  ])('of %s is no wait', async (_, header) => {
    const seen = answers(status(503, { 'retry-after': header }), good)
    const client = createClient({ ...impatient, clock: clock() })
    expect((await client.fetch(`${api}/orders`)).status).toBe(200)
    expect(seen.count).toBe(2)
    await client.destroy()
  })

  test.each([
    ['more than retry.maxRetryAfter', '61', {}, 61_000, 'server-said'],
    ['more than is left of the deadline', '5', { timeout: 4_000 }, 5_000, 'deadline'],
    ['a day', '86400', { timeout: 30_000 }, 86_400_000, 'deadline'],
  ] as const)('of %s ends the call at once, and says how long', async (_, header, init, ms, stopReason) => {
    const seen = answers(status(429, { 'retry-after': header }))
    const client = createClient({ ...impatient, clock: clock(), throwOnStatus: true })
    const error = await rejection(client.fetch(`${api}/orders`, init))
    expect(error).toMatchObject({ kind: 'status', status: 429, retryAfterMs: ms, stopReason })
    expect(seen.count).toBe(1)
    await client.destroy()
  })

  test('can be broken off while it is waited for', async () => {
    const at = clock()
    const seen = answers(status(503, { 'retry-after': '10' }))
    const client = createClient({ ...impatient, clock: at })
    const controller = new AbortController()
    const call = client.fetch(`${api}/orders`, { signal: controller.signal })
    await at.until(10_000)
    controller.abort('changed my mind')
    await expect(call).rejects.toBe('changed my mind')
    expect(at.set).toEqual([])
    expect(seen.count).toBe(1)
    await client.destroy()
  })
})

describe('HttpResponse.error(), of which nobody can say more than that it failed', () => {
  test.each([
    ['GET', 3],
    ['PUT', 3],
    ['POST', 1],
    ['POST with key', 3],
  ] as const)('a %s is made %i times', async (which, times) => {
    const seen = answers(broken)
    await using client = createClient(impatient)
    const error = await rejection(client.fetch(`${api}/orders?token=secret`, requests[which]))
    expect(error).toBeInstanceOf(UnknownNetworkError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ kind: 'unknown', delivery: 'unknown', mayHaveExecuted: true, origin: api })
    expect(error.stopReason).toBe(which === 'POST' ? 'unsafe' : 'attempts')
    expect(error.attempts).toHaveLength(times)
    expect(error.connection).toBeUndefined()
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(seen.count).toBe(times)
  })

  test('once, then good', async () => {
    const seen = answers(broken, good)
    await using client = createClient(impatient)
    expect(await (await client.fetch(`${api}/orders`, requests.PUT)).json()).toEqual({ apples: 3 })
    expect(seen.bodies).toEqual(['x', 'x'])
  })

  test('is not repeated where retries are off', async () => {
    const seen = answers(broken)
    await using client = createClient(impatient)
    expect(await rejection(client.fetch(`${api}/orders`, { retry: false }))).toMatchObject({ stopReason: 'disabled' })
    expect(seen.count).toBe(1)
  })
})

describe('a handler that takes its time', () => {
  const slow = () => msw.use(http.all(`${api}/orders`, () => delay('infinite')))

  test.each(['GET', 'POST'] as const)('a %s is broken off with the reason of its signal', async (which) => {
    slow()
    await using client = createClient(impatient)
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const call = client.fetch(`${api}/orders`, { ...requests[which], signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(call).rejects.toBe(reason)
  })

  test('the limits of an attempt and of the call hold all the same', async () => {
    slow()
    const at = new ManualClock()
    const client = createClient({ ...impatient, clock: at, timeout: { attempt: 1_000, total: 2_500 } })
    const call = rejection(client.fetch(`${api}/orders`))
    await at.until(1_000)
    at.pass(1_000)
    await at.until(1_000)
    at.pass(1_000)
    await at.until(1_000)
    at.pass(500)
    const error = await call
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ phase: 'call', limit: 'total', limitMs: 2_500, stopReason: 'deadline' })
    expect(error.attempts.map(({ kind }) => kind)).toEqual(['timeout', 'timeout', 'timeout'])
    await client.destroy()
  })
})

describe('what is passed through', () => {
  test('comes to a real server, and back', async () => {
    await using server = await rudeServer()
    msw.use(http.all(`${server.url}/orders`, () => passthrough()))
    await using client = createClient(impatient)
    const response = await client.fetch(`${server.url}/orders`, { ...requests.POST, headers: { 'x-request-id': 'it' } })
    expect(await response.text()).toBe('ok')
    expect(server.ledger.executions('it')).toBe(1)
  })

  test('fails by name', async () => {
    await using nobody = await refusedPort()
    msw.use(http.all(`${nobody.url}/orders`, () => passthrough()))
    await using client = createClient(impatient)
    const error = await rejection(client.fetch(`${nobody.url}/orders`, requests.POST))
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error).toMatchObject({ delivery: 'unsent', mayHaveExecuted: false, code: 'ECONNREFUSED' })
    expect(error.attempts).toHaveLength(3)
  })
})
