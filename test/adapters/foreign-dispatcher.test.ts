/** Calls by a dispatcher of the caller's own: what can be known from outside it is known, and nothing is made up. */

import { createClient, type FetchInit, isOffhookError, type OffhookError, type RequestOptions } from 'offhook'
import { Agent, Client, Dispatcher, interceptors, MockAgent, Pool, ProxyAgent, RetryAgent } from 'undici'
import { describe, expect, test } from 'vitest'
import { failTimes, misdeeds, refusedPort, rudeServer } from '../../src/testing/rude-server.js'
import { connectProxy } from './connect-proxy.js'
import { ManualClock } from './manual-clock.js'

type Send = (url: string, options?: FetchInit & RequestOptions) => Promise<{ status: number; text: string }>

const impatient = { random: () => 0, budget: false } as const

/** Both ways to send, of a client that is closed with the test. */
function ways(options: Parameters<typeof createClient>[0] = {}) {
  const client = createClient({ ...impatient, ...options })
  const sends: Readonly<Record<'fetch' | 'request', Send>> = {
    fetch: async (url, init) => {
      const response = await client.fetch(url, init)
      return { status: response.status, text: await response.text() }
    },
    request: async (url, init) => {
      const { statusCode, body } = await client.request(url, init)
      return { status: statusCode, text: await body.text() }
    },
  }
  return { client, sends, [Symbol.asyncDispose]: () => client.destroy() }
}
const names = ['fetch', 'request'] as const

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

/** Passes everything on, as somebody's own dispatcher would. */
class Passing extends Dispatcher {
  readonly #inner: Dispatcher
  count = 0
  constructor(inner: Dispatcher) {
    super()
    this.#inner = inner
  }
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.count++
    return this.#inner.dispatch(options, handler)
  }
  override close(): Promise<void> {
    return this.#inner.close()
  }
  override destroy(): Promise<void> {
    return this.#inner.destroy()
  }
}

const dispatchers: Readonly<Record<string, (url: string) => Dispatcher>> = {
  'an Agent': () => new Agent(),
  'a Pool': (url) => new Pool(url),
  'a Client': (url) => new Client(url),
  "a dispatcher of one's own": () => new Passing(new Agent()),
  'an Agent with interceptors': () => new Agent().compose(interceptors.redirect({ maxRedirections: 3 })),
}

describe.each(Object.entries(dispatchers))('%s', (_, make) => {
  test.each(names)('carries what %s sends, and is not closed with the client', async (name) => {
    await using server = await rudeServer()
    const dispatcher = make(server.url)
    for (let number = 0; number < 2; number++) {
      await using by = ways()
      const told = await by.sends[name](server.url, { method: 'POST', body: 'x', dispatcher })
      expect(told).toEqual({ status: 200, text: 'ok' })
      await by.client.close()
    }
    expect(server.ledger.entries()).toHaveLength(2)
    await dispatcher.destroy()
  })

  test.each(names)(
    'reset after the request: %s knows that it may have been executed, and no connection',
    async (name) => {
      await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
      await using by = ways()
      const dispatcher = make(server.url)
      const error = await rejection(by.sends[name](server.url, { method: 'POST', body: 'x', dispatcher }))
      expect(error).toMatchObject({ kind: 'reset', phase: 'wait', delivery: 'unknown', stopReason: 'unsafe' })
      expect(error.code).toBe('ECONNRESET')
      for (const absent of ['connection', 'bytes']) expect(error).not.toHaveProperty(absent)
      expect(error.attempts).toHaveLength(1)
      expect(error.attempts[0]).not.toHaveProperty('connection')
      await dispatcher.destroy()
    },
  )

  test.each(names)('reset once: %s repeats what may be repeated, by the same dispatcher', async (name) => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
    await using by = ways()
    const dispatcher = make(server.url)
    const options = { method: 'PUT', body: 'x', dispatcher, headers: { 'x-request-id': 'it' } } as const
    expect(await by.sends[name](server.url, options)).toEqual({ status: 200, text: 'ok' })
    expect(server.ledger.began('it')).toBe(2)
    expect(server.ledger.corrupted()).toEqual([])
    await dispatcher.destroy()
  })

  test.each(names)('nobody there: %s knows that nothing was sent, and tries a POST again', async (name) => {
    await using nobody = await refusedPort()
    await using by = ways()
    const dispatcher = make(nobody.url)
    const error = await rejection(by.sends[name](nobody.url, { method: 'POST', body: 'x', dispatcher }))
    expect(error).toMatchObject({ kind: 'refused', phase: 'connect', delivery: 'unsent', mayHaveExecuted: false })
    expect(error.attempts).toHaveLength(3)
    await dispatcher.destroy()
  })

  test.each(names)('closed or destroyed: %s says so, and does not try again', async (name) => {
    await using server = await rudeServer()
    await using by = ways()
    for (const end of ['close', 'destroy'] as const) {
      const dispatcher = make(server.url)
      await dispatcher[end]()
      const error = await rejection(by.sends[name](server.url, { dispatcher }))
      expect(error).toMatchObject({ kind: 'not-admitted', delivery: 'unsent', stopReason: 'local' })
      expect(error.attempts).toHaveLength(1)
    }
    expect(server.connections.accepted).toBe(0)
  })

  test.each(names)('a body whose end is the end of the connection: a reset of it is not seen by %s', async (name) => {
    await using server = await rudeServer({ script: misdeeds['reset-mid-body-close-delimited'] })
    await using by = ways()
    const dispatcher = make(server.url)
    expect(await by.sends[name](server.url, { dispatcher })).toMatchObject({ status: 200 })
    const own = await rejection(by.sends[name](server.url))
    expect(own).toMatchObject({ kind: 'reset', phase: 'body', delivery: 'partial' })
    await dispatcher.destroy()
  })

  test.each(names)('the limits of offhook hold for %s', async (name) => {
    await using server = await rudeServer({ script: misdeeds['stall-before-head'] })
    const clock = new ManualClock()
    await using by = ways({ clock, retry: false, timeout: { headers: 300 } })
    const dispatcher = make(server.url)
    const call = rejection(by.sends[name](server.url, { dispatcher, headers: { 'x-request-id': 'it' } }))
    await server.until(() => server.ledger.began('it') === 1)
    clock.pass(300)
    expect(await call).toMatchObject({ kind: 'timeout', limit: 'headers', phase: 'wait', delivery: 'unknown' })
    await dispatcher.destroy()
  })
})

describe('which dispatcher', () => {
  test.each(names)("the call's goes before the client's, and that before our own connections: %s", async (name) => {
    await using server = await rudeServer()
    const [ofClient, ofCall] = [new Passing(new Agent()), new Passing(new Agent())]
    await using by = ways({ dispatcher: ofClient })
    await by.sends[name](server.url)
    await by.sends[name](server.url, { dispatcher: ofCall })
    await by.sends[name](server.url)
    expect([ofClient.count, ofCall.count]).toEqual([2, 1])
    await Promise.all([ofClient.destroy(), ofCall.destroy()])
  })

  test.each([[{}], ['agent'], [null], [5]])('%o is none, and createClient says so', (dispatcher) => {
    expect(() => createClient({ dispatcher: dispatcher as never })).toThrow(/options\.dispatcher/)
  })
})

describe.each(names)('a ProxyAgent, with %s', (name) => {
  const proxied = (url: string) => new ProxyAgent({ uri: url, proxyTunnel: true } as ProxyAgent.Options)

  test('makes its tunnel', async () => {
    await using server = await rudeServer()
    await using proxy = await connectProxy()
    await using by = ways()
    const dispatcher = proxied(proxy.url)
    expect(await by.sends[name](server.url, { dispatcher })).toEqual({ status: 200, text: 'ok' })
    expect(proxy.asked).toHaveLength(1)
    await dispatcher.destroy()
  })

  test.each([
    [407, 1],
    [403, 1],
    [502, 3],
  ])('that is refused with %i: a ProxyError, nothing sent, %i tries', async (status, attempts) => {
    await using server = await rudeServer()
    await using proxy = await connectProxy()
    proxy.next(...Array<number>(9).fill(status))
    await using by = ways()
    const dispatcher = proxied(proxy.url)
    const error = await rejection(by.sends[name](server.url, { method: 'POST', body: 'x', dispatcher }))
    expect(error).toMatchObject({ kind: 'proxy', phase: 'proxy', proxyStatus: status, delivery: 'unsent' })
    expect(error.attempts).toHaveLength(attempts)
    expect(server.connections.accepted).toBe(0)
    await dispatcher.destroy()
  })
})

describe.each(names)('a MockAgent, with %s', (name) => {
  const url = 'http://api.example.com'

  function mocked() {
    const agent = new MockAgent()
    agent.disableNetConnect()
    return { agent, pool: agent.get(url), [Symbol.asyncDispose]: () => agent.close() }
  }

  test('answers, is asked again for what may be repeated, and has nothing left over', async () => {
    await using mock = mocked()
    await using by = ways()
    mock.pool.intercept({ path: '/orders', method: 'PUT' }).reply(503, 'busy').times(2)
    mock.pool.intercept({ path: '/orders', method: 'PUT' }).reply(200, 'done')
    const told = await by.sends[name](`${url}/orders`, { method: 'PUT', body: 'x', dispatcher: mock.agent })
    expect(told).toEqual({ status: 200, text: 'done' })
    mock.agent.assertNoPendingInterceptors()
  })

  test('fails as it is told, before anything is sent', async () => {
    await using mock = mocked()
    await using by = ways()
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
    mock.pool.intercept({ path: '/orders' }).replyWithError(reset).persist()
    const error = await rejection(by.sends[name](`${url}/orders`, { dispatcher: mock.agent }))
    expect(error).toMatchObject({ kind: 'reset', delivery: 'unsent', code: 'ECONNRESET' })
    expect(error.cause).toBe(reset)
  })

  test('has no answer to what it does not know, and is not asked again', async () => {
    await using mock = mocked()
    await using by = ways()
    const error = await rejection(by.sends[name](`${url}/unknown`, { dispatcher: mock.agent }))
    expect(error).toMatchObject({ kind: 'not-admitted', admission: 'invalid', delivery: 'unsent' })
    expect(error.code).toBe('UND_MOCK_ERR_MOCK_NOT_MATCHED')
    expect(error.attempts).toHaveLength(1)
  })

  test('is left alone when the call is aborted while it waits', async () => {
    await using mock = mocked()
    await using by = ways()
    mock.pool.intercept({ path: '/orders' }).reply(200, 'late').delay(50)
    const controller = new AbortController()
    const call = by.sends[name](`${url}/orders`, { dispatcher: mock.agent, signal: controller.signal })
    setImmediate(() => controller.abort('no patience'))
    await expect(call).rejects.toBe('no patience')
  })
})

test.each(names)(
  'a RetryAgent that repeats by itself: %s tells one attempt of its own, and what came in the end',
  async (name) => {
    await using server = await rudeServer({ script: failTimes(2, misdeeds['reset-after-request']) })
    await using by = ways({ retry: false })
    const dispatcher = new RetryAgent(new Agent(), { minTimeout: 1 })
    const told = await by.sends[name](server.url, { dispatcher, headers: { 'x-request-id': 'it' } })
    expect(told).toEqual({ status: 200, text: 'ok' })
    expect(server.ledger.began('it')).toBe(3)
    await dispatcher.destroy()
  },
)
