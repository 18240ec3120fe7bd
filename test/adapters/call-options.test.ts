/** The options that `fetch` and `request` take on top of their host's own, for one call and over the client's. */

import {
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  isOffhookError,
  type OffhookError,
  StatusError,
} from 'offhook'
import { describe, expect, test } from 'vitest'
import { failTimes, type Misdeed, misdeeds, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock } from './manual-clock.js'

interface Ask extends CallOptions {
  readonly method?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

interface Told {
  readonly status: number
  readonly text: string
}

const hosts = {
  fetch: async (client: Client, url: string, ask: Ask): Promise<Told> => {
    const response = await client.fetch(url, ask)
    return { status: response.status, text: await response.text() }
  },
  request: async (client: Client, url: string, ask: Ask): Promise<Told> => {
    const { statusCode, body } = await client.request(url, ask)
    return { status: statusCode, text: await body.text() }
  },
} as const

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

const impatient = { random: () => 0, budget: false } as const
const headers = { 'x-request-id': 'it' }
const post = { method: 'POST', body: 'x', headers } as const
/** The headers of each attempt, as they arrived. */
const arrivals = (server: RudeServer) =>
  server.ledger.entries().flatMap((entry) => entry.arrivals.map((arrival) => arrival.headers))

for (const [name, send] of Object.entries(hosts)) {
  describe(`${name}, timeout`, () => {
    const limits: readonly (readonly [string, Misdeed, CallOptions['timeout'], number, object])[] = [
      ['a number is the total', misdeeds['stall-before-head'], 5_000, 5_000, { limit: 'total', phase: 'call' }],
      ['total', misdeeds['stall-before-head'], { total: 5_000 }, 5_000, { limit: 'total', phase: 'call' }],
      ['attempt', misdeeds['stall-before-head'], { attempt: 400 }, 400, { limit: 'attempt', phase: 'wait' }],
      ['headers', misdeeds['stall-before-head'], { headers: 300 }, 300, { limit: 'headers', phase: 'wait' }],
      ['body', misdeeds['stall-mid-body-content-length'], { body: 200 }, 200, { limit: 'body', phase: 'body' }],
      ['connect', misdeeds['tls-stall-after-client-hello'], { connect: 100 }, 100, { limit: 'connect', phase: 'tls' }],
    ]

    test.each(limits)('%s', async (_, misdeed, timeout, ms, expected) => {
      await using server = await rudeServer({ script: misdeed, tls: misdeed.over === 'tls' })
      const clock = new ManualClock()
      const client = createClient({ ...impatient, clock, retry: false, tls: { ca: server.ca } })
      const call = rejection(send(client, server.url, { timeout }))
      await clock.until(ms)
      await server.until(() => server.connections.open > 0)
      await new Promise((resolve) => setTimeout(resolve, 20))
      clock.pass(ms - 1)
      expect(clock.set).toContain(ms)
      clock.pass(1)
      const error = await call
      expect(error).toMatchObject({ kind: 'timeout', limitMs: ms, ...expected })
      expect(clock.set).toEqual([])
      await client.destroy()
    })

    test.each(['connect', 'headers', 'body'] as const)('%s: false takes the limit away', async (limit) => {
      await using server = await rudeServer({ script: misdeeds['stall-before-head'] })
      const clock = new ManualClock()
      const client = createClient({ ...impatient, clock, timeout: { connect: 11, headers: 22, body: 33 } })
      const timeout = { connect: false, headers: false, body: false, attempt: 44, [limit]: 55 } as const
      const call = rejection(send(client, server.url, { timeout, retry: false }))
      await clock.until(44)
      expect(clock.set.filter((ms) => ms < 44)).toEqual([])
      await client.destroy()
      expect(await call).toMatchObject({ kind: 'not-admitted', admission: 'destroyed' })
    })

    test("overrides the client's, and leaves the rest of it", async () => {
      await using server = await rudeServer({ script: misdeeds['stall-before-head'] })
      const clock = new ManualClock()
      const client = createClient({ ...impatient, clock, retry: false, timeout: { headers: 700, total: 9_000 } })
      const call = rejection(send(client, server.url, { timeout: { headers: 300, connect: 300 } }))
      await clock.until(300)
      expect(clock.set).toEqual([300, 9_000])
      await client.destroy()
      await call
    })
  })

  describe(`${name}, retry`, () => {
    const counts: readonly (readonly [string, ClientOptions['retry'], Ask, number])[] = [
      ['a GET, by default', undefined, {}, 3],
      ['false', undefined, { retry: false }, 1],
      ['other attempts', undefined, { retry: { attempts: 5 } }, 5],
      ["the client's", { attempts: 2 }, {}, 2],
      ["the call's over the client's", { attempts: 2 }, { retry: { attempts: 4 } }, 4],
      ['on, where the client has it off', false, { retry: {} }, 3],
      ['a POST', undefined, post, 1],
      ['a POST that is declared idempotent', undefined, { ...post, idempotent: true }, 3],
      ['a POST with a key', undefined, { ...post, idempotencyKey: 'k' }, 3],
      ['a POST with the header of a key', undefined, { ...post, headers: { ...headers, 'Idempotency-Key': 'k' } }, 3],
      [
        'a POST with the old header of a key',
        undefined,
        { ...post, headers: { ...headers, 'X-Idempotency-Key': 'k' } },
        3,
      ],
      [
        'a POST with the header of an empty key',
        undefined,
        { ...post, headers: { ...headers, 'idempotency-key': '' } },
        1,
      ],
      ['a POST with a key that is declared unsafe', undefined, { ...post, idempotencyKey: 'k', idempotent: false }, 1],
      ['a GET that is declared unsafe', undefined, { idempotent: false }, 1],
      ['a PUT', undefined, { method: 'PUT', body: 'x' }, 3],
      ['a PATCH', undefined, { method: 'PATCH', body: 'x' }, 1],
      ['a PATCH with a key', undefined, { method: 'PATCH', body: 'x', idempotencyKey: 'k' }, 3],
    ]

    test.each(counts)('%s', async (_, retry, ask, attempts) => {
      await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
      const client = createClient({ ...impatient, retry })
      const error = await rejection(send(client, server.url, { headers, ...ask }))
      expect(error.attempts).toHaveLength(attempts)
      expect(server.ledger.began('it')).toBe(attempts)
      expect(error.stopReason).toBe(attempts > 1 ? 'attempts' : ask.retry === false ? 'disabled' : 'unsafe')
      await client.destroy()
    })
  })

  describe(`${name}, idempotencyKey`, () => {
    test('is sent, the same on each attempt, in place of what bore its name', async () => {
      await using server = await rudeServer({ script: failTimes(2, misdeeds['reset-after-request']) })
      const client = createClient(impatient)
      const own = { ...headers, 'IDEMPOTENCY-KEY': 'old', 'x-kept': 'yes' }
      const told = await send(client, server.url, { ...post, headers: own, idempotencyKey: 'order-7' })
      expect(told).toEqual({ status: 200, text: 'ok' })
      expect(arrivals(server).map((one) => [one['idempotency-key'], one['x-kept']])).toEqual(
        Array(3).fill(['order-7', 'yes']),
      )
      await client.destroy()
    })

    test.each([[''], ['a\r\nb'], ['\0'], ['☎'], [5], [null], [{}]])('%o is refused, and nothing sent', async (key) => {
      await using server = await rudeServer()
      const client = createClient(impatient)
      const call = send(client, server.url, { ...post, idempotencyKey: key as string })
      await expect(call).rejects.toThrow(/idempotencyKey/)
      await expect(call).rejects.toBeInstanceOf(TypeError)
      expect(server.connections.accepted).toBe(0)
      expect(client.stats().inFlight).toBe(0)
      await client.destroy()
    })
  })

  describe(`${name}, throwOnStatus`, () => {
    const teapot = { request: [{ respond: { status: 418, body: 'short and stout' } }] } as const

    test('throws an error that has the answer, its body to be read', async () => {
      await using server = await rudeServer({ script: teapot })
      const client = createClient(impatient)
      const error = await rejection(send(client, `${server.url}/tea?sugar=2`, { throwOnStatus: true }))
      expect(error).toBeInstanceOf(StatusError)
      expect(error).toMatchObject({ status: 418, path: '/tea', delivery: 'answered', mayHaveExecuted: true })
      expect(Object.keys(error)).not.toContain('response')
      const { response } = error as StatusError
      const body = response instanceof Response ? response : (response as { body: Response }).body
      expect(await body.text()).toBe('short and stout')
      await client.destroy()
    })

    test.each([
      [true, undefined, true],
      [true, false, false],
      [false, true, true],
      [undefined, undefined, false],
    ])('of the client %s, of the call %s: %s', async (ofClient, ofCall, throws) => {
      await using server = await rudeServer({ script: teapot })
      const client = createClient({ ...impatient, throwOnStatus: ofClient })
      const end = await send(client, server.url, { throwOnStatus: ofCall }).catch((error: unknown) => error)
      expect(end instanceof StatusError).toBe(throws)
      if (!throws) expect(end).toEqual({ status: 418, text: 'short and stout' })
      await client.destroy()
    })

    test('throws after the last attempt, with all of them', async () => {
      await using server = await rudeServer({ script: { request: [{ respond: { status: 503, body: 'busy' } }] } })
      const client = createClient(impatient)
      const error = await rejection(send(client, server.url, { throwOnStatus: true }))
      expect(error).toMatchObject({ kind: 'status', status: 503, stopReason: 'attempts' })
      expect(error.attempts.map(({ status }) => status)).toEqual([503, 503, 503])
      await client.destroy()
    })
  })
}
