// Options come from JSON, and prototypes can be polluted: neither may switch on what nobody asked for. And nothing that
// a caller gives becomes a second header, request or target.

import { createClient, type request } from 'offhook'
import { datagram, dial } from 'offhook/socket'
import { misdeeds, rudeServer } from 'offhook/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { connectProxy } from '../adapters/connect-proxy.js'

type Answer = Response | Awaited<ReturnType<typeof request>>

const polluted = Object.prototype as unknown as Record<string, unknown>
const pollution = {
  idempotent: true,
  idempotencyKey: 'polluted',
  retry: { unsafeOnStaleConnection: true, unsafeOn429: true, unsafeOn503: true, trustProxyStatus: true },
  unsafeOn503: true,
  throwOnStatus: true,
  maxRedirections: 5,
  hedge: true,
  timeout: 1,
  rejectUnauthorized: false,
  dispatcher: {
    dispatch() {
      throw new Error('the polluted dispatcher was used')
    },
  },
}

afterEach(() => {
  for (const name of Object.keys(pollution)) delete polluted[name]
})

/** For one call only: other libraries need not stand it. */
async function whilePolluted<T>(names: readonly string[], act: () => Promise<T>): Promise<T> {
  for (const name of names) {
    const value = pollution[name as keyof typeof pollution]
    Object.defineProperty(polluted, name, { value, configurable: true, enumerable: false, writable: true })
  }
  try {
    return await act()
  } finally {
    for (const name of names) delete polluted[name]
  }
}

describe('a polluted Object.prototype', () => {
  test.each(['fetch', 'request'] as const)('makes no POST repeatable: %s', async (way) => {
    await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
    await using client = createClient({ retry: { backoff: { base: 1, cap: 2 } } })
    const headers = { 'x-request-id': 'order-1' }
    for (const names of [['idempotent'], ['idempotencyKey'], ['retry', 'unsafeOn503']]) {
      server.ledger.clear()
      const error = await whilePolluted(names, () =>
        client[way](server.url, { method: 'POST', body: 'one', headers }).catch((rejected: unknown) => rejected),
      )
      expect(error, names.join()).toMatchObject({ kind: 'reset', attempts: [{ delivery: 'unknown' }] })
      expect(server.ledger.executions('order-1')).toBe(1)
    }
  })

  test.each(['fetch', 'request'] as const)('chooses no way, limit, status or certificate: %s', async (way) => {
    await using server = await rudeServer({ script: [{ wait: 20 }, { respond: { status: 404 } }] })
    await using client = createClient()
    for (const name of ['dispatcher', 'timeout', 'throwOnStatus']) {
      const answer = await whilePolluted<Answer>([name], () => client[way](server.url, {}))
      expect('status' in answer ? answer.status : answer.statusCode, name).toBe(404)
      await ('status' in answer ? answer : answer.body).text()
    }
    await using secure = await rudeServer({ tls: true })
    await whilePolluted(['rejectUnauthorized'], async () => {
      await using other = createClient({ retry: false })
      await expect(other[way](secure.url, {})).rejects.toMatchObject({ kind: 'tls' })
    })
  })

  test('lets request follow no redirect', async () => {
    await using server = await rudeServer({ script: [{ respond: { status: 302, headers: { location: '/there' } } }] })
    await using client = createClient()
    // undici takes the inherited name for an option of its own that it no longer has, and refuses the request.
    const call = whilePolluted(['maxRedirections'], () => client.request(server.url, {}))
    await call.then(
      ({ body }) => body.dump(),
      (error) => expect(error).toMatchObject({ delivery: 'unsent' }),
    )
    expect(server.ledger.entries().map(({ path }) => path)).not.toContain('/there')
  })

  test('switches nothing on in a client', async () => {
    const { idempotent: _, idempotencyKey: __, ...rest } = pollution
    await whilePolluted(Object.keys(rest), async () => {
      await using client = createClient({})
      expect(client.stats().inFlight).toBe(0)
    })
  })
})

describe('options out of JSON', () => {
  test.each([
    '{"__proto__":{"retry":{"unsafeOn503":true}}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"retry":{"__proto__":{"unsafeOn503":true}}}',
    '{"retry":{"constructor":1}}',
    '{"timeout":{"__proto__":{"total":1}}}',
    '{"proxy":{"url":"http://p.test","headers":{"__proto__":"x"},"__proto__":{"token":"x"}}}',
    '{"socketPath":{"__proto__":"/tmp/x"}}',
  ])('are refused, and pollute nothing: %s', (json) => {
    expect(() => createClient(JSON.parse(json))).toThrow(TypeError)
    expect(({} as Record<string, unknown>)['unsafeOn503']).toBeUndefined()
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  test.each(['__proto__', 'constructor', 'toString'])('of sockets as well: %s', async (name) => {
    const options = JSON.parse(`{"port":1,"${name}":{"tls":true}}`)
    await expect(dial(options)).rejects.toThrow(`${name} is not an option`)
    await expect(datagram(options)).rejects.toThrow(`${name} is not an option`)
  })
})

describe('line breaks', () => {
  const injections = ['\r\nx-injected: 1', '\nx-injected: 1', '\r', '\0', '\u0100', '\u{1f600}\r\n']

  test.each(injections)('cannot come in by a key or a header: %j', async (injection) => {
    await using server = await rudeServer()
    await using client = createClient({ retry: false })
    const tries = [
      () => client.fetch(server.url, { method: 'POST', idempotencyKey: `a${injection}b` }),
      () => client.request(server.url, { method: 'POST', idempotencyKey: `a${injection}b` }),
      () => client.fetch(server.url, { headers: { 'x-mine': `a${injection}b` } }),
      () => client.request(server.url, { headers: { 'x-mine': `a${injection}b` } }),
      () => client.request(server.url, { method: `GET ${injection}` as 'GET' }),
    ]
    for (const attempt of tries) {
      // A header may hold Latin-1; what went out otherwise is one header, and no more.
      await attempt().then(
        (answer) => ('statusCode' in answer ? answer.body : answer).text(),
        (error) => expect(error).toBeInstanceOf(Error),
      )
    }
    for (const { arrivals } of server.ledger.entries())
      for (const { headers } of arrivals) expect(Object.keys(headers)).not.toContain('x-injected')
  })

  test('cannot come in by a path, a host or the target of a tunnel', async () => {
    await using server = await rudeServer()
    await using proxy = await connectProxy()
    await using client = createClient({ retry: false })
    await using tunnelled = createClient({ retry: false, proxy: { url: proxy.url, tunnel: true } })
    const path = '/a\r\nx-injected: 1\r\n\r\nGET /b'
    for (const one of [client, tunnelled]) {
      await (await one.request(server.url, { path })).body.text()
      await (await one.fetch(`${server.url}${path}`)).text()
    }
    const entries = server.ledger.entries()
    expect(entries.length).toBeGreaterThan(0)
    for (const { path: came, arrivals } of entries) {
      expect(came).toMatch(/^\/ax-injected:/)
      for (const { headers } of arrivals) expect(Object.keys(headers)).not.toContain('x-injected')
    }
    for (const target of proxy.asked) expect(target).toMatch(/^127\.0\.0\.1:\d+$/)
    for (const url of ['http://a.test\r\n.evil:80@/', 'http://a b/', 'http://[::1%25lo]/', 'http://[fe80::1%eth0]/'])
      await expect(client.request(url), url).rejects.toBeInstanceOf(TypeError)
  })
})
