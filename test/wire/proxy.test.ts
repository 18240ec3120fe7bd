/** Proxies: what goes through them, which way, and what they must not give away. */

import { channel } from 'node:diagnostics_channel'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { type ClientOptions, explain } from 'offhook'
import { describe, expect, test, vi } from 'vitest'
import { certificates, misdeeds, refusedPort, rudeServer, TEST_CA } from '../../src/testing/rude-server.js'
import { ManualClock } from '../manual-clock.js'
import { tlsKnowsSix } from '../tls-to-six.js'
import { clientOf, failureOf, post } from './clients.js'
import { refuse, reset, rudeProxy, say } from './rude-proxy.js'

/** Every way through a proxy: what it speaks, what the origin speaks, whether the proxy passes on or makes a tunnel. */
const ways = [
  { says: 'http proxy, https origin', proxy: {}, origin: true, tunnel: undefined },
  { says: 'http proxy, http origin', proxy: {}, origin: false, tunnel: undefined },
  { says: 'http proxy, http origin, tunnel', proxy: {}, origin: false, tunnel: true },
  { says: 'https proxy, https origin', proxy: { tls: 'good' }, origin: true, tunnel: undefined },
  { says: 'https proxy, http origin', proxy: { tls: 'good' }, origin: false, tunnel: undefined },
  { says: 'https proxy, http origin, tunnel', proxy: { tls: 'good' }, origin: false, tunnel: true },
] as const

describe.each(ways)('$says', ({ proxy: how, origin, tunnel }) => {
  const tunnelled = origin || tunnel === true
  const optionsOf = (url: string, more: ClientOptions = {}): ClientOptions => ({
    proxy: {
      url,
      ...(tunnel !== undefined && { tunnel }),
      ...('tls' in how && { tls: { ca: TEST_CA } }),
    },
    ...more,
  })

  test.each(['fetch', 'request'] as const)(
    '%s: everything arrives once, on one connection, and the facts name the proxy',
    async (host) => {
      await using server = await rudeServer({ tls: origin })
      await using proxy = await rudeProxy(how)
      const client = clientOf(optionsOf(proxy.url))
      for (let number = 0; number < 5; number++) {
        const answer = await client[host](`${server.url}/path?q=1`, post(`order-${number}`))
        const body = 'json' in answer ? await answer.text() : await answer.body.text()
        expect(body).toBe('ok')
        expect(server.ledger.executions(`order-${number}`)).toBe(1)
      }
      expect(server.ledger.corrupted()).toEqual([])
      expect(proxy.accepted).toBe(1)
      const { host: authority } = new URL(server.url)
      expect(proxy.made).toEqual(tunnelled ? [authority] : [])
      expect(proxy.heads[0]).toMatch(
        tunnelled
          ? `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`
          : `POST ${server.url}/path?q=1 HTTP/1.1\r\n`,
      )
    },
  )

  test('a body of a megabyte goes through in both directions', async () => {
    await using server = await rudeServer({
      tls: origin,
      script: { request: [{ read: 'request' }, { respond: { body: { bytes: 1_000_000 } } }] },
    })
    await using proxy = await rudeProxy(how)
    const answer = await clientOf(optionsOf(proxy.url)).request(server.url, {
      ...post('big'),
      body: 'x'.repeat(1_000_000),
    })
    expect((await answer.body.arrayBuffer()).byteLength).toBe(1_000_000)
    expect(server.ledger.corrupted()).toEqual([])
  })

  test('a reset of the pooled connection costs nothing, and no second execution', async () => {
    await using server = await rudeServer({ tls: origin })
    await using proxy = await rudeProxy(how)
    const client = clientOf(optionsOf(proxy.url))
    for (let number = 0; number < 20; number++) {
      expect(await (await client.fetch(server.url, post(`o-${number}`))).text()).toBe('ok')
      await server.until(() => server.connections.idle === server.connections.open)
      server.resetIdle()
      await server.until(() => server.connections.open === 0)
    }
    expect(server.ledger.duplicates()).toEqual([])
    expect(server.ledger.entries()).toHaveLength(20)
  })

  test('a reset behind the proxy is a reset, of a request that may have been executed', async () => {
    await using server = await rudeServer({ tls: origin, script: misdeeds['reset-after-request'] })
    await using proxy = await rudeProxy(how)
    const error = await failureOf(clientOf(optionsOf(proxy.url)).fetch(server.url, post('once')))
    expect(error.kind).not.toBe('proxy')
    expect(['reset', 'closed']).toContain(error.kind)
    expect(error).toMatchObject({ delivery: 'unknown', stopReason: 'unsafe', connection: { proxy: proxy.url } })
    expect(server.ledger.executions('once')).toBe(1)
  })

  test('nobody at the proxy: refused in phase proxy, unsent, and again', async () => {
    await using nobody = await refusedPort()
    await using server = await rudeServer({ tls: origin })
    const url = `${'tls' in how ? 'https' : 'http'}://127.0.0.1:${nobody.port}`
    const error = await failureOf(clientOf(optionsOf(url)).fetch(server.url, post('never')))
    expect(error).toMatchObject({ kind: 'refused', phase: 'proxy', delivery: 'unsent', connection: { proxy: url } })
    expect(error.attempts).toHaveLength(3)
    expect(server.ledger.entries()).toEqual([])
  })
})

describe('a 407 for a request that the proxy was to pass on', () => {
  test('fetch lets nobody see it, so it is a ProxyError, once', async () => {
    await using server = await rudeServer()
    await using proxy = await rudeProxy()
    proxy.next(refuse(407))
    const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url))
    expect(error).toMatchObject({ kind: 'proxy', proxyStatus: 407, delivery: 'answered', stopReason: 'permanent' })
    expect(error.message).toContain('the proxy did not let the request through (it answered 407)')
    expect(server.ledger.entries()).toEqual([])
  })

  test('request hands it over, as any status', async () => {
    await using server = await rudeServer()
    await using proxy = await rudeProxy()
    proxy.next(refuse(407))
    const { statusCode, body } = await clientOf({ proxy: proxy.url }).request(server.url)
    await body.dump()
    expect(statusCode).toBe(407)
  })
})

describe('which way', () => {
  test('noProxy goes straight; two origins do not share what was learned', async () => {
    await using direct = await rudeServer()
    await using proxied = await rudeServer()
    await using proxy = await rudeProxy()
    const client = clientOf({ proxy: { url: proxy.url, noProxy: `127.0.0.1:${direct.port}` } })
    await (await client.fetch(direct.url)).text()
    await (await client.fetch(proxied.url)).text()
    expect(proxy.heads).toHaveLength(1)
    expect(Object.keys(client.stats().origins).sort()).toEqual([direct.url, proxied.url].sort())
  })

  test('the environment counts when it is asked for, and was set when the client was made', async () => {
    await using server = await rudeServer()
    await using proxy = await rudeProxy()
    vi.stubEnv('http_proxy', proxy.url)
    const [asks, does, not] = [clientOf({ proxy: 'env' }), clientOf({}), clientOf({ proxy: false })]
    vi.stubEnv('no_proxy', '*')
    for (const client of [asks, does, not, clientOf({ proxy: 'env' })]) await (await client.fetch(server.url)).text()
    vi.unstubAllEnvs()
    expect(proxy.heads).toHaveLength(1)
    expect(server.ledger.entries()).toHaveLength(4)
  })

  test('a redirect from http to https changes from passing on to a tunnel, and the token stays with the proxy', async () => {
    await using end = await rudeServer({ tls: true })
    await using start = await rudeServer({
      script: { request: [{ respond: { status: 302, headers: { location: `${end.url}/end` } } }] },
    })
    await using proxy = await rudeProxy()
    const client = clientOf({ proxy: { url: proxy.url, token: 'Bearer planted-secret' } })
    expect(await (await client.fetch(start.url)).text()).toBe('ok')
    expect(proxy.heads.map((head) => head.split(' ')[0])).toEqual(['GET', 'CONNECT'])
    for (const head of proxy.heads)
      expect(head.toLowerCase()).toContain('proxy-authorization: bearer planted-secret\r\n')
    for (const server of [start, end]) {
      expect(JSON.stringify(server.ledger.entries())).not.toMatch(/planted-secret|proxy-authorization/i)
    }
  })

  test.runIf(tlsKnowsSix)('IPv6: the proxy, and the target in brackets', async () => {
    await using server = await rudeServer({ tls: true, host: '::1' })
    await using proxy = await rudeProxy({ host: '::1' })
    const client = clientOf({ proxy: proxy.url })
    expect(await (await client.fetch(server.url)).text()).toBe('ok')
    expect(proxy.heads[0]).toContain(`CONNECT [::1]:${server.port} HTTP/1.1\r\nHost: [::1]:${server.port}\r\n`)
  })

  test('the name of the target is the business of the proxy: it is not looked up here', async () => {
    await using proxy = await rudeProxy()
    proxy.next(refuse(502))
    const asked: string[] = []
    const client = clientOf({
      proxy: `http://proxy.test:${proxy.port}`,
      retry: false,
      lookup: (hostname, _, callback) => {
        asked.push(hostname)
        callback(null, '127.0.0.1', 4)
      },
    })
    const error = await failureOf(client.fetch('https://nowhere.invalid/'))
    expect(error).toMatchObject({ kind: 'proxy', proxyStatus: 502 })
    expect(asked).toEqual(['proxy.test'])
  })

  test('a proxy with several addresses: the dead one costs nothing', async () => {
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy()
    const lookup: ClientOptions['lookup'] = (_, __, callback) =>
      callback(null, [
        { address: '127.0.0.2', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    const client = clientOf({ proxy: `http://proxy.test:${proxy.port}`, lookup, localAddress: '127.0.0.1' })
    expect(await (await client.fetch(server.url, post('once'))).text()).toBe('ok')
    expect(server.ledger.executions('once')).toBe(1)
  })

  test('a proxy with several addresses, one of which resets the CONNECT: at once to another, and avoided from then on', async () => {
    await using server = await rudeServer({
      tls: true,
      script: { request: [{ respond: { body: 'ok', close: true } }] },
    })
    await using proxy = await rudeProxy()
    await using rude = await rudeProxy({ host: '127.0.0.2', port: proxy.port })
    rude.next(reset, reset, reset)
    const clock = new ManualClock()
    const lookup: ClientOptions['lookup'] = (_, __, callback) =>
      callback(null, [
        { address: '127.0.0.2', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    const timeout = { connect: false, headers: false, body: false } as const
    const options = { proxy: `http://proxy.test:${proxy.port}`, lookup, clock, timeout, random: () => 0.5 }
    for (const id of ['a', 'b']) {
      const client = clientOf(options)
      for (const turn of [1, 2]) {
        expect(await (await client.fetch(server.url, post(`${id}-${turn}`))).text()).toBe('ok')
        expect(server.ledger.executions(`${id}-${turn}`)).toBe(1)
      }
    }
    expect(rude.heads).toHaveLength(2)
    expect(clock.now()).toBe(new ManualClock().now())
  })

  test('HTTP/2 goes through a tunnel', async () => {
    const server = createSecureServer({ ...certificates.good, allowHTTP1: false })
    server.on('stream', (stream) => stream.end('h2'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await using proxy = await rudeProxy()
    const client = clientOf({ proxy: proxy.url, http2: true })
    const { port } = server.address() as AddressInfo
    expect(await (await client.fetch(`https://127.0.0.1:${port}/`)).text()).toBe('h2')
    await client.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('what is secret stays secret', () => {
  const user = 'planted-user'
  const password = 'planted-password'

  test.each([
    ['refused', refuse(407)],
    ['reset', reset],
    ['quoted back', say(`HTTP/1.1 407 ${user}:${password}\r\nx: ${password}\r\n\r\n`)],
    ['quoted as garbage', say(`${user}:${password}`)],
  ] as const)('%s: in no message, no JSON, no story, no statistics, no channel', async (_, act) => {
    const heard: unknown[] = []
    const listen = (message: unknown) => heard.push(message)
    const names = ['call', 'attempt', 'decision', 'connection'].map((name) => `offhook:${name}`)
    for (const name of names) channel(name).subscribe(listen)
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy()
    proxy.next(act, act, act)
    const client = clientOf({ proxy: proxy.url.replace('//', `//${user}:${password}@`) })
    const error = await failureOf(client.fetch(server.url))
    for (const name of names) channel(name).unsubscribe(listen)
    expect(proxy.heads[0]).toContain(
      `proxy-authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    )
    const told = [
      error.message,
      String(error.stack),
      JSON.stringify(error),
      explain(error),
      inspect(error, { depth: 10 }),
      inspect(error.cause, { depth: 10 }),
      JSON.stringify(client.stats()),
      inspect(client, { depth: 10, showHidden: true }),
      inspect(heard, { depth: 10 }),
    ].join('\n')
    expect(heard.length).toBeGreaterThan(0)
    expect(told).toContain(proxy.url)
    expect(told).not.toContain(password)
    expect(told).not.toContain(user)
    expect(told).not.toContain(Buffer.from(`${user}:${password}`).toString('base64').slice(4, 24))
  })
})
