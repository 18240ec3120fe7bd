/** A pooled connection that is reset or closed while idle costs nobody a failure, and no request a second execution. */

import { type Client, createClient } from 'offhook'
import { describe, expect, test } from 'vitest'
import { type RudeServer, rudeServer } from '../../src/testing/rude-server.js'

const ways = [
  { way: 'reset', act: (server: RudeServer) => server.resetIdle() },
  { way: 'closed', act: (server: RudeServer) => server.closeIdle() },
] as const

describe.each(ways)('connections that are $way between requests', ({ act }) => {
  for (const host of ['fetch', 'request'] as const) {
    for (const tls of [false, true]) {
      test(`200 POSTs in a row by ${host} over ${tls ? 'TLS' : 'TCP'}: no failure, no duplicate`, async () => {
        await using server = await rudeServer({ tls })
        const client = createClient(server.ca === undefined ? {} : { tls: { ca: server.ca } })
        for (let number = 1; number <= 200; number++) {
          expect(await post(client, host, { url: server.url, id: `order-${number}` })).toBe('ok')
          await server.until(() => server.connections.idle === server.connections.open)
          act(server)
        }
        expect(server.ledger.entries().map((entry) => server.ledger.executions(entry.id))).toEqual(Array(200).fill(1))
        expect(server.ledger.corrupted()).toEqual([])
        await client.destroy()
      })
    }
  }
})

test('a hundred POSTs at once over a hundred connections that have just been reset', async () => {
  await using server = await rudeServer()
  const client = createClient()
  const wave = (round: number) =>
    Promise.all(
      Array.from({ length: 100 }, (_, index) => post(client, 'fetch', { url: server.url, id: `${round}-${index}` })),
    )
  await wave(1)
  await server.until(() => server.connections.idle === server.connections.open)
  server.resetIdle()
  expect(new Set(await wave(2))).toEqual(new Set(['ok']))
  expect(server.ledger.duplicates()).toEqual([])
  await client.destroy()
})

async function post(client: Client, host: 'fetch' | 'request', to: { url: string; id: string }): Promise<string> {
  const options = { method: 'POST', body: to.id, headers: { 'x-request-id': to.id } }
  if (host === 'fetch') return (await client.fetch(to.url, options)).text()
  return (await client.request(to.url, options)).body.text()
}
