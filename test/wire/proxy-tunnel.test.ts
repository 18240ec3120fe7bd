/** How tunnels fail, and how what fails behind them is told from that. */

import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { misdeeds, rudeServer, TEST_CA } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'
import { clientOf, failureOf, post } from './clients.js'
import { close, established, type ProxyAct, refuse, reset, rudeProxy, say, silence } from './rude-proxy.js'

describe('a proxy that does not make the tunnel', () => {
  const cases: readonly {
    readonly says: string
    readonly act: ProxyAct
    /** `true`: refused for good, one attempt. */
    readonly permanent?: true
    readonly expect: object
  }[] = [
    { says: '407', act: refuse(407), permanent: true, expect: { kind: 'proxy', proxyStatus: 407 } },
    { says: '403', act: refuse(403), permanent: true, expect: { kind: 'proxy', proxyStatus: 403 } },
    { says: '429', act: refuse(429), expect: { kind: 'proxy', proxyStatus: 429 } },
    { says: '502', act: refuse(502), expect: { kind: 'proxy', proxyStatus: 502 } },
    { says: '503', act: refuse(503), expect: { kind: 'proxy', proxyStatus: 503 } },
    { says: '301', act: refuse(301), permanent: true, expect: { kind: 'proxy', proxyStatus: 301 } },
    { says: '101', act: refuse(101), permanent: true, expect: { kind: 'proxy', proxyStatus: 101 } },
    { says: 'resets', act: reset, expect: { kind: 'proxy', code: 'ECONNRESET' } },
    { says: 'closes', act: close, expect: { kind: 'proxy', code: 'ERR_PROXY_TUNNEL' } },
    { says: 'closes in the middle of its head', act: say('HTTP/1.1 200 O'), expect: { kind: 'proxy' } },
    { says: 'speaks something else', act: say('SSH-2.0-OpenSSH_9.6\r\n'), expect: { kind: 'proxy' } },
    { says: 'sends zeros', act: say('\0'.repeat(64)), expect: { kind: 'proxy' } },
    { says: 'has a status of letters', act: say('HTTP/1.1 abc OK\r\n\r\n'), expect: { kind: 'proxy' } },
    { says: 'speaks HTTP/2', act: say('HTTP/2 200\r\n\r\n'), expect: { kind: 'proxy' } },
    {
      says: 'never ends its head',
      act: (client) => client.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}`),
      expect: { kind: 'proxy', code: 'ERR_PROXY_TUNNEL' },
    },
    {
      says: 'sends interim responses for ever',
      act: (client) => client.write('HTTP/1.1 103 Hints\r\n\r\n'.repeat(1_000)),
      expect: { kind: 'proxy', code: 'ERR_PROXY_TUNNEL' },
    },
    {
      says: 'sends bytes behind its head',
      act: (client) => client.write(`${established}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`),
      expect: { kind: 'proxy', code: 'ERR_PROXY_TUNNEL' },
    },
  ]

  test.each(cases)(
    '$says: ProxyError, unsent, nothing reaches the origin',
    async ({ act, permanent, expect: expected }) => {
      await using server = await rudeServer({ tls: true })
      await using proxy = await rudeProxy()
      proxy.next(act, act, act)
      const client = clientOf({ proxy: proxy.url })
      const error = await failureOf(client.fetch(server.url, post('never')))
      expect(error).toMatchObject({ ...expected, phase: 'proxy', delivery: 'unsent', mayHaveExecuted: false })
      expect(error.name).toBe('ProxyError')
      expect(error.connection).toMatchObject({ proxy: proxy.url, remotePort: proxy.port })
      expect(error.stopReason).toBe(permanent === true ? 'permanent' : 'attempts')
      expect(error.attempts).toHaveLength(permanent === true ? 1 : 3)
      expect(proxy.heads).toHaveLength(permanent === true ? 1 : 3)
      expect(server.connections.accepted).toBe(0)
      expect(server.ledger.entries()).toEqual([])
    },
  )

  test.each(cases.filter(({ permanent }) => permanent !== true))(
    '$says, once: a POST is sent again, and once',
    async ({ act }) => {
      await using server = await rudeServer({ tls: true })
      await using proxy = await rudeProxy()
      proxy.next(act)
      const answer = await clientOf({ proxy: proxy.url }).fetch(server.url, post('once'))
      expect(await answer.text()).toBe('ok')
      expect(server.ledger.executions('once')).toBe(1)
    },
  )

  test.each(['the answer to CONNECT', 'TLS'])(
    'silent about %s: a timeout in phase proxy, at the exact limit',
    async (what) => {
      await using server = await rudeServer({ tls: true })
      await using proxy = await rudeProxy()
      if (what === 'TLS') proxy.onAccept = () => {}
      proxy.next(silence)
      const url = what === 'TLS' ? proxy.url.replace('http:', 'https:') : proxy.url
      const clock = new ManualClock()
      const client = clientOf({
        proxy: url,
        clock,
        retry: false,
        timeout: { connect: 700, headers: false, body: false },
      })
      const failing = failureOf(client.fetch(server.url, post('never')))
      while (proxy.accepted === 0 || (what !== 'TLS' && proxy.heads.length === 0)) await turns()
      clock.advance(699)
      await turns(20)
      clock.advance(1)
      const error = await failing
      expect(error).toMatchObject({
        kind: 'timeout',
        phase: 'proxy',
        delivery: 'unsent',
        connection: { proxy: url },
      })
      expect(server.ledger.entries()).toEqual([])
    },
  )

  test.each([
    ['refused', 'HTTP/1.1 403 No\r\n\r\n'],
    ['garbled', 'what?'],
  ])('%s, and left open by the proxy: we close the connection', async (_, text) => {
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy()
    const closed = new Promise((resolve) => {
      proxy.next((client) => {
        client.once('close', resolve)
        client.write(text)
      })
    })
    await failureOf(clientOf({ proxy: proxy.url, retry: false }).fetch(server.url))
    await closed
  })

  test('an answer that comes byte by byte, or after interim responses, or with bare line feeds, is an answer', async () => {
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy()
    const slowly: ProxyAct = async (client, asked) => {
      const text = `HTTP/1.1 100 Continue\r\n\r\n${established}`
      for (const byte of text.slice(0, -1)) {
        client.write(byte)
        await turns(1)
      }
      asked.tunnel('\n')
    }
    proxy.next(
      slowly,
      (_, asked) => asked.tunnel('HTTP/1.0 200\n\n'),
      (_, asked) => asked.tunnel('HTTP/1.1 299 Fine\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n'),
    )
    for (let number = 0; number < 3; number++) {
      const answer = await clientOf({ proxy: proxy.url, retry: false }).fetch(server.url)
      expect(await answer.text()).toBe('ok')
    }
    expect(proxy.made).toHaveLength(3)
  })
})

describe('behind a tunnel that stands', () => {
  test.each([
    ['certificate', 'tls-self-signed-certificate', { kind: 'tls', phase: 'tls' }],
    ['alert', 'tls-alert-handshake-failure', { kind: 'tls', phase: 'tls' }],
    ['wrong name', 'tls-wrong-name-certificate', { kind: 'tls', phase: 'tls', code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['plain text', 'tls-plain-http-answer', { kind: 'tls', phase: 'tls' }],
  ] as const)('TLS of the origin: %s', async (_, misdeed, expected) => {
    await using server = await rudeServer({ tls: true, script: misdeeds[misdeed] })
    await using proxy = await rudeProxy()
    const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url, post('never')))
    expect(error).toMatchObject({ ...expected, delivery: 'unsent', connection: { proxy: proxy.url } })
    expect(proxy.made).toHaveLength(1)
    expect(error.timings?.proxy).toBeGreaterThanOrEqual(0)
  })

  test.each(['tls-reset-after-client-hello', 'tls-fin-after-client-hello'] as const)(
    '%s: not the proxy',
    async (misdeed) => {
      await using server = await rudeServer({ tls: true, script: misdeeds[misdeed] })
      await using proxy = await rudeProxy()
      const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url, post('never')))
      expect(['reset', 'closed']).toContain(error.kind)
      expect(error).toMatchObject({ phase: 'tls', delivery: 'unsent' })
      expect(error.attempts).toHaveLength(3)
      expect(server.ledger.entries()).toEqual([])
    },
  )

  test('a silent origin: a timeout in phase tls', async () => {
    await using server = await rudeServer({ tls: true, script: misdeeds['tls-stall-after-client-hello'] })
    await using proxy = await rudeProxy()
    const clock = new ManualClock()
    const client = clientOf({ proxy: proxy.url, clock, retry: false, timeout: { connect: 700, headers: false } })
    const failing = failureOf(client.fetch(server.url))
    await server.until(() => server.connections.accepted === 1)
    await turns(20)
    clock.advance(700)
    expect(await failing).toMatchObject({ kind: 'timeout', phase: 'tls', delivery: 'unsent' })
  })

  test.each(['reset-mid-body-close-delimited', 'bare-fin-mid-body-close-delimited', 'reset-mid-body-chunked'] as const)(
    '%s: the cut body is told, through two layers of TLS as well',
    async (misdeed) => {
      for (const tls of [undefined, 'good'] as const) {
        await using server = await rudeServer({ tls: true, script: misdeeds[misdeed] })
        await using proxy = await rudeProxy({ ...(tls && { tls }) })
        const client = clientOf({ proxy: { url: proxy.url, ...(tls && { tls: { ca: TEST_CA } }) }, retry: false })
        const answer = await client.fetch(server.url)
        const error = await failureOf(answer.text())
        expect(error).toMatchObject({ phase: 'body', delivery: 'partial' })
        expect(['reset', 'closed']).toContain(error.kind)
      }
    },
  )
})

describe('TLS with the proxy', () => {
  test.each(['self-signed', 'expired', 'wrong-name'] as const)(
    '%s certificate: ProxyError, once, and it settles',
    async (name) => {
      for (const origin of [true, false]) {
        await using server = await rudeServer({ tls: origin })
        await using proxy = await rudeProxy({ tls: name })
        const client = clientOf({ proxy: { url: proxy.url, tls: { ca: TEST_CA } } })
        const error = await failureOf(client.fetch(server.url, post('never')))
        expect(error).toMatchObject({ kind: 'proxy', phase: 'proxy', delivery: 'unsent', stopReason: 'permanent' })
        expect(proxy.accepted).toBe(1)
        expect(server.connections.accepted).toBe(0)
      }
    },
  )

  test.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
  ] as const)('%s in the handshake: ProxyError, and again', async (_, deed) => {
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy({ tls: 'good' })
    proxy.onAccept = deed
    const client = clientOf({ proxy: { url: proxy.url, tls: { ca: TEST_CA } } })
    const error = await failureOf(client.fetch(server.url, post('never')))
    expect(error).toMatchObject({ kind: 'proxy', phase: 'proxy', delivery: 'unsent', stopReason: 'attempts' })
    expect(error.attempts).toHaveLength(3)
  })

  test('has options of its own: those for the origins are not its', async () => {
    await using server = await rudeServer({ tls: true })
    await using proxy = await rudeProxy({ tls: 'good' })
    const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url))
    expect(error).toMatchObject({ kind: 'proxy', stopReason: 'permanent' })
  })
})

test('hundred POSTs at once through a proxy that breaks one tunnel in three: each executed once', async () => {
  await using server = await rudeServer({ tls: true })
  await using proxy = await rudeProxy()
  const acts: ProxyAct[] = Array.from({ length: 300 }, (_, number) =>
    number % 3 === 0
      ? ([refuse(503), reset, close, say('junk')][(number / 3) % 4] as ProxyAct)
      : (_client, asked) => asked.tunnel(established),
  )
  proxy.next(...acts)
  const client = clientOf({ proxy: proxy.url, budget: false, retry: { attempts: 20, backoff: { base: 0 } } })
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, number) => (await client.fetch(server.url, post(`o-${number}`))).text()),
  )
  expect(new Set(answers)).toEqual(new Set(['ok']))
  expect(server.ledger.duplicates()).toEqual([])
  expect(server.ledger.entries()).toHaveLength(100)
})

test('a dial through a proxy that is aborted leaves no connection behind', async () => {
  await using server = await rudeServer({ tls: true })
  await using proxy = await rudeProxy()
  const closed: Promise<unknown>[] = []
  proxy.next((client: Socket) => closed.push(new Promise((resolve) => client.once('close', resolve))))
  const abort = new AbortController()
  const call = clientOf({ proxy: proxy.url }).fetch(server.url, { signal: abort.signal })
  while (closed.length === 0) await turns()
  abort.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  await Promise.all(closed)
})
