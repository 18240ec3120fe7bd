/** Which bodies may be sent a second time, and that none ever arrives changed: the server's ledger compares them. */

import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createClient } from 'offhook'
import { failTimes, misdeeds, type RudeServer, rudeServer } from 'offhook/testing'
import { Agent, type Dispatcher, FormData, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { resilient } from '../../src/adapters/interceptor.js'

const text = 'four and twenty blackbirds '.repeat(100)
const pieces = [Buffer.from(text.slice(0, 1000)), Buffer.from(text.slice(1000))] as const

interface Kind {
  /** Asked for once per call: the same body goes to every attempt. */
  readonly make: () => unknown
  readonly repeatable: boolean
  /** What arrives is not the text itself, and not the same each time. */
  readonly wrapped?: boolean
}

function* inTurn() {
  yield* pieces
}
async function* later() {
  yield* pieces
}

const kinds: Readonly<Record<string, Kind>> = {
  'a string': { make: () => text, repeatable: true },
  'a Buffer': { make: () => Buffer.from(text), repeatable: true },
  'a Uint8Array': { make: () => new TextEncoder().encode(text), repeatable: true },
  'a Blob': { make: () => new Blob([text]), repeatable: true },
  'an array of Buffers': { make: () => pieces, repeatable: true },
  'a FormData': {
    make: () => {
      const form = new FormData()
      form.append('song', text)
      return form
    },
    repeatable: true,
    wrapped: true,
  },
  'a Readable': { make: () => Readable.from(pieces), repeatable: false },
  'a generator': { make: inTurn, repeatable: false },
  'an async generator': { make: later, repeatable: false },
  'a ReadableStream': { make: () => ReadableStream.from(pieces), repeatable: false },
  'the rest of a Readable that was partly read': {
    make: () => {
      const stream = Readable.from([Buffer.from('head'), ...pieces])
      stream.read()
      return stream
    },
    repeatable: false,
    wrapped: true,
  },
}

async function put(server: RudeServer, kind: Kind): Promise<unknown> {
  const agent = new Agent({ connect: { ...(server.ca !== undefined && { ca: server.ca }) } })
  const dispatcher = agent.compose(resilient({ random: () => 0, budget: false }))
  const body = kind.make() as Dispatcher.DispatchOptions['body'] & {}
  const headers = { 'x-request-id': 'song' }
  try {
    const answer = await request(server.url, { method: 'PUT', body, headers, dispatcher })
    return [answer.statusCode, await answer.body.text()]
  } catch (error) {
    return error
  } finally {
    await agent.destroy()
  }
}

function arrived(server: RudeServer, kind: Kind) {
  const [entry] = server.ledger.entries()
  if (kind.wrapped === true) return
  expect(server.ledger.corrupted()).toEqual([])
  for (const arrival of entry?.arrivals ?? []) {
    if (arrival.received) expect(arrival.bytes).toBe(Buffer.byteLength(text))
  }
}

describe.concurrent.each(Object.entries(kinds))('%s', (_name, kind) => {
  test('is sent again, whole, when nobody had begun to read it', async () => {
    await using server = await rudeServer({ tls: true, script: failTimes(2, misdeeds['tls-reset-after-client-hello']) })
    expect(await put(server, kind)).toEqual([200, 'ok'])
    expect(server.ledger.entries()).toMatchObject([{ began: 1, executed: 1 }])
    arrived(server, kind)
  })

  test(`is ${kind.repeatable ? '' : 'not '}sent again after it had been read`, async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
    const outcome = await put(server, kind)
    if (kind.repeatable) expect(outcome).toEqual([200, 'ok'])
    else expect(outcome).toMatchObject({ kind: 'reset', stopReason: 'body', mayHaveExecuted: true })
    expect(server.ledger.entries()).toMatchObject([{ executed: kind.repeatable ? 2 : 1 }])
    arrived(server, kind)
  })

  test(`is ${kind.repeatable ? '' : 'not '}sent again after a 503, and the 503 is handed over instead`, async () => {
    await using server = await rudeServer({ script: failTimes(1, misdeeds['status-503']) })
    const outcome = await put(server, kind)
    if (kind.repeatable) expect(outcome).toEqual([200, 'ok'])
    else expect(outcome).toEqual([503, ''])
    arrived(server, kind)
  })
})

describe.concurrent('a source that fails', () => {
  const failing: Readonly<Record<string, () => unknown>> = {
    'a file that is not there': () => createReadStream('/nonexistent/song.txt'),
    'a generator that throws': async function* fails() {
      yield pieces[0]
      throw new Error('out of ink')
    },
    'a ReadableStream that errors': () =>
      new ReadableStream({
        pull: (controller) => controller.error(new Error('out of ink')),
      }),
  }

  test.each(Object.entries(failing))(
    '%s: the caller is told, and the server never gets a whole request',
    async (_name, make) => {
      await using server = await rudeServer()
      const outcome = await put(server, { make, repeatable: false })
      expect(outcome).toBeInstanceOf(Error)
      expect(server.ledger.entries().every(({ received, executed }) => received === 0 && executed === 0)).toBe(true)
    },
  )

  test('is let go of when the call fails without having read it', async () => {
    await using server = await rudeServer({ tls: true, script: misdeeds['tls-reset-after-client-hello'] })
    const reasons: unknown[] = []
    const source = new ReadableStream({ cancel: (reason) => void reasons.push(reason) })
    const outcome = await put(server, { make: () => source, repeatable: false })
    expect(outcome).toMatchObject({ kind: 'reset', delivery: 'unsent' })
    expect(reasons).toEqual([outcome])
  })
})

describe.concurrent('fetch', () => {
  test.each(['content-length', 'Content-Length'])(
    'a length that the caller has given (%s) is said once',
    async (name) => {
      await using server = await rudeServer()
      await using client = createClient()
      const agent = new Agent()
      const init = { method: 'PUT', body: text, headers: { [name]: String(text.length) } }
      const byDispatcher = fetch(server.url, { ...init, dispatcher: agent.compose(resilient()) } as object)
      for (const response of await Promise.all([byDispatcher, client.fetch(server.url, init)]))
        expect([response.status, await response.text()]).toEqual([200, 'ok'])
      for (const { arrivals } of server.ledger.entries())
        expect(arrivals).toMatchObject([{ announcedBytes: text.length, bytes: text.length }])
      await agent.close()
    },
  )

  const form = new globalThis.FormData()
  form.append('song', text)
  const bodies = {
    'a string': text,
    'a Blob': new Blob([text]),
    'a FormData': form,
    URLSearchParams: new URLSearchParams({ song: text }),
    'a ReadableStream': ReadableStream.from(pieces),
  }

  test.each(Object.entries(bodies))('%s: a POST that was not sent is sent again', async (_name, body) => {
    await using server = await rudeServer({ tls: true, script: failTimes(2, misdeeds['tls-reset-after-client-hello']) })
    const agent = new Agent({ connect: { ca: server.ca as string } })
    const dispatcher = agent.compose(resilient({ random: () => 0 }))
    const response = await fetch(server.url, { method: 'POST', body, duplex: 'half', dispatcher } as object)
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    const [entry] = server.ledger.entries()
    expect(entry).toMatchObject({ began: 1, executed: 1 })
    expect(entry?.arrivals[0]?.bytes).toBeGreaterThanOrEqual(Buffer.byteLength(text))
    await agent.destroy()
  })
})
