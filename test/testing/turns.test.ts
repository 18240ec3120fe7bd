import { createClient } from 'offhook'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  failTimes,
  inTurn,
  misdeeds,
  type RudeServer,
  redirectTo,
  rudeServer,
  statuses,
  type Turns,
} from '../../src/testing/rude-server.js'
import { RawClient, request } from './raw-client.js'

describe('turns', () => {
  let server: RudeServer
  beforeEach(async () => {
    server = await rudeServer()
  })
  afterEach(() => server.close())

  /** The status, or the code of the error. */
  async function outcome(path = '/', id?: string, method = 'GET'): Promise<number | string> {
    const headers: Record<string, string> = id === undefined ? {} : { 'x-request-id': id }
    return fetch(server.url + path, { method, headers: { ...headers, connection: 'close' } }).then(
      (response) => response.status,
      (error) => error.cause.code,
    )
  }

  test('failTimes counts for each request id', async () => {
    server.on(failTimes(2, misdeeds['status-503']))
    expect([await outcome('/', 'a'), await outcome('/', 'a'), await outcome('/', 'b')]).toEqual([503, 503, 503])
    expect([await outcome('/', 'a'), await outcome('/', 'b'), await outcome('/', 'b')]).toEqual([200, 503, 200])
    // Another path or method is another request.
    expect([await outcome('/x', 'a'), await outcome('/', 'a', 'PUT')]).toEqual([503, 503])
  })

  test('failTimes counts by method and path where a request has no id', async () => {
    server.on(failTimes(2, misdeeds['status-503']))
    expect([await outcome(), await outcome(), await outcome(), await outcome()]).toEqual([503, 503, 200, 200])
    expect([await outcome('/other'), await outcome('/', undefined, 'PUT')]).toEqual([503, 503])
    // Whoever has an id has turns of its own, and takes none of theirs, whatever the id looks like.
    expect([await outcome('/other', 'generated-6'), await outcome('/other'), await outcome('/other')]).toEqual([
      503, 503, 200,
    ])
  })

  test('so a client that sends no id gets its answer after the failure', async () => {
    server.on(failTimes(1, misdeeds['reset-after-request']))
    const client = createClient({ random: () => 0 })
    expect(await (await client.fetch(server.url)).text()).toBe('ok')
    expect(server.ledger.entries()).toHaveLength(2)
    await client.destroy()
  })

  test('failTimes counts connections where the script acts before a request', async () => {
    server.on(failTimes(2, misdeeds['reset-at-accept'], [{ respond: { status: 204 } }]))
    expect([await outcome(), await outcome(), await outcome(), await outcome()]).toEqual([
      'ECONNRESET',
      'ECONNRESET',
      204,
      204,
    ])
  })

  test('failTimes(0) behaves at once; other counts than whole ones are refused', async () => {
    server.on(failTimes(0, misdeeds['status-503']))
    expect(await outcome()).toBe(200)
    for (const times of [-1, 1.5, Number.NaN, 1e9]) {
      expect(() => failTimes(times, {})).toThrow(/^failTimes: times must be an integer from 0 to 100000, got /)
    }
  })

  test('statuses: one after the other, the last one for ever', async () => {
    server.on(statuses([429, 503, 200]))
    const seen = [await outcome('/', 'a'), await outcome('/', 'a'), await outcome('/', 'a'), await outcome('/', 'a')]
    expect(seen).toEqual([429, 503, 200, 200])
  })

  test.each([
    { per: 'path', same: ['/a?1', 'x', '/a?2', 'y'], other: ['/b', 'x'] },
    { per: 'request-id', same: ['/a', 'x', '/a', 'x'], other: ['/a', 'y'] },
  ] as const)('per $per: what it counts, and what it does not', async ({ per, same, other }) => {
    server.on(statuses([503, 200], { per }))
    expect([await outcome(same[0], same[1]), await outcome(same[2], same[3])]).toEqual([503, 200])
    expect(await outcome(...other)).toBe(503)
  })

  test('per server: every request takes the next turn', async () => {
    server.on(statuses([503, 429, 200], { per: 'server' }))
    expect([await outcome('/a', 'x'), await outcome('/b', 'y'), await outcome('/c', 'z')]).toEqual([503, 429, 200])
  })

  test('per connection: a connection keeps its turn', async () => {
    server.on(statuses([503, 200], { per: 'connection' }))
    using first = await RawClient.connect(server)
    for (const id of ['a', 'b']) first.send(request('GET', '/', id))
    await first.reads('\r\n\r\nHTTP/1.1 503 ')
    expect(first.text.match(/503 /g)).toHaveLength(2)
    expect(await outcome()).toBe(200)
  })

  test('turns on a route, and turns that begin anew with on()', async () => {
    server.route('POST /orders', failTimes(1, misdeeds['status-503']))
    expect([await outcome('/orders', 'a', 'POST'), await outcome('/orders', 'a', 'POST')]).toEqual([503, 200])
    const turns = statuses([503, 200])
    for (let round = 0; round < 2; round += 1) {
      server.on(turns)
      expect([await outcome('/', 'b'), await outcome('/', 'b')]).toEqual([503, 200])
    }
  })

  test('turns are plain data', async () => {
    const turns: Turns = { ...failTimes(1, [{ respond: { status: 503 } }]), per: 'server' }
    expect(JSON.parse(JSON.stringify(turns))).toEqual(turns)
    server.on(JSON.parse(JSON.stringify(turns)))
    expect([await outcome(), await outcome()]).toEqual([503, 200])
  })

  test.each([
    { turns: { turns: [], per: 'path' }, message: /turns must be a list of at least one script/ },
    {
      turns: { turns: [{}], per: 'day' },
      message: /per must be 'request-id', 'path', 'server' or 'connection', got day/,
    },
    { turns: { turns: [{ request: ['oh'] }], per: 'path' }, message: /turn 0: request\[0\] must be one of/ },
    { turns: inTurn([misdeeds['reset-at-accept']], { per: 'path' }), message: /need per: 'connection', got 'path'/ },
  ])('wrong turns are refused: $message', ({ turns, message }) => {
    expect(() => server.on(turns as Turns)).toThrow(message)
  })

  test('a route is known too late to act before a request', () => {
    expect(() => server.route('/a', misdeeds['reset-at-accept'])).toThrow(/cannot have the stages accept/)
    expect(() => server.route('/a', failTimes(1, misdeeds['reset-at-accept']))).toThrow(/cannot have the stages accept/)
  })

  test('redirectTo is followed; a 303 was executed before, a 307 was not', async () => {
    server.route('POST /orders', redirectTo('/orders/1', 303))
    server.route('POST /moved', redirectTo('/elsewhere', 307))
    const headers = { 'x-request-id': 'r' }
    await fetch(`${server.url}/orders`, { method: 'POST', body: 'x', headers })
    expect(server.ledger.entries().map(({ method, path, executed }) => `${method} ${path} ${executed}`)).toEqual([
      'POST /orders 1',
      'GET /orders/1 1',
    ])
    server.ledger.clear()
    await fetch(`${server.url}/moved`, { method: 'POST', body: 'x', headers })
    expect(server.ledger.entries().map(({ method, path, executed }) => `${method} ${path} ${executed}`)).toEqual([
      'POST /moved 0',
      'POST /elsewhere 1',
    ])
  })
})
