/** What dial gives, what ends it, and what the socket says later. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TLSSocket } from 'node:tls'
import {
  ConnectionRefusedError,
  ConnectionResetError,
  explain,
  isOffhookError,
  NameResolutionError,
  TimeoutError,
} from 'offhook'
import { dial } from 'offhook/socket'
import { misdeeds, refusedPort, rudeServer } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { ManualClock, turns } from '../manual-clock.js'

const get = 'GET / HTTP/1.1\r\nhost: test\r\n\r\n'

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isOffhookError(error)) return error
  throw error ?? new Error('it did not fail')
}

/** A look-up that knows these addresses and no others. */
const found = (...addresses: string[]) =>
  ((_host: string, _options: object, done: (error: null, all: object[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: net.isIP(address) })),
    )) as unknown as net.LookupFunction

describe('a connection', () => {
  test('over TCP is a net.Socket that works', async () => {
    await using server = await rudeServer()
    const socket = await dial({ host: server.host, port: server.port })
    expect(socket).toBeInstanceOf(net.Socket)
    expect(socket).not.toBeInstanceOf(TLSSocket)
    socket.write(get)
    expect(String(await once(socket, 'data'))).toContain('200 OK')
    socket.destroy()
  })

  test('over TLS is a TLSSocket after its handshake; names and addresses are held against the certificate', async () => {
    await using server = await rudeServer({ tls: true })
    const { port, ca } = server
    for (const host of ['localhost', '127.0.0.1']) {
      const socket = await dial({ host, port, family: 4, tls: { ca: ca as string } })
      expect(socket).toBeInstanceOf(TLSSocket)
      expect(socket.authorized).toBe(true)
      socket.write(get)
      expect(String(await once(socket, 'data'))).toContain('200 OK')
      socket.destroy()
    }
    const error = await failureOf(dial({ host: '127.0.0.1', port, tls: true, retry: false }))
    expect(error).toMatchObject({ kind: 'tls', trouble: 'certificate', delivery: 'unsent' })
  })

  test('over a Unix socket, and a Unix socket that is not there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-'))
    const path = join(folder, 'line')
    const server = net.createServer((socket) => socket.end('here')).listen(path)
    await once(server, 'listening')
    const socket = await dial({ path })
    expect(String(await once(socket, 'data'))).toBe('here')
    socket.destroy()
    server.close()
    const error = await failureOf(dial({ path: join(folder, 'nobody'), retry: false }))
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error.message).toContain(`dial unix:${join(folder, 'nobody')}`)
    rmSync(folder, { recursive: true })
  })

  test('goes to the next address in the same attempt, and remembers which one failed', async () => {
    const server = net.createServer((socket) => void socket.resume()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = await dial({ host: 'two.test', port, lookup: found('127.0.0.9', '127.0.0.1'), retry: false })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    socket.destroy()
    const tried: string[] = []
    const watch = (event: unknown) => {
      const { event: what, connection } = event as { event: string; connection: { remoteAddress: string } }
      if (what === 'open') tried.push(connection.remoteAddress)
    }
    subscribe('offhook:connection', watch)
    // Of one family alone, the order is all that decides: the address that failed comes last now.
    const again = await dial({
      host: 'two.test',
      port,
      family: 4,
      lookup: found('127.0.0.9', '127.0.0.1'),
      retry: false,
    })
    unsubscribe('offhook:connection', watch)
    again.destroy()
    server.close()
    expect(tried).toEqual(['127.0.0.1'])
  })

  test('is tried again, with every attempt in the error', async () => {
    await using dead = await refusedPort()
    const error = await failureOf(dial({ host: '127.0.0.1', port: dead.port, random: () => 0 }))
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error).toMatchObject({
      phase: 'connect',
      delivery: 'unsent',
      mayHaveExecuted: false,
      stopReason: 'attempts',
      method: 'dial',
      origin: `tcp://127.0.0.1:${dead.port}`,
      code: 'ECONNREFUSED',
      syscall: 'connect',
    })
    expect(error.attempts).toHaveLength(3)
    expect(error.message).toBe(
      `dial tcp://127.0.0.1:${dead.port}: the connection was refused while connecting. Nothing was sent; 3 attempts; all attempts were used.`,
    )
    expect(explain(error)).toContain('attempt 3')
  })

  test('comes of the second try when the first was cut in its handshake', async () => {
    const script = { turns: [misdeeds['tls-reset-after-client-hello'], {}], per: 'connection' } as const
    await using server = await rudeServer({ tls: true, script })
    const { host, port, ca } = server
    const socket = await dial({ host, port, tls: { ca: ca as string }, random: () => 0 })
    expect(server.connections.accepted).toBe(2)
    socket.destroy()
  })
})

test('a dial that has come to its end leaves no timer and no listener', async () => {
  const clock = new ManualClock()
  await using server = await rudeServer({ tls: true })
  const { signal } = new AbortController()
  const { host, port, ca } = server
  const tls = { ca: ca as string }
  const socket = await dial({ host, port, tls, clock, signal, timeout: { connect: 1_000, total: 5_000 } })
  expect(clock.pending).toBe(0)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  clock.advance(10_000)
  expect(socket.destroyed).toBe(false)
  socket.destroy()
})

describe('what ends a dial', () => {
  test('a name that does not exist', async () => {
    const lookup = ((_host: string, _options: object, done: (error: Error) => void) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }))) as net.LookupFunction
    const error = await failureOf(dial({ host: 'nobody.test', port: 1, lookup, random: () => 0 }))
    expect(error).toBeInstanceOf(NameResolutionError)
    expect(error).toMatchObject({ phase: 'dns', temporary: false, stopReason: 'permanent' })
  })

  test('the limit for connecting, in a handshake that stalls; then the total', async () => {
    const clock = new ManualClock()
    await using server = await rudeServer({ tls: true, script: misdeeds['tls-stall-after-client-hello'] })
    const { host, port, ca } = server
    const options = { host, port, tls: { ca: ca as string }, clock, random: () => 0, retry: { attempts: 2 } }
    const limited = failureOf(dial({ ...options, timeout: { connect: 700 } }))
    for (let attempt = 1; attempt <= 2; attempt++) {
      await server.until(() => server.connections.accepted === attempt)
      await turns(10)
      clock.advance(700)
      await turns(10)
    }
    expect(await limited).toMatchObject({ kind: 'timeout', phase: 'tls', limit: 'connect', limitMs: 700 })
    const total = failureOf(dial({ ...options, timeout: 500 }))
    await turns(20)
    clock.advance(500)
    const error = await total
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ phase: 'call', limit: 'total', delivery: 'unsent', stopReason: 'deadline' })
    expect(clock.pending).toBe(0)
    // What was given up is closed.
    await server.until(() => server.connections.open === 0)
  })

  test('the signal, with its reason; afterwards it has no power over the socket', async () => {
    await using server = await rudeServer()
    const { host, port } = server
    const reason = new Error('not any more')
    await expect(dial({ host, port, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const silent = (() => {}) as net.LookupFunction
    const looking = dial({ host: 'slow.test', port, lookup: silent, signal: controller.signal })
    await turns(3)
    controller.abort(reason)
    await expect(looking).rejects.toBe(reason)
    const later = new AbortController()
    const socket = await dial({ host, port, signal: later.signal })
    later.abort()
    expect(socket.destroyed).toBe(false)
    socket.destroy()
  })

  test('the budget of an origin, when many dials fail', async () => {
    await using dead = await refusedPort()
    const dials = Array.from({ length: 20 }, () =>
      failureOf(dial({ host: '127.0.0.1', port: dead.port, retry: { backoff: { base: 1 } } })),
    )
    const errors = await Promise.all(dials)
    const attempts = errors.reduce((sum, error) => sum + error.attempts.length, 0)
    expect(attempts).toBe(30)
    expect(errors.some(({ stopReason }) => stopReason === 'budget')).toBe(true)
  })
})

describe('what the socket says later', () => {
  async function cut(script = misdeeds['reset-after-request']): Promise<{ socket: Socket; done: () => Promise<void> }> {
    const server = await rudeServer({ script })
    const socket = await dial({ host: server.host, port: server.port })
    return { socket, done: () => server.close() }
  }

  test('its error event, its errored, and what waits to be written tell the same', async () => {
    const { socket, done } = await cut()
    const heard = once(socket, 'error')
    socket.write(get)
    const [error] = (await heard) as [unknown]
    expect(error).toBeInstanceOf(ConnectionResetError)
    expect(socket.errored).toBe(error)
    expect(error).toMatchObject({ phase: 'wait', delivery: 'unknown', code: 'ECONNRESET', errno: expect.any(Number) })
    expect((error as Error).cause).toMatchObject({ message: 'read ECONNRESET' })
    expect((error as ConnectionResetError).bytes).toEqual({ sent: get.length, received: 0 })
    expect((error as ConnectionResetError).diagnosis?.mechanism).toBe('rst')
    expect(explain(error)).toContain('What was sent may have been heard')
    await done()
  })

  test('an iterator and a pipeline throw it', async () => {
    for (const read of [
      async (socket: Socket) => {
        for await (const _ of socket);
      },
      (socket: Socket) => pipeline(socket, new Writable({ write: (_chunk, _encoding, done) => done() })),
    ]) {
      const { socket, done } = await cut(misdeeds['reset-mid-head'])
      socket.write(get)
      expect(await failureOf(read(socket))).toMatchObject({ kind: 'reset', delivery: 'partial', phase: 'wait' })
      await done()
    }
  })

  test('an error that somebody gives to destroy is left as it is', async () => {
    for (const reason of [new Error('enough'), new DOMException('gone', 'AbortError'), new RangeError('a bug')]) {
      const { socket, done } = await cut()
      const heard = once(socket, 'error')
      socket.destroy(reason)
      expect((await heard)[0]).toBe(reason)
      await done()
    }
  })

  test('a write after the end is a mistake in code, and told as Node tells it', async () => {
    const { socket, done } = await cut()
    const heard = once(socket, 'error')
    socket.end()
    socket.write('more')
    expect((await heard)[0]).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' })
    await done()
  })

  test('nothing is heard by nobody: no listener, no end of the process', async () => {
    const { socket, done } = await cut()
    socket.write(get)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.errored).toBeInstanceOf(ConnectionResetError)
    await done()
  })

  test('a TLS connection that both sides end is no failure, with or without close_notify of theirs', async () => {
    await using server = await rudeServer({ tls: true, script: misdeeds['bare-fin-after-request'] })
    const { host, port, ca } = server
    const socket = await dial({ host, port, tls: { ca: ca as string } })
    socket.end(get)
    await new Promise((resolve) => socket.resume().once('close', resolve))
    expect(socket.errored).toBeNull()
  })

  test('the channels tell of the call, without a status, and of the connection to its end', async () => {
    const events: { channel: string; event: string; status?: number; ending?: string }[] = []
    const listeners = ['call', 'attempt', 'connection'].map((channel) => {
      const listener = (event: unknown) => void events.push({ channel, ...(event as { event: string }) })
      return [channel, listener] as const
    })
    for (const [name, listener] of listeners) subscribe(`offhook:${name}`, listener)
    const { socket, done } = await cut()
    socket.write(get)
    await new Promise((resolve) => socket.once('close', resolve))
    for (const [name, listener] of listeners) unsubscribe(`offhook:${name}`, listener)
    await done()
    expect(events.map(({ channel, event }) => `${channel} ${event}`)).toEqual([
      'call start',
      'attempt start',
      'connection open',
      'attempt end',
      'call end',
      'connection close',
    ])
    expect(events.every((event) => !('status' in event))).toBe(true)
    expect(events.at(-1)).toMatchObject({ ending: 'rst', origin: expect.stringMatching(/^tcp:/) })
  })
})
