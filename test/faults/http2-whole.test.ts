/** Answers of Node's own HTTP/2 server that are whole, in every form that has an end of its own: none may be called cut. */

import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from 'offhook'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificates, TEST_CA } from '../../src/testing/rude-server.js'

const mebibyte = Buffer.alloc(1024 * 1024, 'abcdefghijklmnop')

const answers: Record<string, (stream: ServerHttp2Stream) => void> = {
  '/empty': (stream) => stream.respond({ ':status': 200 }, { endStream: true }),
  '/empty-data': (stream) => {
    stream.respond({ ':status': 200 })
    stream.end()
  },
  '/no-content': (stream) => stream.respond({ ':status': 204 }, { endStream: true }),
  '/not-modified': (stream) => stream.respond({ ':status': 304, 'content-length': 77 }, { endStream: true }),
  '/text': (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('hello')
  },
  '/text-with-length': (stream) => {
    stream.respond({ ':status': 200, 'content-length': 5 })
    stream.end('hello')
  },
  '/trailers': (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
    stream.end('hello')
  },
  '/trailers-alone': (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
    stream.end()
  },
  '/early-hints': (stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>' })
    stream.respond({ ':status': 200 })
    stream.end('hello')
  },
  '/in-pieces': (stream) => {
    stream.respond({ ':status': 200 })
    stream.write('hel')
    setImmediate(() => {
      stream.write('lo')
      setImmediate(() => stream.end())
    })
  },
  '/large': (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(mebibyte)
  },
  // The answer is complete, and the rest of the upload is not wanted (RFC 9113 §8.1).
  '/enough': (stream) => {
    stream.respond({ ':status': 413 })
    stream.end('hello', () => stream.close())
  },
}

const server = createSecureServer({ ...certificates.good })
let client: Client
let url = ''

beforeAll(async () => {
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const answer = answers[String(headers[':path'])]
    const wait = headers['x-read'] === 'no' || headers[':method'] === 'GET' || headers[':method'] === 'HEAD'
    if (wait) answer?.(stream)
    else stream.resume().on('end', () => answer?.(stream))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  client = createClient({ http2: true, tls: { ca: TEST_CA }, retry: false })
})

afterAll(async () => {
  await client.close()
  await new Promise((resolve) => server.close(resolve))
})

const bodies: Record<string, string> = {
  '/empty': '',
  '/empty-data': '',
  '/no-content': '',
  '/not-modified': '',
  '/text': 'hello',
  '/text-with-length': 'hello',
  '/trailers': 'hello',
  '/trailers-alone': '',
  '/early-hints': 'hello',
  '/in-pieces': 'hello',
  '/large': mebibyte.toString(),
}

describe.each(Object.entries(bodies))('%s', (path, body) => {
  test.each(['GET', 'POST'])('by fetch, %s', async (method) => {
    const response = await client.fetch(`${url}${path}`, { method, ...(method === 'POST' && { body: 'question' }) })
    expect(await response.text()).toBe(body)
  })

  test.each(['GET', 'POST'])('by request, %s', async (method) => {
    const { body: answer } = await client.request(`${url}${path}`, {
      method,
      ...(method === 'POST' && { body: 'question' }),
    })
    expect(await answer.text()).toBe(body)
  })

  test('HEAD', async () => {
    const response = await client.fetch(`${url}${path}`, { method: 'HEAD' })
    expect(await response.text()).toBe('')
  })
})

test('a reader that is far behind gets all of it', async () => {
  const { body } = await client.request(`${url}/large`)
  let bytes = 0
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length
    if (bytes < 100_000) await sleep(5)
  }
  expect(bytes).toBe(mebibyte.length)
})

test('a body that is read late gets all of it', async () => {
  const { body } = await client.request(`${url}/text`)
  await sleep(50)
  expect(await body.text()).toBe('hello')
})

test('an answer that comes before the end of the upload stands', async () => {
  const { statusCode, body } = await client.request(`${url}/enough`, {
    method: 'POST',
    headers: { 'x-read': 'no' },
    body: Buffer.alloc(4 * 1024 * 1024),
  })
  expect([statusCode, await body.text()]).toEqual([413, 'hello'])
})

test('a reader who has had enough is no failure, and the connection goes on', async () => {
  const response = await client.fetch(`${url}/large`)
  await response.body?.cancel()
  expect(await (await client.fetch(`${url}/text`)).text()).toBe('hello')
})
