/** What calls leave behind: no listener, no timer, no socket, no rejection that nobody hears. */

import { EventEmitter, getEventListeners, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Client, createClient, isOffhookError } from 'offhook'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { misdeeds, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const large = Buffer.alloc(1_000_000, 'x')
const server = createServer((request, response) => {
  request.resume()
  if (request.url === '/large') response.end(large)
  else if (request.url !== '/never') response.end('ok')
})
let url: string
const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))

const warnings: Error[] = []
const unheard: unknown[] = []
const onWarning = (warning: Error) => warnings.push(warning)
const onUnheard = (reason: unknown) => unheard.push(reason)

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  warnings.length = 0
  unheard.length = 0
  process.on('warning', onWarning)
  process.on('unhandledRejection', onUnheard)
})
afterEach(async () => {
  await turns()
  process.off('warning', onWarning)
  process.off('unhandledRejection', onUnheard)
  expect(warnings).toEqual([])
  expect(unheard).toEqual([])
})

const hosts = {
  fetch: async (client: Client, path: string, init: object = {}) => (await client.fetch(`${url}${path}`, init)).text(),
  request: async (client: Client, path: string, init: object = {}) =>
    (await client.request(`${url}${path}`, init)).body.text(),
} as const
type Host = keyof typeof hosts
const names = Object.keys(hosts) as Host[]

/** Makes so many calls, so many at a time. */
async function many(count: number, atOnce: number, call: () => Promise<unknown>): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await call()
    }),
  )
}

/** Resolves when the condition holds; what it waits for is garbage collection and the closing of sockets. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let look = 0; look < 500; look++) {
    if (await holds()) return
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect.fail('it never came to that')
}

describe('a signal that lives long', () => {
  test.each(names)('has no listener after 10,000 calls by %s', { timeout: 120_000 }, async (name) => {
    const { signal } = new AbortController()
    await using client = createClient({ connections: 20 })
    await many(10_000, 50, () => hosts[name](client, '/', { signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test.each(names)('has one listener for 200 calls under way by %s, and warns nobody', async (name) => {
    const { signal } = new AbortController()
    await using client = createClient({ connections: 20 })
    const calls = Array.from({ length: 200 }, () => hosts[name](client, '/', { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test.each(names)('has none after %s has failed, been repeated, been refused', async (name) => {
    const { signal } = new AbortController()
    const client = createClient({ random: () => 0, budget: false })
    await using rude = await rudeServer({ script: { turns: [misdeeds['reset-after-request'], {}], per: 'request-id' } })
    const send = client[name] as (to: string, init: object) => Promise<{ body: unknown }>
    const init = { signal, headers: { 'x-request-id': 'it' } }
    await new Response((await send(rude.url, init)).body as ReadableStream).text()
    rude.on(misdeeds['reset-after-request'])
    await expect(send(rude.url, { ...init, method: 'POST', body: 'x' })).rejects.toSatisfy(isOffhookError)
    await expect(send(rude.url, { ...init, headers: { 'a b': '1' } })).rejects.toBeInstanceOf(Error)
    await expect(send(rude.url, { ...init, timeout: -1 })).rejects.toBeInstanceOf(TypeError)
    await client.close()
    await expect(send(rude.url, init)).rejects.toMatchObject({ kind: 'not-admitted' })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('has none when all calls were aborted at once', async () => {
    const controller = new AbortController()
    const client = createClient()
    const calls = Array.from({ length: 100 }, (_, index) =>
      index % 2 === 0
        ? client.fetch(`${url}/large`, { signal: controller.signal })
        : client.request(`${url}/large`, { signal: controller.signal }),
    )
    const reason = new Error('all of you')
    controller.abort(reason)
    const ends = await Promise.allSettled(calls)
    expect(new Set(ends.map((end) => (end.status === 'rejected' ? end.reason : end)))).toEqual(new Set([reason]))
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    await client.destroy()
  })
})

describe('bodies that nobody reads', () => {
  test('let go of the signal when they are short, since they end by themselves', async () => {
    const { signal } = new AbortController()
    await using client = createClient()
    const responses = await Promise.all(Array.from({ length: 50 }, () => client.fetch(url, { signal })))
    await until(() => getEventListeners(signal, 'abort').length === 0)
    expect(responses.every(({ bodyUsed }) => !bodyUsed)).toBe(true)
  })

  test('let go of signal and socket when they are long, once they are garbage', async () => {
    const { signal } = new AbortController()
    await using client = createClient()
    for (let number = 0; number < 10; number++) await client.fetch(`${url}/large`, { signal })
    await until(() => getEventListeners(signal, 'abort').length === 0)
    await until(async () => (await connections()) === 0)
  })

  test.each([
    ['cancelled', (response: Response) => response.body?.cancel()],
    [
      'broken off',
      async (response: Response) => {
        for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>) break
      },
    ],
  ])('let go of the signal at once when they are %s, and of the socket', async (_, drop) => {
    const { signal } = new AbortController()
    await using client = createClient()
    const response = await client.fetch(`${url}/large`, { signal })
    await drop(response)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await until(async () => (await connections()) === 0)
  })

  test('of request are dropped by dump and by destroy', async () => {
    const { signal } = new AbortController()
    await using client = createClient()
    const first = await client.request(`${url}/large`, { signal })
    await first.body.dump({ limit: 10 })
    const second = await client.request(`${url}/large`, { signal })
    second.body.on('error', () => {}).destroy()
    await until(() => getEventListeners(signal, 'abort').length === 0)
    expect(await hosts.request(client, '/')).toBe('ok')
  })

  test.each(names)('and that fail are no unhandled rejection: %s', async (name) => {
    await using rude = await rudeServer({ script: misdeeds['reset-mid-body-content-length'] })
    await using client = createClient()
    const { signal } = new AbortController()
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const answer = await client[name](rude.url, { signal })
        // undici's body is a stream of Node's, whose errors must be heard; fetch's is not.
        if (answer.body instanceof EventEmitter) answer.body.on('error', () => {})
        return answer
      }),
    )
    await until(() => getEventListeners(signal, 'abort').length === 0)
    expect(answers).toHaveLength(10)
  })
})

describe('timers', () => {
  test.each(names)('are all cleared when %s is over, well or badly', async (name) => {
    const clock = new ManualClock()
    const client = createClient({ clock, timeout: { total: 60_000, attempt: 50_000 }, random: () => 0 })
    await hosts[name](client, '/')
    expect(clock.pending).toBe(0)
    const controller = new AbortController()
    const call = hosts[name](client, '/never', { signal: controller.signal })
    await turns()
    expect(clock.pending).toBeGreaterThan(0)
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(clock.pending).toBe(0)
    await client.destroy()
    expect(clock.pending).toBe(0)
  })

  test('and sockets are none of the process any more when the client is closed', async () => {
    const kinds = () => process.getActiveResourcesInfo().filter((kind) => /^(?:Timeout|TCP|TLS|Immediate)/.test(kind))
    await until(async () => (await connections()) === 0)
    const before = kinds().length
    const client = createClient()
    await many(100, 10, () => hosts.fetch(client, '/'))
    await many(100, 10, () => hosts.request(client, '/'))
    expect(await connections()).toBeGreaterThan(0)
    await client.close()
    await until(async () => (await connections()) === 0)
    expect(kinds().length).toBeLessThanOrEqual(before)
  })

  test('of answers that were not used are cleared: a retry drains or drops them', async () => {
    const busy = { request: [{ respond: { status: 503, body: large.toString() } }] } as const
    await using rude = await rudeServer({ script: { turns: [busy, {}], per: 'request-id' } })
    const clock = new ManualClock()
    const client = createClient({ clock, random: () => 0 })
    let number = 0
    await many(20, 5, async () => {
      const headers = { 'x-request-id': `r${number++}` }
      expect(await (await client.fetch(rude.url, { headers })).text()).toBe('ok')
    })
    await until(() => clock.pending === 0)
    await client.close()
    await rude.until(() => rude.connections.open === 0)
  })
})

describe('close', () => {
  test('waits for bodies under way, and closes every socket', async () => {
    const client = createClient()
    const response = await client.fetch(`${url}/large`)
    const closed = client.close()
    expect((await response.arrayBuffer()).byteLength).toBe(large.length)
    await closed
    await until(async () => (await connections()) === 0)
    await expect(client.fetch(url)).rejects.toMatchObject({ kind: 'not-admitted', admission: 'closed' })
  })

  test('destroy ends them, and closes every socket', async () => {
    const client = createClient()
    const response = await client.fetch(`${url}/large`)
    await client.destroy()
    await expect(response.arrayBuffer()).rejects.toBeInstanceOf(TypeError)
    await until(async () => (await connections()) === 0)
  })

  test.each([
    ['destroy', 'close'],
    ['close', 'destroy'],
    ['destroy', 'destroy'],
  ] as const)('%s, then %s, while a body is under way', async (first, second) => {
    const client = createClient()
    const response = await client.fetch(`${url}/large`)
    await Promise.all([client[first](), client[second]()])
    await expect(response.text()).rejects.toBeInstanceOf(TypeError)
    await client.close()
    await client.destroy()
    await until(async () => (await connections()) === 0)
  })
})
