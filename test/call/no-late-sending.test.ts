/** When time runs out before a request was sent, it is said to be unsent: then it must not go out afterwards, either. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createSecureContext, createServer, type SecureContext } from 'node:tls'
import { type ClientOptions, createClient, isOffhookError } from 'offhook'
import { certificates, misdeeds, rudeServer, TEST_CA } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { ManualClock, turns } from '../manual-clock.js'

type Release = (error: Error | null, context?: SecureContext) => void

/** A TLS server whose handshakes wait until they are let go; it counts the requests that come. */
async function waitingServer() {
  const waiting: Release[] = []
  const came: string[] = []
  const server = createServer({ ...certificates.good, SNICallback: (_, release) => void waiting.push(release) })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      came.push(bytes.toString('latin1'))
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    came,
    waiting,
    release: () => {
      for (const one of waiting.splice(0)) one(null, createSecureContext(certificates.good))
    },
    close: () => server.close(),
  }
}

describe.each(['fetch', 'request'] as const)('%s: a handshake that ends as time runs out', (host) => {
  const limits: [string, ClientOptions['timeout']][] = [
    ['total', { total: 100 }],
    ['connect', { connect: 100 }],
    ['attempt', { attempt: 100 }],
  ]
  test.each(limits)('the %s limit', async (_, timeout) => {
    for (let lead = -4; lead < 10; lead++) {
      const server = await waitingServer()
      const clock = new ManualClock()
      const tls = { ca: TEST_CA, servername: 'localhost' }
      const client = createClient({ clock, timeout, tls, retry: false })
      const call = client[host](server.url, { method: 'POST', body: 'an order' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      while (server.waiting.length === 0) await turns(1)
      if (lead >= 0) server.release()
      await turns(lead)
      clock.advance(100)
      await turns(-lead)
      server.release()
      const error = await call
      await turns(30)
      if (error !== undefined && (!isOffhookError(error) || error.mayHaveExecuted === false))
        expect([lead, isOffhookError(error), server.came]).toEqual([lead, true, []])
      await client.destroy()
      server.close()
    }
  })
})

describe('the total deadline in the middle of a body', () => {
  const readers = ['text', 'arrayBuffer', 'blob'] as const
  test.each(readers)('is a TimeoutError to whoever reads it by %s', async (read) => {
    await using server = await rudeServer({ script: misdeeds['stall-mid-body-content-length'] })
    const client = createClient()
    const response = await client.fetch(server.url, { timeout: 1_000 })
    await expect(response[read]()).rejects.toMatchObject({ kind: 'timeout', phase: 'call', delivery: 'partial' })
    await client.destroy()
  })

  test('and to whoever reads it piece by piece', async () => {
    await using server = await rudeServer({ script: misdeeds['stall-mid-body-chunked'] })
    const client = createClient({ timeout: 1_000 })
    const { body } = await client.fetch(server.url)
    const read = async () => {
      for await (const _ of body as unknown as AsyncIterable<Uint8Array>);
    }
    await expect(read()).rejects.toMatchObject({ name: 'TimeoutError', kind: 'timeout' })
    await client.destroy()
  })
})
