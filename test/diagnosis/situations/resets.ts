/** Resets, before an answer had begun. */

import { busy, cut, dialled, idle, others, reset, type Situation, siblings } from './world.js'

const app = ['peer-application'] as const
const tls = (stage: 'hello-sent' | 'server-answered' | 'established', more = {}) =>
  ({ tls: { stage, ...more } }) as const

export const resets: readonly Situation[] = [
  {
    what: 'a new rule of a filter near by resets a busy flow, and refuses the next dial',
    may: ['path', 'local-host'],
    from: 20,
    mustFrom: 20,
    seen: (w) =>
      cut(w, 0.2 * w.rtt, {
        failure: reset,
        connection: busy,
        around: { reconnect: { outcome: 'refused', afterMs: 5, tookMs: 0.2 * w.rtt } },
      }),
  },
  {
    what: 'the application resets as it reads a first request',
    may: app,
    seen: (w) => cut(w, w.rtt, { failure: reset }),
  },
  {
    what: 'the application resets as it reads a further request',
    may: app,
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: busy }),
  },
  {
    what: 'the application resets after 50 ms of work',
    may: app,
    mustFrom: 5,
    seen: (w) => cut(w, w.rtt + 50, { failure: reset }),
  },
  {
    what: 'the application resets after 500 ms of work',
    may: app,
    mustFrom: 0,
    seen: (w) => cut(w, w.rtt + 500, { failure: reset, connection: busy }),
  },
  {
    what: 'the application resets after 3 s of work on a connection that had been idle',
    may: app,
    mustFrom: 0,
    seen: (w) => cut(w, w.rtt + 3_000, { failure: reset, connection: idle(3_000) }),
  },
  {
    what: 'the application resets as it reads, after idle',
    may: ['peer-application', 'peer-host', 'path'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(3_000) }),
  },
  {
    what: 'the handler resets while others are answered',
    may: app,
    mustFrom: 20,
    seen: (w) => cut(w, w.rtt + 20, { failure: reset, connection: busy, around: siblings({ stood: 3, answered: 3 }) }),
  },
  {
    what: 'reset on accept, before the request was written',
    may: ['peer-application', 'peer-host'],
    seen: (w) => cut(w, 0.1 * w.rtt, { failure: reset, around: { sinceLastReadMs: w.rtt + 0.5 + w.late / 2 } }),
  },
  {
    what: 'reset on accept, a round trip after the request',
    may: ['peer-application', 'peer-host'],
    seen: (w) => cut(w, w.rtt, { failure: reset }),
  },
  {
    what: 'kill -9 with unread bytes; siblings end by FIN and RST',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      cut(w, 80 + w.rtt, { failure: reset, connection: busy, around: siblings({ stood: 8, closed: 5, reset: 3 }) }),
  },
  {
    what: 'reboot, idle for an hour',
    may: ['peer-host', 'path'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(3_500_000) }),
  },
  {
    what: 'reboot, idle for 5 s',
    may: ['peer-host', 'path'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(5_000) }),
  },
  {
    what: 'reboot; all old ones are reset, new ones accepted',
    may: ['peer-host', 'path'],
    seen: (w) =>
      cut(w, w.rtt, {
        failure: reset,
        connection: idle(5_000),
        around: siblings({ stood: 5, reset: 4, connected: 2 }),
      }),
  },
  {
    what: 'NLB forgot the flow (idle 400 s), near',
    may: ['path'],
    seen: (w) => cut(w, 0.3 * w.rtt, { failure: reset, connection: idle(400_000), around: others }),
  },
  {
    what: 'NLB forgot the flow (idle 400 s), solicited',
    may: ['path'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(400_000) }),
  },
  {
    what: 'IPVS forgot the flow (idle 1000 s)',
    may: ['path', 'peer-host'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(1_000_000) }),
  },
  {
    what: 'Service endpoint removed: reset on busy reuse, others reset too, new ones work',
    may: ['path', 'peer-host'],
    seen: (w) =>
      cut(w, w.rtt, { failure: reset, connection: busy, around: siblings({ stood: 5, reset: 4, connected: 2 }) }),
  },
  {
    what: 'DPI at a fifth of the way, first request',
    may: ['path', 'local-host'],
    from: 5,
    seen: (w) => cut(w, 0.2 * w.rtt, { failure: reset }),
  },
  {
    what: 'DPI, and the peer spoke on',
    may: ['path'],
    mustFrom: 20,
    seen: (w) =>
      cut(w, 0.2 * w.rtt, { failure: reset, around: { counters: { 'Tcp.OutRsts': 2, 'Tcp.EstabResets': 1 } } }),
  },
  {
    what: 'DPI on busy reuse',
    may: ['path', 'local-host'],
    from: 5,
    seen: (w) => cut(w, 0.2 * w.rtt, { failure: reset, connection: busy }),
  },
  {
    what: 'DPI at the ClientHello',
    may: ['path', 'local-host'],
    from: 5,
    seen: (w) =>
      dialled(w, 0.2 * w.rtt + 2, {
        failure: { ...reset, phase: 'tls' },
        evidence: { ending: 'rst' },
        around: {
          ...tls('hello-sent'),
          sinceLastWriteMs: 0.2 * w.rtt + 0.5 + w.late / 2,
          minRttMs: w.rtt + 0.8 + w.late / 2,
          rttFrom: 'connect',
          rttAtLeastMs: Math.max(0, w.rtt - w.late / 2),
        },
      }),
  },
  {
    what: 'own filter resets a busy flow',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      cut(w, 0.1, {
        failure: reset,
        connection: busy,
        around: { counters: { 'Ip.OutStopped': 1, 'Tcp.EstabResets': 1 } },
      }),
  },
  {
    what: 'own security software resets to the internet',
    may: ['local-host', 'path'],
    from: 5,
    seen: (w) =>
      cut({ rtt: Math.max(20, w.rtt), late: w.late }, 0.1, {
        failure: reset,
        connection: { ...busy, remoteAddress: '203.0.113.9' },
      }),
  },
  {
    what: 'a transparent proxy on this machine',
    may: ['proxy', 'local-host', 'peer-application'],
    seen: (w) =>
      cut({ rtt: 0.1, late: w.late }, 0.1, {
        failure: reset,
        connection: { ...busy, remoteAddress: '203.0.113.9' },
        around: { minRttMs: 0.1, rttAtLeastMs: 0.1 },
      }),
  },
  {
    what: 'ss -K here',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      cut(w, 100, {
        failure: { ...reset, code: 'ECONNABORTED', errno: -103 },
        evidence: { ending: 'local' },
        connection: busy,
      }),
  },
  {
    what: '413 and close in an upload',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      cut(w, 5, {
        failure: { ...reset, phase: 'send', syscall: 'write' },
        evidence: { bytes: { sent: 900_000 } },
        around: { requestWritten: false },
      }),
  },
  {
    what: '413 by nginx in an upload',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 5, {
        failure: { ...reset, phase: 'send', syscall: 'write' },
        connection: busy,
        evidence: { bytes: { sent: 900_000 } },
        around: { requestWritten: false, headers: { server: 'nginx' } },
      }),
  },
  {
    what: 'EPIPE in an upload',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      cut(w, 5, {
        failure: { kind: 'closed', phase: 'send', code: 'EPIPE', syscall: 'write', errno: -32 },
        evidence: { ending: 'fin-then-rst', bytes: { sent: 900_000 } },
        around: { requestWritten: false },
      }),
  },
]
