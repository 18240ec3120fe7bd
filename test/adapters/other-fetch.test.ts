/** `client.fetch` over another fetch than the native one: npm undici's, the application's own, a fake, a stub of the global. */

import { createClient, type FetchInit, isOffhookError, type OffhookError, UnknownNetworkError } from 'offhook'
import { Response as UndiciResponse, fetch as undiciFetch } from 'undici'
import { describe, expect, test, vi } from 'vitest'
import { failTimes, misdeeds, refusedPort, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock } from './manual-clock.js'

type HostFetch = (input: string | URL | Request, init?: object) => Promise<Response>

const url = 'https://api.example.com/orders'
const impatient = { random: () => 0, budget: false } as const

/** A fetch that answers in turn, the last one for ever, and keeps what it was given. */
function fake(...ends: readonly (() => Response | Promise<Response>)[]) {
  const calls: { input: unknown; init: FetchInit & { signal: AbortSignal } }[] = []
  const fetch: HostFetch = async (input, init) => {
    calls.push({ input, init: init as never })
    const end = ends[Math.min(calls.length, ends.length) - 1] as () => Response | Promise<Response>
    return end()
  }
  return { fetch, calls }
}

const ok = () => new Response('ok')
const busy = () => new Response('busy', { status: 503 })
const fail = (error: unknown) => () => Promise.reject(error)
const withCode = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })

async function rejection(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

describe("npm undici's fetch", () => {
  const client = () => createClient({ ...impatient, fetch: undiciFetch as unknown as HostFetch })

  test('answers with its own Response, over our connections', async () => {
    await using server = await rudeServer()
    await using by = client()
    const response = await by.fetch(server.url, { method: 'POST', body: 'x' })
    expect(response).toBeInstanceOf(UndiciResponse)
    expect(await response.text()).toBe('ok')
  })

  test('fails by name, with all that our connections know', async () => {
    await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
    await using by = client()
    const error = await rejection(by.fetch(server.url, { method: 'POST', body: 'x' }))
    expect(error).toMatchObject({ kind: 'reset', phase: 'wait', delivery: 'unknown', stopReason: 'unsafe' })
    expect(error.connection).toMatchObject({ reused: false, remotePort: server.port })
  })

  test('fails by name in the middle of a body', async () => {
    await using server = await rudeServer({ script: misdeeds['reset-mid-body-close-delimited'] })
    await using by = client()
    const response = await by.fetch(server.url)
    expect(await rejection(response.text())).toMatchObject({ kind: 'reset', phase: 'body', delivery: 'partial' })
  })

  test('is repeated, with its body', async () => {
    await using server = await rudeServer({ script: failTimes(2, misdeeds['reset-after-request']) })
    await using by = client()
    const init = { method: 'PUT', body: 'x', headers: { 'x-request-id': 'it' } }
    expect(await (await by.fetch(server.url, init)).text()).toBe('ok')
    expect(server.ledger.corrupted()).toEqual([])
  })

  test('refuses what it does not take, as it does', async () => {
    await using by = client()
    await expect(by.fetch(url, { method: 'CONNECT' })).rejects.toThrow("'CONNECT' HTTP method is unsupported.")
  })
})

describe('a fake', () => {
  test('is given the input as it is, the init, a dispatcher and a signal', async () => {
    const { fetch, calls } = fake(ok)
    await using client = createClient({ ...impatient, fetch })
    const headers = { 'x-a': '1' }
    await client.fetch(url, { method: 'POST', body: 'x', headers, retry: { attempts: 2 } })
    expect(calls).toHaveLength(1)
    expect(calls[0]?.input).toBe(url)
    expect(calls[0]?.init).toMatchObject({ method: 'POST', body: 'x' })
    expect(calls[0]?.init.headers).toBe(headers)
    expect(calls[0]?.init.signal).toBeInstanceOf(AbortSignal)
    expect(calls[0]?.init.dispatcher).toHaveProperty('dispatch')
  })

  test('is asked again after an answer that says so, whose body is let go', async () => {
    const bodies = Array.from({ length: 2 }, () => busy())
    const { fetch, calls } = fake(
      () => bodies[0] as Response,
      () => bodies[1] as Response,
      ok,
    )
    await using client = createClient({ ...impatient, fetch })
    expect(await (await client.fetch(url)).text()).toBe('ok')
    expect(calls).toHaveLength(3)
    expect(bodies.map(({ bodyUsed }) => bodyUsed)).toEqual([true, true])
  })

  test.each([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'closed'],
    ['ENOTFOUND', 'dns'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['EPIPE', 'closed'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['SOMETHING', 'unknown'],
  ])('fails with %s: %s; a POST is not made again, since nobody saw how far it had come', async (code, kind) => {
    const raw = withCode(code)
    const { fetch, calls } = fake(fail(raw))
    await using client = createClient({ ...impatient, fetch })
    const error = await rejection(client.fetch(url, { method: 'POST', body: 'x' }))
    expect(error).toMatchObject({ kind, code, delivery: 'unknown', mayHaveExecuted: true })
    expect(error.cause).toBe(raw.cause)
    expect(error).not.toHaveProperty('connection')
    expect(calls).toHaveLength(1)
  })

  test.each([['ECONNREFUSED'], ['ECONNRESET'], ['SOMETHING']])('fails with %s: a GET is made again', async (code) => {
    const { fetch, calls } = fake(fail(withCode(code)), ok)
    await using client = createClient({ ...impatient, fetch })
    expect((await client.fetch(url)).status).toBe(200)
    expect(calls).toHaveLength(2)
  })

  test.each([['text'], [undefined], [null], [5], [{ code: 'ECONNRESET' }], [new Error('plain')]])(
    'rejects with %o, and is named all the same',
    async (raw) => {
      const { fetch } = fake(fail(raw))
      await using client = createClient({ ...impatient, fetch, retry: false })
      const error = await rejection(client.fetch(url))
      expect(error.cause).toBe(raw)
    },
  )

  test('throws where it should reject', async () => {
    const raw = new Error('at once')
    const fetch = () => {
      throw raw
    }
    await using client = createClient({ ...impatient, fetch, retry: false })
    const error = await rejection(client.fetch(url))
    expect(error).toBeInstanceOf(UnknownNetworkError)
    expect(error.cause).toBe(raw)
  })

  test('of wrong input fails as it does, without another try', async () => {
    const { fetch, calls } = fake(fail(new TypeError('not like this')))
    await using client = createClient({ ...impatient, fetch })
    await expect(client.fetch(url, { method: 'TRACE' })).rejects.toThrow('not like this')
    await expect(client.fetch(url, { headers: { 'a b': '1' } })).rejects.toThrow('not like this')
    expect(calls).toHaveLength(2)
  })

  test('hears nothing and never settles: an abort settles the call, a late answer is let go', async () => {
    let answer: (response: Response) => void = () => {}
    const { fetch, calls } = fake(() => new Promise<Response>((resolve) => (answer = resolve)))
    await using client = createClient({ ...impatient, fetch })
    const controller = new AbortController()
    const call = client.fetch(url, { signal: controller.signal })
    await vi.waitFor(() => expect(calls).toHaveLength(1))
    controller.abort('no patience')
    await expect(call).rejects.toBe('no patience')
    expect(calls[0]?.init.signal.reason).toBe('no patience')
    const late = ok()
    answer(late)
    await vi.waitFor(() => expect(late.bodyUsed).toBe(true))
  })

  test('hears nothing and never settles: the limits of the attempt and of the call settle it', async () => {
    const { fetch, calls } = fake(() => new Promise<Response>(() => {}))
    const clock = new ManualClock()
    const client = createClient({ ...impatient, fetch, clock, timeout: { attempt: 100, total: 250 } })
    const call = rejection(client.fetch(url))
    for (const [number, ms] of [100, 100, 50].entries()) {
      await vi.waitFor(() => expect(calls).toHaveLength(number + 1))
      await clock.until(100)
      clock.pass(ms)
    }
    expect(await call).toMatchObject({ kind: 'timeout', limit: 'total', phase: 'call', delivery: 'unknown' })
    expect(clock.set).toEqual([])
    await client.destroy()
  })
})

describe("the application's own fetch around the global one", () => {
  const around: HostFetch = (input, init) => globalThis.fetch(input, { ...init, headers: { 'x-request-id': 'mine' } })

  test('obeys our dispatcher, so that everything is known', async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
    await using client = createClient({ ...impatient, fetch: around })
    expect(await (await client.fetch(`${server.url}/a`)).text()).toBe('ok')
    server.on(misdeeds['reset-after-request'])
    const error = await rejection(client.fetch(`${server.url}/b`, { method: 'POST', body: 'x' }))
    expect(error).toMatchObject({ kind: 'reset', delivery: 'unknown', connection: { remotePort: server.port } })
    expect(server.ledger.began('mine')).toBe(3)
  })

  test('knows that a refused POST was never sent', async () => {
    await using nobody = await refusedPort()
    await using client = createClient({ ...impatient, fetch: around })
    const error = await rejection(client.fetch(nobody.url, { method: 'POST', body: 'x' }))
    expect(error).toMatchObject({ kind: 'refused', delivery: 'unsent', mayHaveExecuted: false })
    expect(error.attempts).toHaveLength(3)
  })
})

describe('the global fetch of the moment', () => {
  test('is driven, also when it was replaced after the client was made', async () => {
    await using client = createClient(impatient)
    const { fetch, calls } = fake(busy, ok)
    vi.stubGlobal('fetch', fetch)
    expect(await (await client.fetch(url)).text()).toBe('ok')
    expect(calls).toHaveLength(2)
  })

  test('may be the client itself', async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
    await using client = createClient(impatient)
    await using other = createClient(impatient)
    vi.stubGlobal('fetch', client.fetch)
    const headers = { 'x-request-id': 'it' }
    for (const fetch of [globalThis.fetch, client.fetch, other.fetch])
      expect(await (await fetch(server.url, { headers })).text()).toBe('ok')
    expect(server.ledger.began('it')).toBe(4)
  })
})
