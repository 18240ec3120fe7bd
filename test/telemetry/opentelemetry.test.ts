/** Spans and metrics, as the real SDK receives them. */

import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, diag, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { type Client, type ClientOptions, createClient } from 'offhook'
import { type InstrumentOptions, instrument } from 'offhook/opentelemetry'
import { dial } from 'offhook/socket'
import { failTimes, misdeeds, type RudeServer, refusedPort, rudeServer } from 'offhook/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { channelNames } from '../../src/telemetry/channels.js'
import { RecordingSdk } from './recording-sdk.js'

let sdk: RecordingSdk
let server: RudeServer
let stop: () => void
let clients: Client[]

beforeEach(async () => {
  sdk = new RecordingSdk()
  sdk.register()
  server = await rudeServer()
  clients = []
  stop = () => {}
})

afterEach(async () => {
  stop()
  await Promise.all(clients.map((client) => client.destroy()))
  await server.close()
  await sdk[Symbol.asyncDispose]()
})

function listen(options: InstrumentOptions = {}): void {
  stop = instrument({ meterProvider: sdk.meterProvider, ...options }).stop
}

function clientOf(options: ClientOptions = {}): Client {
  const client = createClient({ random: () => 0, timeout: { headers: 300, body: 300 }, ...options })
  clients.push(client)
  return client
}

const secrets = { authorization: 'Bearer SECRET', cookie: 'id=SECRET' }
const target = () => `${server.url.replace('//', '//user:SECRET@')}/orders?token=SECRET`

/** A server that notes the `traceparent` of each request; the first of them it hangs up on, or it sends all elsewhere. */
async function listener({ fails = 0, location }: { fails?: number; location?: string } = {}) {
  const heads: unknown[] = []
  const http = createServer(async (request, response) => {
    heads.push(request.headers['traceparent'])
    if (heads.length <= fails) return void request.socket.destroy()
    if (location !== undefined) response.writeHead(302, { location })
    for await (const chunk of request) response.write(chunk)
    response.end()
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const close = () => new Promise<void>((resolve) => void http.close(() => resolve()).closeAllConnections())
  return { url: `http://127.0.0.1:${port}`, heads, [Symbol.asyncDispose]: close }
}

/** One call, to its end; whatever comes of it. */
async function run(
  client: Client,
  { at = server.url, ...init }: { at?: string; method?: string; body?: string } = {},
): Promise<unknown> {
  return client
    .fetch(`${at}/orders?token=SECRET`, { ...init, headers: secrets })
    .then((response) => response.text())
    .catch((error: unknown) => error)
}

const idOf = (span: { spanContext(): { spanId: string } } | undefined) => span?.spanContext().spanId

describe('spans', () => {
  test('of a call that goes well: one of the call, one of its attempt, beneath the active one', async () => {
    listen()
    const parent = trace.getTracer('test').startSpan('of the caller')
    await context.with(trace.setSpan(context.active(), parent), () => run(clientOf()))
    parent.end()
    const [call] = sdk.named('offhook GET')
    const [attempt] = sdk.named('GET')
    expect(call?.parentSpanContext?.spanId).toBe(idOf(parent))
    expect(attempt?.parentSpanContext?.spanId).toBe(idOf(call))
    expect([call?.kind, attempt?.kind]).toEqual([SpanKind.INTERNAL, SpanKind.CLIENT])
    const { hostname, port } = new URL(server.url)
    const shared = {
      'http.request.method': 'GET',
      'server.address': hostname,
      'server.port': Number(port),
      'url.full': `${server.url}/orders`,
      'http.response.status_code': 200,
    }
    expect(call?.attributes).toEqual({ ...shared, 'offhook.attempts': 1 })
    expect(attempt?.attributes).toEqual({
      ...shared,
      'network.peer.address': hostname,
      'network.peer.port': Number(port),
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
      'offhook.connection.reused': false,
    })
    expect([call?.status.code, attempt?.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET])
  })

  test('of a call that goes well the second time: the attempts stand side by side, the decision is an event', async () => {
    server.on(failTimes(1, misdeeds['reset-after-request']))
    listen()
    await run(clientOf())
    const [call] = sdk.named('offhook GET')
    const [first, second] = sdk.named('GET')
    expect([first, second].map((span) => span?.parentSpanContext?.spanId)).toEqual([idOf(call), idOf(call)])
    expect(first?.attributes).toMatchObject({
      'error.type': 'reset',
      'offhook.delivery': 'unknown',
      'offhook.mechanism': 'rst',
    })
    expect(first?.attributes).not.toHaveProperty(['http.request.resend_count'])
    expect(first?.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(second?.attributes).toMatchObject({ 'http.request.resend_count': 1, 'http.response.status_code': 200 })
    expect(call?.attributes).toMatchObject({ 'offhook.attempts': 2, 'http.response.status_code': 200 })
    expect(call?.attributes).not.toHaveProperty(['error.type'])
    expect(call?.events.map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      {
        name: 'offhook.decision',
        attributes: expect.objectContaining({ 'offhook.attempt': 1, 'offhook.retry': true, 'offhook.row': 15 }),
      },
    ])
  })

  test('of a call that fails: what is known of its delivery, why it was not repeated, who hung up', async () => {
    server.on(misdeeds['reset-after-request'])
    listen()
    const error = await run(clientOf(), { method: 'POST', body: 'SECRET' })
    const [call] = sdk.named('offhook POST')
    expect(call?.status).toEqual({ code: SpanStatusCode.ERROR, message: (error as Error).message })
    expect(call?.attributes).toMatchObject({
      'error.type': 'reset',
      'offhook.delivery': 'unknown',
      'offhook.may_have_executed': true,
      'offhook.stop_reason': 'unsafe',
      'offhook.because': expect.stringContaining('may have been executed'),
      'offhook.mechanism': 'rst',
      'offhook.hung_up_by': expect.any(String),
      'offhook.diagnosis': expect.any(String),
    })
  })

  test.each([503, 404])('of an answer with status %i: an error by its status, on both', async (status) => {
    server.on([{ respond: { status } }])
    listen()
    await run(clientOf({ retry: false }))
    for (const [span] of [sdk.named('offhook GET'), sdk.named('GET')]) {
      expect(span?.attributes).toMatchObject({ 'http.response.status_code': status, 'error.type': String(status) })
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
    }
  })

  test('of a body that is cut after the head: one more, beneath the call that had ended', async () => {
    server.on(misdeeds['stall-mid-body-content-length'])
    listen()
    await run(clientOf())
    const [call] = sdk.named('offhook GET')
    const [body] = sdk.named('offhook GET body')
    expect(call?.attributes).not.toHaveProperty(['error.type'])
    expect(body?.parentSpanContext?.spanId).toBe(idOf(call))
    expect(body?.attributes).toMatchObject({ 'error.type': 'timeout', 'offhook.phase': 'body' })
  })

  test('of a call that its caller aborts: the text of the reason is nobody’s business', async () => {
    server.on(misdeeds['stall-without-executing'])
    listen()
    const controller = new AbortController()
    const call = clientOf().fetch(`${server.url}/`, { signal: controller.signal })
    await server.until(() => server.ledger.entries().length > 0)
    controller.abort(new RangeError('SECRET'))
    await expect(call).rejects.toThrow('SECRET')
    const [span] = sdk.named('offhook GET')
    expect(span?.attributes).toMatchObject({ 'error.type': 'RangeError' })
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
    const [attempt] = sdk.named('GET')
    expect(attempt?.attributes).toMatchObject({ 'error.type': 'cancelled' })
    expect(attempt?.status.code).toBe(SpanStatusCode.UNSET)
    expect(await sdk.everything()).not.toContain('SECRET')
  })

  test('a method that anybody can invent is no name of a span', async () => {
    listen()
    await run(clientOf(), { method: 'FROBNICATE' })
    const [attempt] = sdk.named('HTTP')
    expect(attempt?.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'FROBNICATE',
    })
  })

  test('a dial is a call as well, without a word of HTTP', async () => {
    await using nobody = await refusedPort()
    listen()
    const { hostname, port } = new URL(nobody.url)
    await dial({ host: hostname, port: Number(port), retry: false }).catch(() => {})
    const [call] = sdk.named('offhook dial')
    expect(call?.attributes).toMatchObject({
      'offhook.operation': 'dial',
      'server.address': hostname,
      'server.port': Number(port),
      'error.type': 'refused',
    })
    expect(Object.keys(call?.attributes ?? {}).filter((name) => /^(http|url)\./.test(name))).toEqual([])
  })
})

describe('the context', () => {
  test('is not sent unless that is asked for', async () => {
    await using peer = await listener()
    listen()
    await run(clientOf(), { at: peer.url })
    expect(peer.heads).toEqual([undefined])
  })

  test.each(['fetch', 'request'] as const)(
    'is sent by %s with each attempt: the parent of the span there',
    async (way) => {
      await using peer = await listener({ fails: 1 })
      listen({ propagate: true })
      const client = clientOf()
      if (way === 'fetch') await run(client, { at: peer.url })
      else await (await client.request(peer.url)).body.dump()
      const attempts = sdk.named('GET').map((span) => span.spanContext())
      expect(peer.heads).toEqual(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`))
      expect(peer.heads).toHaveLength(2)
    },
  )

  test('goes with a body, whose length is known as before', async () => {
    await using peer = await listener({ fails: 1 })
    listen({ propagate: true })
    await using client = createClient({ random: () => 0 })
    const request = new Request(peer.url, { method: 'PUT', body: 'four' })
    expect(await (await client.fetch(request)).text()).toBe('four')
    expect(peer.heads).toEqual([expect.stringMatching(/^00-/), expect.stringMatching(/^00-/)])
  })

  test('goes to the origins that the function says yes to', async () => {
    await using peer = await listener()
    await using stranger = await listener()
    listen({ propagate: (origin) => origin === peer.url })
    const client = clientOf()
    await run(client, { at: peer.url })
    await run(client, { at: stranger.url })
    expect(peer.heads).toEqual([expect.stringMatching(/^00-/)])
    expect(stranger.heads).toEqual([undefined])
  })

  test('a header of the caller’s own stays as it is', async () => {
    await using peer = await listener()
    listen({ propagate: true })
    const client = clientOf()
    const ways = [{ TraceParent: 'mine' }, ['traceparent', 'mine'], new Map([['traceparent', 'mine']])]
    await (await client.fetch(peer.url, { headers: { TraceParent: 'mine' } })).text()
    for (const headers of ways) await (await client.request(peer.url, { headers: headers as string[] })).body.dump()
    expect(peer.heads).toEqual(['mine', 'mine', 'mine', 'mine'])
  })

  test('does not follow a redirect to another origin', async () => {
    await using stranger = await listener()
    await using peer = await listener({ location: stranger.url })
    listen({ propagate: true })
    await run(clientOf(), { at: peer.url })
    expect(peer.heads).toEqual([expect.stringMatching(/^00-/)])
    expect(stranger.heads).toEqual([undefined])
  })
})

describe('metrics', () => {
  test('how long requests took, each attempt by itself, without a path', async () => {
    server.on(failTimes(1, misdeeds['reset-after-request']))
    listen()
    await run(clientOf())
    const { hostname, port } = new URL(server.url)
    const shared = {
      'http.request.method': 'GET',
      'server.address': hostname,
      'server.port': Number(port),
      'url.scheme': 'http',
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
    }
    const requests = await sdk.series('http.client.request.duration')
    expect(requests.map(({ attributes, count }) => ({ ...attributes, count }))).toEqual([
      { ...shared, 'error.type': 'reset', count: 1 },
      { ...shared, 'http.response.status_code': 200, count: 1 },
    ])
    for (const { sum } of requests) expect(sum).toBeLessThan(5)
    expect(await sdk.series('offhook.call.duration')).toMatchObject([{ count: 1 }])
  })

  test('retries by their reason, hang-ups by mechanism, connections by their end', async () => {
    server.on(failTimes(2, misdeeds['reset-after-request']))
    listen()
    await run(clientOf())
    expect(await sdk.series('offhook.retries')).toMatchObject([
      { count: 2, attributes: { 'offhook.because': expect.stringContaining('idempotent'), 'offhook.row': 15 } },
    ])
    expect(await sdk.series('offhook.hangups')).toMatchObject([
      { count: 2, attributes: { 'offhook.mechanism': 'rst', 'error.type': 'reset' } },
    ])
    expect(await sdk.series('offhook.connections.closed')).toMatchObject([
      { count: 2, attributes: { 'offhook.ending': 'rst' } },
    ])
    expect(await sdk.series('offhook.failures')).toEqual([])
  })

  test('failures by kind, phase and delivery', async () => {
    server.on(misdeeds['reset-after-request'])
    listen()
    const client = clientOf()
    await run(client, { method: 'POST', body: 'x' })
    await run(client, { method: 'POST', body: 'x' })
    const failures = await sdk.series('offhook.failures')
    expect(failures.reduce((sum, { count }) => sum + count, 0)).toBe(2)
    for (const { attributes } of failures)
      expect(attributes).toMatchObject({ 'error.type': 'reset', 'offhook.delivery': 'unknown' })
  })

  test('a budget that is empty', async () => {
    server.on(misdeeds['reset-after-request'])
    listen()
    const client = clientOf({ budget: { ratio: 0, reserve: 1 } })
    await run(client)
    await run(client)
    expect(await sdk.series('offhook.budget.exhausted')).toMatchObject([{ count: 2 }])
  })
})

test('every misdeed: each span that begins ends, none is left alone, and nothing secret is told', async () => {
  const begun = { count: 0 }
  const counting = {
    getTracer: () => {
      const tracer = sdk.tracerProvider.getTracer('counting')
      const startSpan = (...of: Parameters<typeof tracer.startSpan>): Span => {
        begun.count++
        return tracer.startSpan(...of)
      }
      return { startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) }
    },
  }
  listen({ tracerProvider: counting })
  const quick = Object.entries(misdeeds).filter(
    ([name, { over }]) => over !== 'tls' && !/endless|retry-after|idle/.test(name),
  )
  const client = clientOf()
  for (const [, misdeed] of quick) {
    server.on(misdeed)
    await run(client)
    await run(client, { method: 'POST', body: 'SECRET' })
  }
  await client.fetch(target(), { headers: secrets }).catch(() => {})
  expect(sdk.spans.length).toBe(begun.count)
  expect(begun.count).toBeGreaterThan(200)
  const everything = await sdk.everything()
  expect(everything).toContain('/orders')
  expect(everything).not.toContain('SECRET')
}, 60_000)

describe('instrument', () => {
  const heard = () => Object.values(channelNames).filter((name) => channel(name).hasSubscribers)

  test('listens until it is stopped, and not before', async () => {
    expect(heard()).toEqual([])
    listen()
    expect(heard()).toEqual(['offhook:call', 'offhook:attempt', 'offhook:decision', 'offhook:connection'])
    stop()
    stop()
    expect(heard()).toEqual([])
    await run(clientOf())
    expect(sdk.spans).toEqual([])
  })

  test('a stop in the middle of a call ends its spans', async () => {
    server.on(misdeeds['stall-without-executing'])
    listen()
    const call = run(clientOf())
    await server.until(() => server.ledger.entries().length > 0)
    stop()
    expect(sdk.spans.map(({ name }) => name).sort()).toEqual(['GET', 'offhook GET'])
    await call
  })

  test('begun in the middle of a call, it does not tell half of it', async () => {
    server.on(failTimes(1, misdeeds['stall-without-executing']))
    const call = run(clientOf())
    await server.until(() => server.ledger.entries().length > 0)
    listen()
    await call
    expect(sdk.spans).toEqual([])
  })

  test('spans alone, metrics alone, nothing', async () => {
    listen({ metrics: false })
    await run(clientOf())
    expect(await sdk.series('offhook.call.duration')).toEqual([])
    expect(sdk.spans).toHaveLength(2)
    stop()
    sdk.exporter.reset()
    listen({ spans: false })
    await run(clientOf())
    expect(await sdk.series('offhook.call.duration')).toHaveLength(1)
    expect(sdk.spans).toEqual([])
    stop()
    listen({ spans: false, metrics: false })
    expect(heard()).toEqual([])
  })

  test('what throws while it is told breaks nothing, and is said to OpenTelemetry’s own log', async () => {
    const told = vi.fn()
    diag.setLogger({ error: told, warn() {}, info() {}, debug() {}, verbose() {} })
    listen({
      propagate: () => {
        throw new Error('of the user')
      },
    })
    expect(await run(clientOf())).toBe('ok')
    expect(told).toHaveBeenCalled()
    diag.disable()
  })

  test.each([
    [5, 'options must be a plain object'],
    [{ span: true }, 'options.span is not an option: did you mean spans?'],
    [{ spans: 'yes' }, 'options.spans must be true or false'],
    [{ metrics: 1 }, 'options.metrics must be true or false'],
    [{ propagate: 'all' }, 'options.propagate must be true, false, or a function'],
    [{ propagate: true, spans: false }, 'options.propagate must be false where spans is false'],
    [{ tracerProvider: {} }, 'options.tracerProvider must be an object with a method getTracer'],
    [{ meterProvider: null }, 'options.meterProvider must be an object with a method getMeter'],
  ])('refuses %j', (options, says) => {
    expect(() => instrument(options as InstrumentOptions)).toThrow(new RegExp(says))
    expect(() => instrument(options as InstrumentOptions)).toThrow(TypeError)
  })
})
