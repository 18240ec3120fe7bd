/** What `client.request` adds to undici's: bodies that undici does not take, redirects, exact limits, typed errors. */

import { Readable } from 'node:stream'
import {
  createClient,
  isOffhookError,
  type OffhookError,
  type RequestOptions,
  StatusError,
  TimeoutError,
} from 'offhook'
import { Agent, interceptors, FormData as UndiciForm, request as undiciRequest } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failTimes, misdeeds, refusedPort, rudeServer } from '../../src/testing/rude-server.js'
import { calm } from './drop-in-probe.js'
import { type DropInServer, dropInServer } from './drop-in-server.js'
import { ManualClock } from './manual-clock.js'

let server: DropInServer
let other: DropInServer
const client = createClient({ random: () => 0 })
const agent = new Agent()

beforeAll(async () => {
  server = await dropInServer()
  other = await dropInServer()
})
afterAll(async () => {
  await Promise.all([client.destroy(), agent.destroy()])
  await Promise.all([server, other].map((one) => one[Symbol.asyncDispose]()))
})

const place = () => ({ url: server.url, other: other.url, nobody: server.url })

/** What the server saw of a POST with this body. */
async function sent(body: RequestOptions['body'], options: RequestOptions = {}) {
  const answer = await client.request(`${server.url}/echo`, { method: 'POST', body, ...options })
  await answer.body.dump()
  return calm(server.seen(), place())
}

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

function fill<Form extends FormData | UndiciForm>(form: Form): Form {
  const file = new File(['file content'], 'näme "x".txt', { type: 'text/markdown' })
  ;(form as FormData).append('name', 'Ånne "q"')
  ;(form as FormData).append('name', 'second')
  ;(form as FormData).append('file', file)
  ;(form as FormData).append('blob', new Blob(['bytes']), 'b.bin')
  return form
}

describe('bodies', () => {
  test("the global FormData is sent as undici's own", async () => {
    expect(await sent(fill(new FormData()))).toEqual(await sent(fill(new UndiciForm())))
  })

  test('URLSearchParams are sent as fetch sends them', async () => {
    const body = new URLSearchParams([
      ['a', '1 2'],
      ['b', '&é'],
    ])
    const type = 'application/x-www-form-urlencoded;charset=UTF-8'
    expect(await sent(body)).toEqual(await sent(String(body), { headers: { 'content-type': type } }))
  })

  test.each([
    [{ 'Content-Type': 'text/x-mine' }],
    [['Content-Type', 'text/x-mine']],
    [new Map([['Content-Type', 'text/x-mine']])],
  ])('a content-type of the caller goes first: %o', async (headers) => {
    const seen = await sent(new URLSearchParams('a=1'), { headers })
    expect(seen[0]?.headers.filter((text) => /content-type|text\/x-mine|urlencoded/i.test(text))).toEqual([
      'Content-Type',
      'text/x-mine',
    ])
  })

  const made: readonly (readonly [string, RequestOptions['body'], string])[] = [
    ['text', () => 'made', 'made'],
    ['a promise of text', async () => 'made', 'made'],
    ['a stream', () => Readable.from([Buffer.from('made')]), 'made'],
    ['a stream of the web', () => new Blob(['made']).stream(), 'made'],
    ['URLSearchParams', () => new URLSearchParams('a=1'), 'a=1'],
    ['nothing', () => null, ''],
  ]
  test.each(made)('a function makes %s', async (_, body, text) => {
    expect(await sent(body)).toMatchObject([{ method: 'POST', body: text }])
  })

  test('a function is asked once for each attempt', async () => {
    await using rude = await rudeServer({ script: failTimes(2, misdeeds['reset-after-request']) })
    let times = 0
    const body = () => {
      times++
      return Readable.from([Buffer.from('made')])
    }
    const answer = await client.request(rude.url, { method: 'PUT', body, headers: { 'x-request-id': 'it' } })
    expect(await answer.body.text()).toBe('ok')
    expect(times).toBe(3)
    expect(rude.ledger.corrupted()).toEqual([])
  })

  test('a function that throws ends the call with what it threw', async () => {
    const boom = new Error('no body today')
    const body = (): never => {
      throw boom
    }
    await expect(client.request(`${server.url}/echo`, { method: 'POST', body })).rejects.toBe(boom)
    await expect(client.request(`${server.url}/echo`, { method: 'POST', body: async () => body() })).rejects.toBe(boom)
    expect(server.seen()).toEqual([])
  })

  test('a stream is destroyed when the call fails', async () => {
    await using nobody = await refusedPort()
    const body = Readable.from([Buffer.from('never')])
    const error = await rejection(client.request(nobody.url, { method: 'PUT', body, retry: { attempts: 1 } }))
    expect(error.kind).toBe('refused')
    if (!body.closed) await new Promise((resolve) => body.once('close', resolve))
    expect(body.destroyed).toBe(true)
  })
})

describe('redirects', () => {
  const secrets = { authorization: 'Bearer secret', cookie: 'session=1', 'x-other': 'kept' }
  const to = (target: string, status: number) => `/redirect?status=${status}&to=${encodeURIComponent(target)}`
  const cases: readonly (readonly [string, () => string, RequestOptions])[] = [
    ...[301, 302, 303, 307, 308].flatMap((status) => [
      [`a GET, ${status}`, () => to('/echo', status), {}] as const,
      [`a POST, ${status}`, () => to('/echo', status), { method: 'POST', body: 'hello' }] as const,
      [`a HEAD, ${status}`, () => to('/echo', status), { method: 'HEAD' }] as const,
    ]),
    ['to another origin', () => to(`${other.url}/echo`, 302), { headers: secrets }],
    ['to the same origin', () => to(`${server.url}/echo`, 302), { headers: secrets }],
    ['three in a row', () => '/hops?left=3', {}],
    ['more than are allowed', () => '/hops?left=7', {}],
    ['no location', () => '/redirect-without-location', {}],
    ['a query', () => '/hops?left=1', { headers: { 'x-a': '1' } }],
  ]

  test.each(cases)("are followed as undici's interceptor does: %s", async (_, path, options) => {
    const url = `${server.url}${path()}`
    const follow = agent.compose(interceptors.redirect({ maxRedirections: 5 }))
    const told = async (call: Promise<{ statusCode: number; body: { text(): Promise<string> } }>) => {
      const { statusCode, body } = await call
      return { statusCode, text: await body.text(), seen: calm([server.seen(), other.seen()], place()) }
    }
    const expected = await told(undiciRequest(url, { ...(options as object), dispatcher: follow }))
    expect(await told(client.request(url, { ...options, maxRedirections: 5 }))).toEqual(expected)
  })

  test('are not followed with 0, or unless asked for', async () => {
    for (const options of [{}, { maxRedirections: 0 }]) {
      const { statusCode, body } = await client.request(`${server.url}/hops?left=1`, options)
      expect([statusCode, await body.text()]).toEqual([302, ''])
    }
  })

  test('a POST that was answered by a redirect is not made again when the rest fails', async () => {
    await using nobody = await refusedPort()
    server.seen()
    const url = `${server.url}${to(nobody.url, 303)}`
    const error = await rejection(client.request(url, { method: 'POST', body: 'x', maxRedirections: 5 }))
    expect(error).toMatchObject({ kind: 'refused', delivery: 'answered', mayHaveExecuted: true, stopReason: 'unsafe' })
    expect(server.seen()).toHaveLength(1)
  })
})

describe('limits', () => {
  test('headersTimeout is exact, and named', async () => {
    const clock = new ManualClock()
    const exact = createClient({ clock, retry: false })
    const call = rejection(exact.request(`${server.url}/stall`, { headersTimeout: 300 }))
    await clock.until(300)
    while (server.seen().length === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.pass(300)
    const error = await call
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ limit: 'headers', limitMs: 300, phase: 'wait', code: 'UND_ERR_HEADERS_TIMEOUT' })
    await exact.destroy()
  })

  test('bodyTimeout is exact, and named', async () => {
    const clock = new ManualClock()
    const exact = createClient({ clock, retry: false, timeout: { headers: false, connect: false } })
    const { body } = await exact.request(`${server.url}/stall-body`, { bodyTimeout: 400 })
    const text = rejection(body.text())
    await clock.until(400)
    clock.pass(400)
    expect(await text).toMatchObject({ kind: 'timeout', limit: 'body', limitMs: 400, code: 'UND_ERR_BODY_TIMEOUT' })
    await exact.destroy()
  })
})

test('an answer is an error where that is asked for, and its body can be read', async () => {
  const error = await rejection(client.request(`${server.url}/status?status=418`, { throwOnStatus: true }))
  expect(error).toBeInstanceOf(StatusError)
  const { response } = error as StatusError
  expect(response).toMatchObject({ statusCode: 418 })
  expect(await (response as { body: { text(): Promise<string> } }).body.text()).toBe('so it is')
})
