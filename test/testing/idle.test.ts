import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { RawClient, request } from './raw-client.js'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe.each([{ tls: false }, { tls: true }])('kept connections, tls: $tls', ({ tls }) => {
  let server: RudeServer
  beforeEach(async () => {
    server = await rudeServer({ tls })
  })
  afterEach(() => server.close())

  /** A connection on which one request was answered, and that is idle now. */
  async function idleClient(): Promise<RawClient> {
    const client = await RawClient.connect(server)
    client.send(request('GET', '/', 'warm-up'))
    await client.reads(OK)
    await server.until(() => server.connections.idle === server.connections.open)
    return client
  }

  test('requests sent in one go are answered in order', async () => {
    using client = await RawClient.connect(server)
    const ids = ['a', 'b', 'c', 'd']
    client.send(ids.map((id) => request('POST', `/${id}`, id, 'hello')).join(''))
    await client.reads(OK.repeat(4))
    expect(server.ledger.entries().map((entry) => entry.id)).toEqual(ids)
    const places = server.ledger.entries().map((entry) => entry.arrivals[0]?.requestOnConnection)
    expect(places).toEqual([1, 2, 3, 4])
    expect(server.connections.accepted).toBe(1)
  })

  test.each([
    { end: 'fin', goodbye: 'fin' },
    { end: 'rst', goodbye: 'rst' },
  ] as const)('$end after so many requests', async ({ end, goodbye }) => {
    server.on({ idle: [{ served: 3 }, { wait: 20 }, end] })
    using client = await RawClient.connect(server)
    for (const count of [1, 2, 3]) {
      client.send(request('GET', '/', `${count}`))
      await client.reads(OK.repeat(count))
      if (count < 3) {
        await sleep(40)
        expect(client.goodbye).toBeUndefined()
      }
    }
    expect(await client.parted()).toBe(goodbye)
  })

  test('a request that comes in time ends the wait, and the rest of the stage', async () => {
    server.on({ idle: [{ wait: 60_000 }, 'rst'] })
    using client = await RawClient.connect(server)
    for (const count of [1, 2, 3]) {
      client.send(request('GET', '/', `${count}`))
      await client.reads(OK.repeat(count))
    }
    expect(client.goodbye).toBeUndefined()
  })

  test('requests that were sent ahead are lost when the connection is closed after one', async () => {
    server.on({ idle: ['fin'] })
    using client = await RawClient.connect(server)
    client.send(request('GET', '/', 'a') + request('GET', '/', 'b'))
    expect(await client.parted()).toMatch(/^(?:fin|rst)$/)
    expect([server.ledger.received('a'), server.ledger.began('b')]).toEqual([1, 0])
  })

  test('served: the first request is answered, the second meets a RST at its first byte', async () => {
    server.on([{ served: 1 }, 'rst'])
    using client = await idleClient()
    client.send(request('POST', '/', 'second', 'hello'))
    expect(await client.parted()).toBe('rst')
    expect(server.ledger.began('second')).toBe(0)
  })

  test('resetIdle resets the idle connections and leaves the busy one', async () => {
    using busy = await RawClient.connect(server)
    busy.send(request('POST', '/', 'slow', 'hello').slice(0, -1))
    await server.until(() => server.ledger.began('slow') === 1)
    using first = await RawClient.connect(server)
    using second = await RawClient.connect(server)
    await server.until(() => server.connections.idle === 2)
    expect(server.resetIdle()).toBe(2)
    expect([await first.parted(), await second.parted()]).toEqual(['rst', 'rst'])
    busy.send('o')
    await busy.reads(OK)
    await server.until(() => server.connections.idle === 1)
    expect(server.resetIdle()).toBe(1)
    expect(await busy.parted()).toBe('rst')
    expect(server.resetIdle()).toBe(0)
  })

  test('closeIdle says goodbye', async () => {
    using client = await idleClient()
    expect(server.closeIdle()).toBe(1)
    expect(await client.parted()).toBe('fin')
    if (tls) expect(client.lastRecord).toBe(21)
    await server.until(() => server.connections.open === 0)
  })

  test('dropIdle: the connection stays open, and nothing is heard or answered any more', async () => {
    using client = await idleClient()
    expect(server.dropIdle()).toBe(1)
    expect(server.connections).toEqual({ accepted: 1, open: 1, idle: 0 })
    client.send(request('POST', '/', 'lost', 'hello'))
    await sleep(40)
    expect(client.text).toBe(OK)
    expect(client.goodbye).toBeUndefined()
    expect(server.ledger.began('lost')).toBe(0)
    // The client gives up, and then the server does not hold on to it either.
    client.destroy()
    await server.until(() => server.connections.open === 0)
  })

  test('connection: close is heard, and HTTP/1.0 means it unless it says otherwise', async () => {
    for (const [text, keeps] of [
      ['GET / HTTP/1.1\r\nconnection: close\r\n\r\n', false],
      ['GET / HTTP/1.0\r\n\r\n', false],
      ['GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n', true],
    ] as const) {
      using client = await RawClient.connect(server)
      client.send(text)
      await client.reads('ok')
      if (keeps) await server.until(() => server.connections.idle === 1)
      else expect(await client.parted()).toBe('fin')
    }
  })

  test('an early answer to a long upload arrives, though the server hangs up after it', async () => {
    server.on([{ read: 'head' }, { respond: { status: 413, close: true } }])
    using client = await RawClient.connect(server)
    client.send(request('POST', '/', 'long', 'x'.repeat(8_000_000)))
    expect(await client.parted()).toBe('fin')
    expect(client.text).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('an early answer without closing: the rest of the upload is read, and the next request found behind it', async () => {
    server.route('/long', [{ read: 'head' }, { respond: { status: 422 } }])
    using client = await RawClient.connect(server)
    client.send(request('POST', '/long', 'long', 'x'.repeat(300_000)) + request('GET', '/', 'next'))
    await client.reads(OK)
    expect(client.text).toMatch(/^HTTP\/1\.1 422 /)
  })
})

test('node:http keeps its connection, and meets what the server does to it while it is idle', async () => {
  await using server = await rudeServer()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const get = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(server.url, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      sent.on('error', reject).end()
    })
  expect([await get(), await get()]).toEqual([200, 200])
  expect(server.connections.accepted).toBe(1)
  await server.until(() => server.connections.idle === 1)
  server.dropIdle()
  const hung = get()
  expect(await Promise.race([hung.catch(() => 'failed'), sleep(50, 'pending')])).toBe('pending')
  agent.destroy()
  await expect(hung).rejects.toMatchObject({ code: 'ECONNRESET' })
})
