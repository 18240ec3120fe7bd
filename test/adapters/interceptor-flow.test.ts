/** What flows through the interceptor: bodies at the reader's pace, 1xx, trailers, tunnels and other protocols. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { certificates, failTimes, inTurn, rudeServer, type SeenRequest, type Step, TEST_CA } from 'offhook/testing'
import { Agent, type Dispatcher, request, WebSocket } from 'undici'
import { describe, expect, test } from 'vitest'
import { resilient } from '../../src/adapters/interceptor.js'
import type { Controller, NewHandler, OldHandler } from '../../src/wire/handler-shapes.js'

/** Done to the first request, whichever it is. */
const onceOf = (script: readonly Step[]) => ({ ...failTimes(1, script), per: 'server' }) as const

const composed = (agent: Agent) => agent.compose(resilient({ random: () => 0 }))

interface Listening extends AsyncDisposable {
  readonly url: string
  readonly host: string
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Says this much on a connection once a request head has come. */
function saying(script: (socket: Socket) => void): Promise<Listening> {
  return listening(
    createServer((socket) => {
      let seen = ''
      socket.on('data', (bytes) => {
        seen += bytes.toString('latin1')
        if (!seen.includes('\r\n\r\n')) return
        seen = ''
        script(socket)
      })
    }),
  )
}

const chunk = Buffer.alloc(64 * 1024, 'abcdefghijklmnopqrstuvwxyz')
const chunks = 1024
const digest = () => createHash('sha256')
const whole = (() => {
  const hash = digest()
  for (let index = 0; index < chunks; index++) hash.update(chunk)
  return hash.digest('hex')
})()

/** A server of 64 MiB that counts what the kernel has taken from it. */
async function bigServer() {
  const taken = { bytes: 0 }
  const server = await saying((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length * chunks}\r\n\r\n`)
    let left = chunks
    const write = () => {
      while (left > 0) {
        left--
        const room = socket.write(chunk, () => {
          taken.bytes += chunk.length
        })
        if (!room) return
      }
    }
    socket.on('drain', write)
    write()
  })
  return { ...server, taken }
}

/** Resolves when the number has stopped growing. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1, same = 0; ; ) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = read()
    same = now === last ? same + 1 : 0
    if (same > 2_000) return now
    last = now
  }
}

describe('a reader that is slow', () => {
  const readers: Readonly<Record<string, (url: string, dispatcher: Dispatcher) => Promise<Readable>>> = {
    'undici.request': async (url, dispatcher) => (await request(url, { dispatcher })).body,
    'the stream method of a dispatcher': async (url, dispatcher) => {
      const sink = new PassThrough()
      const streamed = dispatcher.stream({ origin: url, path: '/', method: 'GET' }, () => sink)
      streamed.catch((error) => sink.destroy(error))
      await once(sink, 'readable')
      return sink
    },
  }

  for (const [name, open] of Object.entries(readers)) {
    test(`${name}: 64 MiB wait in the server, not in memory, and arrive whole`, async () => {
      await using server = await bigServer()
      const agent = new Agent()
      const body = await open(server.url, composed(agent))
      // Nobody reads: what the server could get rid of stands in buffers of the kernel and one window of ours.
      expect(await settled(() => server.taken.bytes)).toBeLessThan(16 * 1024 * 1024)
      const hash = digest()
      let heard = 0
      for await (const piece of body) {
        hash.update(piece as Buffer)
        heard += (piece as Buffer).length
        // What is on its way at any moment is bounded: nothing piles up while the reader works.
        expect(server.taken.bytes - heard).toBeLessThan(16 * 1024 * 1024)
        if (heard % 1024 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(hash.digest('hex')).toBe(whole)
      await agent.close()
    }, 60_000)
  }

  test('fetch: as well', async () => {
    await using server = await bigServer()
    const agent = new Agent()
    const response = await fetch(server.url, { dispatcher: composed(agent) } as object)
    expect(await settled(() => server.taken.bytes)).toBeLessThan(16 * 1024 * 1024)
    const hash = digest()
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) hash.update(piece)
    expect(hash.digest('hex')).toBe(whole)
    await agent.close()
  }, 60_000)

  test.each(['new', 'old'] as const)(
    'a handler of the %s vocabulary that pauses is left in peace until it resumes',
    async (words) => {
      await using server = await bigServer()
      const agent = new Agent()
      const dispatch = resilient({ random: () => 0 })(agent.dispatch.bind(agent))
      let paused = false
      let heard = 0
      const hash = digest()
      const hear = (piece: Buffer, resume: () => void) => {
        expect(paused).toBe(false)
        hash.update(piece)
        heard += piece.length
        paused = true
        setImmediate(() => {
          paused = false
          resume()
        })
      }
      await new Promise<void>((resolve, reject) => {
        let resume = () => {}
        const next: NewHandler = {
          onRequestStart: () => {},
          onResponseStart: () => {},
          onResponseData: (controller: Controller, piece) => {
            controller.pause()
            hear(piece, () => controller.resume())
          },
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => reject(error),
        }
        const old: OldHandler = {
          onConnect: () => {},
          onHeaders: (_status, _headers, again) => {
            resume = again
            return true
          },
          onData: (piece) => {
            hear(piece, resume)
            return false
          },
          onComplete: () => resolve(),
          onError: (error) => reject(error),
        }
        const handler = (words === 'new' ? next : old) as Dispatcher.DispatchHandler
        dispatch({ origin: server.url, path: '/', method: 'GET' }, handler)
      })
      expect(heard).toBe(chunk.length * chunks)
      expect(hash.digest('hex')).toBe(whole)
      await agent.close()
    },
    60_000,
  )
})

describe.concurrent('an answer that another attempt replaces', () => {
  test('is read to its end when it is short, and its connection serves again', async () => {
    await using server = await rudeServer({
      script: onceOf([{ respond: { status: 503, body: { bytes: 20_000 } } }]),
    })
    const agent = new Agent({ connections: 1 })
    const { body } = await request(server.url, { dispatcher: composed(agent) })
    expect(await body.text()).toBe('ok')
    expect(server.connections.accepted).toBe(1)
    await agent.close()
  })

  test.each([
    ['long', { status: 503, body: { bytes: 64 * 1024 * 1024 } }],
    ['without end', { status: 503, framing: 'chunked', body: { bytes: 100_000 }, drip: { bytes: 10, everyMs: 20 } }],
    ['cut', { status: 503, body: { bytes: 1_000 }, cut: { body: 10 } }],
  ] as const)('is dropped when it is %s, and nothing of it is kept', async (_how, respond) => {
    await using server = await rudeServer({ script: onceOf([{ respond }]) })
    const agent = new Agent({ connections: 1 })
    const { body } = await request(server.url, { dispatcher: composed(agent) })
    expect(await body.text()).toBe('ok')
    expect(server.connections.accepted).toBe(2)
    await agent.close()
  })
})

describe.concurrent('beside the body', () => {
  test('1xx are passed on as they come, of every attempt', async () => {
    const hints = { link: '</style.css>; rel=preload' }
    await using server = await rudeServer({
      script: inTurn(
        [
          [{ read: 'request' }, { inform: 103, headers: hints }, { respond: { status: 503 } }],
          [{ read: 'request' }, { inform: 103, headers: hints }, { respond: { body: 'ok' } }],
        ],
        { per: 'server' },
      ),
    })
    const agent = new Agent()
    const heard: unknown[] = []
    const onInfo = ({ statusCode, headers }: { statusCode: number; headers: Record<string, unknown> }) =>
      void heard.push([statusCode, headers['link']])
    const { statusCode, body } = await request(server.url, { dispatcher: composed(agent), onInfo })
    expect([statusCode, await body.text()]).toEqual([200, 'ok'])
    expect(heard).toEqual([
      [103, hints.link],
      [103, hints.link],
    ])
    await agent.close()
  })

  test('trailers come with the end', async () => {
    await using server = await saying(
      (socket) =>
        void socket.write(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 42\r\n\r\n',
        ),
    )
    const agent = new Agent()
    const { body, trailers } = await request(server.url, { dispatcher: composed(agent) })
    expect(await body.text()).toBe('ok')
    expect(trailers).toEqual({ 'x-sum': '42' })
    await agent.close()
  })

  test('headers that come twice, and raw bytes in them, are what they were', async () => {
    await using server = await saying(
      (socket) =>
        void socket.write(
          Buffer.from(
            'HTTP/1.1 200 Gut so\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Name: J\xfcrgen\r\nContent-Length: 0\r\n\r\n',
            'latin1',
          ),
        ),
    )
    const agent = new Agent()
    const { headers, statusText, body } = await request(server.url, { dispatcher: composed(agent) })
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(statusText).toBe('Gut so')
    await body.dump()
    const plain = await (await request(server.url)).body.dump().then(() => request(server.url))
    expect(headers).toEqual(plain.headers)
    await plain.body.dump()
    const response = await fetch(server.url, { dispatcher: composed(agent) } as object)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.statusText).toBe('Gut so')
    await agent.close()
  })

  test('HTTP/2 too', async () => {
    const sessions = new Set<{ destroy(): void }>()
    const secure = createSecureServer({ ...certificates.good, allowHTTP1: false })
    secure.on('session', (session) => sessions.add(session))
    secure.on('stream', (stream, headers) => {
      stream.respond({ ':status': 200, 'x-method': headers[':method'] })
      stream.end(chunk)
    })
    secure.listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const agent = new Agent({ allowH2: true, connect: { ca: TEST_CA } })
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
    for (const method of ['GET', 'POST'] as const) {
      const { headers, body } = await request(url, {
        method,
        dispatcher: composed(agent),
        ...(method === 'POST' && { body: 'x' }),
      })
      expect(headers['x-method']).toBe(method)
      expect(Buffer.from(await body.arrayBuffer()).equals(chunk)).toBe(true)
    }
    await agent.destroy()
    for (const session of sessions) session.destroy()
    secure.close()
  })
})

describe.concurrent('a body that is cut', () => {
  const text = 'the quick brown fox jumps over the lazy dog '.repeat(2_000)
  const etag = '"one"'

  /** Serves ranges, and cuts every answer after 10 kB while that leaves something to be cut. */
  const cutting = ({ headers }: SeenRequest): readonly Step[] => {
    const start = Number(/bytes=(\d+)-/.exec(headers['range'] ?? '')?.[1] ?? 0)
    const part = { 'content-range': `bytes ${start}-${text.length - 1}/${text.length}` }
    const rest = text.slice(start)
    const cut = rest.length > 10_000 && { cut: { body: 10_000 } }
    const answer = { status: start > 0 ? 206 : 200, headers: { etag, ...(start > 0 && part) }, body: rest, ...cut }
    return [{ respond: answer }, ...(cut === false ? [] : ['fin' as const])]
  }

  test('is continued where the options ask for it: the reader sees one body', async () => {
    await using server = await rudeServer({ script: cutting })
    const agent = new Agent()
    const options = { random: () => 0, budget: false, retry: { resume: true } } as const
    const dispatcher = agent.compose(resilient(options))
    const { body } = await request(server.url, { dispatcher })
    expect(await body.text()).toBe(text)
    const response = await fetch(server.url, { dispatcher } as object)
    expect(await response.text()).toBe(text)
    expect(server.ledger.entries()).toHaveLength(2 * 9)
    await agent.close()
  })

  test('is asked for again as a whole where it is buffered', async () => {
    const cut = { respond: { body: text, cut: { body: 10_000 } } }
    await using server = await rudeServer()
    server.on({ turns: [{ request: [cut, 'fin'] }, { request: [{ respond: { body: text } }] }], per: 'server' })
    const agent = new Agent()
    const dispatcher = agent.compose(resilient({ random: () => 0, retry: { body: 'buffer' } }))
    const { body } = await request(server.url, { dispatcher })
    expect(await body.text()).toBe(text)
    expect(server.ledger.entries()).toHaveLength(2)
    await agent.close()
  })
})

describe.concurrent('what is no call goes through untouched', () => {
  test('CONNECT', async () => {
    await using server = await saying((socket) => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()))
    })
    const agent = new Agent()
    const { statusCode, socket } = await composed(agent).connect({ origin: server.url, path: 'example.com:443' })
    socket.write('hello')
    expect([statusCode, String((await once(socket, 'data'))[0])]).toEqual([200, 'HELLO'])
    socket.destroy()
    await agent.destroy()
  })

  test('an upgrade', async () => {
    await using server = await saying((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: shouting\r\n\r\n')
      socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()))
    })
    const agent = new Agent()
    const asked: Dispatcher.UpgradeOptions & { origin: string } = {
      origin: server.url,
      path: '/',
      protocol: 'shouting',
    }
    const { headers, socket } = await composed(agent).upgrade(asked)
    socket.write('hello')
    expect([headers['upgrade'], String((await once(socket, 'data'))[0])]).toEqual(['shouting', 'HELLO'])
    socket.destroy()
    await agent.destroy()
  })

  test('an upgrade that fails has undici’s own error, and is not repeated', async () => {
    await using server = await rudeServer({ script: [{ read: 'head' }, 'rst'] })
    const agent = new Agent()
    const asked = { origin: server.url, path: '/', protocol: 'shouting', headers: { 'x-request-id': 'up' } }
    const error = await composed(agent)
      .upgrade(asked)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    expect(error).not.toHaveProperty('kind')
    expect(server.ledger.began('up')).toBe(1)
    await agent.destroy()
  })

  test('a WebSocket', async () => {
    await using server = await listening(
      createServer((socket) => {
        socket.once('data', (head) => {
          const key = /sec-websocket-key: (\S+)/i.exec(head.toString())?.[1] ?? ''
          const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
          )
          socket.write(Buffer.from([0x81, 2, 0x68, 0x69]))
        })
      }),
    )
    const agent = new Agent()
    const line = new WebSocket(server.url.replace('http', 'ws'), { dispatcher: composed(agent) })
    const said = await new Promise((resolve, reject) => {
      line.onmessage = ({ data }) => resolve(data)
      line.onerror = ({ error }) => reject(error)
    })
    expect(said).toBe('hi')
    line.close()
    await agent.destroy()
  })

  test('a handler that is none is refused by undici', () => {
    const agent = new Agent()
    const dispatch = resilient()(agent.dispatch.bind(agent))
    expect(() => dispatch({ origin: 'http://127.0.0.1:1', path: '/', method: 'GET' }, undefined as never)).toThrow()
    expect(() => dispatch({ origin: 'http://127.0.0.1:1', path: '/', method: 'GET' }, {} as never)).toThrow()
  })
})

test('the pipeline method of a dispatcher: a body that flows both ways', async () => {
  await using server = await rudeServer({ script: [{ read: 'request' }, { respond: { body: { bytes: 100_000 } } }] })
  const agent = new Agent()
  const duplex = composed(agent).pipeline({ origin: server.url, path: '/', method: 'PUT' }, ({ body }) => body)
  let heard = 0
  await pipeline([Buffer.from('up')], duplex, async (down) => {
    for await (const piece of down) heard += (piece as Buffer).length
  })
  expect(heard).toBe(100_000)
  expect(server.ledger.entries()).toMatchObject([{ method: 'PUT', executed: 1, arrivals: [{ bytes: 2 }] }])
  await agent.close()
})
