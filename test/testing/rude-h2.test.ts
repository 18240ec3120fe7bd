/** The rude HTTP/2 server as Node's own HTTP/2 client sees it: which frames came, on which stream, and how it ended. */

import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import {
  type H2Behaviour,
  type H2MisdeedName,
  h2Misdeeds,
  type RudeH2Options,
  type RudeH2Server,
  rudeH2Server,
} from '../../src/testing/rude-server.js'

interface Seen {
  readonly status?: number
  readonly bytes: number
  /** The code with which the stream was closed, `end` for END_STREAM, or how the connection ended. */
  readonly end: number | 'end' | 'reset' | 'closed' | 'open'
  readonly goaway?: readonly [code: number, last: number]
}

const { NGHTTP2_NO_ERROR: NO_ERROR, NGHTTP2_PROTOCOL_ERROR: PROTOCOL_ERROR } = constants
const { NGHTTP2_INTERNAL_ERROR: INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM: REFUSED_STREAM } = constants
const { NGHTTP2_CANCEL: CANCEL, NGHTTP2_ENHANCE_YOUR_CALM: CALM, NGHTTP2_HTTP_1_1_REQUIRED: HTTP_1_1 } = constants
const highest = 2 ** 31 - 1

function open(server: RudeH2Server): ClientHttp2Session {
  const session = connect(server.url, { ca: server.ca })
  session.on('error', () => {})
  return session
}

/** Sends one request (without an id where that is empty) and tells what came of it: its end, or that there was none when `patience` is over. */
function send(session: ClientHttp2Session, id: string, patience?: Promise<unknown>): Promise<Seen> {
  const named = id === '' ? {} : { 'x-request-id': id }
  const stream = session.request({ ':path': '/orders', ':method': 'POST', ...named }, { endStream: false })
  return new Promise((resolve) => {
    let status: number | undefined
    let bytes = 0
    let goaway: Seen['goaway']
    let cut: NodeJS.ErrnoException | undefined
    let wasEnded = false
    const settle = (end: Seen['end']) => {
      resolve({ ...(status !== undefined && { status }), bytes, end, ...(goaway !== undefined && { goaway }) })
    }
    void patience?.then(() => settle('open'))
    session.once('goaway', (code, last) => {
      goaway = [code, last]
    })
    stream.on('error', (error) => {
      cut = error
    })
    stream.on('response', (headers) => {
      status = headers[':status']
    })
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    // A stream that is closed before it ended was not ended by END_STREAM.
    stream.on('end', () => {
      wasEnded = !stream.closed
    })
    stream.on('close', () => {
      const { rstCode = 0 } = stream
      // Once the session is gone, the code is of Node's making.
      if (session.destroyed && goaway === undefined) settle(cut?.code === 'ECONNRESET' ? 'reset' : 'closed')
      else settle(rstCode === NO_ERROR && wasEnded ? 'end' : rstCode)
    })
    stream.end('one order')
  })
}

/** What Node's client must see of each misdeed, and how often the request was executed. */
const expected: Record<H2MisdeedName, Seen & { executed: 0 | 1 }> = {
  'refused-stream': { bytes: 0, end: REFUSED_STREAM, executed: 0 },
  'enhance-your-calm': { bytes: 0, end: CALM, executed: 0 },
  'http-1-1-required': { bytes: 0, end: HTTP_1_1, executed: 0 },
  cancel: { bytes: 0, end: CANCEL, executed: 1 },
  'internal-error': { bytes: 0, end: INTERNAL_ERROR, executed: 1 },
  'protocol-error': { bytes: 0, end: PROTOCOL_ERROR, executed: 1 },
  'no-error': { bytes: 0, end: NO_ERROR, executed: 1 },
  // Streams above the last one are closed by the client's own HTTP/2, with the code that says so.
  'goaway-none': { bytes: 0, end: REFUSED_STREAM, goaway: [NO_ERROR, 0], executed: 0 },
  'goaway-none-then-fin': { bytes: 0, end: REFUSED_STREAM, goaway: [NO_ERROR, 0], executed: 0 },
  'goaway-none-enhance-your-calm': { bytes: 0, end: CALM, goaway: [CALM, 0], executed: 0 },
  'goaway-before': { bytes: 0, end: REFUSED_STREAM, goaway: [NO_ERROR, 1], executed: 0 },
  'goaway-this-then-answer': { status: 200, bytes: 2, end: 'end', goaway: [NO_ERROR, 3], executed: 1 },
  'goaway-this-then-fin': { bytes: 0, end: CANCEL, goaway: [NO_ERROR, 3], executed: 1 },
  'goaway-this-enhance-your-calm': { bytes: 0, end: CALM, goaway: [CALM, 3], executed: 1 },
  'goaway-any-then-answer': { status: 200, bytes: 2, end: 'end', goaway: [NO_ERROR, highest], executed: 1 },
  'stall-before-head': { bytes: 0, end: 'open', executed: 1 },
  'ignore-pings': { bytes: 0, end: 'open', executed: 1 },
  mute: { bytes: 0, end: 'open', executed: 1 },
  'rst-before-head': { bytes: 0, end: 'reset', executed: 1 },
  'fin-before-head': { bytes: 0, end: 'closed', executed: 1 },
  'cancel-mid-body': { status: 200, bytes: 400, end: CANCEL, executed: 1 },
  'cancel-mid-body-with-length': { status: 200, bytes: 400, end: CANCEL, executed: 1 },
  'no-error-mid-body': { status: 200, bytes: 400, end: NO_ERROR, executed: 1 },
  'no-error-mid-body-with-length': { status: 200, bytes: 400, end: NO_ERROR, executed: 1 },
  'internal-error-mid-body': { status: 200, bytes: 400, end: INTERNAL_ERROR, executed: 1 },
  'protocol-error-mid-body': { status: 200, bytes: 400, end: PROTOCOL_ERROR, executed: 1 },
  'refused-stream-mid-body': { status: 200, bytes: 400, end: REFUSED_STREAM, executed: 1 },
  'rst-mid-body': { status: 200, bytes: 400, end: 'reset', executed: 1 },
  'rst-mid-body-with-length': { status: 200, bytes: 400, end: 'reset', executed: 1 },
  'fin-mid-body': { status: 200, bytes: 400, end: 'closed', executed: 1 },
  'fin-mid-body-with-length': { status: 200, bytes: 400, end: 'closed', executed: 1 },
  'stall-mid-body': { status: 200, bytes: 400, end: 'open', executed: 1 },
  // Node's client counts, and says PROTOCOL_ERROR.
  'short-body': { status: 200, bytes: 400, end: PROTOCOL_ERROR, executed: 1 },
}

describe.concurrent('each misdeed is done on the wire', () => {
  test.each(Object.entries(expected))('%s', async (name, { executed, ...seen }) => {
    const misdeed = h2Misdeeds[name as H2MisdeedName]
    await using server = await rudeH2Server()
    const session = open(server)
    expect(await send(session, 'before')).toEqual({ status: 200, bytes: 2, end: 'end' })
    server.on(misdeed)
    const silent = seen.end === 'open'
    const patience = silent
      ? server.until(() => server.ledger.executions('it') === 1).then(() => sleep(100))
      : undefined
    expect(await send(session, 'it', patience)).toEqual(seen)
    expect(server.ledger.began('it')).toBe(1)
    expect(server.ledger.executions('it')).toBe(executed)
    expect(server.connections).toMatchObject({ accepted: 1, h2: 1 })
    session.destroy()
  })
})

describe('a rude HTTP/2 server', () => {
  test('behaves until it is told otherwise, and keeps a ledger', async () => {
    await using server = await rudeH2Server({ idHeader: 'x-order' })
    const session = open(server)
    const stream = session.request({ ':path': '/orders', ':method': 'PUT', 'x-order': 'seven', 'content-length': 5 })
    stream.end('hello')
    await new Promise((resolve) => stream.once('close', resolve).resume())
    expect(server.ledger.entries()).toMatchObject([
      {
        id: 'seven',
        method: 'PUT',
        path: '/orders',
        executed: 1,
        arrivals: [{ bytes: 5, announcedBytes: 5, connection: 1 }],
      },
    ])
    expect(server.ledger.corrupted()).toEqual([])
    session.destroy()
  })

  test('turns are taken per request id, per connection, or one after the other', async () => {
    const turns = [[{ reset: 'CANCEL' }], [{ reset: 'REFUSED_STREAM' }], {}] as const
    const ends = async (per: 'request-id' | 'connection' | 'server') => {
      await using server = await rudeH2Server({ script: { turns, per } })
      const sessions = [open(server), open(server)]
      const seen: Seen['end'][] = []
      for (const [at, id] of [
        [0, 'a'],
        [0, 'a'],
        [1, 'b'],
        [1, 'a'],
        [0, ''],
        [1, ''],
      ] as const)
        seen.push((await send(sessions[at] as ClientHttp2Session, id)).end)
      for (const session of sessions) session.destroy()
      return seen
    }
    // Two requests without an id cannot be told from two attempts at one.
    expect(await ends('request-id')).toEqual([CANCEL, REFUSED_STREAM, CANCEL, 'end', CANCEL, REFUSED_STREAM])
    expect(await ends('connection')).toEqual([CANCEL, CANCEL, REFUSED_STREAM, REFUSED_STREAM, CANCEL, REFUSED_STREAM])
    expect(await ends('server')).toEqual([CANCEL, REFUSED_STREAM, 'end', 'end', 'end', 'end'])
  })

  test('PINGs are counted, and acknowledged unless it was told not to', async () => {
    await using server = await rudeH2Server()
    const session = open(server)
    await send(session, 'first')
    await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
    server.on(['ignore-pings'])
    await send(session, 'second')
    let acknowledged = false
    session.ping((error) => {
      acknowledged = error === null
    })
    await server.until(() => server.pings === 2)
    expect((await send(session, 'third')).end).toBe('end')
    expect(acknowledged).toBe(false)
    session.destroy()
  })

  test('what it does when a connection opens needs no request', async () => {
    await using server = await rudeH2Server({
      script: { open: [{ goaway: 'ENHANCE_YOUR_CALM', last: 'none' }, 'fin'] },
    })
    const session = open(server)
    const goaway = await new Promise((resolve) => session.once('goaway', (code, last) => resolve([code, last])))
    expect(goaway).toEqual([CALM, 0])
    expect(server.ledger.entries()).toEqual([])
  })

  test('hears of the streams that the client gives up', async () => {
    await using server = await rudeH2Server({ script: ['stall'] })
    const session = open(server)
    const stream = session.request({ 'x-request-id': 'given-up' })
    await server.until(() => server.ledger.began('given-up') === 1)
    stream.close(CANCEL)
    await server.until(() => server.cancelled === 1)
    session.destroy()
    await server.until(() => server.connections.open === 0)
  })

  test('speaks HTTP/1.1 only where it was asked to, and behaves there', async () => {
    const chosen = async (options: RudeH2Options, protocols: string[]) => {
      await using server = await rudeH2Server(options)
      const socket = connectTls({ port: server.port, host: server.host, ca: server.ca, ALPNProtocols: protocols })
      try {
        return await new Promise((resolve, reject) => {
          socket.once('secureConnect', () => resolve(socket.alpnProtocol))
          socket.once('error', reject)
        })
      } finally {
        socket.destroy()
      }
    }
    expect(await chosen({}, ['http/1.1', 'h2'])).toBe('h2')
    expect(await chosen({ http1: true }, ['http/1.1'])).toBe('http/1.1')
    expect(await chosen({ http1: true }, ['h2', 'http/1.1'])).toBe('h2')
    await expect(chosen({}, ['http/1.1'])).rejects.toThrow(/no application protocol|alert/i)
  })

  test.each<[string, unknown, RegExp]>([
    ['an unknown act', ['explode'], /request\[0\] must be 'execute'.*got 'explode'/],
    ['an unknown code', [{ reset: 'NO_SUCH' }], /request\[0\]\.reset must be 'NO_ERROR'.*got 'NO_SUCH'/],
    ['a GOAWAY without its last stream', [{ goaway: 'NO_ERROR' }], /request\[0\]\.last must be .*got undefined/],
    ['an answer with an unknown key', [{ respond: { state: 200 } }], /respond: key must be .*got 'state'/],
    ['an act that needs a request', { open: ['execute'] }, /open\[0\]: execute needs a request/],
    ['a last stream that needs one', { open: [{ goaway: 'NO_ERROR', last: 'this' }] }, /goaway needs a request/],
    ['no turns', { turns: [], per: 'server' }, /at least one script/],
    ['turns of nobody', { turns: [{}], per: 'path' }, /per must be .*got 'path'/],
    ['turns before a request, by request', { turns: [{ open: ['mute'] }, {}], per: 'server' }, /per: 'connection'/],
    ['no script at all', 7, /must be a script/],
  ])('refuses %s', async (_name, script, message) => {
    await expect(rudeH2Server({ script: script as H2Behaviour })).rejects.toThrow(message)
  })

  test('refuses options that it does not know, and ports that are taken', async () => {
    await expect(rudeH2Server({ tls: true } as RudeH2Options)).rejects.toThrow("unknown option 'tls'")
    await using server = await rudeH2Server()
    await expect(rudeH2Server({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('until rejects when time is up, and when the server is closed', async () => {
    const server = await rudeH2Server()
    await expect(server.until(() => false, 1)).rejects.toThrow('did not hold within 1 ms')
    const waiting = server.until(() => false)
    await Promise.all([server.close(), expect(waiting).rejects.toThrow('the server was closed')])
  })
})
