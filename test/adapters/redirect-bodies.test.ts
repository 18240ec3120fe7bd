/** A redirect that is being followed has done what it was for: what becomes of its own body concerns nobody. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createClient } from 'offhook'
import { describe, expect, test } from 'vitest'

const redirect = 'HTTP/1.1 302 Found\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nelse\r\n'

/** How its body goes wrong. */
const ends: Record<string, (socket: Socket) => void> = {
  'a reset': (socket) => socket.resetAndDestroy(),
  'a FIN': (socket) => socket.end(),
  'a chunk that is none': (socket) => socket.end('zz\r\nhello\r\n'),
}

/** Redirects, and lets the body of that go wrong as soon as the next request has come; only then answers it. */
async function redirecting(end: (socket: Socket) => void) {
  let first: Socket | undefined
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', async (head) => {
      if (!head.toString().startsWith('GET /there')) {
        first = socket
        socket.write(redirect)
        return
      }
      if (first === undefined) throw new Error('the second request came first')
      const gone = once(first, 'close')
      end(first)
      await gone
      // The client has heard of it by then: both came over the same interface.
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere'), 30)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the body of a redirect that fetch follows', () => {
  test.each(Object.keys(ends))('may end by %s', async (name) => {
    await using server = await redirecting((socket) => ends[name]?.(socket))
    await using client = createClient({ retry: false })
    const response = await client.fetch(server.url)
    expect(await response.text()).toBe('there')
    expect(response.redirected).toBe(true)
  })
})
