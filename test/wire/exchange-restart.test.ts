/** A request that undici puts on the wire once more by itself, as undici 8 does over HTTP/2: what is told of it. */

import { EventEmitter } from 'node:events'
import { type Socket, Socket as TcpSocket } from 'node:net'
import { expect, test } from 'vitest'
import { Exchange, type ExchangeListener, type Line } from '../../src/wire/exchange.js'
import { SocketRecord } from '../../src/wire/socket-record.js'
import { Timeline } from '../../src/wire/timeline.js'
import { ManualClock } from '../manual-clock.js'

const clock = new ManualClock()
const raw = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })

const listener: ExchangeListener = {
  onStart() {},
  onHead() {},
  onEnd() {},
  onFailure: (_exchange, error) => error,
  onStop: (_exchange, reason) => reason,
}

class FakeStream extends EventEmitter {
  closed = false
  rstCode: number | undefined
  readonly id: number

  constructor(id: number) {
    super()
    this.id = id
  }

  push(): boolean {
    return true
  }

  reset(code: number): void {
    this.closed = true
    this.rstCode = code
  }
}

/** Looks like Node's session, by the methods that are asked for. */
class FakeSession extends EventEmitter {
  destroyed = false
  closed = false
  readonly streams: FakeStream[] = []

  goaway(): void {}

  ping(): boolean {
    return true
  }

  request(): FakeStream {
    const stream = new FakeStream(this.streams.length * 2 + 1)
    this.streams.push(stream)
    return stream
  }
}

function connection(withSession = true) {
  const record = new SocketRecord(clock, { secure: true, named: false })
  const session = new FakeSession()
  const socket = Object.assign(new TcpSocket(), {
    alpnProtocol: 'h2',
    ...(withSession && { [Symbol('any')]: session }),
  })
  record.established(socket as Socket, undefined)
  return { record, session }
}

function lineTo(socket: SocketRecord): Line {
  return { socket, waiting: 0, used() {}, answered() {}, failed() {} }
}

function begin(line: Line) {
  const timeline = new Timeline(clock, true)
  const exchange = new Exchange({ method: 'POST', origin: 'https://a.test', path: '/orders?card=1' }, clock, listener)
  timeline.begin(exchange)
  exchange.assigned(line)
  return { timeline, exchange }
}

const start = (exchange: Exchange, session: FakeSession) => {
  exchange.started(() => {})
  return session.request()
}

test('refused, and sent again on the same connection: rejected before, and the connection is no more used than it was', () => {
  const { record, session } = connection()
  const { timeline, exchange } = begin(lineTo(record))
  start(exchange, session).reset(7)
  start(exchange, session)
  expect(record).toMatchObject({ busy: 1, requests: 2 })
  expect(timeline.evidence()).toMatchObject({
    started: true,
    phase: 'wait',
    wireAttempts: 2,
    http2: { stream: 3 },
    connection: { reused: false, requestsBefore: 0 },
    earlier: [{ method: 'POST', origin: 'https://a.test', path: '/orders', delivery: 'rejected' }],
  })
  exchange.failure(raw)
  expect(record.busy).toBe(0)
})

test('GOAWAY below the stream, and sent again on another connection', () => {
  const first = connection()
  const second = connection()
  const line = lineTo(first.record)
  const { timeline, exchange } = begin(line)
  start(exchange, first.session)
  first.session.emit('goaway', 0, 0)
  line.socket = second.record
  start(exchange, second.session)
  expect([first.record.busy, second.record.busy]).toEqual([0, 1])
  const evidence = timeline.evidence()
  expect(evidence).toMatchObject({ wireAttempts: 2, http2: { stream: 1 }, earlier: [{ delivery: 'rejected' }] })
  expect(evidence.http2).not.toHaveProperty('goaway')
})

test('GOAWAY below the stream, and no other connection could be made: not sent again, and rejected before', () => {
  const { record, session } = connection()
  const line = lineTo(record)
  const { timeline, exchange } = begin(line)
  start(exchange, session)
  session.emit('goaway', 0, 0)
  line.socket = new SocketRecord(clock, { secure: true, named: false })
  exchange.failure(raw)
  const evidence = timeline.evidence()
  expect(evidence).toMatchObject({ started: false, phase: 'connect', earlier: [{ delivery: 'rejected' }] })
  expect(evidence).not.toHaveProperty('wireAttempts')
  expect(evidence).not.toHaveProperty('http2')
  expect(record.busy).toBe(0)
})

test('GOAWAY that lets the stream stand: whatever the line dials meanwhile, the request is where it was', () => {
  const { record, session } = connection()
  const line = lineTo(record)
  const { timeline, exchange } = begin(line)
  start(exchange, session)
  session.emit('goaway', 0, 1)
  line.socket = new SocketRecord(clock, { secure: true, named: false })
  exchange.failure(raw)
  expect(timeline.evidence()).toMatchObject({ started: true, phase: 'wait', http2: { stream: 1 } })
  expect(timeline.evidence()).not.toHaveProperty('earlier')
})

test.each([
  ['a stream that was not refused', true, 8],
  ['a stream that nobody heard of', false, 7],
] as const)('after %s nothing is proved', (_what, withSession, code) => {
  const { record, session } = connection(withSession)
  const { timeline, exchange } = begin(lineTo(record))
  start(exchange, session).reset(code)
  start(exchange, session)
  expect(timeline.evidence().earlier).toMatchObject([{ delivery: 'unknown' }])
})

test('the codes that a lost connection gives to its streams are not the peer’s', () => {
  const { record, session } = connection()
  const { timeline, exchange } = begin(lineTo(record))
  const stream = start(exchange, session)
  session.destroyed = true
  stream.reset(7)
  expect(timeline.evidence().http2).toEqual({ stream: 1 })
})

test('bytes are those of a request that had the connection alone', () => {
  const { record, session } = connection()
  const one = begin(lineTo(record))
  start(one.exchange, session)
  expect(one.timeline.evidence()).toHaveProperty('bytes')
  const two = begin(lineTo(record))
  start(two.exchange, session)
  expect(one.timeline.evidence()).not.toHaveProperty('bytes')
  expect(two.timeline.evidence()).not.toHaveProperty('bytes')
})
