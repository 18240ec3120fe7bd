/** What a destroyed client says of the calls that were under way: unsent only where that is proved. */

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createClient } from 'offhook'
import { misdeeds, rudeServer } from 'offhook/testing'
import { describe, expect, test, vi } from 'vitest'

const rejection = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it must not succeed'),
    (error: unknown) => error,
  )

/** A server that takes connections and never says a word: no TLS handshake with it ever ends. */
async function mute() {
  const server = createServer((socket) => void socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

describe('the client was destroyed', () => {
  test('while a request waited for its answer: it may have been executed', async () => {
    await using server = await rudeServer({ script: misdeeds['stall-before-head'] })
    const client = createClient()
    const told = rejection(client.fetch(server.url, { method: 'POST', body: 'x' }))
    await server.until(() => server.ledger.entries().length === 1)
    await client.destroy()
    expect(await told).toMatchObject({ admission: 'destroyed', delivery: 'unknown', mayHaveExecuted: true })
  })

  test('while it was still dialled: it was not sent', async () => {
    const { url, server } = await mute()
    const client = createClient()
    const dialled = once(server, 'connection')
    const told = rejection(client.fetch(url, { method: 'POST', body: 'x' }))
    await dialled
    await client.destroy()
    expect(await told).toMatchObject({ admission: 'destroyed', delivery: 'unsent', mayHaveExecuted: false })
    server.close()
  })

  test('while a redirect was dialled: the request that was redirected had been heard', async () => {
    const { url, server } = await mute()
    await using first = await rudeServer({
      script: { request: [{ respond: { status: 307, headers: { location: url }, body: '' } }] },
    })
    const client = createClient()
    const dialled = once(server, 'connection')
    const told = rejection(client.fetch(first.url, { method: 'POST', body: 'x' }))
    await dialled
    await client.destroy()
    expect(await told).toMatchObject({ admission: 'destroyed', delivery: 'answered', mayHaveExecuted: true })
    server.close()
  })

  test('while a fetch that has sockets of its own was at work: nobody knows', async () => {
    let begun = () => {}
    const called = new Promise<void>((resolve) => {
      begun = resolve
    })
    vi.stubGlobal('fetch', () => {
      begun()
      return new Promise(() => {})
    })
    const client = createClient()
    const told = rejection(client.fetch('http://127.0.0.1:9/', { method: 'POST', body: 'x' }))
    await called
    await client.destroy()
    expect(await told).toMatchObject({ admission: 'destroyed', delivery: 'unknown', mayHaveExecuted: true })
  })
})
