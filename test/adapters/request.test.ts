/**
 * `client.request` is undici's `request`: every probe is made with both, each against a server of its own. What came back
 * and what the servers saw must be the same.
 */

import { createClient } from 'offhook'
import { Agent, request as undiciRequest } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { calm, shorten } from './drop-in-probe.js'
import { type DropInServer, dropInServer } from './drop-in-server.js'
import {
  type Answer,
  type AnyRequest,
  type RequestProbe,
  requestAnswers,
  requestBodies,
  requestInputs,
} from './request-probes.js'

const agent = new Agent()
const client = createClient()
const bare: AnyRequest = (url, options) =>
  undiciRequest(url as string, { dispatcher: agent, ...(options as object) }) as unknown as Promise<Answer>
const ours = client.request as unknown as AnyRequest

let servers: readonly [DropInServer, DropInServer]
beforeAll(async () => {
  servers = [await dropInServer(), await dropInServer()]
})
afterAll(async () => {
  await Promise.all([agent.destroy(), client.destroy(), ...servers.map((server) => server[Symbol.asyncDispose]())])
})

function isAnswer(end: unknown): end is Answer {
  return typeof end === 'object' && end !== null && 'statusCode' in end && 'body' in end
}

async function describeAnswer({ statusCode, headers, trailers, opaque, context, body }: Answer): Promise<object> {
  const told = Object.entries(headers).filter(([name, value]) => name !== 'date' && !/ GMT$/.test(String(value)))
  const before = body.bodyUsed
  const bytes = shorten(Buffer.from(await body.arrayBuffer()))
  return { statusCode, headers: told, trailers, opaque, context, before, bytes, after: body.bodyUsed }
}

async function make(probe: RequestProbe, request: AnyRequest, server: DropInServer): Promise<object> {
  const place = { url: server.url, other: server.url, nobody: server.url }
  await (await request(`${server.url}/empty`)).body.text()
  server.seen()
  const end = await probe.ask(request, place).then(
    async (value) => ({ resolved: isAnswer(value) ? await describeAnswer(value) : value }),
    (error: Error) => ({ rejected: [error.constructor.name, error.message] }),
  )
  return { end: calm(end, place), seen: calm(server.seen(), place) }
}

describe.each([
  ['bodies', requestBodies],
  ['inputs', requestInputs],
  ['answers', requestAnswers],
])('%s', (_, probes) => {
  test.each(probes.map((probe) => [probe.name, probe] as const))('%s', async (__, probe) => {
    const expected = await make(probe, bare, servers[0])
    expect(await make(probe, ours, servers[1])).toEqual(expected)
  })
})
