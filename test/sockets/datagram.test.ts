/** Datagrams: answers, silence, refusals, and what this host itself says no to. */

import dgram, { type RemoteInfo, type Socket } from 'node:dgram'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  type AnyOffhookError,
  ConnectionRefusedError,
  isOffhookError,
  NameResolutionError,
  NotAdmittedError,
  TimeoutError,
} from 'offhook'
import { type DatagramEvent, type DatagramLine, type DatagramOptions, datagram } from 'offhook/socket'
import { describe, expect, test } from 'vitest'
import { ManualClock, turns } from '../manual-clock.js'

type Answer = (message: string, from: RemoteInfo, socket: Socket) => void

/** A UDP peer on loopback that does what the test says. */
class Peer implements AsyncDisposable {
  readonly heard: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket, answer: Answer) {
    this.#socket = socket
    socket.on('message', (message, from) => {
      this.heard.push(String(message))
      answer(String(message), from, socket)
    })
  }

  static async listening(answer: Answer, address = '127.0.0.1'): Promise<Peer> {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new Peer(socket, answer)
  }

  get port(): number {
    return this.#socket.address().port
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#socket, 'message')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }
}

const echo: Answer = (message, from, socket) => socket.send(message.toUpperCase(), from.port, from.address)
const silent: Answer = () => {}

async function failureOf(promise: Promise<unknown>): Promise<AnyOffhookError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isOffhookError(error)) return error
  throw error ?? new Error('it did not fail')
}

/** A port of loopback on which nobody listens. */
async function deadPort(): Promise<number> {
  await using peer = await Peer.listening(silent)
  return peer.port
}

const open = (port: number, more: Partial<DatagramOptions> = {}): Promise<DatagramLine> =>
  datagram({ host: '127.0.0.1', port, random: () => 0, ...more })

describe('requests', () => {
  for (const host of ['127.0.0.1', '::1']) {
    test(`are answered, at ${host}`, async () => {
      await using peer = await Peer.listening(echo, host)
      await using line = await open(peer.port, { host })
      expect(String(await line.request('one'))).toBe('ONE')
      expect(String(await line.request(Buffer.from('two')))).toBe('TWO')
      expect(line).toMatchObject({ remoteAddress: host, remotePort: peer.port, localAddress: host })
    })
  }

  test('are told from each other by what matches, in any order; what matches none is a message', async () => {
    const waiting: [string, RemoteInfo, Socket][] = []
    await using peer = await Peer.listening((...request) => {
      waiting.push(request)
      if (waiting.length < 3) return
      for (const [message, from, socket] of waiting.reverse()) echo(message, from, socket)
      echo('news', request[1], request[2])
    })
    await using line = await open(peer.port)
    const names = ['a', 'b', 'c']
    const answers = names.map((name) =>
      line.request(name, { match: (message) => String(message) === name.toUpperCase() }),
    )
    expect((await Promise.all(answers)).map(String)).toEqual(['A', 'B', 'C'])
    expect(String((await line[Symbol.asyncIterator]().next()).value)).toBe('NEWS')
  })

  test('are sent again when they may be, until an answer comes', async () => {
    const clock = new ManualClock()
    await using peer = await Peer.listening((message, from, socket) => {
      if (peer.heard.length === 3) echo(message, from, socket)
    })
    await using line = await open(peer.port, { clock })
    const answer = line.request('again', { idempotent: true, timeout: { attempt: 400, total: 5_000 } })
    for (let attempt = 1; attempt <= 2; attempt++) {
      await peer.until(() => peer.heard.length === attempt)
      await turns(3)
      clock.advance(400)
      await turns(3)
    }
    expect(String(await answer)).toBe('AGAIN')
    expect(peer.heard).toEqual(['again', 'again', 'again'])
    expect(clock.pending).toBe(0)
  })

  test('are sent once when they may not be', async () => {
    const clock = new ManualClock()
    await using peer = await Peer.listening(silent)
    await using line = await open(peer.port, { clock })
    const failed = failureOf(line.request('once'))
    await peer.until(() => peer.heard.length === 1)
    await turns(3)
    clock.advance(5_000)
    const error = await failed
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ limit: 'attempt', limitMs: 5_000, phase: 'wait', delivery: 'unknown' })
    expect(error).toMatchObject({ mayHaveExecuted: true, stopReason: 'unsafe', method: 'datagram' })
    expect(error.message).toContain('Silence proves nothing')
    expect(error.bytes).toEqual({ sent: 4, received: 0 })
    expect(error.diagnosis).toMatchObject({ mechanism: 'silence' })
    expect(peer.heard).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('end by the signal, and by the close of the line', async () => {
    await using peer = await Peer.listening(silent)
    const line = await open(peer.port)
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = line.request('x', { signal: controller.signal })
    await peer.until(() => peer.heard.length === 1)
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    const cut = failureOf(line.request('y', { idempotent: true }))
    await peer.until(() => peer.heard.length === 2)
    await turns(3)
    await line.close()
    expect(await cut).toBeInstanceOf(NotAdmittedError)
    expect(await failureOf(line.send('z'))).toMatchObject({
      kind: 'not-admitted',
      admission: 'closed',
      delivery: 'unsent',
    })
    expect(await failureOf(line.request('z'))).toMatchObject({ kind: 'not-admitted', admission: 'closed' })
    await line.close()
  })
})

describe('refusals', () => {
  test('of a closed port are heard on a connected socket, by the request that waits', async () => {
    await using line = await open(await deadPort())
    const error = await failureOf(line.request('anybody?'))
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error).toMatchObject({ phase: 'wait', delivery: 'unknown', code: 'ECONNREFUSED', stopReason: 'unsafe' })
    expect(error.message).toContain('ICMP "port unreachable" came back for a datagram that was sent earlier')
    expect(error.message).toContain("The peer's kernel, or a REJECT rule before it")
    expect(error.diagnosis).toMatchObject({ mechanism: 'icmp', origin: 'peer', party: 'peer-host' })
  })

  test('are tried again where that does no harm', async () => {
    await using line = await open(await deadPort())
    const error = await failureOf(line.request('anybody?', { idempotent: true }))
    expect(error).toMatchObject({ kind: 'refused', stopReason: 'attempts' })
    expect(error.attempts).toHaveLength(3)
  })

  test('of a datagram that nobody waits for go to onError, or else to the reader of messages', async () => {
    const port = await deadPort()
    const told: AnyOffhookError[] = []
    await using line = await open(port, { onError: (error) => void told.push(error) })
    const events: DatagramEvent[] = []
    const listen = (event: unknown) => void events.push(event as DatagramEvent)
    subscribe('offhook:datagram', listen)
    await line.send('x')
    while (told.length === 0) await turns(1)
    unsubscribe('offhook:datagram', listen)
    expect(told[0]).toBeInstanceOf(ConnectionRefusedError)
    expect(events).toMatchObject([{ event: 'error', failure: { kind: 'refused' }, heard: false }])
    await using other = await open(port)
    await other.send('x')
    expect(await failureOf(other[Symbol.asyncIterator]().next())).toBeInstanceOf(ConnectionRefusedError)
    // The line is not over: it can be sent to, and read from again.
    await other.send('y')
    expect(await failureOf(other[Symbol.asyncIterator]().next())).toBeInstanceOf(ConnectionRefusedError)
  })

  test('are silence on a socket that is not connected', async () => {
    const clock = new ManualClock()
    await using line = await open(await deadPort(), { connected: false, clock })
    const failed = failureOf(line.request('anybody?'))
    await turns(50)
    clock.advance(5_000)
    expect(await failed).toBeInstanceOf(TimeoutError)
  })

  test('of a name come before anything is opened', async () => {
    const lookup = ((_host: string, _options: object, done: (error: Error) => void) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }))) as DatagramOptions['lookup']
    const error = await failureOf(open(1, { host: 'nobody.test', lookup }))
    expect(error).toBeInstanceOf(NameResolutionError)
    expect(error).toMatchObject({ phase: 'dns', delivery: 'unsent', stopReason: 'permanent' })
  })

  test('of this host: a datagram that is too long is never sent', async () => {
    await using peer = await Peer.listening(echo)
    await using line = await open(peer.port)
    const error = await failureOf(line.send(Buffer.alloc(70_000)))
    expect(error).toMatchObject({ kind: 'not-admitted', admission: 'invalid', code: 'EMSGSIZE', delivery: 'unsent' })
  })
})

describe('messages', () => {
  test('wait for their reader, up to a bound; the rest is dropped and counted', async () => {
    await using peer = await Peer.listening((message, from, socket) => {
      if (message !== 'go') return
      for (let number = 1; number <= 5; number++) socket.send(`m${number}`, from.port, from.address)
    })
    await using line = await open(peer.port, { queue: 3 })
    await line.send('go')
    while (line.dropped < 2) await turns(1)
    const read: string[] = []
    for await (const message of line) {
      read.push(String(message))
      if (read.length === 3) break
    }
    expect(read).toEqual(['m1', 'm2', 'm3'])
    expect(line.dropped).toBe(2)
  })

  test('end with the line, for those that wait and those that come later', async () => {
    await using peer = await Peer.listening(silent)
    const line = await open(peer.port)
    const waiting = line[Symbol.asyncIterator]().next()
    await line.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    for await (const _ of line) throw new Error('there is none')
  })

  test('of strangers are not taken; on a socket that is not connected those of another port are', async () => {
    await using stranger = await Peer.listening(silent)
    await using peer = await Peer.listening((_message, from, socket) => {
      const other = dgram.createSocket('udp4')
      other.send('from another port', from.port, '127.0.0.1', () => {
        other.close()
        socket.send('from its own', from.port, from.address)
      })
    })
    await using connected = await open(peer.port)
    expect(String(await connected.request('x'))).toBe('from its own')
    await using loose = await open(peer.port, { connected: false, localAddress: '127.0.0.1' })
    expect(String(await loose.request('x'))).toBe('from another port')
    expect(stranger.heard).toEqual([])
  })
})
