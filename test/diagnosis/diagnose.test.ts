/** Errors that offhook did not make: of clients in front of real sockets, and in the shapes that others are known to have. */

import { connect, type Socket } from 'node:net'
import axios from 'axios'
import got from 'got'
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.js'
import { explain } from '../../src/diagnosis/explain.js'
import type { Mechanism } from '../../src/failure/diagnosis.js'
import { errorOf } from '../../src/failure/errors.js'
import type { FailureKind } from '../../src/failure/kinds.js'
import { details } from '../failure/make.js'
import { byFetch, byHttp, closedPort, fin, rejection, rst, says, withPeer } from './provoke.js'

type Ask = (port: number) => Promise<unknown>
const byAxios: Ask = (port) => rejection(axios.get(`http://127.0.0.1:${port}/orders?card=hunter2`, { timeout: 2_000 }))
const byGot: Ask = (port) => rejection(got(`http://127.0.0.1:${port}/orders?card=hunter2`, { retry: { limit: 0 } }))
const byNet: Ask = (port) =>
  rejection(
    new Promise((_, reject) => {
      const socket: Socket = connect(port, '127.0.0.1', () => socket.write('x'))
      socket.on('error', reject)
    }),
  )
const bad = says('HTTP/1.1 502 Bad Gateway\r\nserver: envoy\r\nvia: 1.1 gateway\r\ncontent-length: 0\r\n\r\n')

describe('of real sockets', () => {
  test.each<[string, Parameters<typeof withPeer>[0], Ask, Mechanism]>([
    ['net, a reset', rst, byNet, 'rst'],
    ['http, a reset', rst, byHttp as Ask, 'rst'],
    ['http, a FIN', fin, byHttp as Ask, 'fin'],
    ['fetch, a FIN', fin, byFetch as Ask, 'fin'],
    ['axios, a reset', rst, byAxios, 'rst'],
    ['axios, a FIN', fin, byAxios, 'fin'],
    ['got, a reset', rst, byGot, 'rst'],
    ['got, a FIN', fin, byGot, 'fin'],
    ['axios, a 502', bad, byAxios, 'app-protocol'],
    ['got, a 502', bad, byGot, 'app-protocol'],
  ])('%s', async (_what, serve, ask, mechanism) => {
    const error = await withPeer(serve, ask)
    const diagnosis = diagnose(error)
    expect(diagnosis.mechanism).toBe(mechanism)
    const told = explain(error)
    expect(told).toContain(`  who: ${diagnosis.headline}`)
    expect(told).not.toContain('hunter2')
  })

  test('a gateway that answers 502 is named, by the header of its answer', async () => {
    for (const ask of [byAxios, byGot]) {
      const { party, hypotheses } = diagnose(await withPeer(bad, ask))
      expect(party).toBe('proxy')
      expect(hypotheses[0]?.because.map(({ clue }) => clue)).toContain('via-a-proxy')
    }
  })

  test.each([
    ['net', byNet],
    ['axios', byAxios],
    ['got', byGot],
  ] as const)('%s: nobody listens on this host', async (_name, ask) => {
    const diagnosis = diagnose(await ask(await closedPort()))
    expect(diagnosis.mechanism).toBe('refused')
    expect(diagnosis.party).toBe('local-host')
  })
})

const shaped = (name: string, message: string, fields: object = {}) =>
  Object.assign(new Error(message), { name, ...fields })
const system = (code: string, syscall: string, message = `${syscall} ${code}`) =>
  shaped('Error', message, { code, syscall, errno: -104 })

describe('in the shape of', () => {
  test.each<[string, unknown, FailureKind, Mechanism]>([
    ['pg, connection lost', shaped('Error', 'Connection terminated unexpectedly'), 'closed', 'fin'],
    ['pg, pool', shaped('Error', 'timeout exceeded when trying to connect'), 'timeout', 'silence'],
    ['pg, query', shaped('Error', 'Query read timeout'), 'timeout', 'silence'],
    ['ioredis, closed', shaped('Error', 'Connection is closed.'), 'closed', 'unknown'],
    [
      'ioredis, given up',
      shaped('MaxRetriesPerRequestError', 'Reached the max retries per request limit (which is 20).'),
      'closed',
      'unknown',
    ],
    [
      'ioredis, connect',
      shaped('Error', 'connect ETIMEDOUT', { errorno: 'ETIMEDOUT', code: 'ETIMEDOUT', syscall: 'connect' }),
      'timeout',
      'local-timeout',
    ],
    ['redis, closed', shaped('SocketClosedUnexpectedlyError', 'Socket closed unexpectedly'), 'closed', 'fin'],
    [
      'kafkajs, reset',
      shaped('KafkaJSConnectionError', 'Connection error: read ECONNRESET', { broker: 'k1:9092', code: 'ECONNRESET' }),
      'reset',
      'rst',
    ],
    [
      'kafkajs, closed',
      shaped('KafkaJSConnectionClosedError', 'Closed connection', { host: 'k1', port: 9092 }),
      'closed',
      'unknown',
    ],
    [
      'kafkajs, given up',
      shaped('KafkaJSNumberOfRetriesExceeded', 'connect ECONNREFUSED', {
        cause: shaped('KafkaJSConnectionError', 'Connection error: connect ECONNREFUSED 10.0.0.1:9092', {
          code: 'ECONNREFUSED',
        }),
      }),
      'refused',
      'refused',
    ],
    [
      'kafkajs, request',
      shaped('KafkaJSRequestTimeoutError', 'Request Metadata(key: 3, version: 6) timed out'),
      'timeout',
      'silence',
    ],
    [
      'axios, its own limit, under the name of an abort',
      shaped('AxiosError', 'timeout of 1000ms exceeded', { code: 'ECONNABORTED' }),
      'timeout',
      'silence',
    ],
    [
      'got, its own limit, under the name of the kernel’s',
      shaped('TimeoutError', "Timeout awaiting 'request' for 1000ms", { code: 'ETIMEDOUT', event: 'request' }),
      'timeout',
      'silence',
    ],
    [
      'the AWS SDK, a reset',
      shaped('Error', 'read ECONNRESET', {
        code: 'ECONNRESET',
        errno: -104,
        syscall: 'read',
        $metadata: { attempts: 3 },
      }),
      'reset',
      'rst',
    ],
    [
      'the AWS SDK, its own limit',
      shaped('TimeoutError', 'Connection timed out after 1000 ms', { $metadata: { attempts: 3 } }),
      'timeout',
      'silence',
    ],
    [
      'the AWS SDK, an answer',
      shaped('ServiceUnavailable', 'try later', { $fault: 'server', $metadata: { httpStatusCode: 503 } }),
      'status',
      'app-protocol',
    ],
    [
      'mysql, lost',
      shaped('Error', 'Connection lost: The server closed the connection.', {
        code: 'PROTOCOL_CONNECTION_LOST',
        fatal: true,
      }),
      'closed',
      'fin',
    ],
    ['mongodb, lost', shaped('MongoNetworkError', 'connection 3 to 10.0.0.1:27017 closed'), 'closed', 'unknown'],
    [
      'this host, which has no way',
      system('ENETUNREACH', 'connect', 'connect ENETUNREACH 10.0.0.1:443 - Local (0.0.0.0:0)'),
      'unreachable',
      'local-refused',
    ],
    ['this host, which killed it', system('ECONNABORTED', 'read'), 'reset', 'local-aborted'],
    ['a filter on the way', system('ECONNREFUSED', 'read'), 'unreachable', 'icmp'],
  ])('%s', (_what, error, kind, mechanism) => {
    const diagnosis = diagnose(error)
    expect(diagnosis.mechanism).toBe(mechanism)
    expect(explain(error)).toContain(`kind ${kind}, phase `)
  })

  test('a connection that had been used before: the races of idle ones come into question', () => {
    const cause = shaped('Error', 'socket hang up', { code: 'ECONNRESET' })
    const of = (reusedSocket: boolean) => {
      const { hypotheses } = diagnose(
        shaped('AxiosError', 'socket hang up', { code: 'ECONNRESET', request: { reusedSocket }, cause }),
      )
      return hypotheses.find(({ story }) => story === 'peer-idle-timer')?.probability ?? 0
    }
    expect(of(true)).toBeGreaterThan(10 * of(false))
    expect(explain(shaped('AxiosError', 'x', { request: { reusedSocket: true }, cause }))).toContain(
      'not known: for how long',
    )
  })

  test('a dial that failed on this host tells so by its message alone', () => {
    const error = new TypeError('fetch failed', {
      cause: system('EHOSTUNREACH', 'connect', 'connect EHOSTUNREACH 10.0.0.1:80 - Local (0.0.0.0:0)'),
    })
    expect(diagnose(error)).toMatchObject({ origin: 'local', party: 'local-host' })
    expect(explain(error)).toContain('no packet left this host')
  })
})

describe('an error of offhook', () => {
  test('has its own diagnosis, made once', () => {
    let asked = 0
    const diagnosis = diagnose(system('ECONNRESET', 'read'))
    const error = errorOf(
      details(
        {},
        {
          diagnose: () => {
            asked++
            return diagnosis
          },
        },
      ),
    )
    expect(asked).toBe(0)
    expect(diagnose(error)).toBe(diagnosis)
    expect(error.diagnosis).toBe(diagnosis)
    expect(asked).toBe(1)
    expect(JSON.parse(JSON.stringify(error)).diagnosis.headline).toBe(diagnosis.headline)
    expect(explain(error)).toContain(`  who: ${diagnosis.headline}`)
  })

  test('that was made without is read by its shape', () => {
    expect(diagnose(errorOf(details({ kind: 'refused', phase: 'connect' }))).mechanism).toBe('refused')
  })
})

test.each([undefined, null, 42, 'a text', {}, [], () => undefined, new Error('boom')])(
  'whatever is thrown (%#)',
  (value) => {
    expect(diagnose(value).mechanism).toBe('unknown')
  },
)
