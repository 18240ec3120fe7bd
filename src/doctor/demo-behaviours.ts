/**
 * What a client does that is told to do more: hedging, breaker, budget, resume, learning, HTTP/2, proxy. What came of each
 * is told by the diagnostics channels and by `client.stats()`, and compared with what must come of it.
 */

import { createHash } from 'node:crypto'
import { type Client, type ClientOptions, createClient, isOffhookError, type OriginStats } from '../index.js'
import { h2Misdeeds, misdeeds, rudeH2Server, rudeServer } from '../testing/rude-server.js'
import { cuttingStore, refusingProxy } from './demo-store.js'
import { Tally } from './demo-tally.js'
import { milliseconds } from './demo-words.js'

/** What came of one: in words, and what had to hold. */
export interface Told {
  readonly says: readonly string[]
  readonly expected: Readonly<Record<string, boolean>>
}

export interface Behaviour {
  readonly does: string
  /** The option that does it. */
  readonly option: string
  readonly play: () => Promise<Told>
}

/** One client, watched: without jitter, so that nothing is waited for. */
async function watched(options: ClientOptions, play: (client: Client, tally: Tally) => Promise<Told>): Promise<Told> {
  using tally = new Tally()
  await using client = createClient({ random: () => 0, ...options })
  return await play(client, tally)
}

/** One request to its end: the status, or the error. */
async function end(client: Client, url: string, init: { method?: string; headers?: Record<string, string> } = {}) {
  try {
    const { status, body } = await client.fetch(url, { ...init, ...(init.method === 'POST' && { body: 'one order' }) })
    await body?.pipeTo(new WritableStream())
    return status
  } catch (error) {
    return error
  }
}

function statsOf(client: Client, url: string): OriginStats | undefined {
  return client.stats().origins[new URL(url).origin]
}

async function hedging(): Promise<Told> {
  let asked = 0
  await using server = await rudeServer()
  const slow = { request: [{ read: 'request' }, { wait: 3_000 }, { respond: { body: 'late' } }] } as const
  server.on(() => (++asked === warmUp + 1 ? slow : {}))
  return await watched({ hedge: { minSamples: warmUp, maxExtra: 0.1 } }, async (client, tally) => {
    for (let round = 0; round < warmUp; round++) await end(client, server.url)
    const startedAt = performance.now()
    const status = await end(client, server.url)
    const tookMs = performance.now() - startedAt
    const { delayMs = 0, hedges = 0 } = statsOf(client, server.url)?.hedge ?? {}
    return {
      says: [
        `${String(status)} after ${milliseconds(tookMs)}, where the first connection would have taken 3 s`,
        `stats: ${hedges} hedge, sent after ${milliseconds(delayMs)} (the 95th percentile)`,
      ],
      expected: {
        'an answer': status === 200,
        'before the slow one': tookMs < 2_500,
        'one hedge': hedges === 1 && tally.hedges === 1,
      },
    }
  })
}

const warmUp = 20

async function breaking(): Promise<Told> {
  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  return await watched({ breaker: true }, async (client, tally) => {
    for (let round = 0; round < 4; round++) await end(client, server.url)
    const { breaker } = statsOf(client, server.url) ?? {}
    const because = tally.refusedRetries.at(-1) ?? ''
    return {
      says: [`4 calls, ${tally.attempts} attempts in place of 12: ${because}`, `stats: breaker ${breaker}`],
      expected: { 'open after five failures': breaker === 'open', 'no retries then': tally.attempts === 7 },
    }
  })
}

async function budgeting(): Promise<Told> {
  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  return await watched({}, async (client, tally) => {
    const ends = []
    for (let round = 0; round < 20; round++) ends.push(await end(client, server.url))
    const stops = ends.filter((error) => isOffhookError(error) && error.stopReason === 'budget').length
    const { granted = 0, denied = 0, level } = statsOf(client, server.url)?.budget ?? {}
    return {
      says: [
        `20 calls in an outage, ${tally.attempts} attempts in place of 60: ${tally.refusedRetries.at(-1)}`,
        `stats: ${granted} retries granted, ${denied} denied, ${level} tokens left`,
      ],
      expected: {
        'the reserve is ten': granted === 10,
        'and no more': tally.attempts === 30,
        'said so': stops === denied && stops > 0,
      },
    }
  })
}

async function resuming(): Promise<Told> {
  const file = Buffer.alloc(1024 * 1024, 'a page of a book, ')
  const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  await using store = await cuttingStore(file, 3)
  return await watched({ retry: { resume: true } }, async (client, tally) => {
    const response = await client.fetch(store.url)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const ends = tally.endings.get('rst') ?? 0
    return {
      says: [
        `${bytes.length} of ${file.length} bytes, the same ones, over ${ends + 1} connections`,
        `channels: ${tally.retries} times the rest was asked for, with Range and If-Range`,
      ],
      expected: { 'byte by byte': sum(bytes) === sum(file), 'cut three times': ends === 3 && tally.retries === 3 },
    }
  })
}

async function learning(): Promise<Told> {
  await using server = await rudeServer({ script: { idle: [{ wait: 200 }, 'rst'] } })
  return await watched({}, async (client, tally) => {
    for (let round = 0; round < 3; round++) {
      await end(client, server.url)
      await server.until(() => server.connections.open === 0)
    }
    const status = await end(client, server.url, { method: 'POST' })
    const { timerMs = 0, unsafeIdleMs = 0, why = '' } = statsOf(client, server.url)?.reuse ?? {}
    return {
      says: [
        `POST: ${String(status)}; idle connections are used again for ${milliseconds(unsafeIdleMs)} at most`,
        `stats: ${why}`,
      ],
      expected: {
        'the timer was seen': timerMs > 150 && timerMs < 1_000,
        'and is not run into': unsafeIdleMs < timerMs,
        'nothing failed': status === 200 && tally.failures === 0,
      },
    }
  })
}

async function http2(): Promise<Told> {
  const script = { turns: [h2Misdeeds['refused-stream'], {}], per: 'request-id' } as const
  await using server = await rudeH2Server({ script })
  return await watched({ http2: true, tls: { ca: server.ca } }, async (client, tally) => {
    const status = await end(client, server.url, { method: 'POST', headers: { 'x-request-id': 'order' } })
    const executed = server.ledger.executions('order')
    return {
      says: [
        `POST: ${String(status)}; REFUSED_STREAM is the server's word that it did nothing, so it was sent again`,
        `channels: over ${[...tally.protocols].join(' and ')}; the ledger: executed ${executed}×`,
      ],
      expected: {
        'an answer': status === 200,
        'executed once': executed === 1,
        'over HTTP/2': tally.protocols.has('h2'),
      },
    }
  })
}

async function proxying(): Promise<Told> {
  await using proxy = await refusingProxy()
  return await watched({ proxy: proxy.url }, async (client) => {
    const error = await end(client, 'https://api.example.com/orders', { method: 'POST' })
    if (!isOffhookError(error)) return { says: [String(error)], expected: { 'a typed error': false } }
    const { name, kind, phase, delivery } = error
    const refusedWith = error.kind === 'proxy' ? error.proxyStatus : undefined
    return {
      says: [
        `${name}: ${kind} in ${phase}, refused with ${refusedWith}`,
        `${delivery}: the order never left for the origin`,
      ],
      expected: {
        'named as the proxy’s': kind === 'proxy' && refusedWith === 403,
        'never sent': delivery === 'unsent',
      },
    }
  })
}

/** Everything, in the order of the README. */
export const behaviours: readonly Behaviour[] = [
  { does: 'one answer in twenty is late', option: 'hedge', play: hedging },
  { does: 'an outage, and a breaker', option: 'breaker: true', play: breaking },
  { does: 'an outage, and the budget', option: 'always on', play: budgeting },
  { does: 'a download that is cut three times', option: 'retry.resume', play: resuming },
  { does: 'resets connections that were idle for 200 ms', option: 'always on', play: learning },
  { does: 'refuses a stream', option: 'http2: true', play: http2 },
  { does: 'a proxy that makes no tunnel', option: 'proxy', play: proxying },
]
