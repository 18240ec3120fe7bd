import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failTimes, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { RawClient, request } from './raw-client.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('the ledger', () => {
  let server: RudeServer
  beforeEach(async () => {
    server = await rudeServer()
  })
  afterEach(() => server.close())

  /** Sends one request on a connection of its own and waits for the end of its answer, or of the connection. */
  async function exchange(text: string): Promise<void> {
    using client = await RawClient.connect(server)
    client.send(text)
    await Promise.race([client.reads('ok'), client.parted()])
  }

  test('tells of each arrival: connection, place on it, headers, length, digest, executions', async () => {
    using client = await RawClient.connect(server)
    client.send(request('POST', '/a?x=1', 'one', 'hello') + request('PUT', '/b', 'two', ''))
    await server.until(() => server.ledger.received('two') === 1)
    await client.reads('ok')
    const execution = { digest: sha256('hello'), bytes: 5, complete: true }
    expect(server.ledger.entries()).toEqual([
      {
        id: 'one',
        method: 'POST',
        path: '/a?x=1',
        began: 1,
        received: 1,
        executed: 1,
        arrivals: [
          {
            connection: 1,
            requestOnConnection: 1,
            headers: { host: 'x', 'x-request-id': 'one', 'content-length': '5' },
            announcedBytes: 5,
            bytes: 5,
            received: true,
            digest: sha256('hello'),
            executions: [execution],
          },
        ],
      },
      expect.objectContaining({ id: 'two', method: 'PUT', received: 1 }),
    ])
    expect(server.ledger.entries()[1]?.arrivals[0]).toMatchObject({ connection: 1, requestOnConnection: 2 })
  })

  test('a chunked body has the digest of its payload, whatever its chunks', async () => {
    const head = 'PUT / HTTP/1.1\r\nx-request-id: c\r\ntransfer-encoding: chunked\r\n\r\n'
    await exchange(`${head}5\r\nhello\r\n0\r\n\r\n`)
    await exchange(`${head}2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\ntrailer: x\r\n\r\n`)
    const arrivals = server.ledger.entries()[0]?.arrivals ?? []
    expect(arrivals.map((arrival) => arrival.digest)).toEqual([sha256('hello'), sha256('hello')])
    expect(server.ledger.duplicates()).toHaveLength(1)
    expect(server.ledger.corrupted()).toEqual([])
  })

  test('counts what began, what was received and what was executed apart', async () => {
    server.on(failTimes(1, [{ read: 'head' }, 'rst'], failTimes(1, [{ read: 'request' }, 'rst']).turns[0]))
    await exchange(request('POST', '/', 'a', 'hello'))
    await exchange(request('POST', '/', 'a', 'hello'))
    server.on({})
    await exchange(request('POST', '/', 'a', 'hello'))
    const { ledger } = server
    expect([ledger.began('a'), ledger.received('a'), ledger.executions('a')]).toEqual([3, 2, 1])
    expect(ledger.duplicates()).toEqual([])
    expect([ledger.began('b'), ledger.received('b'), ledger.executions('b')]).toEqual([0, 0, 0])
  })

  test('the same id on another method or path is another entry', async () => {
    await exchange(request('POST', '/orders', 'a', 'hello'))
    await exchange(request('GET', '/orders/1', 'a'))
    expect(server.ledger.entries().map(({ method, executed }) => [method, executed])).toEqual([
      ['POST', 1],
      ['GET', 1],
    ])
    expect(server.ledger.executions('a')).toBe(2)
    expect(server.ledger.executions('a', 'POST')).toBe(1)
    expect(server.ledger.duplicates()).toEqual([])
    expect(server.ledger.corrupted()).toEqual([])
  })

  const put = (body: string) => request('PUT', '/', 'p', body)
  const cutPut = (announced: number, body: string) =>
    `PUT / HTTP/1.1\r\nx-request-id: p\r\ncontent-length: ${announced}\r\n\r\n${body}`
  const chunkedPut = (...chunks: string[]) =>
    `PUT / HTTP/1.1\r\nx-request-id: p\r\ntransfer-encoding: chunked\r\n\r\n${chunks.join('')}`

  test.each([
    { name: 'the same body twice', sent: [put('hello'), put('hello')], corrupted: false },
    { name: 'a second body that is empty', sent: [put('hello'), put('')], corrupted: true },
    { name: 'a second body of the same length that differs', sent: [put('hello'), put('world')], corrupted: true },
    { name: 'a body that broke off, then all of it', sent: [cutPut(5, 'he'), put('hello')], corrupted: false },
    { name: 'a body that broke off, then an empty one', sent: [cutPut(5, 'he'), put('')], corrupted: true },
    { name: 'chunks that broke off, then less', sent: [chunkedPut('5\r\nhello\r\n'), put('he')], corrupted: true },
    { name: 'chunks that broke off, then all', sent: [chunkedPut('2\r\nhe\r\n'), put('hello')], corrupted: false },
    { name: 'a body that broke off, and nothing else', sent: [cutPut(5, 'he')], corrupted: false },
  ])('corrupted: $name: $corrupted', async ({ sent, corrupted }) => {
    for (const [at, text] of sent.entries()) {
      using client = await RawClient.connect(server)
      client.send(text)
      const whole = !/^(?:.*content-length: 5\r\n\r\nhe|.*chunked.*)$/s.test(text)
      await server.until(() => (whole ? server.ledger.received('p') > 0 : server.ledger.began('p') > at))
      if (whole) await client.reads('ok')
      else await server.until(() => (server.ledger.entries()[0]?.arrivals[at]?.bytes ?? 0) >= 2)
      client.destroy()
      await server.until(() => server.connections.open === 0)
    }
    expect(server.ledger.corrupted().map((entry) => entry.id)).toEqual(corrupted ? ['p'] : [])
  })

  test('acting on a prefix and then on the whole is a duplicate, and no corruption of the body', async () => {
    server.on(failTimes(1, [{ read: 'head' }, 'execute', 'rst']))
    await exchange(put('hello'))
    await exchange(put('hello'))
    expect(server.ledger.duplicates()).toHaveLength(1)
    expect(server.ledger.corrupted()).toEqual([])
  })

  test('a request without an id gets one of its own, and another id header may be named', async () => {
    await exchange('GET / HTTP/1.1\r\n\r\n')
    await exchange('GET / HTTP/1.1\r\n\r\n')
    expect(server.ledger.entries().map((entry) => entry.id)).toEqual(['generated-1', 'generated-2'])
    await using other = await rudeServer({ idHeader: 'Idempotency-Key' })
    using client = await RawClient.connect(other)
    client.send('GET / HTTP/1.1\r\nidempotency-key: k\r\n\r\n')
    await other.until(() => other.ledger.executions('k') === 1)
  })

  test.each([
    { name: 'a head that broke off', text: 'GET / HTTP/1.1\r\nhost:', status: undefined },
    { name: 'no HTTP', text: '\x16\x03\x01\x02\x00\x01\r\n\r\n', status: 400 },
    { name: 'a header without a name', text: 'GET / HTTP/1.1\r\n: x\r\n\r\n', status: 400 },
    { name: 'a head without end', text: `GET / HTTP/1.1\r\nx: ${'x'.repeat(70_000)}`, status: 431 },
  ])('a fragment: $name', async ({ text, status }) => {
    using client = await RawClient.connect(server)
    client.send(text)
    client.end()
    await client.parted()
    expect(client.text.slice(0, 12)).toBe(status === undefined ? '' : `HTTP/1.1 ${status}`)
    expect(server.ledger.fragments).toBe(1)
    expect(server.ledger.entries()).toEqual([])
  })

  test('a connection that ends without a byte is no fragment', async () => {
    using client = await RawClient.connect(server)
    client.end()
    await client.parted()
    expect(server.ledger.fragments).toBe(0)
  })

  test('clear forgets, and entries() does not change afterwards', async () => {
    await exchange(put('hello'))
    const before = server.ledger.entries()
    server.ledger.clear()
    expect(server.ledger.entries()).toEqual([])
    await exchange(put('hello'))
    expect(before).toMatchObject([{ id: 'p', executed: 1 }])
    expect(before[0]?.arrivals).toHaveLength(1)
  })

  test('a body longer than the limit is refused', async () => {
    await using small = await rudeServer({ maxBodyBytes: 4 })
    for (const text of [put('hello'), chunkedPut('5\r\nhello\r\n')]) {
      using client = await RawClient.connect(small)
      client.send(text)
      await client.parted()
      expect(client.text).toMatch(/^HTTP\/1\.1 413 /)
    }
    expect(small.ledger.executions('p')).toBe(0)
  })
})
