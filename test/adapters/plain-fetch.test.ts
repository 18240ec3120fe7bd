/** The short way of fetch: which requests take it, and that what it gives cannot be told from what fetch gives. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient } from 'offhook'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FetchInit } from '../../src/adapters/fetch-init.js'
import { nativeHabits } from '../../src/adapters/native-fetch.js'
import { plainRequest } from '../../src/adapters/plain-request.js'

const client = createClient()
let server: Server
let url: string
const large = Buffer.alloc(4 * 1024 * 1024, 'x')

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/large') response.end(large)
    else if (request.url === '/moved') response.writeHead(302, { location: '/', 'content-length': 0 }).end()
    else response.setHeader('set-cookie', ['a=1', 'b=2']).end('hello')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await vi.waitUntil(() => nativeHabits(new URL(url)) !== undefined)
})

afterAll(async () => {
  await client.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const plain: Readonly<Record<string, FetchInit>> = {
  nothing: {},
  'a signal': { signal: AbortSignal.timeout(1000) },
  'a POST of text': { method: 'POST', body: 'text' },
  'a PUT of bytes': { method: 'PUT', body: new Uint8Array(3) },
  'a PATCH of a form': { method: 'PATCH', body: new URLSearchParams({ a: 'b' }) },
  'headers in an object': { headers: { 'X-One': '1', authorization: 'Bearer t', 'content-type': 'application/json' } },
  'a key': { method: 'POST', body: '{}', idempotencyKey: 'k' },
  'options of ours': { timeout: 100, retry: false, idempotent: true, hedge: false, throwOnStatus: true },
  'redirect: follow': { redirect: 'follow' },
}

const elaborate: Readonly<Record<string, unknown>> = {
  'redirect: manual': { redirect: 'manual' },
  'a cache mode': { cache: 'no-store' },
  'a method in small letters': { method: 'get' },
  'a method of its own': { method: 'PROPFIND' },
  'a GET with a body': { body: 'x' },
  'a stream': { method: 'POST', body: new ReadableStream(), duplex: 'half' },
  'a Blob': { method: 'POST', body: new Blob(['x']) },
  'a FormData': { method: 'POST', body: new FormData() },
  'a function': { method: 'POST', body: () => 'x' },
  'bytes that others share': { method: 'POST', body: new Uint8Array(new SharedArrayBuffer(2)) },
  Headers: { headers: new Headers({ a: 'b' }) },
  pairs: { headers: [['a', 'b']] },
  'a header that is a number': { headers: { a: 1 } },
  'one name twice': { headers: { a: '1', A: '2' } },
  'a name with a space': { headers: { 'a b': '1' } },
  'a value with a line break': { headers: { a: '1\r\nb: 2' } },
  'a value with space around it': { headers: { a: ' 1' } },
  'a value beyond Latin-1': { headers: { a: '→' } },
  ...Object.fromEntries(
    [
      'range',
      'If-None-Match',
      'content-length',
      'host',
      'connection',
      'expect',
      'sec-fetch-mode',
      'proxy-authorization',
    ].map((name) => [name, { headers: { [name]: '1' } }]),
  ),
}

const elaborateInputs: Readonly<Record<string, unknown>> = {
  'a Request': new Request('http://127.0.0.1/'),
  'credentials in the URL': 'http://user:secret@127.0.0.1/',
  'data:': 'data:,x',
  'no URL': 'nowhere',
  'an object': { toString: () => 'http://127.0.0.1/' },
  'a port that fetch refuses': 'http://127.0.0.1:6000/',
}

describe('which requests are plain', () => {
  test.each(Object.entries(plain))('%s', (_, init) => {
    expect(plainRequest(url, init)).toBeDefined()
    expect(plainRequest(new URL(url), init)).toBeDefined()
  })

  test.each(Object.entries(elaborate))('not: %s', (_, init) => {
    expect(plainRequest(url, init as FetchInit)).toBeUndefined()
  })

  test.each(Object.entries(elaborateInputs))('not: %s', (_, input) => {
    expect(plainRequest(input, {})).toBeUndefined()
  })
})

test('the bytes of a body are those of the moment of the call', () => {
  const body = new Uint8Array([1, 2, 3])
  const request = plainRequest(url, { method: 'POST', body })
  body.fill(0)
  expect([...(request?.body ?? [])]).toEqual([1, 2, 3])
})

test('its Response is of the class, shows its URL, and its headers are fixed', async () => {
  const response = await client.fetch(`${url}/?query#fragment`)
  expect(response).toBeInstanceOf(Response)
  expect(response.constructor).toBe(Response)
  expect(response.url).toBe(`${url}/?query`)
  expect(response.headers).toBeInstanceOf(Headers)
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  for (const change of ['set', 'append'] as const)
    expect(() => response.headers[change]('a', 'b')).toThrow(new TypeError('immutable'))
  expect(() => response.headers.delete('date')).toThrow(TypeError)
  const clone = response.clone()
  expect(clone.url).toBe(response.url)
  expect(new Headers(clone.headers).getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(await Response.prototype.text.call(response)).toBe('hello')
  expect(await new Response(clone.body, clone).text()).toBe('hello')
})

test('a redirect is handed over to the native fetch', async () => {
  const response = await client.fetch(`${url}/moved`)
  expect([response.redirected, response.url, await response.text()]).toEqual([true, `${url}/`, 'hello'])
})

test('a body that nobody reads or holds gives its connection back', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const own = createClient()
  const closed = new Promise<void>((resolve) => {
    server.once('connection', (socket) => socket.once('close', resolve))
  })
  await (async () => void (await own.fetch(`${url}/large`)))()
  const stop = setInterval(collect, 5)
  await closed
  clearInterval(stop)
  await own.close()
})

test('a body that is being read is never taken for one that nobody holds', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let size = 0
  await client.fetch(`${url}/large`).then(async ({ body }) => {
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      collect()
      size += chunk.length
    }
  })
  expect(size).toBe(large.length)
  // A collection for each piece takes its time on a busy machine.
}, 90_000)
