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

  push(_chunk?: unknown): boolean {
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
  return { socket, waiting: 0, begun: new Set(), used() {}, answered() {}, failed() {} }
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

const letGo = 'the connection let go of the request before its answer was complete'

test('refused, and undici would send it again on the same connection: it fails as refused, and the connection is free', () => {
  const { record, session } = connection()
  const { timeline, exchange } = begin(lineTo(record))
  start(exchange, session).reset(7)
  expect(() => exchange.started(() => {})).toThrow(letGo)
  exchange.failure(raw)
  expect(record).toMatchObject({ busy: 0, requests: 1 })
  expect(timeline.evidence()).toMatchObject({
    started: true,
    phase: 'wait',
    http2: { stream: 1, reset: 7 },
    connection: { reused: false, requestsBefore: 0 },
  })
})

test('GOAWAY below the stream, and undici would send it again on another connection: that is left alone', () => {
  const first = connection()
  const second = connection()
  const line = lineTo(first.record)
  const { timeline, exchange } = begin(line)
  start(exchange, first.session)
  first.session.emit('goaway', 0, 0)
  line.socket = second.record
  expect(() => exchange.started(() => {})).toThrow(letGo)
  exchange.failure(raw)
  expect([first.record.busy, second.record.busy]).toEqual([0, 0])
  expect(timeline.evidence()).toMatchObject({ http2: { stream: 1, goaway: { lastStream: 0 } } })
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

test('a dial is not given up while somebody who was put back into the queue needs it', () => {
  const { record, session } = connection()
  const line = lineTo(record)
  const one = begin(line).exchange
  start(one, session)
  const next = new SocketRecord(clock, { secure: true, named: false })
  line.socket = next
  begin(line).exchange.abandon(new Error('given up'))
  expect(next.closedByUs).toBe(false)
  one.failure(raw)
  begin(line).exchange.abandon(new Error('given up'))
  expect(next.closedByUs).toBe(true)
})

test.each([
  ['END_STREAM', () => {}, undefined],
  ['RST_STREAM', (stream: FakeStream) => stream.reset(8), 'ERR_HTTP2_STREAM_ERROR'],
  [
    'the end of its connection',
    (stream: FakeStream, session: FakeSession) => {
      session.destroyed = true
      stream.reset(8)
    },
    'UND_ERR_SOCKET',
  ],
] as const)('a body without a length that is ended by %s, as undici believes', (_what, end, code) => {
  const { record, session } = connection()
  const { exchange } = begin(lineTo(record))
  const stream = start(exchange, session)
  exchange.head(200, () => undefined)
  end(stream, session)
  stream.push(null)
  expect(exchange.ended()).toEqual(code === undefined ? undefined : expect.objectContaining({ code }))
})
