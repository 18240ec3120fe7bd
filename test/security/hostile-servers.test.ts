// Servers that send without end, or nonsense without measure: every call settles, and nothing piles up here.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { createClient, isOffhookError } from 'offhook'
import { datagram } from 'offhook/socket'
import { certificates, misdeeds, redirectTo, refusedPort, rudeServer, TEST_CA } from 'offhook/testing'
import { describe, expect, test } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const mib = 2 ** 20

/** What this process holds, collected, in MiB: what was received is outside of the heap. */
function held(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / mib
}

/** A server of bytes: says `first` when the request came, then `again` for as long as somebody takes it. */
async function endless(first: string, again: string | (() => string) | Buffer) {
  const sockets = new Set<Socket>()
  let sent = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    const more = () => {
      while (!socket.destroyed) {
        const piece = typeof again === 'function' ? again() : again
        sent += piece.length
        if (!socket.write(piece)) break
      }
    }
    socket.once('data', () => {
      socket.write(first)
      more()
      socket.on('drain', () => setImmediate(more))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const head = 'HTTP/1.1 200 OK\r\n'
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`
let count = 0

describe('a server without end', () => {
  test.each([
    ['headers', head, () => `x-${count++}: ${'y'.repeat(500)}\r\n`],
    ['one header', `${head}x-long: `, 'y'.repeat(10_000)],
    ['early hints', '', 'HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n'],
    ['continues', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['chunk extensions', `${chunked}5;`, 'a=b;'.repeat(500)],
    ['trailers', `${chunked}0\r\n`, () => `x-${count++}: ${'y'.repeat(500)}\r\n`],
    ['a status line', 'HTTP/1.1 200 ', 'O'.repeat(1_000)],
    ['garbage', '', '\0'.repeat(1_000)],
  ])('of %s is given up, and takes no room', async (_, first, again) => {
    await using server = await endless(first, again)
    await using client = createClient({ timeout: 1_500, retry: { attempts: 2, backoff: { base: 1, cap: 2 } } })
    const before = held()
    for (const way of ['fetch', 'request'] as const) {
      const error = await client[way](server.url)
        .then(
          (answer) => ('statusCode' in answer ? answer.body : answer).text(),
          (rejected: unknown) => rejected,
        )
        .catch((rejected: unknown) => rejected)
      expect(isOffhookError(error), `${way}: ${String(error)}`).toBe(true)
      expect(JSON.stringify(error).length).toBeLessThan(60_000)
    }
    expect(held() - before).toBeLessThan(8)
  })

  test('of a body is read only as fast as somebody reads it', async () => {
    await using server = await endless(`${head}connection: close\r\n\r\n`, Buffer.alloc(65_536, 97))
    await using client = createClient({ retry: false })
    const answers = [await client.fetch(server.url), await client.request(server.url)]
    const before = held()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 10))
    // The kernel's buffers, and a high-water mark or two.
    expect(server.sent / mib).toBeLessThan(40)
    expect(held() - before).toBeLessThan(4)
    for (const answer of answers) {
      if ('statusCode' in answer) answer.body.on('error', () => {}).destroy()
      else await answer.body?.cancel()
    }
  })

  test('that answers with a redirect each time is left after twenty, wherever it leads', async () => {
    await using server = await rudeServer({ script: misdeeds['redirect-loop'] })
    await using client = createClient({ timeout: 5_000, retry: { attempts: 2, backoff: { base: 1, cap: 2 } } })
    let next = 0
    server.route('/next', () => redirectTo(`/next?${next++}`))
    for (const path of ['/', '/next']) {
      server.ledger.clear()
      const error = await client.fetch(`${server.url}${path}`).catch((rejected: unknown) => rejected)
      expect(error).toBeInstanceOf(TypeError)
      const requests = server.ledger.entries().reduce((sum, { began }) => sum + began, 0)
      expect(requests).toBeGreaterThan(19)
      expect(requests).toBeLessThanOrEqual(42)
    }
  })

  test('that asks to wait for ever is not waited for', async () => {
    await using server = await rudeServer()
    await using client = createClient({ timeout: 3_000 })
    const values = [
      '1e400',
      '1000000000000',
      '9'.repeat(400),
      '-1',
      'Fri, 31 Dec 9999 23:59:59 GMT',
      '1e3',
      '0x10',
      ' ',
    ]
    for (const retryAfter of values) {
      server.on([{ respond: { status: 503, retryAfter, headers: { ratelimit: `"x";r=0;t=${'9'.repeat(15)}` } } }])
      const answer = await client.fetch(server.url)
      expect(answer.status, retryAfter).toBe(503)
      await answer.text()
    }
  })
})

describe('bodies that are larger than they look', () => {
  test('are not kept beyond the bound, before or after they are decoded', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * mib))
    const length = `content-length: ${bomb.length}\r\n`
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(`${head}content-encoding: gzip\r\n${length}\r\n`)
        socket.write(bomb)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await using client = createClient({ retry: { body: 'buffer', bufferLimit: 256 * 1024 } })
    const before = held()
    const answer = await client.fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(held() - before).toBeLessThan(8)
    await answer.body?.cancel()
    server.close()
  })

  test('are let go as a stream when they have no end', async () => {
    await using server = await endless(`${head}connection: close\r\n\r\n`, Buffer.alloc(65_536, 97))
    await using client = createClient({ retry: { body: 'buffer', bufferLimit: 256 * 1024 } })
    const before = held()
    const answer = await client.fetch(server.url)
    expect(answer.status).toBe(200)
    expect(held() - before).toBeLessThan(8)
    await answer.body?.cancel()
  })
})

describe('storms', () => {
  test('thousands of failures leave nothing behind', { timeout: 120_000 }, async () => {
    await using nobody = await refusedPort()
    await using client = createClient({ retry: { attempts: 2, backoff: { base: 0, cap: 1 } } })
    const errors: unknown[] = []
    const fail = async (times: number) => {
      for (let done = 0; done < times; done += 50) {
        const calls = Array.from({ length: 50 }, () => client.request(nobody.url).catch((error: unknown) => error))
        errors[0] = (await Promise.all(calls))[0]
      }
    }
    await fail(1_000)
    const before = held()
    await fail(2_000)
    expect(held() - before).toBeLessThan(2)
    expect(errors[0]).toMatchObject({ attempts: expect.any(Array) })
    expect(JSON.stringify(errors[0]).length).toBeLessThan(20_000)
    const [origin] = Object.values(client.stats().origins)
    expect(origin?.hangups?.failures).toBeGreaterThanOrEqual(3_000)
    expect(JSON.stringify(client.stats()).length).toBeLessThan(5_000)
  })

  test('a server with a new name each time is remembered by a bounded text', { timeout: 120_000 }, async () => {
    let number = 0
    await using server = await rudeServer({
      script: () => [
        {
          respond: {
            headers: { server: `${number++}${'x'.repeat(5_000)}`, via: `1.1 ${number}${'y'.repeat(5_000)}` },
            close: true,
          },
        },
      ],
    })
    await using client = createClient()
    const ask = async (times: number) => {
      for (let done = 0; done < times; done++) await (await client.request(server.url)).body.dump()
    }
    const before = held()
    await ask(300)
    // The heads of the last 256 connections' answers are kept, each within its bound.
    expect(held() - before).toBeLessThan(8)
    server.on(misdeeds['reset-mid-head'])
    const error = await client.request(server.url, { retry: false }).catch((rejected: unknown) => rejected)
    expect(JSON.stringify(error).length).toBeLessThan(20_000)
    expect(JSON.stringify(error)).not.toMatch(/x{200}|y{200}/)
  })

  test('datagrams that nobody reads are dropped', async () => {
    const flood = createSocket('udp4')
    let over = false
    flood.on('message', async (_message, { port, address }) => {
      for (let sent = 0; sent < 5_000 && !over; sent++) {
        flood.send(Buffer.alloc(1_000), port, address)
        if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })
    flood.bind(0, '127.0.0.1')
    await once(flood, 'listening')
    const line = await datagram({ host: '127.0.0.1', port: flood.address().port, queue: 50 })
    const before = held()
    await line.send('go')
    await expect.poll(() => line.dropped, { timeout: 5_000 }).toBeGreaterThan(100)
    expect(held() - before).toBeLessThan(3)
    over = true
    await line.close()
    flood.close()
  })
})

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}
const [settings, ping, reset, goOn, data, headers] = [4, 6, 3, 9, 0, 1]
/** `:status: 200`, from HPACK's static table. */
const status200 = Buffer.from([0x88])

describe('floods of HTTP/2 frames', () => {
  test.each([
    ['SETTINGS', Buffer.alloc(0), frame(settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100]))],
    ['PING', Buffer.alloc(0), frame(ping, 0, 0, Buffer.alloc(8))],
    ['RST_STREAM', Buffer.alloc(0), frame(reset, 0, 1, Buffer.from([0, 0, 0, 8]))],
    ['CONTINUATION', frame(headers, 0, 1, status200), frame(goOn, 0, 1, Buffer.from([0, 1, 97, 1, 98]))],
    ['empty DATA', frame(headers, 4, 1, status200), frame(data, 0, 1)],
  ])('%s: the call settles, and nothing piles up', async (_, first, again) => {
    const sockets = new Set<Socket>()
    const server = createTls({ ...certificates.good, ALPNProtocols: ['h2'] }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.write(frame(settings, 0, 0))
      socket.once('data', () => {
        setTimeout(() => {
          socket.write(first)
          const burst = Buffer.concat(Array.from({ length: 200 }, () => again))
          const more = () => {
            if (!socket.destroyed && socket.write(burst)) setImmediate(more)
          }
          more()
          socket.on('drain', () => setImmediate(more))
        }, 30)
      })
    })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = createClient({ http2: true, tls: { ca: TEST_CA }, timeout: 600, retry: false })
    const before = held()
    const outcome = await client
      .fetch(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
      .then((answer) => answer.text())
      .catch((error: unknown) => error)
    expect(isOffhookError(outcome), String(outcome)).toBe(true)
    await client.destroy()
    for (const socket of sockets) socket.destroy()
    server.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(held() - before).toBeLessThan(16)
  })
})
