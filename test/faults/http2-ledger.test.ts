/** Any mix of an HTTP/2 server's misdeeds, many requests at a time: the server's ledger judges every verdict. */

import fc from 'fast-check'
import { type ClientOptions, createClient, isOffhookError } from 'offhook'
import { expect, test } from 'vitest'
import {
  type H2MisdeedName,
  type H2Script,
  type H2Step,
  h2Misdeeds,
  type RudeH2Server,
  rudeH2Server,
} from '../../src/testing/rude-server.js'

/** What only a limit of ours ends takes its time, and is rare. */
const slow: readonly H2MisdeedName[] = ['stall-before-head', 'ignore-pings', 'mute', 'stall-mid-body']
/** True whatever else goes on at the same connection: a GOAWAY that names less than was executed would be a lie. */
const goaways: readonly (readonly H2Step[])[] = [
  [{ goaway: 'NO_ERROR', last: 'executed' }, 'stall'],
  [{ goaway: 'NO_ERROR', last: 'executed' }, 'fin'],
  [{ goaway: 'ENHANCE_YOUR_CALM', last: 'executed' }, 'stall'],
  ['execute', { goaway: 'NO_ERROR', last: 'executed' }, 'fin'],
  ['execute', { goaway: 'ENHANCE_YOUR_CALM', last: 'executed' }, 'stall'],
  ['execute', { goaway: 'NO_ERROR', last: 'executed' }, { respond: { body: 'ok' } }],
  [{ goaway: 'NO_ERROR', last: 'any' }, 'heard', { respond: { body: 'ok' } }],
]
const others = Object.entries(h2Misdeeds).filter(
  ([name]) => !name.startsWith('goaway') && !slow.includes(name as H2MisdeedName),
)

const misdeed: fc.Arbitrary<H2Script> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...others.map(([, script]) => script)) },
  { weight: 4, arbitrary: fc.constantFrom(...goaways.map((request) => ({ request }))) },
  { weight: 10, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom(...slow.map((name) => h2Misdeeds[name])) },
)
const call = fc.record({
  method: fc.constantFrom('GET', 'POST', 'POST with key'),
  host: fc.constantFrom('fetch', 'request'),
})

const options: ClientOptions = {
  http2: { pingAfter: 100, pingTimeout: 300 },
  random: () => 0,
  budget: false,
  timeout: { headers: 500, body: 500 },
}

test('no unsafe request is executed twice, and what is proved unprocessed was not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(misdeed, { minLength: 5, maxLength: 30 }),
      fc.array(call, { minLength: 8, maxLength: 24 }),
      async (misdeeds, calls) => {
        const turns = [...misdeeds, {}]
        await using server = await rudeH2Server({ script: { turns, per: 'server' }, http1: true })
        const client = createClient({ ...options, tls: { ca: server.ca } })
        const outcomes = await Promise.all(calls.map((one, at) => settle(client, server, { ...one, id: `call-${at}` })))
        for (const { id, unsafe, error } of outcomes) {
          const executions = server.ledger.executions(id)
          if (unsafe) expect(executions).toBeLessThanOrEqual(1)
          if (error === undefined) expect(executions).toBeGreaterThanOrEqual(1)
          else if (!isOffhookError(error)) throw error
          else if (!error.mayHaveExecuted) expect(executions).toBe(0)
        }
        expect(server.ledger.corrupted()).toEqual([])
        await client.destroy()
        await server.until(() => server.connections.open === 0)
      },
    ),
    { numRuns: 12, seed: 20_250_101, endOnFailure: true },
  )
})

async function settle(
  client: ReturnType<typeof createClient>,
  server: RudeH2Server,
  { id, method: spec, host }: { id: string; method: string; host: string },
) {
  const [method = 'GET', key] = spec.split(' with ')
  const init = {
    method,
    headers: { 'x-request-id': id },
    ...(method !== 'GET' && { body: `order ${id}` }),
    ...(key !== undefined && { idempotencyKey: id }),
  }
  const unsafe = spec === 'POST'
  try {
    if (host === 'fetch') await (await client.fetch(server.url, init)).text()
    else await (await client.request(server.url, init)).body.text()
    return { id, unsafe, error: undefined }
  } catch (error) {
    return { id, unsafe, error }
  }
}
