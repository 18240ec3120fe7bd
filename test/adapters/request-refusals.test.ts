/** `client.request` refuses what cannot be, by a rejection that is a TypeError, and says what; aborts end it at every point. */

import { createClient, isOffhookError } from 'offhook'
import { Agent, request as undiciRequest } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusedPort } from '../../src/testing/rude-server.js'
import { type DropInServer, dropInServer } from './drop-in-server.js'
import type { AnyRequest } from './request-probes.js'

let server: DropInServer
const client = createClient({ random: () => 0 })
const agent = new Agent()
const ours = client.request as unknown as AnyRequest

beforeAll(async () => {
  server = await dropInServer()
})
afterAll(async () => {
  await Promise.all([client.destroy(), agent.destroy(), server[Symbol.asyncDispose]()])
})

const refused = async (call: Promise<unknown>) =>
  call.then(
    () => expect.fail('it was taken'),
    (error: unknown) => error as Error & { code?: string },
  )

describe('an address', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', {}],
    ['an empty string', ''],
    ['a relative address', '/echo'],
    ['no URL', 'no url'],
    ['a forbidden port', 'http://127.0.0.1:99999/'],
    ['ftp:', 'ftp://127.0.0.1/'],
    ['data:', 'data:,hello'],
    ['a URL of another scheme', new URL('file:///etc/hostname')],
  ])('%s is refused', async (_, url) => {
    const error = await refused(ours(url))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/url/i)
  })
})

/** Options that undici refuses as well. */
const options: Readonly<Record<string, object>> = {
  'method CONNECT': { method: 'CONNECT' },
  'a method with a space': { method: 'GET POST' },
  'a method that is a number': { method: 5 },
  'headers that are a string': { headers: 'x-a: 1' },
  'headers that are a number': { headers: 5 },
  'half a header': { headers: ['x-a'] },
  'a header name with a space': { headers: { 'x a': '1' } },
  'a line break in a header': { headers: { 'x-a': 'one\r\nx-b: two' } },
  'a content-length that is no number': { method: 'POST', body: 'x', headers: { 'content-length': 'x' } },
  'a content-length that is wrong': { method: 'POST', body: 'abc', headers: { 'content-length': '5' } },
  'transfer-encoding': { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } },
  expect: { headers: { expect: '100-continue' } },
  'a body that is a number': { method: 'POST', body: 5 },
  'a body that is an object': { method: 'POST', body: { a: 1 } },
  'a body that is true': { method: 'POST', body: true },
  'a query beside one in the URL': { query: { a: 1 }, path: '/echo?b=2' },
  'a path that is a number': { path: 5 },
  'a signal that is a string': { signal: 'stop' },
  'a signal that is a controller': { signal: new AbortController() },
  'a negative headersTimeout': { headersTimeout: -1 },
  'a headersTimeout that is text': { headersTimeout: '5' },
  'a bodyTimeout that is no number': { bodyTimeout: Number.NaN },
  'onInfo that is no function': { onInfo: 5 },
  'a negative high water mark': { highWaterMark: -1 },
  'an agent': { agent: {} },
}

describe('an option', () => {
  test.each(Object.entries(options))('%s is refused, as undici does', async (_, option) => {
    server.seen()
    const bare = await refused((async () => undiciRequest(server.url, { dispatcher: agent, ...option }))())
    const error = await refused(ours(server.url, option))
    if (isOffhookError(error)) {
      expect(error).toMatchObject({ kind: 'not-admitted', admission: 'invalid', delivery: 'unsent', code: bare.code })
      expect(error.attempts).toHaveLength(1)
    } else if (error instanceof TypeError) {
      expect(error.message).toMatch(/^(?:signal|headersTimeout|bodyTimeout|agent|path|query)\b/)
    } else {
      expect(error).toMatchObject({ name: bare.name, code: bare.code, message: bare.message })
    }
    expect(server.seen()).toEqual([])
  })

  test.each([
    ['options that are text', 'GET'],
    ['options that are a number', 5],
    ['a redirection less than none', { maxRedirections: -1 }],
    ['half a redirection', { maxRedirections: 0.5 }],
    ['a path on a URL that has one', { path: '/other' }],
    ['a timeout of 0', { timeout: 0 }],
    ['a timeout that is text', { timeout: '1s' }],
    ['a limit that nobody knows', { timeout: { idle: 5 } }],
    ['an attempt longer than the call', { timeout: { attempt: 10, total: 5 } }],
    ['retry true', { retry: true }],
    ['a retry option that nobody knows', { retry: { times: 3 } }],
    ['an empty key', { idempotencyKey: '' }],
    ['a key with a line break', { idempotencyKey: 'a\nb' }],
    ['a key beyond Latin-1', { idempotencyKey: '☎' }],
  ])('%s is refused', async (_, option) => {
    const error = await refused(ours(`${server.url}/echo`, option))
    expect(error).toBeInstanceOf(TypeError)
    expect(isOffhookError(error)).toBe(false)
    expect(error.message).toMatch(/options|maxRedirections|origin|timeout|retry|idempotencyKey/)
    expect(client.stats().inFlight).toBe(0)
  })
})

describe('a failure has the code that undici gives it', () => {
  test.each([
    ['refused', async () => (await refusedPort()).url],
    ['dns', async () => 'http://nothing.invalid/'],
    ['tls', async () => server.url.replace('http', 'https')],
    ['closed', async () => `${server.url}/hang-up`],
  ])('%s', async (kind, url) => {
    const to = await url()
    const options = { method: 'POST', body: 'x', retry: { attempts: 1 } } as const
    const bare = await refused(undiciRequest(to, { dispatcher: agent, method: 'POST', body: 'x' }))
    const error = await refused(client.request(to, options))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ kind, code: bare.code })
    expect(error.cause).toMatchObject({ code: bare.code })
  })
})

describe('an abort', () => {
  const reasons = [new Error('changed my mind'), 'enough', { why: 'because' }, 7]

  test.each(reasons)('before the call rejects with its reason, and sends nothing: %o', async (reason) => {
    server.seen()
    const signal = AbortSignal.abort(reason)
    expect(await refused(ours(`${server.url}/echo`, { signal }))).toBe(reason)
    expect(server.seen()).toEqual([])
  })

  test.each(reasons)('while the head is waited for rejects with its reason: %o', async (reason) => {
    const controller = new AbortController()
    const call = refused(ours(`${server.url}/stall`, { signal: controller.signal }))
    while (server.seen().length === 0) await new Promise((resolve) => setImmediate(resolve))
    controller.abort(reason)
    expect(await call).toBe(reason)
  })

  test('in the middle of the body fails it with its reason', async () => {
    const controller = new AbortController()
    const { body } = await client.request(`${server.url}/stall-body`, { signal: controller.signal })
    const text = refused(body.text())
    controller.abort(reasons[0])
    expect(await text).toBe(reasons[0])
  })

  test('in the queue for a connection is heard at once', async () => {
    await using narrow = createClient({ connections: 1 })
    const first = new AbortController()
    const holds = refused(narrow.request(`${server.url}/stall`, { signal: first.signal }))
    while (server.seen().length === 0) await new Promise((resolve) => setImmediate(resolve))
    const second = new AbortController()
    const waits = refused(narrow.request(`${server.url}/echo`, { signal: second.signal }))
    second.abort('no patience')
    expect(await waits).toBe('no patience')
    first.abort('over')
    expect(await holds).toBe('over')
    expect(server.seen()).toEqual([])
  })

  test('by AbortSignal.timeout is a TimeoutError of the platform', async () => {
    const error = await refused(ours(`${server.url}/stall`, { signal: AbortSignal.timeout(20) }))
    expect(error).toBeInstanceOf(DOMException)
    expect(error.name).toBe('TimeoutError')
  })
})
