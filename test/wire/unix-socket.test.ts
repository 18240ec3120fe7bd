/** Requests over Unix sockets, to servers with and without manners, and to sockets where nobody is. */

import { once } from 'node:events'
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import net, { type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClientOptions, explain } from 'offhook'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'
import { clientOf, failureOf, post } from './clients.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offhook-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

interface Listening extends AsyncDisposable {
  readonly path: string
  readonly accepted: Socket[]
}

/** Does this with each connection to a socket in the folder. */
async function listen(deed: (socket: Socket) => void): Promise<Listening> {
  const path = join(folder, 'server.sock')
  const accepted: Socket[] = []
  const server = net.createServer((socket) => {
    accepted.push(socket.on('error', () => {}))
    deed(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  const close = async () => {
    for (const socket of accepted) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { path, accepted, [Symbol.asyncDispose]: close }
}

/** A rude server behind a Unix socket. */
function inFrontOf(server: RudeServer): Promise<Listening> {
  return listen((socket) => {
    const far = net.connect(server.port, server.host)
    far.on('error', () => socket.destroy())
    socket.on('close', () => far.destroy())
    socket.pipe(far).pipe(socket)
  })
}

describe.each([false, true])('TLS: %s', (tls) => {
  const scheme = tls ? 'https' : 'http'
  test.each(['fetch', 'request'] as const)('%s: everything arrives once, on one connection', async (host) => {
    await using server = await rudeServer({ tls })
    await using front = await inFrontOf(server)
    const client = clientOf({ socketPath: front.path })
    for (let number = 0; number < 5; number++) {
      const answer = await client[host](`${scheme}://localhost/path`, post(`o-${number}`))
      expect('json' in answer ? await answer.text() : await answer.body.text()).toBe('ok')
      expect(server.ledger.executions(`o-${number}`)).toBe(1)
    }
    expect(front.accepted).toHaveLength(1)
    expect(Object.keys(client.stats().origins)).toEqual([`${scheme}://localhost`])
  })
})

test('only the origins that are named go there', async () => {
  await using inside = await rudeServer()
  await using outside = await rudeServer()
  await using front = await inFrontOf(inside)
  const client = clientOf({ socketPath: { 'http://docker': front.path } })
  await (await client.fetch('http://docker/v1', post('in'))).text()
  await (await client.fetch(outside.url, post('out'))).text()
  expect([inside, outside].map(({ ledger }) => ledger.entries().map(({ id }) => id))).toEqual([['in'], ['out']])
})

test('a pooled connection that was closed while it was idle costs nothing', async () => {
  await using server = await rudeServer()
  await using front = await inFrontOf(server)
  const client = clientOf({ socketPath: front.path })
  for (let number = 0; number < 20; number++) {
    expect(await (await client.fetch('http://localhost/', post(`o-${number}`))).text()).toBe('ok')
    for (const socket of front.accepted) socket.destroy()
    await turns()
  }
  expect(server.ledger.entries()).toHaveLength(20)
  expect(server.ledger.duplicates()).toEqual([])
})

describe('a server without manners', () => {
  const answered = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345'
  const onRequest = (deed: (socket: Socket) => void) => (socket: Socket) => void socket.once('data', () => deed(socket))

  test.each<[says: string, deed: (socket: Socket) => void, expected: object]>([
    ['closes at accept', (socket) => socket.end(), { delivery: 'unknown', kind: 'closed' }],
    [
      'closes after the request',
      onRequest((socket) => socket.end()),
      { delivery: 'unknown', kind: 'closed', phase: 'wait' },
    ],
    ['leaves the request unread', (socket) => void setImmediate(() => socket.destroy()), { delivery: 'unknown' }],
    [
      'speaks something else',
      onRequest((socket) => socket.end('SSH-2.0\r\n')),
      { kind: 'protocol', delivery: 'partial' },
    ],
    ['breaks off in the head', onRequest((socket) => socket.end('HTTP/1.1 200 O')), { delivery: 'partial' }],
  ])('%s: a POST is not sent again', async (_, deed, expected) => {
    await using server = await listen(deed)
    const error = await failureOf(clientOf({ socketPath: server.path }).fetch('http://localhost/', post('once')))
    expect(error).toMatchObject({ ...expected, connection: { socketPath: server.path, reused: false } })
    expect(error.connection).not.toHaveProperty('remoteAddress')
    expect(server.accepted).toHaveLength(1)
  })

  test('breaks off in the body', async () => {
    await using server = await listen(onRequest((socket) => socket.end(answered)))
    const answer = await clientOf({ socketPath: server.path }).fetch('http://localhost/')
    expect(await failureOf(answer.text())).toMatchObject({ phase: 'body', delivery: 'partial' })
  })

  test('never answers', async () => {
    await using server = await listen(() => {})
    const clock = new ManualClock()
    const client = clientOf({ socketPath: server.path, clock, timeout: { connect: false, headers: 500 }, retry: false })
    const failing = failureOf(client.fetch('http://localhost/'))
    while (server.accepted.length === 0) await turns()
    await turns(20)
    clock.advance(500)
    expect(await failing).toMatchObject({ kind: 'timeout', phase: 'wait', connection: { socketPath: server.path } })
  })
})

describe('nobody there', () => {
  const call = (path: string, more: ClientOptions = {}) =>
    failureOf(clientOf({ socketPath: path, ...more }).fetch('http://localhost/', post('never')))

  test('no such socket: refused, unsent, tried again, and the story names the path', async () => {
    const path = join(folder, 'nothing.sock')
    const error = await call(path)
    expect(error).toMatchObject({ kind: 'refused', code: 'ENOENT', phase: 'connect', delivery: 'unsent' })
    expect(error.connection).toMatchObject({ socketPath: path })
    expect(error.attempts).toHaveLength(3)
    expect(explain(error)).toContain(path)
    expect(JSON.parse(JSON.stringify(error)).connection.socketPath).toBe(path)
  })

  test('a socket that nobody listens on, and a file that is none: refused', async () => {
    const stale = join(folder, 'stale.sock')
    {
      await using server = await listen(() => {})
      await rename(server.path, stale)
    }
    expect(await call(stale)).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED', delivery: 'unsent' })
    const file = join(folder, 'file.txt')
    await writeFile(file, '')
    expect(await call(file)).toMatchObject({ kind: 'refused', delivery: 'unsent' })
  })

  test.skipIf(process.getuid?.() === 0)('without permission: this host said no', async () => {
    await using server = await listen(() => {})
    await chmod(server.path, 0)
    expect(await call(server.path)).toMatchObject({ kind: 'local-resource', code: 'EACCES', delivery: 'unsent' })
  })

  test('a path that is too long fails, and settles', async () => {
    expect(await call(join(folder, 'x'.repeat(300)), { retry: false })).toMatchObject({ delivery: 'unsent' })
  })

  test('a server that comes back is found by the retry, and gets the POST once', async () => {
    await using server = await rudeServer()
    const clock = new ManualClock()
    const path = join(folder, 'server.sock')
    const client = clientOf({
      socketPath: path,
      clock,
      random: () => 0.5,
      timeout: { connect: false, headers: false, body: false },
    })
    const answer = client.fetch('http://localhost/', post('once'))
    while (clock.pending === 0) await turns()
    await using front = await inFrontOf(server)
    clock.advance(25)
    expect(await (await answer).text()).toBe('ok')
    expect(front.accepted).toHaveLength(1)
    expect(server.ledger.executions('once')).toBe(1)
  })
})
