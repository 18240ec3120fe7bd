/** Names that stand for several addresses, some of them dead: which is tried, in what order, and what it costs. */

import dns from 'node:dns'
import { once } from 'node:events'
import net, { type Server, type Socket } from 'node:net'
import { type Client, type ClientOptions, createClient, isOffhookError, type OffhookError } from 'offhook'
import { afterEach, describe, expect, test } from 'vitest'
import { type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'

/** Nobody listens there: the servers of these tests are at 127.0.0.1 or have an address of their own. */
const dead = '127.0.0.2'
const alive = '127.0.0.1'

type Lookup = NonNullable<ClientOptions['lookup']>
type Found = { address: string; family: number }

/** A look-up that gives these addresses, in this order, and counts how often it is asked. */
function lookupOf(...addresses: string[]) {
  const found: Found[] = addresses.map((address) => ({ address, family: net.isIP(address) }))
  const asked: { hostname: string; all: boolean | undefined }[] = []
  const lookup: Lookup = (hostname, options, callback) => {
    asked.push({ hostname, all: options.all })
    setImmediate(() => callback(null, found))
  }
  return { lookup, asked }
}

const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.destroy()
})

function clientOf(options: ClientOptions): Client {
  const client = createClient({ random: () => 0.5, ...options })
  clients.push(client)
  return client
}

async function failureOf(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

/** Another server on the port of the first, which does this with each connection. */
async function neighbour(
  port: number,
  host: string,
  deed: (socket: Socket) => void,
): Promise<AsyncDisposable & Server> {
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    deed(socket)
  })
  server.listen(port, host)
  await once(server, 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return Object.assign(server, { [Symbol.asyncDispose]: close })
}

const post = { method: 'POST', body: 'x', headers: { 'x-request-id': 'order' } }

describe.each([
  { order: [dead, alive], says: 'dead first' },
  { order: [alive, dead], says: 'alive first' },
  { order: ['127.0.0.3', dead, alive], says: 'two dead ones first' },
  { order: [dead, alive, '127.0.0.3'], says: 'alive between dead ones' },
  { order: [alive], says: 'one alone' },
])('$says', ({ order }) => {
  test.each(['fetch', 'request'] as const)('a POST by %s arrives once, in one attempt', async (host) => {
    await using server = await rudeServer()
    const { lookup } = lookupOf(...order)
    const client = clientOf({ lookup, retry: false })
    await client[host](`http://service.test:${server.port}/`, post)
    expect(server.ledger.executions('order')).toBe(1)
  })

  test('without happy eyeballs, as a local address switches it off, each dead one costs one attempt and no wait', async () => {
    await using server = await rudeServer()
    const { lookup, asked } = lookupOf(...order)
    const clock = new ManualClock()
    const client = clientOf({ lookup, clock, localAddress: '127.0.0.1', timeout: { connect: false, headers: false } })
    const url = `http://service.test:${server.port}/`
    const response = await client.fetch(url, post)
    expect(await response.text()).toBe('ok')
    expect(server.ledger.executions('order')).toBe(1)
    expect(asked).toHaveLength(order.indexOf(alive) + 1)
    expect(asked.every(({ hostname, all }) => hostname === 'service.test' && all === true)).toBe(true)
    // The clock has not moved, so none of the attempts waited.
    expect(clock.now()).toBe(new ManualClock().now())
  })
})

test('an address that has just failed is tried last by the next dial, and first again when it is forgotten', async () => {
  await using server = await rudeServer({ script: { request: [{ respond: { body: 'ok', close: true } }] } })
  const { lookup } = lookupOf(dead, alive)
  const clock = new ManualClock()
  const client = clientOf({ lookup, clock, localAddress: '127.0.0.1', retry: false, timeout: { connect: false } })
  const url = `http://service.test:${server.port}/`
  const get = async () => (await client.fetch(url)).text()
  expect(await failureOf(get())).toMatchObject({ kind: 'refused', connection: { remoteAddress: dead } })
  for (let number = 0; number < 3; number++) expect(await get()).toBe('ok')
  clock.advance(30_000)
  expect(await failureOf(get())).toMatchObject({ kind: 'refused', connection: { remoteAddress: dead } })
  expect(await get()).toBe('ok')
})

test('when every address has failed the table decides as ever: the second attempt waits', async () => {
  await using server = await rudeServer()
  const { lookup } = lookupOf(dead, '127.0.0.3')
  const clock = new ManualClock()
  const client = clientOf({ lookup, clock, localAddress: '127.0.0.1', timeout: { connect: false } })
  const failing = failureOf(client.fetch(`http://service.test:${server.port}/`))
  while (clock.waits.length === 0) await turns()
  expect(clock.waits).toEqual([50])
  clock.advance(50)
  const error = await failing
  expect(error.attempts.map(({ waitedMs, decision }) => [waitedMs, decision.row])).toEqual([
    [0, 6],
    [0, 6],
    [50, 6],
  ])
  expect(error.attempts[0]?.decision).toMatchObject({ retry: true, charged: true, waitMs: 0 })
  expect(error.attempts[0]?.decision.because).toContain('to another address')
  expect(error.attempts.map(({ connection }) => connection?.remoteAddress)).toEqual([dead, '127.0.0.3', dead])
})

describe('a connection that one of several addresses ends before it is ready', () => {
  const trusting = (server: RudeServer): ClientOptions => ({
    tls: { ca: server.ca ?? '', servername: 'localhost' },
    timeout: { headers: false },
  })

  test.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
  ])('%s in the TLS handshake: at once to the other, and the next dial avoids it', async (kind, deed) => {
    await using server = await rudeServer({
      tls: true,
      script: { request: [{ respond: { body: 'ok', close: true } }] },
    })
    let met = 0
    await using _ = await neighbour(server.port, dead, (socket) => {
      met++
      deed(socket)
    })
    const clock = new ManualClock()
    const { lookup } = lookupOf(dead, alive)
    const client = clientOf({ ...trusting(server), lookup, clock })
    const url = `https://service.test:${server.port}/`
    for (const id of ['a', 'b', 'c']) {
      const response = await client.fetch(url, { ...post, headers: { 'x-request-id': id } })
      expect(await response.text()).toBe('ok')
      expect(server.ledger.executions(id)).toBe(1)
    }
    expect(met).toBe(1)
    expect(kind).toMatch(/reset|closed/)
  })

  test('silent: the limit ends the dial, and the next attempt goes to the other without a wait', async () => {
    await using server = await rudeServer({ tls: true })
    const clock = new ManualClock()
    await using quiet = await neighbour(server.port, dead, () => {})
    const { lookup } = lookupOf(dead, alive)
    const client = clientOf({ ...trusting(server), lookup, clock, timeout: { connect: 1_000, headers: false } })
    const answer = client.fetch(`https://service.test:${server.port}/`, post)
    await once(quiet, 'connection')
    await turns(20)
    clock.advance(1_000)
    expect((await answer).status).toBe(200)
    expect(server.ledger.executions('order')).toBe(1)
    expect(clock.now()).toBe(new ManualClock().now() + 1_000)
  })

  test('an aborted dial says nothing against the address', async () => {
    await using server = await rudeServer({ tls: true })
    await using quiet = await neighbour(server.port, dead, () => {})
    const { lookup } = lookupOf(dead, alive)
    const client = clientOf({ ...trusting(server), lookup })
    const url = `https://service.test:${server.port}/`
    for (let number = 0; number < 2; number++) {
      const abort = new AbortController()
      const call = client.fetch(url, { signal: abort.signal })
      await once(quiet, 'connection')
      abort.abort(new Error('enough'))
      await expect(call).rejects.toThrow('enough')
    }
  })
})

describe('lookup', () => {
  test('may ignore `all`, answer at once, throw, fail, or find nothing', async () => {
    await using server = await rudeServer()
    const url = `http://service.test:${server.port}/`
    const one: Lookup = (_, __, callback) => callback(null, alive, 4)
    expect((await clientOf({ lookup: one }).fetch(url)).status).toBe(200)
    const throwing: Lookup = () => {
      throw new Error('no look-up today')
    }
    expect(await failureOf(clientOf({ lookup: throwing, retry: false }).fetch(url))).toMatchObject({
      delivery: 'unsent',
      phase: 'dns',
    })
    const failing: Lookup = (hostname, _, callback) =>
      callback(Object.assign(new Error('x'), { code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname }), [])
    expect(await failureOf(clientOf({ lookup: failing, retry: false }).fetch(url))).toMatchObject({
      kind: 'dns',
      temporary: true,
    })
    const { lookup: nothing } = lookupOf()
    expect(await failureOf(clientOf({ lookup: nothing, retry: false }).fetch(url))).toMatchObject({
      kind: 'dns',
      temporary: false,
      code: 'ENOTFOUND',
    })
    expect(server.ledger.entries()).toHaveLength(1)
  })

  test('can be dns.lookup itself, and is not asked for addresses', async () => {
    await using server = await rudeServer()
    expect((await clientOf({ lookup: dns.lookup as Lookup }).fetch(`http://localhost:${server.port}/`)).status).toBe(
      200,
    )
    const { lookup, asked } = lookupOf(dead)
    expect((await clientOf({ lookup }).fetch(server.url)).status).toBe(200)
    expect(asked).toEqual([])
  })

  test.each([['text'], [5], [{}]])('is refused when it is %j', (lookup) => {
    expect(() => createClient({ lookup: lookup as unknown as Lookup })).toThrow(/options\.lookup must be a function/)
  })
})

test.each([
  ['::1', '127.0.0.1'],
  ['127.0.0.1', '::1'],
])('both families, %s before %s: the dead one costs nothing', async (...order) => {
  await using server = await rudeServer()
  const client = clientOf({ lookup: lookupOf(...order).lookup, retry: false })
  expect((await client.fetch(`http://service.test:${server.port}/`)).status).toBe(200)
})
