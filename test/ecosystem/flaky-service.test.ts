/** What the fake does to a client that does not know what to make of it: otherwise the other tests here prove nothing. */

import { Agent, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { flakyService, json, lostConnections } from './flaky-service.js'

describe.each(['unsent', 'heard'] as const)('connections lost %s', (loss) => {
  test('one in five calls fails without offhook', async () => {
    await using server = await flakyService(loss, { 'GET /': json({ ok: true }) })
    const agent = new Agent({ connect: { ca: server.ca as string } })
    let failed = 0
    for (let index = 0; index < 50; index++) {
      const text = await request(server.url, { dispatcher: agent }).then(
        ({ body }) => body.text(),
        () => 'lost',
      )
      if (text === 'lost') failed++
      else expect(text).toBe('{"ok":true}')
    }
    expect([failed, lostConnections(server)]).toEqual([10, 10])
    await agent.close()
  })
})

test('connections lost idle: each had answered before', async () => {
  await using server = await flakyService('idle', { 'GET /': json({ ok: true }) })
  const agent = new Agent({ connect: { ca: server.ca as string } })
  for (let index = 0; lostConnections(server) < 5; index++) {
    // undici may find the connection lost, and fail the request that it was about to put on it.
    const sent = request(server.url, { dispatcher: agent, headers: { 'x-request-id': String(index) } })
    await sent.then(({ body }) => body.dump()).catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  }
  const arrivals = server.ledger.entries().flatMap((entry) => entry.arrivals)
  expect(arrivals.every(({ executions }) => executions.length === 1)).toBe(true)
  for (const lost of [2, 7, 12, 17]) expect(arrivals.filter(({ connection }) => connection === lost)).toHaveLength(1)
  await agent.destroy()
})
