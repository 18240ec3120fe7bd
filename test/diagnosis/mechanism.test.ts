import { describe, expect, test } from 'vitest'
import { factsOf } from '../../src/diagnosis/facts.js'
import { mannerOf, mechanismOf } from '../../src/diagnosis/mechanism.js'
import type { Circumstances } from '../../src/failure/circumstances.js'
import type { Mechanism, ResetManner } from '../../src/failure/diagnosis.js'
import type { Evidence } from '../../src/failure/evidence.js'
import type { Failure } from '../../src/failure/kinds.js'

const reset = { kind: 'reset', code: 'ECONNRESET', syscall: 'read', errno: -104 } as const
const closed = { kind: 'closed', code: 'UND_ERR_SOCKET' } as const

function facts(failure: Partial<Failure>, evidence: Partial<Evidence> = {}) {
  return factsOf({
    failure: { kind: 'unknown', phase: 'wait', delivery: 'unknown', cause: undefined, ...failure },
    evidence: { vantage: 'socket', phase: 'wait', ...evidence },
    attempts: [],
  })
}

describe('the mechanism, by the first rule that matches', () => {
  const rows: [Mechanism, string, Partial<Failure>, Partial<Evidence>?][] = [
    ['self', 'the caller aborted', { aborted: true }],
    ['self', 'the client was closed', { kind: 'not-admitted', admission: 'closed' }],
    [
      'silence',
      'a limit of ours ran out, whatever became of the socket then',
      { kind: 'timeout' },
      { limit: 'headers', ending: 'local' },
    ],
    ['silence', 'a limit of another client', { kind: 'timeout', code: 'UND_ERR_HEADERS_TIMEOUT' }],
    [
      'local-refused',
      'connect(2) failed',
      { kind: 'unreachable', code: 'ENETUNREACH' },
      { circumstances: { raw: { code: 'ENETUNREACH', localSuffix: true } } },
    ],
    [
      'local-refused',
      'connect(2) failed, and only its message says so',
      {
        kind: 'unreachable',
        code: 'EHOSTUNREACH',
        cause: new Error('connect EHOSTUNREACH 10.0.0.1:80 - Local (0.0.0.0:0)'),
      },
    ],
    ['local-refused', 'no descriptors', { kind: 'local-resource', code: 'EMFILE' }],
    ['local-refused', 'a filter of this host', { code: 'EPERM', syscall: 'write' }],
    [
      'local-aborted',
      'ECONNABORTED on Linux',
      { kind: 'reset', code: 'ECONNABORTED', syscall: 'read' },
      { circumstances: { platform: 'linux' } },
    ],
    [
      'unknown',
      'ECONNABORTED on Windows',
      { kind: 'reset', code: 'ECONNABORTED', syscall: 'read' },
      { circumstances: { platform: 'win32' } },
    ],
    ['app-protocol', 'a TLS alert', { kind: 'tls', tls: 'alert' }],
    ['app-protocol', 'an HTTP/2 stream that was reset', { kind: 'reset', http2: 'CANCEL' }],
    ['app-protocol', 'a status', { kind: 'status', status: 502 }],
    ['app-protocol', 'a proxy that said no', { kind: 'proxy', proxyStatus: 407 }],
    ['app-protocol', 'no HTTP', { kind: 'protocol', code: 'HPE_INVALID_CONSTANT' }],
    ['app-protocol', 'no such name', { kind: 'dns', code: 'ENOTFOUND', temporary: false }],
    ['silence', 'a resolver that failed', { kind: 'dns', code: 'EAI_AGAIN', temporary: true }],
    ['refused', 'a refused dial', { kind: 'refused', code: 'ECONNREFUSED', syscall: 'connect' }],
    ['icmp', 'a router that said no', { kind: 'unreachable', code: 'EHOSTUNREACH', syscall: 'connect' }],
    ['icmp', 'ECONNREFUSED on a connection that stood', { kind: 'unreachable', code: 'ECONNREFUSED', syscall: 'read' }],
    ['local-timeout', 'the kernel gave up', { kind: 'timeout', code: 'ETIMEDOUT', syscall: 'read' }],
    ['fin-then-rst', 'as the socket was seen to end', reset, { ending: 'fin-then-rst' }],
    ['fin-then-rst', 'EPIPE', { kind: 'reset', code: 'EPIPE', syscall: 'write' }],
    [
      'rst',
      'EPIPE on macOS',
      { kind: 'reset', code: 'EPIPE', syscall: 'write' },
      { circumstances: { platform: 'darwin' } },
    ],
    ['rst', 'read ECONNRESET', reset],
    ['rst', 'a reset that undici had swallowed', closed, { ending: 'rst' }],
    ['unknown', 'ECONNRESET on Windows, which may be its own', reset, { circumstances: { platform: 'win32' } }],
    ['fin', 'the other side closed', closed, { ending: 'fin' }],
    ['fin', 'socket hang up', { kind: 'closed', code: 'ECONNRESET' }],
    [
      'rst',
      'an end of an older libuv, of which the kernel has no row',
      closed,
      { ending: 'fin', circumstances: { showsResets: false, row: { state: 'absent' } } },
    ],
    [
      'fin',
      'an end of an older libuv, of which the kernel has one',
      closed,
      { ending: 'fin', circumstances: { showsResets: false, row: { state: 'close-wait' } } },
    ],
    [
      'unknown',
      'an end of an older libuv that nobody watched',
      closed,
      { vantage: 'none', circumstances: { showsResets: false } },
    ],
    ['unknown', 'nothing that has a name', {}],
  ]
  test.each(rows)('%s: %s', (mechanism, _what, failure, evidence) => {
    expect(mechanismOf(facts(failure, evidence))).toBe(mechanism)
  })
})

describe('how a reset stood to what we had sent', () => {
  const rows: readonly (readonly [ResetManner | undefined, string, Circumstances])[] = [
    ['solicited', 'one round trip after it', { minRttMs: 60, sinceLastWriteMs: 61 }],
    ['too-fast', 'a fifth of a round trip after it', { minRttMs: 60, sinceLastWriteMs: 12 }],
    ['unsolicited', 'two round trips after it', { minRttMs: 60, sinceLastWriteMs: 120 }],
    ['unsolicited', 'after an answer to it', { minRttMs: 60, sinceLastWriteMs: 200, sinceLastReadMs: 100 }],
    [undefined, 'nobody knows the round trip', { sinceLastWriteMs: 12 }],
    [undefined, 'nobody knows when we wrote', { minRttMs: 60 }],
    // A loop that was late may have made the yardstick too long, and the reset seem too late.
    [
      undefined,
      'sooner than a round trip, by a loop that was late by half of one',
      { minRttMs: 60, sinceLastWriteMs: 30, loopDelayMs: 30 },
    ],
    [
      'too-fast',
      'so soon that no delay of the loop explains it',
      { minRttMs: 60, sinceLastWriteMs: 10, loopDelayMs: 30 },
    ],
    [undefined, 'late, or read late', { minRttMs: 60, sinceLastWriteMs: 110, loopDelayMs: 30 }],
    [
      'unsolicited',
      'later than any delay of the loop explains',
      { minRttMs: 60, sinceLastWriteMs: 400, loopDelayMs: 200 },
    ],
    [
      undefined,
      'any time, by a loop that was later than a round trip',
      { minRttMs: 60, sinceLastWriteMs: 20, loopDelayMs: 200 },
    ],
    // A clock that is read in JavaScript does not tell apart what happens within a millisecond.
    [undefined, 'at once, on a network without a way', { minRttMs: 1, sinceLastWriteMs: 0.2 }],
    [
      undefined,
      'numbers that cannot be',
      { minRttMs: Number.NaN, sinceLastWriteMs: -5, loopDelayMs: Number.POSITIVE_INFINITY },
    ],
  ]
  test.each(rows)('%s: %s', (manner, _what, circumstances) => {
    expect(mannerOf(facts(reset, { circumstances }))).toBe(manner)
  })
})
