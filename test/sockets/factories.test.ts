/** redial over whatever a function opens: WebSocket, EventSource, responses, sockets and clients of others. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import http, { type ServerResponse } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { ConnectionRefusedError, fetch, isOffhookError, StatusError, TimeoutError } from 'offhook'
import { type FactoryOptions, type OpenContext, type RedialEvent, redial } from 'offhook/socket'
import { refusedPort } from 'offhook/testing'
import { EventSource, fetch as undiciFetch, WebSocket } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WebSocket as PeerSocket, WebSocketServer } from 'ws'
import { ManualClock, turns } from '../manual-clock.js'

const quick = { random: () => 0, retry: { attempts: 10 } }

/** What became of each connection, as the channel tells it. */
let downs: { kind: string; phase: string }[] = []
const listen = (message: unknown) => {
  const event = message as RedialEvent
  // What was given up on this side has none.
  if (event.event === 'down' && event.failure !== undefined)
    downs.push({ kind: event.failure.kind, phase: event.failure.phase })
}
beforeEach(() => {
  downs = []
  subscribe('offhook:redial', listen)
})
afterEach(() => {
  unsubscribe('offhook:redial', listen)
})

async function failure(options: FactoryOptions<unknown>) {
  try {
    for await (const _ of redial(options));
  } catch (error) {
    if (isOffhookError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** A WebSocket server whose n-th connection says so, and ends as the test wants. */
async function webSockets(...ends: ((socket: PeerSocket & { _socket: Socket }) => void)[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  let connections = 0
  server.on('connection', (socket) => {
    const end = ends[connections++]
    socket.send(`hello ${connections}`, () => end?.(socket as PeerSocket & { _socket: Socket }))
  })
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    for (const client of server.clients) client.terminate()
    server.close()
    await once(server, 'close')
  }
  return { url, [Symbol.asyncDispose]: close }
}

describe('a WebSocket', () => {
  test('is redialled after a reset, a FIN and a close frame, with the names of what happened', async () => {
    await using server = await webSockets(
      // The client must have read what came before: a reset that overtakes it would look like an end.
      (socket) => socket.once('message', () => socket._socket.resetAndDestroy()),
      (socket) => socket._socket.destroy(),
      (socket) => socket.close(1012),
    )
    const heard: string[] = []
    for await (const webSocket of redial({
      ...quick,
      open: ({ dispatcher }) => new WebSocket(server.url, { dispatcher }),
    })) {
      expect(webSocket.readyState).toBe(WebSocket.OPEN)
      const event = await new Promise<{ data: string }>((resolve) => {
        webSocket.addEventListener('message', resolve, { once: true })
      })
      heard.push(event.data)
      if (heard.length === 1) webSocket.send('heard')
      if (heard.length === 4) break
    }
    expect(heard).toEqual(['hello 1', 'hello 2', 'hello 3', 'hello 4'])
    expect(downs).toEqual([
      { kind: 'reset', phase: 'wait' },
      { kind: 'closed', phase: 'wait' },
      { kind: 'closed', phase: 'wait' },
    ])
  })

  test('that cannot be opened says why, though it does not say so itself', async () => {
    await using dead = await refusedPort()
    const url = `ws://127.0.0.1:${dead.port}`
    const error = await failure({
      ...quick,
      retry: { attempts: 2 },
      name: 'feed',
      open: ({ dispatcher }) => new WebSocket(url, { dispatcher }),
    })
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error).toMatchObject({ origin: 'feed', method: 'dial', stopReason: 'attempts' })
    expect(error.message).toMatch(/^dial feed: the connection was refused/)
    expect(error.attempts.map(({ code }) => code)).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
  })

  test('by a function alone, without our dispatcher, is redialled as well', async () => {
    await using server = await webSockets((socket) => socket.terminate())
    let turn = 0
    for await (const webSocket of redial(() => new WebSocket(server.url))) {
      expect(webSocket.readyState).toBe(WebSocket.OPEN)
      if (++turn === 2) break
    }
    expect(turn).toBe(2)
  })

  test('that falls silent is given up by its heartbeat', async () => {
    const clock = new ManualClock()
    await using server = await webSockets()
    const beat = () => new Promise<void>(() => {})
    const lives: WebSocket[] = []
    const loop = (async () => {
      const open = () => new WebSocket(server.url)
      for await (const webSocket of redial({ ...quick, open, clock, heartbeat: { every: 1_000, beat } })) {
        lives.push(webSocket)
        if (lives.length === 2) break
      }
    })()
    while (lives.length < 2) {
      await turns(5)
      clock.advance(100)
    }
    await loop
    expect(downs).toEqual([{ kind: 'timeout', phase: 'wait' }])
    expect(clock.pending).toBe(0)
  })
})

/** Server-sent events: each connection sends one, with the next id, and ends as the test wants. */
async function events(end: (response: ServerResponse, connection: number) => void) {
  const asked: (string | undefined)[] = []
  const server = http.createServer((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined)
    const id = asked.length
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`id: ${id}\ndata: event ${id}\n\n`, () => end(response, id))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, [Symbol.asyncDispose]: close }
}

describe('server-sent events', () => {
  test('by an EventSource are redialled with the names of what happened', async () => {
    await using server = await events((response, id) => {
      // Later, when the client has read what came before.
      if (id === 1) setTimeout(() => response.socket?.resetAndDestroy(), 50)
      if (id === 2) setTimeout(() => response.end(), 50)
    })
    let turn = 0
    for await (const source of redial({
      ...quick,
      open: ({ dispatcher }) => new EventSource(server.url, { dispatcher }),
    })) {
      expect(source.readyState).toBe(1)
      if (++turn === 3) break
    }
    expect(downs.map(({ kind }) => kind)).toEqual(['reset', 'closed'])
  })

  test('by fetch go on from the last event, and are over when the body of the loop is', async () => {
    await using server = await events((response) => response.end())
    let last = ''
    const open = ({ signal }: OpenContext) =>
      fetch(server.url, { signal, retry: false, throwOnStatus: true, headers: { 'last-event-id': last } })
    for await (const response of redial({ ...quick, open })) {
      const text = await response.text()
      last = /^id: (.*)$/m.exec(text)?.[1] ?? last
      if (last === '3') break
    }
    expect(server.asked).toEqual(['', '1', '2'])
  })

  test('a status is an answer: one that may pass is tried again, one that will not pass ends it', async () => {
    const statuses = [503, 404]
    const server = http.createServer((_request, response) => response.writeHead(statuses.shift() ?? 500).end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const error = await failure({ ...quick, open: () => fetch(url, { retry: false, throwOnStatus: true }) })
    server.close()
    expect(error).toBeInstanceOf(StatusError)
    expect(error.attempts.map(({ status }) => status)).toEqual([503, 404])
  })

  test('a response that is left unread is dropped', async () => {
    await using server = await events(() => {})
    for await (const response of redial({
      ...quick,
      open: ({ dispatcher }) => undiciFetch(server.url, { dispatcher }),
    })) {
      expect(response.status).toBe(200)
      break
    }
  })
})

describe('a factory', () => {
  test('hears the turn, the attempt, and the end of its time', async () => {
    const clock = new ManualClock()
    const seen: [number, number][] = []
    const signals: AbortSignal[] = []
    const over = failure({
      clock,
      random: () => 0,
      retry: { attempts: 2 },
      timeout: { connect: 300 },
      open: ({ turn, attempt, signal }) => {
        seen.push([turn, attempt])
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    for (let attempt = 1; attempt <= 2; attempt++) {
      await turns(5)
      clock.advance(300)
      await turns(5)
    }
    const error = await over
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ limit: 'attempt', limitMs: 300 })
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
    ])
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('that has a bug ends the loop with it, at once', async () => {
    const bug = new TypeError('feed.connnect is not a function')
    let opened = 0
    const open = () => {
      opened++
      throw bug
    }
    await expect(failure({ open })).rejects.toBe(bug)
    await expect(failure({ open: () => Promise.reject(bug) })).rejects.toBe(bug)
    expect(opened).toBe(1)
  })

  test('may give a socket that is still connecting', async () => {
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    let turn = 0
    for await (const socket of redial({ ...quick, open: () => net.connect(port, '127.0.0.1') })) {
      expect(socket.connecting).toBe(false)
      socket.resume()
      if (++turn === 2) break
    }
    server.close()
    await using dead = await refusedPort()
    const error = await failure({ ...quick, retry: false, open: () => net.connect(dead.port, '127.0.0.1') })
    expect(error).toBeInstanceOf(ConnectionRefusedError)
  })

  test('may give any emitter that says when it has ended', async () => {
    class Client extends EventEmitter {
      ended = false
      end(): void {
        this.ended = true
      }
    }
    const clients: Client[] = []
    const open = () => {
      const client = new Client()
      clients.push(client)
      if (clients.length === 1)
        setImmediate(
          () =>
            client.emit('error', Object.assign(new Error('x'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })) &&
            client.emit('end'),
        )
      return client
    }
    for await (const client of redial({ ...quick, open })) if (client === clients[1]) break
    expect(downs).toEqual([{ kind: 'reset', phase: 'wait' }])
    expect(clients.map(({ ended }) => ended)).toEqual([true, true])
  })
})
