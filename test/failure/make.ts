/** Errors as a call makes them, of every kind, with everything that can stand on them. */

import fc from 'fast-check'
import type { AttemptReport, Evidence } from '../../src/failure/evidence.js'
import { deliveries, type Failure, failureKinds, phases, stopReasons } from '../../src/failure/kinds.js'
import type { OffhookErrorDetails } from '../../src/failure/offhook-error.js'

export const connection = {
  id: 7,
  protocol: 'http/1.1',
  localAddress: '127.0.0.1',
  localPort: 40_000,
  remoteAddress: '127.0.0.1',
  remotePort: 443,
  reused: true,
  ageMs: 12_000,
  idleMs: 4_980,
  requestsBefore: 3,
} as const

export const evidence: Evidence = {
  vantage: 'socket',
  phase: 'wait',
  started: true,
  connection,
  timings: { queue: 0.2, wait: 31, total: 31.4 },
  bytes: { sent: 210, received: 0 },
}

export function attempt(number: number, more: Partial<AttemptReport> = {}): AttemptReport {
  return {
    number,
    kind: 'reset',
    phase: 'wait',
    delivery: 'unknown',
    code: 'ECONNRESET',
    waitedMs: number === 1 ? 0 : 50,
    connection,
    timings: { total: 31 },
    decision: { retry: true, because: 'an idempotent request may be sent again', row: 14, waitMs: 50, charged: true },
    ...more,
  }
}

export function details(failure: Partial<Failure> = {}, more: Partial<OffhookErrorDetails> = {}): OffhookErrorDetails {
  return {
    failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', cause: undefined, ...failure },
    method: 'POST',
    origin: 'https://api.test',
    path: '/orders',
    attempts: [],
    ...more,
  }
}

const text = fc.string({ unit: 'binary', maxLength: 2_000 })
const anyCause = fc.oneof(
  fc.anything({ withBigInt: true, withNullPrototype: true }),
  fc
    .record({
      name: fc.anything({ withBigInt: true }),
      code: fc.anything(),
      errno: fc.anything({ withBigInt: true }),
      message: text,
    })
    .map((fields) => Object.assign(new Error(), fields)),
)
const anyFailure: fc.Arbitrary<Failure> = fc.record(
  {
    kind: fc.constantFrom(...failureKinds),
    phase: fc.constantFrom(...phases),
    delivery: fc.constantFrom(...deliveries),
    code: fc.constantFrom('ECONNRESET', 'UND_ERR_SOCKET'),
    errno: fc.integer(),
    syscall: fc.constantFrom('read', 'connect'),
    temporary: fc.boolean(),
    tls: fc.constantFrom('certificate', 'mismatch', 'alert', 'handshake'),
    http2: fc.constantFrom('CANCEL', 'GOAWAY'),
    proxyStatus: fc.constantFrom(407, 502),
    status: fc.constantFrom(404, 503),
    admission: fc.constantFrom(
      'closed',
      'destroyed',
      'breaker',
      'throttled',
      'queue-full',
      'queue-timeout',
      'budget',
      'invalid',
    ),
    cause: anyCause,
  },
  { requiredKeys: ['kind', 'phase', 'delivery', 'cause'] },
)

export const anyDetails: fc.Arbitrary<OffhookErrorDetails> = fc.record({
  failure: anyFailure,
  method: fc.oneof(fc.constantFrom('GET', 'POST'), text),
  origin: fc.oneof(fc.constant('https://api.test'), text),
  path: fc.oneof(fc.constant('/orders'), text),
  attempts: fc.nat({ max: 40 }).map((count) => Array.from({ length: count }, (_, index) => attempt(index + 1))),
  stopReason: fc.option(fc.constantFrom(...stopReasons), { nil: undefined }),
  retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
  evidence: fc.option(fc.constant({ ...evidence, limit: 'attempt', limitMs: 100 } as const), { nil: undefined }),
})
