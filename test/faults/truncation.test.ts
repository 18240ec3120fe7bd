/** A body that is cut is never passed off as a success: at any point, by RST or beneath TLS, read by fetch or by request. */

import fc from 'fast-check'
import { type Client, ConnectionClosedError, ConnectionResetError, createClient, type OffhookError } from 'offhook'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type RudeServer, rudeServer, type Step } from '../../src/testing/rude-server.js'

const hosts = ['fetch', 'request'] as const

async function read(client: Client, host: (typeof hosts)[number], url: string): Promise<number> {
  const bytes =
    host === 'fetch'
      ? await (await client.fetch(url)).arrayBuffer()
      : await (await client.request(url)).body.arrayBuffer()
  return bytes.byteLength
}

async function failure(client: Client, host: (typeof hosts)[number], url: string): Promise<OffhookError> {
  return read(client, host, url).then(
    (length) => expect.fail(`${length} bytes were passed off as the whole body`),
    (error: OffhookError) => error,
  )
}

// Beneath TLS the count of records tells, and behind a session ticket it can only vouch for what came whole: see
// wire/tls-ledger.ts. A reset is told at any length.
describe.each([
  { over: 'TCP', tls: false, end: 'rst', error: ConnectionResetError, most: 200_000 },
  { over: 'TLS', tls: true, end: 'rst', error: ConnectionResetError, most: 200_000 },
  { over: 'TLS', tls: true, end: 'bare-fin', error: ConnectionClosedError, most: 12_000 },
] as const)(
  'a body that is delimited by the end of the connection, over $over, ended by $end',
  ({ tls, end, error, most }) => {
    let server: RudeServer
    let client: Client
    beforeAll(async () => {
      server = await rudeServer({ tls })
      client = createClient({ retry: false, ...(server.ca !== undefined && { tls: { ca: server.ca } }) })
    })
    afterAll(async () => {
      await client.destroy()
      await server.close()
    })

    const cuts = fc
      .tuple(fc.integer({ min: 1, max: most }), fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 5))
      .map(([bytes, share, pauseMs]) => ({ bytes, cut: Math.floor(bytes * share), pauseMs }))

    test.each(hosts)('raises at any cut point, with %s', async (host) => {
      const property = fc.asyncProperty(cuts, async ({ bytes, cut, pauseMs }) => {
        const answer: Answer = { framing: 'close', body: { bytes }, cut: { body: cut } }
        // Without a pause the reset overtakes what was written; the whole body may be there, and then some say it is complete.
        const pause: Step[] = pauseMs > 0 ? [{ wait: pauseMs }] : []
        server.on([{ respond: answer }, ...pause, end])
        const raised = await failure(client, host, server.url)
        // A reset that overtakes the head leaves nothing of the answer.
        if (pauseMs > 0) expect(raised).toBeInstanceOf(error)
        expect(['partial', 'unknown']).toContain(raised.delivery)
      })
      await fc.assert(property, { numRuns: 60 })
    })

    test.each(hosts)('is whole when it ends as it should, with %s', async (host) => {
      const whole = fc.asyncProperty(fc.integer({ min: 0, max: 200_000 }), async (bytes) => {
        server.on([{ respond: { framing: 'close', body: { bytes } } }])
        expect(await read(client, host, server.url)).toBe(bytes)
      })
      await fc.assert(whole, { numRuns: 40 })
    })
  },
)

test('a reset that libuv shows as an end is told from one, with unread data and a busy event loop', async () => {
  await using server = await rudeServer({ script: [{ respond: { framing: 'close', body: { bytes: 5000 } } }, 'rst'] })
  const client = createClient({ retry: false })
  for (let round = 0; round < 60; round++) {
    const call = failure(client, hosts[round % 2] ?? 'fetch', server.url)
    // The head, the data and the reset all wait in the kernel before the loop looks.
    const until = performance.now() + 4
    while (performance.now() < until);
    expect(await call).toBeInstanceOf(ConnectionResetError)
  }
  await client.destroy()
})
