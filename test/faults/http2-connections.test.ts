/** HTTP/2 connections: what they share and what is told of it, silent peers, other ways than the connection that failed. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnyOffhookError, type ClientOptions, type ConnectionEvent, createClient, isOffhookError } from 'offhook'
import * as undici from 'undici'
import { describe, expect, test } from 'vitest'
import { h2Misdeeds, type RudeH2Server, rudeH2Server } from '../../src/testing/rude-server.js'

const multiplexes = 'Dispatcher1Wrapper' in undici

function clientOf(server: RudeH2Server, options: ClientOptions = {}) {
  return createClient({ http2: true, random: () => 0, budget: false, tls: { ca: server.ca }, ...options })
}

async function failure(call: Promise<unknown>): Promise<AnyOffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

const id = (name: string) => ({ headers: { 'x-request-id': name } })

describe('HTTP_1_1_REQUIRED', () => {
  const script = h2Misdeeds['http-1-1-required']

  test.each(['GET', 'PUT'])('%s goes over HTTP/1.1, once and free', async (method) => {
    await using server = await rudeH2Server({ script, http1: true })
    await using client = clientOf(server, { retry: { attempts: 1 } })
    const response = await client.fetch(server.url, { method, ...id('it') })
    expect(await response.text()).toBe('ok')
    expect(server.connections).toMatchObject({ accepted: 2, h2: 1 })
    expect([server.ledger.began('it'), server.ledger.executions('it')]).toEqual([2, 1])
  })

  test('so does a POST with a key; one without is not sent again unless that was asked for', async () => {
    await using server = await rudeH2Server({ script, http1: true })
    await using client = clientOf(server)
    await using daring = clientOf(server, { retry: { unsafeOnHttp11Required: true } })
    const post = { method: 'POST', body: 'one' }
    expect((await client.fetch(server.url, { ...post, ...id('keyed'), idempotencyKey: 'k' })).status).toBe(200)
    const error = await failure(client.fetch(server.url, { ...post, ...id('plain') }))
    expect(error).toMatchObject({ stopReason: 'unsafe', delivery: 'unknown', http2: 'HTTP_1_1_REQUIRED' })
    expect((await daring.fetch(server.url, { ...post, ...id('daring') })).status).toBe(200)
    expect(['keyed', 'plain', 'daring'].map((name) => server.ledger.executions(name))).toEqual([1, 0, 1])
  })
})

describe('a peer that is gone', () => {
  test.each(['mute', 'ignore-pings'] as const)('is found out by a PING: %s', async (name) => {
    await using server = await rudeH2Server()
    await using client = clientOf(server, { http2: { pingAfter: 50, pingTimeout: 200 } })
    await (await client.fetch(server.url)).text()
    server.on({ turns: [h2Misdeeds[name], {}], per: 'request-id' })
    expect((await client.fetch(server.url, id('get'))).status).toBe(200)
    const error = await failure(client.fetch(server.url, { method: 'POST', ...id('post') }))
    expect(error).toMatchObject({
      kind: 'timeout',
      phase: 'wait',
      delivery: 'unknown',
      http2: 'PING',
      code: 'ERR_HTTP2_PING_TIMEOUT',
      stopReason: 'unsafe',
    })
    expect(server.ledger.executions('post')).toBe(1)
    expect(server.pings).toBeGreaterThanOrEqual(name === 'mute' ? 1 : 2)
  })

  test('is not one that answers PINGs and takes its time', async () => {
    await using server = await rudeH2Server({ script: [{ wait: 400 }, { respond: { body: 'late' } }] })
    await using client = clientOf(server, { http2: { pingAfter: 50, pingTimeout: 200 } })
    expect(await (await client.fetch(server.url)).text()).toBe('late')
    expect(server.pings).toBeGreaterThanOrEqual(1)
  })

  test('is not asked where that is switched off', async () => {
    await using server = await rudeH2Server({ script: [{ wait: 200 }, { respond: { body: 'late' } }] })
    await using client = clientOf(server, { http2: { pingAfter: false } })
    expect(await (await client.fetch(server.url)).text()).toBe('late')
    expect(server.pings).toBe(0)
  })

  test('cuts a body that it had begun', async () => {
    await using server = await rudeH2Server({
      script: [{ respond: { body: { bytes: 1000 }, cut: 400 } }, 'heard', 'mute', 'stall'],
    })
    await using client = clientOf(server, { http2: { pingAfter: 50, pingTimeout: 200 } })
    const response = await client.fetch(server.url)
    expect(await failure(response.text())).toMatchObject({
      kind: 'timeout',
      phase: 'body',
      delivery: 'partial',
      http2: 'PING',
    })
  })

  test('is not one that is slow once: its connection is kept', async () => {
    await using server = await rudeH2Server({ script: { turns: [['stall'], {}], per: 'server' } })
    await using client = clientOf(server, { retry: false })
    expect(await failure(client.fetch(server.url, { timeout: { headers: 200 } }))).toMatchObject({ kind: 'timeout' })
    await server.until(() => server.pings === 1)
    await sleep(50)
    expect((await client.fetch(server.url)).status).toBe(200)
    expect(server.connections.accepted).toBe(1)
  })

  test('loses no further request once one has waited in vain', async () => {
    await using server = await rudeH2Server({ script: { turns: [h2Misdeeds.mute, {}], per: 'connection' } })
    await using client = clientOf(server, { retry: false, timeout: { headers: 200 } })
    expect(await failure(client.fetch(server.url))).toMatchObject({ kind: 'timeout', limit: 'headers' })
    expect((await client.fetch(server.url, { method: 'POST', timeout: { headers: 5000 } })).status).toBe(200)
    expect(server.connections.accepted).toBe(2)
  })

  test.runIf(multiplexes)('nor while others still wait on its connection', async () => {
    await using server = await rudeH2Server({ script: { turns: [h2Misdeeds.mute, {}], per: 'connection' } })
    await using client = clientOf(server, { retry: false })
    const patient = failure(client.fetch(server.url, { timeout: { headers: 5000 }, ...id('patient') }))
    await server.until(() => server.ledger.executions('patient') === 1)
    const impatient = await failure(client.fetch(server.url, { timeout: { headers: 200 } }))
    expect(impatient).toMatchObject({ kind: 'timeout', connection: { reused: true } })
    expect((await client.fetch(server.url, { method: 'POST', timeout: { headers: 5000 } })).status).toBe(200)
    expect(server.connections.accepted).toBe(2)
    await client.destroy()
    await patient
  })
})

describe('a repetition that needs a connection of its own', () => {
  test('gets one over HTTP/2 too, and it is closed behind it', async () => {
    await using server = await rudeH2Server()
    await using client = clientOf(server)
    for (const name of ['a', 'b', 'c']) {
      server.on({ turns: [h2Misdeeds['rst-before-head'], {}], per: 'request-id' })
      expect((await client.fetch(server.url, id(name))).status).toBe(200)
    }
    // Each call lost one connection and was answered on another.
    expect(server.connections).toMatchObject({ accepted: 6, h2: 6 })
    await server.until(() => server.connections.open === 0)
  })

  test('waits for its turn where connections are limited', async () => {
    await using server = await rudeH2Server()
    await using client = clientOf(server, { connections: 2 })
    server.on({ turns: [h2Misdeeds['rst-before-head'], {}], per: 'request-id' })
    const names = Array.from({ length: 12 }, (_, at) => `call-${at}`)
    let open = 0
    let most = 0
    const count = (message: unknown) => {
      const event = message as ConnectionEvent
      if (event.origin === server.url) open += event.event === 'open' ? 1 : -1
      most = Math.max(most, open)
    }
    subscribe('offhook:connection', count)
    const statuses = await Promise.all(names.map(async (name) => (await client.fetch(server.url, id(name))).status))
    unsubscribe('offhook:connection', count)
    expect(statuses).toEqual(names.map(() => 200))
    // Two of the pool, two of those that repeat.
    expect(most).toBeLessThanOrEqual(4)
    expect(names.map((name) => server.ledger.executions(name))).toEqual(names.map(() => 2))
  })
})

describe('what is told of a connection', () => {
  test('a request that had it alone knows its bytes; one that shared it does not', async () => {
    await using server = await rudeH2Server()
    await using client = clientOf(server, { retry: false, timeout: { headers: 300 } })
    await (await client.fetch(server.url)).text()
    server.on(['stall'])
    const body = 'x'.repeat(1000)
    const alone = await failure(client.fetch(server.url, { method: 'POST', body, ...id('alone') }))
    expect(alone.connection).toMatchObject({ protocol: 'h2', reused: true, requestsBefore: 1 })
    expect(alone.connection?.idleMs).toBeGreaterThanOrEqual(0)
    expect(alone.bytes?.sent).toBeGreaterThan(1000)
    expect(alone.bytes?.sent).toBeLessThan(1300)
    expect(alone.bytes?.received).toBeLessThan(100)

    server.on({})
    await (await client.fetch(server.url)).text()
    server.on(['stall'])
    const names = ['one', 'two', 'three']
    const shared = await Promise.all(
      names.map((name) => failure(client.fetch(server.url, { method: 'POST', body, ...id(name) }))),
    )
    const connections = new Set(shared.map(({ connection }) => connection?.id))
    expect(connections.size).toBe(multiplexes ? 1 : 3)
    for (const { bytes, connection } of shared) {
      if (multiplexes) expect([bytes, connection?.reused]).toEqual([undefined, true])
      else expect(bytes?.sent).toBeGreaterThan(1000)
    }
    // Only the first of them found it idle.
    const idle = shared.filter(({ connection }) => connection?.idleMs !== undefined).length
    expect(idle).toBe(1)
  })

  test.runIf(multiplexes)(
    'one GOAWAY: what it lets stand is answered, what it refuses goes to another connection',
    async () => {
      await using server = await rudeH2Server()
      await using client = clientOf(server)
      await (await client.fetch(server.url)).text()
      server.on({
        turns: [['stall'], ['stall'], [{ goaway: 'NO_ERROR', last: 'before' }, 'stall'], {}],
        per: 'server',
      })
      const post = (name: string) => client.request(server.url, { method: 'POST', body: 'x', ...id(name) })
      const standing = [failure(post('one')), failure(post('two'))]
      await server.until(() => server.ledger.began('two') === 1)
      const refused = await post('three')
      expect([refused.statusCode, await refused.body.text()]).toEqual([200, 'ok'])
      expect(server.ledger.began('three')).toBe(2)
      expect(server.ledger.executions('three')).toBe(1)
      expect(server.connections.accepted).toBe(2)
      await client.destroy()
      const lost = await Promise.all(standing)
      expect(lost.map(({ kind, delivery }) => [kind, delivery])).toEqual([
        ['not-admitted', 'unknown'],
        ['not-admitted', 'unknown'],
      ])
    },
  )

  test('a stream that is reset teaches nothing about idle connections', async () => {
    await using server = await rudeH2Server()
    await using client = clientOf(server, { retry: false })
    await (await client.fetch(server.url)).text()
    const before = client.stats().origins[server.url]?.reuse
    server.on(h2Misdeeds['internal-error'])
    for (let at = 0; at < 5; at++) await failure(client.fetch(server.url))
    expect(client.stats().origins[server.url]?.reuse).toEqual(before)
    expect(server.connections.accepted).toBe(1)
  })

  test('close waits for what is in flight, then leaves nothing open', async () => {
    await using server = await rudeH2Server({ script: [{ wait: 50 }, { respond: { body: 'late' } }] })
    const client = clientOf(server)
    const answer = client.fetch(server.url).then((response) => response.text())
    await server.until(() => server.connections.h2 === 1)
    await client.close()
    expect(await answer).toBe('late')
    await server.until(() => server.connections.open === 0)
  })
})

describe('what undici puts on the wire again by itself', () => {
  test.runIf(multiplexes)('counts, and is told', async () => {
    await using server = await rudeH2Server({ script: h2Misdeeds['refused-stream'] })
    await using client = clientOf(server, { retry: { attempts: 2 } })
    const error = await failure(client.request(server.url, { method: 'POST', body: 'x', ...id('it') }))
    expect(error).toMatchObject({ kind: 'rejected', delivery: 'rejected', mayHaveExecuted: false })
    // One try, one free repetition, one that counts; none of them twice on the wire, whatever undici would do.
    expect(error.attempts).toHaveLength(3)
    expect([server.ledger.began('it'), server.ledger.executions('it')]).toEqual([3, 0])
  })

  test.runIf(multiplexes)('and what it could not, for want of a connection, was not processed either', async () => {
    await using server = await rudeH2Server({ script: ['heard', { goaway: 'NO_ERROR', last: 'none' }, 'stall'] })
    // The way to the server is closed behind the first connection.
    const way = createServer((socket) => {
      way.close()
      const onward = connect(server.port, server.host)
      socket.pipe(onward).pipe(socket)
      for (const end of [socket, onward]) end.on('error', () => {})
      socket.once('close', () => onward.destroy())
    })
    way.listen(0, '127.0.0.1')
    await once(way, 'listening')
    await using client = clientOf(server, { retry: { attempts: 1 } })
    const url = `https://127.0.0.1:${(way.address() as AddressInfo).port}`
    const error = await failure(client.request(url, { method: 'POST', body: 'x', ...id('it') }))
    expect(error.attempts[0]).toMatchObject({ kind: 'refused', phase: 'connect', delivery: 'rejected' })
    expect(error).toMatchObject({ mayHaveExecuted: false })
    expect([server.ledger.began('it'), server.ledger.executions('it')]).toEqual([1, 0])
  })
})

test.each<[unknown, RegExp]>([
  ['yes', /http2/],
  [{ ping: 1 }, /http2.*ping/],
  [{ pingAfter: 0 }, /http2\.pingAfter/],
  [{ pingTimeout: '1' }, /http2\.pingTimeout/],
])('createClient refuses http2: %j', (http2, message) => {
  expect(() => createClient({ http2 } as ClientOptions)).toThrow(message)
})
