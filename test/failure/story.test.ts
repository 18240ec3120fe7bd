import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorOf } from '../../src/failure/errors.js'
import { failureKinds, phases } from '../../src/failure/kinds.js'
import { causeLine, ms, story } from '../../src/failure/story.js'
import { anyDetails, attempt, connection, details, evidence } from './make.js'

const stop = { retry: false, because: 'it could be executed twice', row: 14, stopReason: 'unsafe' } as const

describe('the headline', () => {
  test.each([
    [
      details(
        { kind: 'reset', phase: 'wait' },
        { evidence, stopReason: 'unsafe', attempts: [attempt(1, { decision: stop })] },
      ),
      'POST https://api.test/orders: the connection was reset (RST) after 5 s idle while waiting for the response. ' +
        'It may have been executed; not sent again, because it could be executed twice.',
    ],
    [
      details(
        { kind: 'refused', phase: 'connect', delivery: 'unsent' },
        { stopReason: 'attempts', attempts: [attempt(1), attempt(2)] },
      ),
      'POST https://api.test/orders: the connection was refused while connecting. The request was never sent, but an attempt before it may have been executed; 2 attempts; all attempts were used.',
    ],
    [
      details(
        { kind: 'refused', phase: 'connect', delivery: 'unsent' },
        {
          stopReason: 'attempts',
          attempts: [attempt(1, { delivery: 'rejected' }), attempt(2, { delivery: 'unsent' })],
        },
      ),
      'POST https://api.test/orders: the connection was refused while connecting. The request was never sent; 2 attempts; all attempts were used.',
    ],
    [
      details({ kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: false }),
      'POST https://api.test/orders: the name could not be resolved (there is no such name) while resolving the name. The request was never sent.',
    ],
    [
      details(
        { kind: 'timeout', phase: 'body', delivery: 'partial' },
        { evidence: { ...evidence, limit: 'body', limitMs: 2_500 } },
      ),
      'POST https://api.test/orders: time ran out (body limit of 2.5 s) in the middle of the response body. The server had begun to answer.',
    ],
    [
      details({ kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'certificate', code: 'CERT_HAS_EXPIRED' }),
      'POST https://api.test/orders: a certificate was not accepted (CERT_HAS_EXPIRED) in the TLS handshake. The request was never sent.',
    ],
    [
      details({ kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 407 }),
      'POST https://api.test/orders: the proxy did not let the request through (it answered 407) while asking the proxy for a tunnel. The request was never sent.',
    ],
    [
      details({ kind: 'reset', http2: 'CANCEL' }),
      'POST https://api.test/orders: the server ended the HTTP/2 stream (CANCEL) while waiting for the response. It may have been executed.',
    ],
    [
      details(
        { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'breaker' },
        { stopReason: 'local' },
      ),
      'POST https://api.test/orders: the circuit breaker is open. The request was never sent; it can safely be tried elsewhere or later.',
    ],
    // Not everything that was not admitted was not sent.
    [
      details({ kind: 'not-admitted', phase: 'wait', delivery: 'unknown', admission: 'destroyed' }),
      'POST https://api.test/orders: the client was destroyed while waiting for the response. It may have been executed.',
    ],
  ])('%#', (made, message) => {
    expect(errorOf(made).message).toBe(message)
  })

  test('says of every kind in every phase something of its own', () => {
    const messages = failureKinds.flatMap((kind) => phases.map((phase) => errorOf(details({ kind, phase })).message))
    // What was not admitted was stopped before dialling, and says so in its kind.
    expect(new Set(messages).size).toBe(messages.length)
    for (const message of messages) expect(message).toMatch(/^POST https:\/\/api\.test\/orders: \S.*\.$/)
  })
})

describe('the story', () => {
  test('of a call that was tried twice', () => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
    const attempts = [attempt(1), attempt(2, { decision: stop })]
    const error = errorOf(details({ cause }, { attempts, evidence, stopReason: 'unsafe', retryAfterMs: 1_500 }))
    expect(story(error)).toEqual([
      '  attempt 1: reset ECONNRESET in phase wait, unknown 127.0.0.1:443 → again in 50 ms (charged): an idempotent request may be sent again',
      '  attempt 2 (after waiting 50 ms): reset ECONNRESET in phase wait, unknown 127.0.0.1:443 → stop: it could be executed twice',
      '  connection: #7, 127.0.0.1:40000 → 127.0.0.1:443, http/1.1, reused, request 4 on it, 12 s old, idle for 5 s before',
      '  time: queue 0.2 ms, wait 31 ms, total 31 ms',
      '  executed? maybe (delivery unknown)',
      '  stopped: not sent again, because it could be executed twice (unsafe)',
      '  the server asked to wait 1.5 s',
      '  cause: Error ECONNRESET read: read ECONNRESET',
    ])
  })

  test('has eleven lines at most, and tells the first attempts and the last', () => {
    fc.assert(
      fc.property(anyDetails, (made) => {
        const lines = story(errorOf(made))
        const count = made.attempts.length
        expect(lines.length).toBeLessThanOrEqual(11)
        for (const number of [1, 2, count - 1, count].filter((number) => number >= 1 && number <= count)) {
          expect(lines.filter((line) => line.startsWith(`  attempt ${number}`)).length).toBeGreaterThan(0)
        }
        const told = lines.filter((line) => line.startsWith('  attempt ')).length
        const more = Number(/… (\d+) more/.exec(lines.join('\n'))?.[1] ?? 0)
        expect(told + more).toBe(count)
        for (const line of lines) expect(line).not.toContain('\n')
      }),
    )
  })

  test.each([
    [connection, 'reused, request 4 on it'],
    [{ id: 1, reused: false, requestsBefore: 0 }, 'connection: #1, fresh'],
  ])('of the connection %#', (facts, words) => {
    expect(story(errorOf(details({}, { evidence: { ...evidence, connection: facts } }))).join('\n')).toContain(words)
  })
})

test.each([
  [Object.assign(new Error('x'), { code: 'E', syscall: 'read' }), 'Error E read: x'],
  [new Error(''), 'Error'],
  [{ code: 'E' }, 'E'],
  [{ code: 7, name: {} }, undefined],
  ['a text', undefined],
  [undefined, undefined],
  [new Error('GET /?key=hunter2\nnext'), 'Error: GET /?… next'],
])('the cause %#', (cause, line) => {
  expect(causeLine(cause)).toBe(line)
})

test.each([
  [undefined, 'unknown time'],
  [0, '0 ms'],
  [0.44, '0.4 ms'],
  [9.96, '10 ms'],
  [210.4, '210 ms'],
  [999.4, '999 ms'],
  [1_000, '1 s'],
  [1_549, '1.5 s'],
  [3_600_000, '3600 s'],
])('%s milliseconds are %s', (value, text) => {
  expect(ms(value)).toBe(text)
})
