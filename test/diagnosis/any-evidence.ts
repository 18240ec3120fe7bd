/** Evidence of every kind: what can be seen, what cannot be, and numbers that no clock or kernel would give. */

import fc from 'fast-check'
import type { Circumstances, SiblingFacts } from '../../src/failure/circumstances.js'
import type { AttemptReport, ConnectionFacts, Evidence, Timings } from '../../src/failure/evidence.js'
import { deliveries, type Failure, failureKinds, phases } from '../../src/failure/kinds.js'

const number = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 0, max: 400_000, noNaN: true }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 5, 40, 60, 1_000, 5_000, 60_000, 350_000) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Number.NaN,
      -1,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.MAX_VALUE,
      1e-300,
    ),
  },
)
const few = fc.oneof({ weight: 8, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: number })
const text = fc.oneof(
  fc.constantFrom('nginx', 'cloudflare', 'uvicorn', '1.1 gateway'),
  fc.string({ unit: 'binary', maxLength: 300 }),
)
const code = fc.constantFrom(
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'EMFILE',
  'EPERM',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'ERR_SSL_WRONG_VERSION_NUMBER',
)
const syscall = fc.constantFrom('read', 'write', 'connect', 'getaddrinfo')

/** Any of the fields, or none. */
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] })

export const anyFailure: fc.Arbitrary<Failure> = fc.record(
  {
    kind: fc.constantFrom(...failureKinds),
    phase: fc.constantFrom(...phases),
    delivery: fc.constantFrom(...deliveries),
    code,
    errno: fc.constantFrom(-104, -111),
    syscall,
    temporary: fc.boolean(),
    tls: fc.constantFrom('certificate', 'mismatch', 'alert', 'handshake'),
    http2: fc.constantFrom('CANCEL', 'GOAWAY', 'REFUSED_STREAM'),
    proxyStatus: fc.constantFrom(407, 502),
    status: fc.constantFrom(404, 500, 502, 503, 504),
    aborted: fc.constant(true),
    cause: fc.anything(),
  },
  { requiredKeys: ['kind', 'phase', 'delivery', 'cause'] },
)

const connection: fc.Arbitrary<ConnectionFacts> = fc.record(
  {
    id: fc.nat(),
    protocol: fc.constantFrom('http/1.1', 'h2'),
    localAddress: fc.constantFrom('10.0.0.2', '127.0.0.1'),
    remoteAddress: fc.constantFrom('10.0.1.2', '93.184.216.34', '2606:2800::1', '127.0.0.1', '::1', 'no address'),
    remotePort: few,
    proxy: fc.constant('http://proxy.test:3128'),
    reused: fc.boolean(),
    ageMs: number,
    idleMs: number,
    requestsBefore: fc.oneof(few, fc.constantFrom(100, 1_000)),
  },
  { requiredKeys: ['id', 'reused', 'requestsBefore'] },
)

const timings: fc.Arbitrary<Timings> = fc.record(
  { queue: number, dns: number, connect: number, tls: number, wait: number, total: number },
  { requiredKeys: ['total'] },
)

const siblings: fc.Arbitrary<SiblingFacts> = fc.record({
  stood: few,
  reset: few,
  closed: few,
  answered: few,
  connected: few,
  failed: few,
})

const outcome = fc.constantFrom(
  ...(['connected', 'answered', 'refused', 'reset', 'closed', 'timeout', 'unreachable', 'local', 'dns'] as const),
)

const counters = fc.dictionary(
  fc.constantFrom(
    'Tcp.RetransSegs',
    'Tcp.EstabResets',
    'TcpExt.TCPRetransFail',
    'TcpExt.TCPAbortOnTimeout',
    'TcpExt.TCPKeepAlive',
    'Ip.OutNoRoutes',
    'Ip6.OutNoRoutes',
    'Ip.InStopped',
    'Ip.OutStopped',
    'Ip6.OutStopped',
    'Tcp.OutRsts',
    'TcpExt.TCPAbortOnData',
    'Icmp.InDestUnreachs',
    'Icmp.OutDestUnreachs',
  ),
  few,
)

export const anyCircumstances: fc.Arbitrary<Circumstances> = some({
  platform: fc.constantFrom('linux', 'darwin', 'win32'),
  showsResets: fc.boolean(),
  raw: some({
    code,
    syscall,
    errno: fc.constant(-104),
    localSuffix: fc.constant(true),
    address: fc.constant('10.0.1.2'),
  }),
  minRttMs: number,
  rttAtLeastMs: number,
  lateMs: number,
  rttFrom: fc.constantFrom('connect', 'answer'),
  rttOf: few,
  sinceLastWriteMs: number,
  sinceLastReadMs: number,
  stepMs: number,
  loopDelayMs: number,
  clockJumpMs: fc.oneof(number, fc.constant(-5_000)),
  requestWritten: fc.boolean(),
  connectionBytes: fc.record({ sent: number, received: number }),
  tls: fc.record(
    {
      stage: fc.constantFrom('none', 'hello-sent', 'server-answered', 'established'),
      alert: text,
      resumed: fc.boolean(),
      closeNotify: fc.boolean(),
    },
    { requiredKeys: ['stage'] },
  ),
  row: fc.record(
    {
      state: fc.constantFrom(
        'established',
        'syn-sent',
        'close-wait',
        'fin-wait',
        'closing',
        'time-wait',
        'other',
        'absent',
      ),
      unacknowledged: few,
      unread: few,
      timer: fc.constantFrom('none', 'retransmit', 'keepalive', 'time-wait', 'zero-window'),
      retransmits: few,
    },
    { requiredKeys: ['state'] },
  ),
  counters,
  siblings: fc.record({ same: siblings, elsewhere: siblings }),
  headers: some({
    server: text,
    via: text,
    keepAliveMs: number,
    keepAliveMax: few,
    marks: fc.array(fc.constantFrom('cf-ray', 'x-amz-cf-id'), { maxLength: 3 }),
    connectionClose: fc.boolean(),
  }),
  learned: some({
    idleMs: number,
    requestCap: few,
    closes: few,
    endedTogether: fc.record({ connections: few, agoMs: number, times: few }),
    sameRequest: fc.record({ cut: few, answered: few, othersAnswered: few }),
  }),
  localAddressGone: fc.boolean(),
  tunnel: fc.constantFrom('asked', 'made'),
  lookedUp: fc.boolean(),
  reconnect: fc.record({ outcome, afterMs: number, tookMs: number }, { requiredKeys: ['outcome', 'afterMs'] }),
  elsewhere: outcome,
}) as fc.Arbitrary<Circumstances>

export const anyEvidence: fc.Arbitrary<Evidence> = fc.record(
  {
    vantage: fc.constantFrom('socket', 'dispatcher', 'none'),
    phase: fc.constantFrom(...phases),
    started: fc.boolean(),
    status: fc.constantFrom(200, 502),
    ending: fc.constantFrom('rst', 'fin', 'fin-then-rst', 'local'),
    limit: fc.constantFrom('connect', 'attempt', 'headers', 'body', 'total'),
    limitMs: number,
    connection,
    timings,
    bytes: some({ sent: number, received: number }),
    circumstances: anyCircumstances,
  },
  { requiredKeys: ['vantage', 'phase'] },
) as fc.Arbitrary<Evidence>

const report: fc.Arbitrary<AttemptReport> = fc.record(
  {
    number: fc.nat(5),
    kind: fc.constantFrom(...failureKinds),
    phase: fc.constantFrom(...phases),
    delivery: fc.constantFrom(...deliveries),
    waitedMs: number,
    connection,
    decision: fc.constant({ retry: true, because: 'it may be tried again' }),
  },
  { requiredKeys: ['number', 'kind', 'phase', 'delivery', 'waitedMs', 'decision'] },
) as fc.Arbitrary<AttemptReport>

export const anyAttempts = fc.array(report, { maxLength: 4 })
