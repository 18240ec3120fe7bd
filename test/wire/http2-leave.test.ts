/** Uploads over HTTP/2 that are given up: no server may take a part of a body for the whole of it, and no thread may spin. */

import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from 'offhook'
import { certificates, TEST_CA } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { leaveWithCancel } from '../../src/wire/http2-leave.js'

const cancel = 8
const part = Buffer.alloc(1000, 'a')

/** What the server has seen of an upload. */
interface Upload {
  readonly stream: ServerHttp2Stream
  bytes: number
  /** END_STREAM came. */
  whole: boolean
  /** With which code the client reset it. */
  reset: number | undefined
}

/** A server that never answers; `reads` whether it reads, and so opens the window for more. */
async function listener(reads: boolean) {
  const uploads: Upload[] = []
  const sessions: ServerHttp2Session[] = []
  const server = createSecureServer({ ...certificates.good })
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream) => {
    const upload: Upload = { stream, bytes: 0, whole: false, reset: undefined }
    uploads.push(upload)
    stream.on('error', () => {})
    // 'aborted' is told of a stream that was reset before its END_STREAM, and of no other.
    stream.once('aborted', () => {
      upload.reset = stream.rstCode
    })
    if (!reads) return
    stream.on('data', (bytes: Buffer) => {
      upload.bytes += bytes.length
    })
    stream.once('end', () => {
      upload.whole = !stream.aborted
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}/`,
    uploads,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let look = 0; look < 200 && !condition(); look++) await sleep(10)
}

const speaker = () => createClient({ http2: true, tls: { ca: TEST_CA }, retry: false, timeout: 10_000 })

/** Two pieces, and then nothing more; the end is `last`. */
async function* pieces(last: () => Promise<void>) {
  yield part
  yield part
  await last()
}

const hosts: Record<
  string,
  (client: Client, url: string, body: AsyncIterable<Buffer>, signal: AbortSignal) => unknown
> = {
  fetch: (client, url, body, signal) =>
    client.fetch(url, { method: 'POST', body: ReadableStream.from(body), duplex: 'half', signal }),
  request: (client, url, body, signal) => client.request(url, { method: 'POST', body: () => body, signal }),
}

describe.each(Object.keys(hosts))('an upload of no known length, by %s', (host) => {
  test('that is given up half-way reaches the server as a reset, never as a whole', async () => {
    await using server = await listener(true)
    await using client = speaker()
    const controller = new AbortController()
    const reason = new Error('given up')
    const body = pieces(() => sleep(300))
    const call = hosts[host]?.(client, server.url, body, controller.signal)
    const failed = expect(call).rejects.toBe(reason)
    await until(() => server.uploads[0]?.bytes === 2 * part.length)
    controller.abort(reason)
    await failed
    await until(() => server.uploads[0]?.reset !== undefined || server.uploads[0]?.whole === true)
    expect(server.uploads.map(({ whole, reset }) => ({ whole, reset }))).toEqual([{ whole: false, reset: cancel }])
  })

  test('whose source fails half-way does not, either', async () => {
    await using server = await listener(true)
    await using client = speaker()
    const body = pieces(async () => {
      await until(() => server.uploads[0]?.bytes === 2 * part.length)
      throw new Error('no more')
    })
    await expect(hosts[host]?.(client, server.url, body, new AbortController().signal)).rejects.toThrow()
    await until(() => server.uploads[0]?.reset !== undefined || server.uploads[0]?.whole === true)
    expect(server.uploads.map(({ whole, reset }) => ({ whole, reset }))).toEqual([{ whole: false, reset: cancel }])
  })

  // Without the reset Node's thread would never come back from this test.
  test('that fills the window of a server that does not read is let go of, and its connection goes on', async () => {
    await using server = await listener(false)
    await using client = speaker()
    const controller = new AbortController()
    const call = client.fetch(server.url, { method: 'POST', body: Buffer.alloc(300_000), signal: controller.signal })
    const failed = expect(call).rejects.toThrow()
    await until(() => server.uploads.length === 1)
    await sleep(50)
    controller.abort()
    await failed
    await until(() => server.uploads[0]?.reset !== undefined)
    expect(server.uploads[0]?.reset).toBe(cancel)
    server.sessions[0]?.ping(() => {})
    const next = client.fetch(server.url)
    await until(() => server.uploads.length === 2)
    server.uploads[1]?.stream.respond({ ':status': 200 }, { endStream: true })
    expect((await next).status).toBe(200)
    expect(server.sessions).toHaveLength(1)
  })
})

describe('a stream that is left', () => {
  /** A stream that has been opened, with what was written to it still held back by the window of a server that does not read. */
  async function opened(url: string) {
    const session: ClientHttp2Session = connect(url, { ca: TEST_CA })
    await once(session, 'remoteSettings')
    const stream = session.request({ ':method': 'POST' }, { endStream: false })
    stream.on('error', () => {})
    leaveWithCancel(stream)
    stream.write(Buffer.alloc(300_000))
    return { session, stream, [Symbol.dispose]: () => session.destroy() }
  }

  // Node sends no RST_STREAM for a stream that is destroyed before it has written it.
  test.each(['close', 'destroy'] as const)('by %s is destroyed a turn of the loop later', async (way) => {
    await using server = await listener(false)
    using client = await opened(server.url)
    await until(() => server.uploads.length === 1)
    client.stream[way]()
    client.stream.destroy()
    await null
    expect({ closed: client.stream.closed, destroyed: client.stream.destroyed }).toEqual({
      closed: true,
      destroyed: false,
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(client.stream.destroyed).toBe(true)
    await until(() => server.uploads[0]?.reset !== undefined)
    expect(server.uploads[0]?.reset).toBe(cancel)
  })

  test('with its session is destroyed at once', async () => {
    await using server = await listener(false)
    using client = await opened(server.url)
    client.session.destroy()
    expect(client.stream.destroyed).toBe(true)
  })
})
