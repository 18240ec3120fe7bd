/** What watching leaves behind: no listener, no timer, no memory that grows. */

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, errorMonitor, once } from 'node:events'
import * as http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Hangup, watchClients } from 'offhook/server'
import { Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { ClientBook } from '../../src/server/client-book.js'
import { Departures } from '../../src/server/departures.js'
import { otherRoutes, RouteBook } from '../../src/server/route-book.js'
import { ManualClock } from '../manual-clock.js'
import { LeavingClient, until } from './leaving-client.js'
import { protocols, watched } from './watched.js'

const started = channel('http.server.request.start')

/** How many listeners an emitter has, by event. */
function listenersOf(emitter: EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]))
}

describe('stop()', () => {
  test.each(protocols)('%s: takes every listener off the server', async (protocol) => {
    await using server = await watched(protocol)
    server.watch.stop()
    const before = listenersOf(server.server)
    const watch = watchClients(server.server)
    expect(listenersOf(server.server)).not.toEqual(before)
    watch.stop()
    watch.stop()
    expect(listenersOf(server.server)).toEqual(before)
    expect(started.hasSubscribers).toBe(false)
  })

  test('takes them off upgrade as well, where somebody else listens', () => {
    const server = http.createServer()
    const watch = watchClients(server)
    expect(server.listenerCount('upgrade')).toBe(0)
    const upgrade = () => {}
    server.on('upgrade', upgrade)
    expect(server.listenerCount('upgrade')).toBe(2)
    server.off('upgrade', upgrade)
    // A listener of ours alone would make the server wait for an upgrade that nobody makes.
    expect(server.listenerCount('upgrade')).toBe(0)
    server.on('upgrade', upgrade)
    watch.stop()
    expect(server.listeners('upgrade')).toEqual([upgrade])
  })

  test('leaves requests that are under way as they are', async () => {
    await using server = await watched('http')
    const client = await LeavingClient.to('http', server.port)
    client.say('GET /soon HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until(() => server.watch.stats().inFlight === 1, 'the request')
    server.watch.stop()
    expect(server.watch.stats()).toMatchObject({ inFlight: 0, connections: 0 })
    server.release()
    await until(() => client.heard.includes('soon'), 'the answer')
    client.close()
    expect(server.hangups).toEqual([])
    expect(server.signals[0]?.aborted).toBe(false)
  })

  test('judges what lies waiting, and leaves no timer', async () => {
    const clock = new ManualClock()
    await using server = await watched('http', { clock, settleMs: 250 })
    const client = await LeavingClient.to('http', server.port)
    client.say('GET /busy HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await until(() => server.watch.stats().inFlight === 1, 'the request')
    client.leave('fin')
    await until(() => server.signals[0]?.aborted === true, 'the signal')
    expect(server.hangups).toEqual([])
    expect(clock.waits).toEqual([250])
    server.watch.stop()
    expect(server.hangups).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

describe('listeners', () => {
  test('of a connection do not grow with its requests', async () => {
    await using server = await watched('http')
    const sockets: Socket[] = []
    server.server.on('connection', (socket: Socket) => void sockets.push(socket))
    const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: 1 })
    const ask = async () => (await pool.request({ method: 'GET', path: '/ok' })).body.dump()
    await ask()
    const [socket] = sockets
    const counts = () =>
      [errorMonitor, 'end', 'close', 'error'].map((event) => (socket as EventEmitter).listenerCount(event))
    const after1 = counts()
    for (let count = 0; count < 100; count++) await ask()
    expect(sockets).toHaveLength(1)
    expect(counts()).toEqual(after1)
    await pool.close()
  })
})

describe('an error that nobody hears', () => {
  test('still reaches whoever listens for it, and only them', async () => {
    await using server = await watched('net')
    const [client, [socket]] = await Promise.all([
      LeavingClient.to('net', server.port),
      once(server.server, 'connection') as Promise<[Socket]>,
    ])
    await until(() => server.watch.stats().connections === 1, 'the connection')
    // The handler has one listener; a watch that listened for `error` would be a second, and would keep a crash away.
    expect(socket.listenerCount('error')).toBe(1)
    client.close()
  })
})

describe('memory', () => {
  test.each(['http', 'h2c'] as const)(
    '%s: nothing holds on to a request or a connection that is over',
    async (protocol) => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      await using server = await watched(protocol)
      const over: WeakRef<object>[] = []
      const watching = (subject: object) => void over.push(new WeakRef(subject))
      server.server.on('connection', watching).on(protocol === 'http' ? 'request' : 'stream', watching)
      for (let count = 0; count < 60; count++) {
        const client = await LeavingClient.to(protocol, server.port)
        // A third is answered, a third is left while it waits, a third in the middle of its answer.
        const path = ['/ok', '/busy', '/begun'][count % 3] ?? '/ok'
        if (protocol === 'http') client.say(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
        else client.ask(path)
        await until(() => server.watch.stats().requests + server.watch.stats().inFlight === count + 1, 'the request')
        if (path === '/ok') await until(() => client.heard.includes('ok'), 'the answer')
        client.close()
        await until(() => server.watch.stats().connections === 0, 'the end of the connection')
      }
      expect(server.watch.stats()).toMatchObject({ requests: 60, hangups: 40 })
      // The signals that this test has kept hold nothing but their reasons.
      expect(server.signals).toHaveLength(60)
      const left = () => over.filter((one) => one.deref() !== undefined).length
      for (let turn = 0; turn < 20 && left() > 4; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        collect()
      }
      // Node and the watch both remember the last one for a while.
      expect(over).toHaveLength(120)
      expect(left()).toBeLessThanOrEqual(4)
    },
  )
})

describe('connections on which nothing is asked', () => {
  test.each([
    ['http', 'fin', 'closed'],
    ['net', 'rst', 'reset'],
    ['https', 'fin', 'closed'],
  ] as const)('%s, %s: are told where that is asked for', async (protocol, leave, kind) => {
    await using server = await watched(protocol, { probes: true })
    const client = await LeavingClient.to(protocol, server.port)
    await until(() => server.watch.stats().connections === 1, 'the connection')
    client.leave(leave)
    await until(() => server.hangups.length === 1, 'the word of it')
    expect(server.hangups[0]).toMatchObject({ kind, phase: 'connect', agent: 'none', by: 'client' })
    expect(server.hangups[0]?.verdict.is).toBe('probe')
    expect(server.watch.stats().probes).toEqual({ silent: 1, handshakes: 0 })
  })

  test('handshakes that are cut are counted', async () => {
    await using server = await watched('https')
    const silent = await LeavingClient.to('net', server.port)
    silent.leave('fin')
    const cut = await LeavingClient.to('net', server.port)
    cut.say('\x16\x03\x01\x00')
    await new Promise((resolve) => setImmediate(resolve))
    cut.leave('half')
    await until(() => server.watch.stats().probes.silent + server.watch.stats().probes.handshakes === 2, 'both')
    expect(server.watch.stats().probes).toEqual({ silent: 1, handshakes: 1 })
    expect(server.hangups).toEqual([])
    cut.close()
  })
})

describe('what is kept is bounded', () => {
  test('routes: the first ones are told apart, the rest is one', () => {
    const book = new RouteBook(3)
    for (let id = 0; id < 1000; id++) book.of(`GET /scan/${id}`).answered(1)
    const stats = book.stats()
    expect(Object.keys(stats)).toHaveLength(4)
    expect(stats[otherRoutes]?.requests).toBe(997)
  })

  test('clients: those without a connection are forgotten first', () => {
    const book = new ClientBook(100)
    book.opened('stays')
    for (let id = 0; id < 10_000; id++) {
      book.opened(`client ${id}`)
      book.closed(`client ${id}`, { at: id, ageMs: 1 })
    }
    expect(book.size).toBeLessThanOrEqual(100)
    expect(book.around('stays', 1e9, '').stood).toBe(2)
  })

  test('departures: the last 64', () => {
    const departures = new Departures()
    for (let at = 0; at < 1000; at++)
      departures.compare({ at: at * 1000, afterMs: at, address: 'here', client: 'one', user: 'one' })
    const seen = departures.compare({ at: 1e9, afterMs: 5, address: 'here', client: 'one', user: 'one' })
    expect(seen.others).toBe(64)
  })
})

describe('the diagnostics channel', () => {
  test('tells what onHangup is told', async () => {
    const heard: unknown[] = []
    const hear = (message: unknown) => void heard.push(message)
    subscribe('offhook:hangup', hear)
    try {
      await using server = await watched('http')
      const client = await LeavingClient.to('http', server.port)
      client.say('GET /busy HTTP/1.1\r\nhost: localhost\r\n\r\n')
      await until(() => server.watch.stats().inFlight === 1, 'the request')
      client.leave('rst')
      await until(() => heard.length === 1, 'the message')
      expect(heard).toEqual(server.hangups)
    } finally {
      unsubscribe('offhook:hangup', hear)
    }
  })
})

describe('a watch that begins late', () => {
  test.each(['http', 'h2c'] as const)('%s: sees the next request of a connection that stood', async (protocol) => {
    await using server = await watched(protocol)
    server.watch.stop()
    const client = await LeavingClient.to(protocol, server.port)
    const hangups: Hangup[] = []
    const late = watchClients(server.server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup) })
    if (protocol === 'http') client.say('GET /busy HTTP/1.1\r\nhost: localhost\r\n\r\n')
    else client.ask('/busy')
    await until(() => late.stats().inFlight === 1, 'the request')
    client.leave('rst')
    await until(() => hangups.length === 1, 'the hang-up')
    expect(hangups[0]).toMatchObject({ kind: 'reset', phase: 'wait', by: 'client' })
    late.stop()
    client.close()
  })
})

describe('options', () => {
  const server = http.createServer()
  test.each([
    [{ onHangup: 5 }, /onHangup is 5; allowed is a function/],
    [{ route: 'path' }, /route is path/],
    [{ maxRoutes: 0 }, /maxRoutes is 0; allowed is a whole number from 1 on/],
    [{ settleMs: -1 }, /settleMs is -1/],
    [{ settleMS: 1 }, /settleMS; allowed is one of onHangup, route/],
    [{ probes: 1 }, /probes is 1/],
    [{ clock: {} }, /clock is/],
  ])('%o is refused', (options, words) => {
    expect(() => watchClients(server, options as never)).toThrow(words as RegExp)
    expect(listenersOf(server)).toEqual(listenersOf(http.createServer()))
  })

  test('what is no server is refused', () => {
    expect(() => watchClients(new EventEmitter())).toThrow(/server is no node:net server/)
  })

  test('routes are named by whoever knows better', async () => {
    const names: unknown[] = []
    const route = (request: { method: string; path: string; headers: http.IncomingHttpHeaders }) => {
      names.push([request.method, request.path, request.headers.host])
      return 'ours'
    }
    await using watch = await watched('http', { route })
    const response = await fetch(`http://127.0.0.1:${watch.port}/ok?token=SECRET`)
    expect(await response.text()).toBe('ok')
    expect(names).toEqual([['GET', '/ok', `127.0.0.1:${(watch.server.address() as AddressInfo).port}`]])
    await until(() => watch.watch.stats().routes['ours']?.requests === 1, 'the answer')
  })
})
