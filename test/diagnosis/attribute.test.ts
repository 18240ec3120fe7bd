import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/diagnosis/attribute.js'
import type { Circumstances, SiblingFacts } from '../../src/failure/circumstances.js'
import type { Diagnosis, Party, Side } from '../../src/failure/diagnosis.js'
import type { AttemptReport, ConnectionFacts, Evidence } from '../../src/failure/evidence.js'
import type { Failure } from '../../src/failure/kinds.js'

const reset = { kind: 'reset', code: 'ECONNRESET', syscall: 'read', errno: -104 } as const
const closed = { kind: 'closed', code: 'UND_ERR_SOCKET' } as const
const refused = { kind: 'refused', phase: 'connect', code: 'ECONNREFUSED', syscall: 'connect', errno: -111 } as const
const silent = { kind: 'timeout' } as const

const fresh: ConnectionFacts = { id: 1, remoteAddress: '10.1.0.2', remotePort: 80, reused: false, requestsBefore: 0 }
const idle = (idleMs: number): ConnectionFacts => ({ ...fresh, reused: true, idleMs, requestsBefore: 3 })
const none: SiblingFacts = { stood: 0, reset: 0, closed: 0, answered: 0, connected: 0, failed: 0 }
const siblings = (same: Partial<SiblingFacts>, elsewhere: Partial<SiblingFacts> = {}) => ({
  siblings: { same: { ...none, ...same }, elsewhere: { ...none, ...elsewhere } },
})
/** A round trip of 60 ms, on a loop that was never late. */
const trip = { minRttMs: 60, rttFrom: 'connect', loopDelayMs: 1 } as const
const limit = { limit: 'headers', limitMs: 1_500 } as const

interface Case {
  readonly what: string
  readonly failure: Partial<Failure>
  readonly evidence?: Partial<Evidence>
  readonly around?: Circumstances
  readonly attempts?: readonly Partial<AttemptReport>[]
  readonly party: Party | undefined
  readonly origin: Side
  /** The likeliest story. */
  readonly story: string
}

function explain({ failure, evidence, around, attempts = [] }: Omit<Case, 'party' | 'origin' | 'story'>): Diagnosis {
  const phase = failure.phase ?? 'wait'
  return attribute(
    { kind: 'unknown', phase, delivery: 'unknown', cause: undefined, ...failure },
    { vantage: 'socket', phase, connection: fresh, ...evidence, ...(around && { circumstances: around }) },
    attempts as readonly AttemptReport[],
  )
}

const cases: readonly Case[] = [
  // Resets.
  {
    what: 'the application resets as it reads the first request',
    failure: reset,
    evidence: { ending: 'rst' },
    around: { ...trip, sinceLastWriteMs: 61 },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-application-aborted',
  },
  {
    what: 'a device resets a fresh connection in a fifth of a round trip',
    failure: reset,
    evidence: { ending: 'rst' },
    around: { ...trip, sinceLastWriteMs: 12 },
    party: 'path',
    origin: 'network',
    story: 'injected-reset',
  },
  {
    what: 'the same, on a loop that was late: no blame',
    failure: reset,
    evidence: { ending: 'rst' },
    around: { minRttMs: 60, loopDelayMs: 30, sinceLastWriteMs: 30 },
    party: undefined,
    origin: 'unknown',
    story: 'peer-application-aborted',
  },
  {
    what: 'an idle connection is reset one round trip after its reuse: anybody may have forgotten it',
    failure: reset,
    evidence: { ending: 'rst', connection: idle(3_000) },
    around: { ...trip, sinceLastWriteMs: 61 },
    party: undefined,
    origin: 'unknown',
    story: 'peer-host-lost-state',
  },
  {
    what: 'the same after six minutes: flow timers have run out',
    failure: reset,
    evidence: { ending: 'rst', connection: idle(360_000) },
    around: { ...trip, sinceLastWriteMs: 61 },
    party: 'path',
    origin: 'unknown',
    story: 'balancer-flow-expired',
  },
  {
    what: 'an idle connection is reset sooner than an answer can come: the close had been under way',
    failure: reset,
    evidence: { ending: 'rst', connection: idle(5_000) },
    around: { ...trip, sinceLastWriteMs: 20, headers: { keepAliveMs: 5_000 } },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-idle-timer',
  },
  {
    what: 'an upload is reset',
    failure: { ...reset, phase: 'send', syscall: 'write' },
    evidence: { ending: 'rst', bytes: { sent: 300_000 } },
    around: { requestWritten: false },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-rejected-early',
  },
  {
    what: 'a device resets at the name in the ClientHello',
    failure: { ...reset, phase: 'tls' },
    evidence: { ending: 'rst' },
    around: { ...trip, sinceLastWriteMs: 12, tls: { stage: 'hello-sent' } },
    party: 'path',
    origin: 'network',
    story: 'injected-reset',
  },
  {
    what: 'ss -K on this host',
    failure: { ...reset, code: 'ECONNABORTED' },
    around: { platform: 'linux' },
    party: 'local-host',
    origin: 'local',
    story: 'local-socket-killed',
  },

  // Ends.
  {
    what: 'the keep-alive race',
    failure: closed,
    evidence: { ending: 'fin', connection: idle(5_000) },
    around: { ...trip, sinceLastWriteMs: 20 },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-idle-timer',
  },
  {
    what: 'the same before a gateway that names itself',
    failure: closed,
    evidence: { ending: 'fin', connection: idle(5_000) },
    around: { ...trip, sinceLastWriteMs: 20, headers: { via: '1.1 gateway' } },
    party: 'proxy',
    origin: 'load-balancer',
    story: 'proxy-idle-timer',
  },
  {
    what: 'an idle connection is closed long after the request: no race',
    failure: closed,
    evidence: { ending: 'fin', connection: idle(5_000) },
    around: { ...trip, sinceLastWriteMs: 900 },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-process-gone',
  },
  {
    what: 'all connections end at once',
    failure: closed,
    evidence: { ending: 'fin' },
    around: { ...trip, sinceLastWriteMs: 100, ...siblings({ stood: 9, closed: 6, reset: 3 }) },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-process-gone',
  },
  {
    what: 'a hundred requests, and no more',
    failure: closed,
    evidence: { ending: 'fin', connection: { ...fresh, reused: true, idleMs: 5, requestsBefore: 100 } },
    around: trip,
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-connection-cap',
  },
  {
    what: 'half an answer, then a FIN',
    failure: { ...closed, phase: 'body' },
    evidence: { ending: 'fin' },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-process-gone',
  },
  {
    what: 'half an answer of a gateway, then a FIN',
    failure: { ...closed, phase: 'body' },
    evidence: { ending: 'fin' },
    around: { headers: { via: '1.1 gateway' } },
    party: 'proxy',
    origin: 'load-balancer',
    story: 'proxy-upstream-failed',
  },
  {
    what: 'this process stood still past the timer',
    failure: closed,
    evidence: { ending: 'fin', connection: idle(5_000) },
    around: { ...trip, loopDelayMs: 4_000, sinceLastWriteMs: 1, learned: { idleMs: 3_000, closes: 4 } },
    party: 'local-host',
    origin: 'local',
    story: 'local-stall',
  },

  // Dials.
  {
    what: 'nothing listens',
    failure: refused,
    around: { counters: { 'Tcp.AttemptFails': 1 } },
    // The process that listened may have ended, or somebody on the way may refuse: the host is not convicted.
    party: undefined,
    origin: 'peer',
    story: 'nothing-listening',
  },
  {
    what: 'nothing listens on this host',
    failure: refused,
    evidence: { connection: { ...fresh, remoteAddress: '127.0.0.1' } },
    party: 'local-host',
    origin: 'local',
    story: 'nothing-listening-here',
  },
  {
    what: 'a reset, and then nobody listens',
    failure: refused,
    attempts: [{ kind: 'reset', phase: 'wait', connection: fresh }, refused],
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-process-gone',
  },
  {
    what: 'a firewall refuses by ICMP',
    failure: refused,
    around: { counters: { 'Icmp.InDestUnreachs': 1 } },
    party: 'path',
    origin: 'network',
    story: 'filter-rejects',
  },
  {
    what: 'a firewall of this host refuses by ICMP',
    failure: refused,
    around: { counters: { 'Icmp.InDestUnreachs': 1, 'Icmp.OutDestUnreachs': 1 } },
    party: 'local-host',
    origin: 'local',
    story: 'local-filter',
  },
  {
    what: 'a firewall refuses sooner than the host can',
    failure: refused,
    around: { ...trip, stepMs: 9 },
    party: 'path',
    origin: 'network',
    story: 'filter-rejects',
  },
  {
    what: 'neighbours look for the host in vain',
    failure: { kind: 'unreachable', phase: 'connect', code: 'EHOSTUNREACH', syscall: 'connect', errno: -113 },
    around: { stepMs: 3_060, counters: { 'Icmp.InDestUnreachs': 1, 'Icmp.OutDestUnreachs': 1 } },
    party: 'peer-host',
    origin: 'peer',
    story: 'peer-host-down',
  },
  {
    what: 'a router has no way',
    failure: { kind: 'unreachable', phase: 'connect', code: 'ENETUNREACH', syscall: 'connect', errno: -101 },
    around: { stepMs: 30 },
    party: 'path',
    origin: 'network',
    story: 'path-down',
  },
  {
    what: 'this host has no way',
    failure: { kind: 'unreachable', phase: 'connect' },
    around: { raw: { code: 'ENETUNREACH', syscall: 'connect', errno: -101, localSuffix: true } },
    party: 'local-host',
    origin: 'local',
    story: 'local-network-changed',
  },
  {
    what: 'no descriptors are left',
    failure: { kind: 'local-resource', phase: 'connect', code: 'EMFILE' },
    party: 'local-host',
    origin: 'local',
    story: 'local-resources',
  },
  {
    what: 'a dial is not answered: host, way and queue look the same',
    failure: { ...silent, phase: 'connect' },
    evidence: { limit: 'connect', limitMs: 1_500 },
    around: { lookedUp: true, row: { state: 'syn-sent', retransmits: 1 } },
    party: undefined,
    origin: 'unknown',
    story: 'path-down',
  },
  {
    what: 'a filter of this host drops the SYN',
    failure: { ...silent, phase: 'connect' },
    evidence: { limit: 'connect', limitMs: 1_500 },
    around: { counters: { 'TcpExt.TCPRetransFail': 2 } },
    party: 'local-host',
    origin: 'local',
    story: 'local-filter',
  },
  {
    what: 'the resolver does not answer',
    failure: { ...silent, phase: 'dns' },
    evidence: { limit: 'connect', limitMs: 1_500 },
    around: { lookedUp: false },
    party: 'name-service',
    origin: 'network',
    story: 'name-service-failed',
  },
  {
    what: 'there is no such name',
    failure: { kind: 'dns', phase: 'dns', code: 'ENOTFOUND', temporary: false },
    party: 'name-service',
    origin: 'network',
    story: 'name-unknown',
  },
  {
    what: 'the proxy is not there',
    failure: refused,
    evidence: { connection: { ...fresh, proxy: 'http://proxy:3128' } },
    party: 'proxy',
    origin: 'load-balancer',
    story: 'proxy-unreachable',
  },
  {
    what: 'the proxy answers 502 to CONNECT',
    failure: { kind: 'proxy', phase: 'proxy', proxyStatus: 502 },
    around: { tunnel: 'asked' },
    party: 'proxy',
    origin: 'load-balancer',
    story: 'proxy-refused-tunnel',
  },
  {
    what: 'a TLS alert',
    failure: { kind: 'tls', phase: 'tls', tls: 'alert' },
    around: { tls: { stage: 'hello-sent', alert: 'handshake failure' } },
    party: 'tls-peer',
    origin: 'peer',
    story: 'tls-refused',
  },
  {
    what: 'a certificate that has expired',
    failure: { kind: 'tls', phase: 'tls', tls: 'certificate', code: 'CERT_HAS_EXPIRED' },
    party: 'tls-peer',
    origin: 'peer',
    story: 'tls-refused',
  },

  // Silence.
  {
    what: 'the application hangs: its kernel has the request',
    failure: silent,
    evidence: limit,
    around: { ...trip, sinceLastWriteMs: 1_500, row: { state: 'established', unacknowledged: 0, timer: 'none' } },
    party: 'peer-application',
    origin: 'peer',
    story: 'peer-application-silent',
  },
  {
    what: 'the request is not acknowledged, and a new connection works',
    failure: silent,
    evidence: { ...limit, connection: idle(3_000) },
    around: {
      ...trip,
      row: { state: 'established', unacknowledged: 120, timer: 'retransmit', retransmits: 3 },
      reconnect: { outcome: 'connected', afterMs: 5 },
    },
    party: 'path',
    origin: 'network',
    story: 'nat-state-dropped',
  },
  {
    what: 'the request never leaves this host',
    failure: silent,
    evidence: limit,
    around: {
      ...trip,
      row: { state: 'established', unacknowledged: 120, timer: 'zero-window' },
      counters: { 'Ip.OutNoRoutes': 2 },
    },
    party: 'local-host',
    origin: 'local',
    story: 'local-network-changed',
  },
  {
    what: 'the local address is gone',
    failure: silent,
    evidence: limit,
    around: {
      localAddressGone: true,
      row: { state: 'established', unacknowledged: 120, timer: 'retransmit', retransmits: 3 },
    },
    party: 'local-host',
    origin: 'local',
    story: 'local-network-changed',
  },
  {
    what: 'a limit below two round trips',
    failure: silent,
    evidence: { limit: 'headers', limitMs: 50 },
    around: { ...trip, sinceLastWriteMs: 50 },
    party: 'self',
    origin: 'self',
    story: 'self',
  },
  { what: 'the caller aborted', failure: { aborted: true }, party: 'self', origin: 'self', story: 'self' },
  {
    what: '502 from a gateway',
    failure: { kind: 'status', phase: 'body', status: 502, delivery: 'answered' },
    around: { headers: { via: '1.1 gateway' } },
    party: 'proxy',
    origin: 'load-balancer',
    story: 'proxy-upstream-failed',
  },
]

describe('who it was', () => {
  test.each(cases.map((one) => [one.what, one] as const))('%s', (_what, one) => {
    const { party, origin, hypotheses, headline } = explain(one)
    expect({ party, origin, story: hypotheses[0]?.story }).toEqual({
      party: one.party,
      origin: one.origin,
      story: one.story,
    })
    if (one.party === undefined) expect(headline).toMatch(/^It cannot be told for sure: /)
    else expect(headline).toMatch(/^(?:Almost surely|Very likely|Probably) \(\d\d %\) /)
  })
})

describe('what looks the same', () => {
  const forgotten = explain({
    what: '',
    failure: reset,
    evidence: { ending: 'rst', connection: idle(3_000) },
    around: { ...trip, sinceLastWriteMs: 61 },
  })

  test('is named, and what would tell it apart', () => {
    expect(forgotten.indistinguishable).toContain('nat-remapped')
    expect(forgotten.indistinguishable).toContain('balancer-flow-expired')
    expect(forgotten.wouldDecide.join(' ')).toContain('a capture at both ends')
    expect(forgotten.headline).toContain("a reboot, a load balancer's or a NAT's expiry look the same from here")
  })

  test('old connections are reset while new ones are accepted: the application it was not', () => {
    const { hypotheses } = explain({
      what: '',
      failure: reset,
      evidence: { ending: 'rst', connection: idle(3_000) },
      around: { ...trip, sinceLastWriteMs: 61, ...siblings({ stood: 3, reset: 2, connected: 1 }) },
    })
    const share = hypotheses
      .filter(({ party }) => party === 'peer-application')
      .reduce((sum, { probability }) => sum + probability, 0)
    expect(share).toBeLessThan(0.05)
  })
})

describe('the numbers of the failure', () => {
  test('are in the reasons, the remedy and the match', () => {
    const { matches, hypotheses } = explain({
      what: '',
      failure: closed,
      evidence: { ending: 'fin', connection: idle(75_300) },
      around: { ...trip, sinceLastWriteMs: 20, headers: { server: 'nginx/1.29.1' } },
    })
    expect(matches).toBe('75 s: the default of nginx')
    const timer = hypotheses[0]
    expect(timer?.because.map(({ says }) => says).join('\n')).toContain(
      'idle for 75.3 s, which fits 75 s: the default of nginx',
    )
    expect(timer?.remedy).toContain('It had been idle for 75.3 s.')
  })

  test('what a far side calls itself is shown on one line, and no longer than a name', () => {
    const server = `envoy\r\nset-cookie: token=hunter2 ${'x'.repeat(500)}`
    const { hypotheses } = explain({
      what: '',
      failure: { ...closed, phase: 'body' },
      evidence: { ending: 'fin' },
      around: { headers: { server } },
    })
    const told = JSON.stringify(hypotheses)
    expect(told).toContain('envoy')
    expect(told).not.toContain('hunter2')
    expect(told).not.toContain('x'.repeat(60))
  })
})

test('without evidence, the error’s own shape is weighed and no more', () => {
  const { mechanism, hypotheses } = attribute(
    { ...reset, phase: 'wait', delivery: 'unknown', cause: undefined },
    undefined,
  )
  expect(mechanism).toBe('rst')
  expect(hypotheses[0]?.story).toBe('peer-application-aborted')
  expect(hypotheses[0]?.probability).toBeLessThan(0.5)
})

test('the code of our own limit is not put into the mouth of a filter', () => {
  const remedyOf = (failure: Partial<Failure>) =>
    explain({
      what: '',
      failure,
      evidence: { ...limit, connection: fresh },
      around: { counters: { 'Ip.OutStopped': 4 } },
    }).hypotheses.find(({ story }) => story === 'local-filter')?.remedy
  expect(remedyOf({ ...silent, code: 'UND_ERR_HEADERS_TIMEOUT' })).toMatch(/kill switch\)\.$/)
  expect(remedyOf({ ...silent, code: 'EPERM', errno: -1 })).toContain('its kernel said EPERM')
})
