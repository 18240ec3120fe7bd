/**
 * `client.fetch` is a drop-in: bare global fetch is the oracle. Every probe is made with both, each against a server of
 * its own; what came back and what the servers saw must be the same.
 */

import './bare-fetch.js'
import { isDeepStrictEqual } from 'node:util'
import { createClient } from 'offhook'
import * as undici from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RefusedPort, refusedPort } from '../../src/testing/rude-server.js'
import { bareFetch, makeBare, slots } from './bare-fetch.js'
import { bodies, failingBodies } from './drop-in-bodies.js'
import { headers, inputs, methods, requestModes } from './drop-in-inputs.js'
import { type AnyFetch, calm, type End, type Place, type Probe, record } from './drop-in-probe.js'
import { readers } from './drop-in-readers.js'
import { redirects } from './drop-in-redirects.js'
import { failures, refusals, schemes } from './drop-in-refusals.js'
import { responses } from './drop-in-responses.js'
import { type DropInServer, dropInServer } from './drop-in-server.js'
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

/** Two servers for one fetch. */
class Ground implements AsyncDisposable {
  readonly #fetch: AnyFetch
  readonly #servers: readonly DropInServer[]
  readonly #place: Place

  private constructor(fetch: AnyFetch, servers: readonly [DropInServer, DropInServer]) {
    this.#fetch = fetch
    this.#servers = servers
    this.#place = { url: servers[0].url, other: servers[1].url, nobody: nobody.url }
  }

  static async open(fetch: unknown): Promise<Ground> {
    return new Ground(fetch as AnyFetch, [await dropInServer(), await dropInServer()])
  }

  /** Makes a probe on connections that have been used before, and tells its end and what the servers saw. */
  async make(probe: Probe): Promise<{ end: End; seen?: unknown }> {
    for (const { url } of this.#servers) await (await this.#fetch(`${url}/empty`)).text()
    for (const server of this.#servers) server.seen()
    const end = await record(probe, this.#fetch, this.#place)
    if (probe.races === true) return { end }
    return {
      end,
      seen: calm(
        this.#servers.map((server) => server.seen()),
        this.#place,
      ),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
  }
}

/** The end that is promised where bare fetch came to this one: the same, but for failures, which are typed. */
function named(end: End, found: End, { fails, cause }: Probe): End {
  if (fails === undefined || !/^(?:fetch failed|terminated)$/.test(end.rejected?.message ?? '')) return end
  const { message: _, ...known } = end.rejected ?? {}
  const differs = cause !== undefined && found.rejected?.cause === cause
  return { rejected: { ...known, kind: fails, ...(differs && { cause }) } }
}

test('the oracle is bare', () => {
  // What fetch sends by is of the undici that is built in, and not of the one that is installed.
  const dispatcher: object = slots.map((slot) => Reflect.get(globalThis, slot)).find((one) => one !== undefined)
  expect(dispatcher).toHaveProperty('dispatch')
  expect(Object.values(undici)).not.toContain(dispatcher.constructor)
})

const client = createClient()
let nobody: RefusedPort

beforeAll(async () => {
  makeBare()
  nobody = await refusedPort()
})

afterAll(async () => {
  await nobody.close()
  await client.destroy()
})

async function compare(probe: Probe, [bare, ours]: readonly [Ground, Ground]): Promise<void> {
  const expected = await bare.make(probe)
  const found = await ours.make(probe)
  if ('better' in probe && isDeepStrictEqual(found.end.resolved, probe.better)) return
  expect(found).toEqual({ ...expected, end: named(expected.end, found.end, probe) })
}

for (const [name, probes] of Object.entries(tables)) {
  describe(name, () => {
    let shared: readonly [Ground, Ground]

    beforeAll(async () => {
      shared = [await Ground.open(bareFetch), await Ground.open(client.fetch)]
    })

    afterAll(async () => {
      for (const ground of shared) await ground[Symbol.asyncDispose]()
    })

    test.each(probes.map((probe) => [probe.name, probe] as const))('%s', async (_, probe) => {
      if (probe.races !== true) return compare(probe, shared)
      // What a race leaves behind may come to a server late, and must not be taken for the next probe's.
      await using bare = await Ground.open(bareFetch)
      await using ours = await Ground.open(client.fetch)
      return await compare(probe, [bare, ours])
    })
  })
}
