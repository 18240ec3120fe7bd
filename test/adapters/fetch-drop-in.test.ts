/**
 * `client.fetch` is a drop-in: bare global fetch is the oracle. Every probe is made with both, each against a server of
 * its own; what came back and what the servers saw must be the same.
 */

import './bare-fetch.js'
import { createClient } from 'offhook'
import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RefusedPort, refusedPort } from '../../src/testing/rude-server.js'
import { bareFetch } from './bare-fetch.js'
import { bodies, failingBodies } from './drop-in-bodies.js'
import { headers, inputs, methods, requestModes } from './drop-in-inputs.js'
import { type AnyFetch, calm, type End, type Place, type Probe, record } from './drop-in-probe.js'
import { readers } from './drop-in-readers.js'
import { redirects } from './drop-in-redirects.js'
import { failures, refusals, schemes } from './drop-in-refusals.js'
import { responses } from './drop-in-responses.js'
import { dropInServer } from './drop-in-server.js'
import { signals } from './drop-in-signals.js'
import { views } from './drop-in-views.js'

const tables: Readonly<Record<string, readonly Probe[]>> = {
  inputs,
  headers,
  methods,
  'request modes': requestModes,
  bodies,
  'bodies that fail': failingBodies,
  redirects,
  signals,
  responses,
  'ways to read': readers,
  'views of a response': views,
  schemes,
  refusals,
  failures,
}

/** Makes a probe by one fetch, on connections that have been used before, and tells its end and what the servers saw. */
async function make(probe: Probe, fetch: AnyFetch, nobody: string) {
  await using server = await dropInServer()
  await using other = await dropInServer()
  const place: Place = { url: server.url, other: other.url, nobody }
  for (const { url } of [server, other]) await (await fetch(`${url}/empty`)).text()
  for (const one of [server, other]) one.seen()
  const end = await record(probe, fetch, place)
  if (probe.races === true) return { end }
  return { end, seen: [server, other].map((one) => one.seen()).map((seen) => calm(seen, place)) }
}

/** The end that is promised where bare fetch came to this one: the same, but for failures, which are typed. */
function named(end: End, { fails, cause }: Probe): End {
  if (fails === undefined || !/^(?:fetch failed|terminated)$/.test(end.rejected?.message ?? '')) return end
  const { message: _, ...known } = end.rejected ?? {}
  return { rejected: { ...known, kind: fails, ...(cause !== undefined && { cause }) } }
}

test('the oracle is bare', () => {
  const dispatcher: object = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'))
  expect(dispatcher.constructor.name).toBe('Agent')
  expect(dispatcher.constructor).not.toBe(Agent)
})

const client = createClient()
let nobody: RefusedPort

beforeAll(async () => {
  nobody = await refusedPort()
})

afterAll(async () => {
  await nobody.close()
  await client.destroy()
})

for (const [name, probes] of Object.entries(tables)) {
  describe(name, () => {
    test.each(probes.map((probe) => [probe.name, probe] as const))('%s', async (_, probe) => {
      const expected = await make(probe, bareFetch as AnyFetch, nobody.url)
      const found = await make(probe, client.fetch as AnyFetch, nobody.url)
      expect(found).toEqual({ ...expected, end: named(expected.end, probe) })
    })
  })
}
