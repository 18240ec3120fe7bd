/** Behind a request that was given up nobody waits for another connection, and none is made. */

import { createClient } from 'offhook'
import { expect, onTestFinished, test } from 'vitest'
import { misdeeds, rudeServer } from '../../src/testing/rude-server.js'
import { turns } from '../manual-clock.js'
import { Trial } from './trial.js'

test.each([
  ['a limit of ours ran out', 'stall-before-head', { limits: { headers: 100 } }],
  ['the attempt took too long', 'stall-mid-head', { limits: { attempt: 150 } }],
] as const)('%s: one connection', async (_, misdeed, request) => {
  const far = await rudeServer()
  const trial = new Trial({ connections: 1 })
  onTestFinished(async () => {
    await trial.close()
    await far.close()
  })
  far.on(misdeeds[misdeed])
  await trial.failed(far.url, request)
  await far.until(() => far.connections.open === 0)
  // As long as a dial to this host takes, and longer.
  await turns(50)
  expect(far.connections.accepted).toBe(1)
  far.on([{ respond: { body: 'ok' } }])
  expect(await trial.answered(far.url)).toBe('ok')
  expect(far.connections.accepted).toBe(2)
})

test('a request that was given up in the queue of its pool is dialled for by nobody, and close() comes to an end', async () => {
  await using far = await rudeServer({
    tls: true,
    script: {
      turns: [{ request: [{ read: 'request' }, { wait: 150 }, 'rst'] }, { clientHello: ['stall'] }],
      per: 'connection',
    },
  })
  const client = createClient({ connections: 1, retry: false, tls: { ca: far.ca ?? '' } })
  onTestFinished(() => client.destroy())
  const first = expect(client.request(far.url)).rejects.toMatchObject({ kind: 'reset' })
  await far.until(() => far.ledger.entries().length === 1)
  await expect(client.request(far.url, { timeout: 40 })).rejects.toMatchObject({ kind: 'timeout', delivery: 'unsent' })
  await first
  await turns(50)
  expect(far.connections.accepted).toBe(1)
  await client.close()
})
