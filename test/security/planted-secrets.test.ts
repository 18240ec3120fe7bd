// No credential, cookie, query string or body in anything that offhook says: errors in every form, channels, statistics, spans.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import fc from 'fast-check'
import { createClient } from 'offhook'
import { instrument } from 'offhook/opentelemetry'
import { watchClients } from 'offhook/server'
import { datagram, dial, redial } from 'offhook/socket'
import { type Misdeed, misdeeds, type RudeServer, refusedPort, rudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import * as undici from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RecordingSdk } from '../telemetry/recording-sdk.js'
import { everything, headersWith, leaks, Net, type Place, plant, said } from './planted.js'

let plain: RudeServer
let secure: RudeServer
const endless = ['endless-body', 'switching-protocols', 'slow-body']
const names = Object.keys(misdeeds).filter((name) => !endless.includes(name)) as (keyof typeof misdeeds)[]

beforeAll(async () => {
  plain = await rudeServer()
  secure = await rudeServer({ tls: true })
})
afterAll(() => Promise.all([plain.close(), secure.close()]))

/** A server that says secrets in every part of its answer. */
function telling(misdeed: Misdeed, secrets: Record<Place, string>): Misdeed {
  const request = misdeed.request?.map((step) =>
    typeof step === 'object' && 'respond' in step
      ? {
          respond: {
            ...step.respond,
            reason: secrets.reason,
            headers: {
              'set-cookie': `id=${secrets.setcookie}`,
              'x-secret': secrets.answerheader,
              'www-authenticate': `Basic realm="${secrets.challenge}"`,
              ...step.respond.headers,
            },
          },
        }
      : step,
  )
  return request === undefined ? misdeed : { ...misdeed, request }
}

const ways = {
  fetch: (url: string, init: object, client: ReturnType<typeof createClient>) => client.fetch(url, init),
  request: (url: string, init: object, client: ReturnType<typeof createClient>) =>
    client.request(url, init as Parameters<typeof client.request>[1]),
  interceptor: (url: string, { idempotencyKey, timeout: _, ...init }: Record<string, unknown>) => {
    const dispatcher = new undici.Agent().compose(resilient({ timeout: 300, retry: { attempts: 2 } }))
    const headers = { ...(init['headers'] as object), 'idempotency-key': String(idempotencyKey) }
    return undici.request(url, { ...init, headers, dispatcher } as Parameters<typeof undici.request>[1])
  },
} as const

async function outcome(call: Promise<{ text?: unknown; body?: unknown }>): Promise<unknown> {
  try {
    const answer = await call
    const readable = (typeof answer.text === 'function' ? answer : answer.body) as { text(): Promise<string> }
    await readable.text()
    return undefined
  } catch (error) {
    return error
  }
}

describe('planted secrets', () => {
  test('are in nothing that is said of a failed call', { timeout: 120_000 }, async () => {
    await using sdk = new RecordingSdk()
    sdk.register()
    const telemetry = instrument({ tracerProvider: sdk.tracerProvider, meterProvider: sdk.meterProvider })
    const failures = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.constantFrom(...(Object.keys(ways) as (keyof typeof ways)[])),
        fc.constantFrom('GET', 'PUT', 'POST'),
        fc.stringMatching(/^[a-z0-9]{8}$/),
        async (name, way, method, salt) => {
          const secrets = plant(salt)
          const misdeed = telling(misdeeds[name], secrets)
          const server = misdeed.over === 'tls' ? secure : plain
          server.on(misdeed)
          using net = new Net()
          const client = createClient({
            timeout: 250,
            retry: { attempts: 2, backoff: { base: 1, throttledBase: 1, cap: 2 }, pushbackHeader: 'x-secret' },
            throwOnStatus: true,
            ...(server.ca !== undefined && { tls: { ca: server.ca } }),
          })
          const error = await outcome(
            ways[way](
              `${server.url}/orders?token=${secrets.query}${way === 'fetch' ? `#access_token=${secrets.fragment}` : ''}`,
              {
                method,
                headers: headersWith(secrets),
                idempotencyKey: secrets.idempotency,
                ...(method !== 'GET' && { body: secrets.body }),
                timeout: 250,
              },
              client,
            ),
          )
          failures.add((error as { kind?: string } | undefined)?.kind ?? 'none')
          const text = [said(error), net.text, everything(client.stats())].join('\n')
          await client.destroy()
          expect(leaks(text, secrets)).toEqual([])
          expect(text).not.toMatch(/sEcr3t/)
        },
      ),
      { numRuns: 120 },
    )
    telemetry.stop()
    const spans = sdk.exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({
      ...{ name, attributes, events, status },
    }))
    expect(spans.length).toBeGreaterThan(50)
    expect(everything(spans)).not.toMatch(/sEcr3t/)
    for (const kind of ['reset', 'closed', 'timeout', 'protocol', 'status']) expect(failures).toContain(kind)
  })

  test('are in nothing that is said of proxies', async () => {
    const secrets = plant('proxy')
    const proxy = createServer((_request, response) => {
      const headers = { 'proxy-authenticate': `Basic realm="${secrets.challenge}"`, 'set-cookie': secrets.setcookie }
      response.writeHead(407, secrets.reason, headers).end(secrets.answerbody)
    })
    proxy.on('connect', (_request, socket) => {
      socket.end(`HTTP/1.1 407 ${secrets.reason}\r\nProxy-Authenticate: Basic realm="${secrets.challenge}"\r\n\r\n`)
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const { port } = proxy.address() as AddressInfo
    await using refused = await refusedPort()
    const login = `${secrets.proxyuser}:${secrets.proxypassword}`
    for (const at of [`127.0.0.1:${port}`, `127.0.0.1:${refused.port}`]) {
      for (const given of [
        `http://${login}@${at}`,
        `socks5://${login}@${at}`,
        { url: `http://${at}`, token: secrets.proxyauth },
      ]) {
        using net = new Net()
        const client = createClient({ proxy: given, timeout: 1_000, retry: { attempts: 2 } })
        for (const url of ['http://origin.test/?q=', 'https://origin.test/?q=']) {
          const error = await outcome(client.fetch(`${url}${secrets.query}`, { headers: headersWith(secrets) }))
          expect(error).toBeInstanceOf(Error)
          const text = [said(error), net.text, everything(client.stats())].join('\n')
          expect(leaks(text, secrets)).toEqual([])
        }
        await client.destroy()
      }
    }
    proxy.close()
  })

  test('are in nothing that is said of sockets', async () => {
    const secrets = plant('socket')
    using net = new Net()
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(secrets.answerbody)
        setTimeout(() => socket.resetAndDestroy(), 10)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const errors: unknown[] = []
    const socket = await dial({ host: '127.0.0.1', port })
    socket.on('error', (error) => errors.push(error))
    socket.resume().write(secrets.body)
    await new Promise((resolve) => socket.once('close', resolve))
    for await (const again of redial({ host: '127.0.0.1', port, timeout: 1_000 })) {
      again.write(secrets.body)
      try {
        for await (const _ of again);
      } catch (error) {
        errors.push(error)
      }
      break
    }
    await using refused = await refusedPort()
    const line = await datagram({ host: '127.0.0.1', port: refused.port })
    errors.push(await line.request(secrets.body, { timeout: 300 }).catch((error) => error))
    await line.close()
    server.close()
    expect(errors).toHaveLength(3)
    expect(leaks([...errors.map(said), net.text].join('\n'), secrets)).toEqual([])
  })

  test('are in nothing that is said of clients that leave', async () => {
    const secrets = plant('server')
    using net = new Net()
    const hangups: unknown[] = []
    const server = createServer(() => {})
    const watch = watchClients(server, { onHangup: (hangup) => hangups.push(hangup) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/reports/7?token=${secrets.query}`
    await outcome(
      fetch(url, {
        method: 'POST',
        headers: headersWith(secrets),
        body: secrets.body,
        signal: AbortSignal.timeout(100),
      }) as never,
    )
    await expect.poll(() => hangups.length).toBe(1)
    const text = [everything(hangups), JSON.stringify(hangups), everything(watch.stats()), net.text].join('\n')
    expect(leaks(text, secrets)).toEqual([])
    watch.stop()
    server.close()
    server.closeAllConnections()
  })

  test('are not in what is said of options that do not fit', () => {
    const secrets = plant('option')
    const client = createClient()
    const tried: (() => unknown)[] = [
      () => client.fetch('http://127.0.0.1/', { idempotencyKey: `${secrets.idempotency}\n` }),
      () => client.request('http://127.0.0.1/', { idempotencyKey: `${secrets.idempotency}\n` }),
      () => createClient({ proxy: `ftp://${secrets.proxyuser}:${secrets.proxypassword}@proxy.test` }),
      () => createClient({ proxy: { url: 'http://proxy.test', token: `${secrets.proxyauth}\r\nx: y` } }),
    ]
    return Promise.all(
      tried.map(async (attempt) => {
        const error = await Promise.resolve()
          .then(attempt)
          .catch((rejected: unknown) => rejected)
        expect(error).toBeInstanceOf(TypeError)
        expect(leaks(said(error), secrets)).toEqual([])
      }),
    )
  })
})

test('the net would catch what is said', () => {
  const secrets = plant('net')
  const login = Buffer.from(`user:${secrets.proxypassword}`).toString('base64')
  expect(leaks(said(new TypeError(`no ${secrets.cookie}`)), secrets)).toHaveLength(1)
  expect(leaks(everything({ deep: [{ map: new Map([['key', secrets.query]]) }] }), secrets)).toHaveLength(1)
  expect(leaks(Buffer.from(secrets.body).toString('base64'), secrets)).toHaveLength(1)
  expect(login).not.toContain(secrets.proxypassword)
})
