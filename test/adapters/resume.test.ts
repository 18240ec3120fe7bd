/** Bodies that are continued where they were cut, byte for byte and never across two versions; and bodies held back until they are whole. */

import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Client, ConnectionResetError, createClient, type RetryOptions } from 'offhook'
import * as undici from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { failTimes, misdeeds, rudeServer } from '../../src/testing/rude-server.js'

const hosts = ['fetch', 'request'] as const
type Host = (typeof hosts)[number]

/** A store that serves one file with ranges, and cuts its answers where the test says. */
class Store implements AsyncDisposable {
  readonly content: Buffer
  etag = '"v1"'
  asked: string[] = []
  readonly #cutAfter: () => number | undefined
  readonly #server = createServer((request, response) => this.#serve(request, response))

  constructor(content: Buffer, cutAfter: () => number | undefined) {
    this.content = content
    this.#cutAfter = cutAfter
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/file`
  }

  #serve({ headers, socket }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(headers.range ?? 'all')
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    const ranged = from !== undefined && (headers['if-range'] ?? this.etag) === this.etag
    const start = ranged ? Number(from) : 0
    const end = ranged && to !== '' ? Math.min(Number(to), this.content.length - 1) : this.content.length - 1
    response.writeHead(ranged ? 206 : 200, {
      etag: this.etag,
      'content-length': end - start + 1,
      ...(ranged && { 'content-range': `bytes ${start}-${end}/${this.content.length}` }),
    })
    const cutAfter = this.#cutAfter()
    const stop = cutAfter === undefined ? end + 1 : Math.min(end + 1, start + cutAfter)
    this.#write(response, { socket, from: start, stop, whole: stop === end + 1 })
  }

  #write(response: ServerResponse, part: { socket: Socket; from: number; stop: number; whole: boolean }): void {
    const { socket, from, stop, whole } = part
    const next = Math.min(stop, from + 65_536)
    if (from >= stop && whole) response.end()
    else if (from >= stop) setTimeout(() => socket.resetAndDestroy(), 3)
    else response.write(this.content.subarray(from, next), () => this.#write(response, { ...part, from: next }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const clients: Client[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()))
})

function clientWith(retry: RetryOptions): Client {
  const client = createClient({ retry, random: () => 0 })
  clients.push(client)
  return client
}

async function digest(client: Client, host: Host, url: string, headers?: Record<string, string>): Promise<string> {
  const options = headers === undefined ? {} : { headers }
  const body = host === 'fetch' ? (await client.fetch(url, options)).body : (await client.request(url, options)).body
  const hash = createHash('sha256')
  for await (const chunk of body as AsyncIterable<Uint8Array>) hash.update(chunk)
  return hash.digest('hex')
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe.each(hosts)('retry.resume, with %s', (host) => {
  test('64 MiB cut 50 times arrive byte for byte', { timeout: 60_000 }, async () => {
    const content = randomBytes(64 * 1024 * 1024)
    let cuts = 0
    await using store = new Store(content, () => (++cuts <= 50 ? Math.floor(Math.random() * 2_000_000) + 1 : undefined))
    const url = await store.open()
    expect(await digest(clientWith({ resume: true }), host, url)).toBe(sha(content))
    expect(store.asked).toHaveLength(51)
  })

  test('a range that the caller asked for is continued within its bounds', async () => {
    const content = randomBytes(100_000)
    let cuts = 0
    await using store = new Store(content, () => (++cuts <= 3 ? 7_000 : undefined))
    const url = await store.open()
    const part = await digest(clientWith({ resume: true }), host, url, { range: 'bytes=1000-50999' })
    expect(part).toBe(sha(content.subarray(1000, 51_000)))
    expect(store.asked).toEqual(['bytes=1000-50999', 'bytes=8000-50999', 'bytes=15000-50999', 'bytes=22000-50999'])
  })

  test('two versions are never mixed: the reset stands as it happened', async () => {
    let cuts = 0
    await using store = new Store(randomBytes(100_000), () => {
      if (++cuts === 3) store.etag = '"v2"'
      return 10_000
    })
    const url = await store.open()
    const error = await digest(clientWith({ resume: true }), host, url).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectionResetError)
    expect(error).toMatchObject({ phase: 'body', delivery: 'partial' })
  })

  test.each(['W/"v1"', undefined, 'v1'])('without a strong ETag (%s) nothing is asked for again', async (etag) => {
    await using store = new Store(randomBytes(100_000), () => 10_000)
    store.etag = etag ?? ''
    const url = await store.open()
    await expect(digest(clientWith({ resume: true }), host, url)).rejects.toBeInstanceOf(ConnectionResetError)
    expect(store.asked).toHaveLength(1)
  })

  test('a peer that cuts every answer before its first byte is not asked for ever', async () => {
    let asked = 0
    await using store = new Store(randomBytes(100_000), () => (++asked === 1 ? 10_000 : 0))
    const url = await store.open()
    await expect(digest(clientWith({ resume: true }), host, url)).rejects.toBeInstanceOf(ConnectionResetError)
    expect(asked).toBeLessThan(6)
  })

  test('is off unless it is asked for', async () => {
    await using store = new Store(randomBytes(100_000), () => 10_000)
    const url = await store.open()
    await expect(digest(clientWith({}), host, url)).rejects.toBeInstanceOf(ConnectionResetError)
    expect(store.asked).toHaveLength(1)
  })
})

describe.each(hosts)("retry.body 'buffer', with %s", (host) => {
  const it = { headers: { 'x-request-id': 'it' } }
  const text = async (client: Client, url: string) =>
    host === 'fetch' ? (await client.fetch(url, it)).text() : (await client.request(url, it)).body.text()

  test.each(['reset-mid-body-content-length', 'fin-mid-body-chunked', 'reset-mid-body-close-delimited'] as const)(
    'an answer that is cut (%s) is asked for again as a whole',
    async (name) => {
      await using server = await rudeServer({ script: failTimes(1, misdeeds[name]) })
      expect(await text(clientWith({ body: 'buffer' }), server.url)).toBe('ok')
    },
  )

  test('a body above the limit is handed over as a stream, and its cut is final', async () => {
    await using server = await rudeServer({
      script: failTimes(1, misdeeds['reset-mid-body-content-length']),
    })
    const call = text(clientWith({ body: 'buffer', bufferLimit: 100 }), server.url)
    await expect(call).rejects.toMatchObject({ kind: 'reset', phase: 'body', stopReason: 'committed' })
  })
})

/** Serves a text by ranges; what is asked for second it cuts in the same turn of the loop in which it begins. */
class CutAtOnce extends undici.Dispatcher {
  readonly #text: string
  readonly asked: number[] = []

  constructor(text: string) {
    super()
    this.#text = text
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    const range = (options.headers as Record<string, string> | undefined)?.['range']
    const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    this.asked.push(from)
    const turn = this.asked.length
    const controller = { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} }
    const context = controller as unknown as undici.Dispatcher.DispatchController
    const last = this.#text.length - 1
    const contentRange = from > 0 ? { 'content-range': `bytes ${from}-${last}/${this.#text.length}` } : {}
    const cut = () => {
      handler.onResponseError?.(context, Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    }
    setImmediate(() => {
      handler.onRequestStart?.(context, {})
      handler.onResponseStart?.(context, from > 0 ? 206 : 200, { etag: '"v1"', ...contentRange }, '')
      handler.onResponseData?.(context, Buffer.from(this.#text.slice(from, turn > 2 ? undefined : from + 100)))
      if (turn === 1) setTimeout(cut, 10)
      else if (turn === 2) cut()
      else handler.onResponseEnd?.(context, {})
    })
    return true
  }
}

test('a continuation that is cut in the same moment in which it begins costs the reader nothing', async () => {
  const text = 'abcdefghij'.repeat(100)
  const dispatcher = new CutAtOnce(text)
  const client = clientWith({ attempts: 6, resume: true, backoff: { base: 0 } })
  const { body } = await client.request('http://store.test/file', { dispatcher })
  expect(await body.text()).toBe(text)
  expect(dispatcher.asked).toEqual([0, 100, 100])
})
