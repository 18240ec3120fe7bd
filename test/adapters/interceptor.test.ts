/** Every way to the interceptor × what a retry must and must not do, with the server's ledger as the judge. */

import { isOffhookError } from 'offhook'
import { failTimes, misdeeds, type RudeServer, refusedPort, rudeServer, type Script, type Step } from 'offhook/testing'
import {
  Agent,
  type Dispatcher,
  getGlobalDispatcher,
  interceptors,
  ProxyAgent,
  request,
  setGlobalDispatcher,
} from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { type ResilientOptions, resilient } from '../../src/adapters/interceptor.js'
import { connectProxy } from './connect-proxy.js'
import { type Ask, byFetch, type OpenWay, ways } from './interceptor-ways.js'

const options: ResilientOptions = { random: () => 0, timeout: { headers: 1_000, body: 1_000 } }
const bodyOf = { GET: undefined, PUT: 'one order', POST: 'one order' } as const
type Method = keyof typeof bodyOf

function asking(method: Method, id: string): Ask {
  const body = bodyOf[method]
  return { path: '/orders', method, headers: { 'x-request-id': id }, ...(body !== undefined && { body }) }
}

interface Row {
  readonly says: string
  readonly script: Script | readonly Step[]
  /** How often it is done: per request, or per connection where it is done before a request was read. */
  readonly times: number
  readonly outcomes: Readonly<Record<Method, 'answered' | 'error' | Readonly<Record<string, unknown>>>>
  /** By fetch, whose bodies are iterables, this method has another outcome. */
  readonly spentByFetch?: boolean
}

const unsafe = { stopReason: 'unsafe', mayHaveExecuted: true }
const rows: readonly Row[] = [
  {
    says: 'reset after the request',
    script: misdeeds['reset-after-request'],
    times: 1,
    outcomes: { GET: 'answered', PUT: 'answered', POST: { kind: 'reset', ...unsafe } },
    spentByFetch: true,
  },
  {
    says: 'closed after the request',
    script: misdeeds['fin-after-request'],
    times: 2,
    outcomes: { GET: 'answered', PUT: 'answered', POST: { kind: 'closed', ...unsafe } },
    spentByFetch: true,
  },
  {
    says: 'cut in the head',
    script: misdeeds['fin-mid-head'],
    times: 1,
    outcomes: { GET: 'answered', PUT: 'answered', POST: { kind: 'closed', delivery: 'partial' } },
    spentByFetch: true,
  },
  {
    says: '503',
    script: [{ respond: { status: 503, body: 'busy' } }],
    times: 2,
    outcomes: { GET: 'answered', PUT: 'answered', POST: { status: 503, text: 'busy' } },
    spentByFetch: true,
  },
  {
    says: '404',
    script: [{ respond: { status: 404, body: 'no' } }],
    times: 1,
    outcomes: { GET: { status: 404 }, PUT: { status: 404 }, POST: { status: 404, text: 'no' } },
  },
  {
    says: 'cut in the body',
    script: misdeeds['fin-mid-body-content-length'],
    times: 1,
    outcomes: {
      GET: { kind: 'closed', phase: 'body', stopReason: 'committed' },
      PUT: { kind: 'closed', phase: 'body', stopReason: 'committed' },
      POST: { kind: 'closed', phase: 'body', stopReason: 'committed' },
    },
  },
]

for (const [name, open] of Object.entries(ways)) {
  describe.concurrent(name, () => {
    const using = async (server: RudeServer, use: (by: OpenWay) => Promise<void>, more: ResilientOptions = options) => {
      await using by = await open(server, more)
      await use(by)
    }

    for (const row of rows) {
      for (const method of ['GET', 'PUT', 'POST'] as const) {
        test(`${row.says}, ${row.times} times: ${method}`, async () => {
          await using server = await rudeServer({ script: failTimes(row.times, row.script) })
          await using(server, async (by) => {
            const outcome = await by.ask(asking(method, 'order-1')).catch((error: unknown) => error)
            const expected = row.outcomes[method]
            const spent = row.spentByFetch === true && method === 'PUT' && name.includes('fetch')
            if (spent) expect(outcome).toMatchObject(row.says === '503' ? { status: 503 } : { stopReason: 'body' })
            else if (expected === 'answered') expect(outcome).toEqual({ status: 200, text: 'ok' })
            else expect(outcome).toMatchObject(expected as object)
            const [entry] = server.ledger.entries()
            if (expected === 'answered' && !spent) expect(entry?.began).toBe(row.times + 1)
            else expect(entry?.began).toBe(1)
            expect(server.ledger.corrupted()).toEqual([])
          })
        })
      }
    }

    for (const method of ['GET', 'POST'] as const) {
      test(`an idle connection that was reset costs a ${method} nothing`, async () => {
        await using server = await rudeServer()
        await using(server, async (by) => {
          for (let round = 0; round < 10; round++) {
            expect(await by.ask(asking(method, `before-${round}`))).toEqual({ status: 200, text: 'ok' })
            await server.until(() => server.connections.idle > 0)
            server.resetIdle()
            // From a callback of the poll phase, where undici's own look at the socket comes too early.
            await server.until(() => server.connections.open === 0)
            expect(await by.ask(asking(method, `after-${round}`))).toEqual({ status: 200, text: 'ok' })
          }
          expect(server.ledger.entries()).toHaveLength(20)
          expect(server.ledger.duplicates()).toEqual([])
        })
      })
    }
  })
}

describe.concurrent('a POST that was not sent is sent again', () => {
  test('the port refuses: each attempt is proved unsent', async () => {
    await using nobody = await refusedPort()
    const agent = new Agent()
    const dispatcher = agent.compose(resilient(options))
    for (const ask of [byFetch(nobody.url, dispatcher), byRequestOf(nobody.url, dispatcher)]) {
      const error = await ask(asking('POST', 'order-1')).catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        kind: 'refused',
        delivery: 'unsent',
        mayHaveExecuted: false,
        stopReason: 'attempts',
      })
      expect(isOffhookError(error) && error.attempts).toHaveLength(3)
    }
    await agent.close()
  })

  test('TLS handshakes that are reset: by fetch and by request, over an Agent and a ProxyAgent', async () => {
    await using server = await rudeServer({ tls: true, script: failTimes(2, misdeeds['tls-reset-after-client-hello']) })
    await using proxy = await connectProxy()
    const tls = { ca: server.ca as string }
    for (const agent of [new Agent({ connect: tls }), new ProxyAgent({ uri: proxy.url, requestTls: tls })]) {
      server.on(failTimes(2, misdeeds['tls-reset-after-client-hello']))
      server.ledger.clear()
      const dispatcher = agent.compose(resilient(options))
      for (const ask of [byFetch(server.url, dispatcher), byRequestOf(server.url, dispatcher)]) {
        expect(await ask(asking('POST', 'order-1'))).toEqual({ status: 200, text: 'ok' })
      }
      expect(server.ledger.entries()).toMatchObject([{ id: 'order-1', began: 2, executed: 2 }])
      await agent.destroy()
    }
  })
})

describe.concurrent('the tunnel of a ProxyAgent', () => {
  const through = async (
    use: (by: {
      proxy: Awaited<ReturnType<typeof connectProxy>>
      ask: OpenWay['ask']
      server: RudeServer
    }) => Promise<void>,
  ) => {
    await using server = await rudeServer()
    await using proxy = await connectProxy()
    const agent = new ProxyAgent({ uri: proxy.url, proxyTunnel: true })
    await use({ proxy, server, ask: byRequestOf(server.url, agent.compose(resilient(options))) })
    await agent.destroy()
  }

  test('is asked for again when the proxy answers 503: any method, for nothing was sent', () =>
    through(async ({ proxy, ask, server }) => {
      proxy.next(503)
      expect(await ask(asking('POST', 'order-1'))).toEqual({ status: 200, text: 'ok' })
      expect(proxy.asked).toHaveLength(2)
      expect(server.ledger.entries()).toMatchObject([{ began: 1 }])
    }))

  test('is not asked for again when the proxy wants credentials', () =>
    through(async ({ proxy, ask }) => {
      proxy.next(407)
      const error = await ask(asking('GET', 'order-1')).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ kind: 'proxy', proxyStatus: 407, delivery: 'unsent', stopReason: 'permanent' })
      expect(proxy.asked).toHaveLength(1)
    }))

  test('is asked for again when the proxy resets', () =>
    through(async ({ proxy, ask, server }) => {
      proxy.next('reset')
      expect(await ask(asking('POST', 'order-1'))).toEqual({ status: 200, text: 'ok' })
      expect(server.ledger.entries()).toMatchObject([{ began: 1 }])
    }))
})

describe('as the global dispatcher', () => {
  const before = getGlobalDispatcher()
  afterEach(() => setGlobalDispatcher(before))

  test('the global fetch and undici.request both go by it', async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['fin-after-request']) })
    const agent = new Agent()
    setGlobalDispatcher(agent.compose(resilient(options)))
    expect(await byFetch(server.url)(asking('GET', 'by-fetch'))).toEqual({ status: 200, text: 'ok' })
    const { statusCode, body } = await request(`${server.url}/orders`, { headers: { 'x-request-id': 'by-request' } })
    expect([statusCode, await body.text()]).toEqual([200, 'ok'])
    expect(server.ledger.entries().map(({ id, began }) => [id, began])).toEqual([
      ['by-fetch', 2],
      ['by-request', 2],
    ])
    await agent.close()
  })

  test('fetch wraps the typed error, as it wraps every error of its dispatcher', async () => {
    await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
    const agent = new Agent()
    setGlobalDispatcher(agent.compose(resilient(options)))
    const error = await fetch(`${server.url}/orders?card=4111`, { method: 'POST', body: 'one order' }).catch((e) => e)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe('fetch failed')
    expect(error.cause).toMatchObject({
      kind: 'reset',
      method: 'POST',
      origin: server.url,
      path: '/orders',
      code: 'ECONNRESET',
    })
    expect(server.ledger.entries()).toMatchObject([{ executed: 1 }])
    await agent.close()
  })
})

describe.concurrent('below other interceptors', () => {
  test('each hop of a redirect is a call of its own, and what follows a 303 does not repeat it', async () => {
    await using server = await rudeServer()
    server.route('POST /orders', [{ respond: { status: 303, headers: { location: '/orders/1' } } }])
    server.route('GET /orders/1', misdeeds['reset-after-request'])
    const agent = new Agent()
    const redirect = interceptors.redirect({ maxRedirections: 3 })
    const dispatcher = agent.compose(resilient(options), redirect)
    const error = await byRequestOf(
      server.url,
      dispatcher,
    )(asking('POST', 'order-1')).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'reset', method: 'GET', path: '/orders/1' })
    expect(server.ledger.executions('order-1', 'POST')).toBe(1)
    server.route('GET /orders/1', { turns: [misdeeds['reset-after-request'], {}], per: 'path' })
    expect(await byRequestOf(server.url, dispatcher)(asking('POST', 'order-2'))).toEqual({ status: 200, text: 'ok' })
    expect(server.ledger.executions('order-2', 'POST')).toBe(1)
    await agent.destroy()
  })

  test('above a redirect, what an interceptor below tells as context is told, and an executed POST is not repeated', async () => {
    await using server = await rudeServer()
    server.route('POST /orders', [{ respond: { status: 303, headers: { location: '/orders/1' } } }])
    const agent = new Agent()
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }), resilient(options))
    const { context, body } = await request(`${server.url}/orders`, { method: 'POST', body: 'one order', dispatcher })
    expect((context as { history: URL[] }).history.map(String)).toEqual([
      `${server.url}/orders`,
      `${server.url}/orders/1`,
    ])
    await body.dump()
    server.route('GET /orders/1', misdeeds['reset-after-request'])
    const error = await byRequestOf(
      server.url,
      dispatcher,
    )(asking('POST', 'order-1')).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'reset', stopReason: 'unsafe' })
    expect(server.ledger.executions('order-1', 'POST')).toBe(1)
    await agent.destroy()
  })
})

function byRequestOf(url: string, dispatcher: Dispatcher): OpenWay['ask'] {
  return async ({ path, method = 'GET', ...rest }) => {
    const asked = { ...rest, method: method as Dispatcher.HttpMethod, dispatcher }
    const { statusCode, body } = await request(`${url}${path}`, asked)
    return { status: statusCode, text: await body.text() }
  }
}
