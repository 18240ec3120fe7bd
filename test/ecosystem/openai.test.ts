/** The openai client over offhook, its own retries switched off, against a service that loses one connection in five. */

import { type Client, createClient, isOffhookError } from 'offhook'
import { misdeeds, type RudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import OpenAI, { APIConnectionError } from 'openai'
import { Agent } from 'undici'
import { describe, expect, test } from 'vitest'
import { events, flakyService, json, type Loss, lostConnections } from './flaky-service.js'

const words = ['The', ' line', ' is', ' bad', ', but', ' you', ' can', ' hear', ' me', '.']
const piece = (content: string | undefined) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'small',
  choices: [{ index: 0, delta: { content }, finish_reason: content === undefined ? 'stop' : null }],
})
const whole = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'small',
  choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
}

const service = (loss: Loss) =>
  flakyService(loss, {
    'POST /v1/chat/completions': ({ headers }) =>
      headers['accept'] === 'text/event-stream' || headers['x-wants'] === 'stream'
        ? events([...words.map(piece), piece(undefined), '[DONE]'])
        : json(whole),
    'GET /v1/models': json({ object: 'list', data: [{ id: 'small', object: 'model', created: 1, owned_by: 'us' }] }),
  })

const settings = { random: () => 0 }

/** The ways in which the client takes a transport. */
const ways = {
  'client.fetch': (server: RudeServer) => {
    const client: Client = createClient({ ...settings, tls: { ca: server.ca } })
    return { more: { fetch: client.fetch as typeof fetch }, close: () => client.close() }
  },
  'fetchOptions.dispatcher': (server: RudeServer) => {
    const agent = new Agent({ connect: { ca: server.ca as string } })
    return {
      more: { fetchOptions: { dispatcher: agent.compose(resilient(settings)) } as object },
      close: () => agent.close(),
    }
  },
} as const

async function on(loss: Loss, way: keyof typeof ways, use: (openai: OpenAI, server: RudeServer) => Promise<void>) {
  await using server = await service(loss)
  const { more, close } = ways[way](server)
  await use(new OpenAI({ apiKey: 'none', baseURL: `${server.url}/v1`, maxRetries: 0, ...more }), server)
  await close()
}

const messages = [{ role: 'user', content: 'Can you hear me?' }] as const
const ask = { model: 'small', messages: [...messages] }

async function chat(openai: OpenAI, id: string, headers: Record<string, string> = {}): Promise<string | null> {
  const answer = await openai.chat.completions.create(ask, { headers: { 'x-request-id': id, ...headers } })
  return answer.choices[0]?.message.content ?? null
}

async function stream(openai: OpenAI, id: string): Promise<string> {
  const headers = { 'x-request-id': id, 'x-wants': 'stream' }
  let text = ''
  for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true }, { headers }))
    text += chunk.choices[0]?.delta.content ?? ''
  return text
}

const count = 20

describe.each(Object.keys(ways) as (keyof typeof ways)[])('by %s', (way) => {
  test.each(['unsent', 'idle'] as const)(
    'connections lost %s: every call succeeds, every POST is executed once',
    (loss) =>
      on(loss, way, async (openai, server) => {
        for (let index = 0; index < count; index++) {
          expect(await chat(openai, `chat-${index}`)).toBe(words.join(''))
          expect(await stream(openai, `stream-${index}`)).toBe(words.join(''))
          expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['small'])
        }
        const posts = server.ledger.entries().filter(({ method }) => method === 'POST')
        expect(posts.map(({ executed }) => executed)).toEqual(Array(2 * count).fill(1))
        expect(server.ledger.corrupted()).toEqual([])
        // Every fifth connection was lost, or nothing was proved here.
        expect(lostConnections(server)).toBeGreaterThan(3)
      }),
  )

  test('connections lost after the request was heard: reads succeed, a POST fails by name and is executed once', () =>
    on('heard', way, async (openai, server) => {
      let failed = 0
      for (let index = 0; index < count; index++) {
        expect((await openai.models.list()).data).toHaveLength(1)
        const outcome = await chat(openai, `chat-${index}`).catch((error: unknown) => error)
        if (outcome === words.join('')) continue
        failed++
        expect(outcome).toBeInstanceOf(APIConnectionError)
        const cause = causeOf(outcome)
        expect(cause).toMatchObject({ kind: 'reset', mayHaveExecuted: true, stopReason: 'unsafe' })
      }
      expect(failed).toBeGreaterThan(0)
      expect(server.ledger.duplicates().filter(({ method }) => method === 'POST')).toEqual([])
    }))
})

test('with an Idempotency-Key a POST whose answer was lost is sent again, with the same key', () =>
  on('heard', 'client.fetch', async (openai, server) => {
    for (let index = 0; index < count; index++)
      expect(await chat(openai, `chat-${index}`, { 'idempotency-key': `key-${index}` })).toBe(words.join(''))
    const repeated = server.ledger.entries().filter(({ began }) => began > 1)
    expect(repeated.length).toBeGreaterThan(0)
    for (const { arrivals } of repeated)
      expect(new Set(arrivals.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(server.ledger.corrupted()).toEqual([])
  }))

describe.each(Object.keys(ways) as (keyof typeof ways)[])('by %s', (way) => {
  test('a stream that is cut is never taken for one that has ended', () =>
    on('idle', way, async (openai, server) => {
      for (const name of ['reset-mid-body-chunked', 'fin-mid-body-chunked', 'fin-before-last-chunk'] as const) {
        server.route('POST /v1/chat/completions', misdeeds[name])
        const error = await stream(openai, name).catch((reason: unknown) => reason)
        expect(causeOf(error)).toMatchObject({ phase: 'body', delivery: 'partial' })
      }
    }))
})

/** The typed error, out of whatever the client and fetch have wrapped it in. */
function causeOf(error: unknown): unknown {
  let inner = error
  while (inner instanceof Error && !isOffhookError(inner)) inner = inner.cause
  return inner ?? error
}
