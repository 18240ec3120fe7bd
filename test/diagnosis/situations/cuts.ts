/** Ends in an answer, ends by FIN, ends in a handshake. */

import { busy, closed, cut, dialled, idle, peer, reset, type Situation, siblings } from './world.js'

const app = ['peer-application'] as const
const alb = { server: 'awselb/2.0', marks: ['x-amzn-trace-id'] }
const tls = (stage: 'hello-sent' | 'server-answered' | 'established', more = {}) =>
  ({ tls: { stage, ...more } }) as const

export const cuts: readonly Situation[] = [
  {
    what: 'reset in an answer',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, w.rtt + 40, {
        failure: { ...reset, phase: 'body' },
        evidence: { status: 200 },
        around: { sinceLastReadMs: 3 },
      }),
  },
  {
    what: 'reset in an answer of Cloudflare',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, w.rtt + 40, {
        failure: { ...reset, phase: 'body' },
        evidence: { status: 200 },
        around: { sinceLastReadMs: 3, headers: { server: 'cloudflare', marks: ['cf-ray'] } },
      }),
  },
  {
    what: 'an event stream is cut after exactly 60 s of quiet (FIN)',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 300_000, {
        failure: { ...closed, phase: 'body' },
        evidence: { status: 200 },
        around: { sinceLastReadMs: 60_010 },
      }),
  },
  {
    what: 'an event stream is cut after exactly 350 s of quiet (RST)',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) =>
      cut(w, 900_000, {
        failure: { ...reset, phase: 'body' },
        evidence: { status: 200 },
        around: { sinceLastReadMs: 350_020 },
      }),
  },
  {
    what: 'no answer, FIN after exactly 60 s',
    may: ['peer-application', 'proxy'],
    seen: (w) => cut(w, 60_000 + w.rtt, { failure: closed, connection: busy }),
  },
  {
    what: 'no answer, FIN after 237 ms',
    may: ['peer-application', 'proxy'],
    seen: (w) => cut(w, 237 + w.rtt, { failure: closed, connection: busy }),
  },
  {
    what: 'no answer, RST after exactly 30 s',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) => cut(w, 30_000 + w.rtt, { failure: reset, connection: busy }),
  },
  {
    what: 'FIN on a fresh connection, after work',
    may: ['peer-application', 'proxy'],
    seen: (w) => cut(w, w.rtt + 150, { failure: closed }),
  },
  {
    what: 'FIN on a fresh connection; then refused',
    may: app,
    mustFrom: 0,
    seen: (w) => cut(w, w.rtt + 50, { failure: closed, around: { reconnect: { outcome: 'refused', afterMs: 5 } } }),
  },
  {
    what: 'idle race, FIN, nobody knows the timer',
    may: ['peer-application', 'proxy'],
    seen: (w) => cut(w, 0.5 * w.rtt, { failure: closed, connection: idle(5_000) }),
  },
  {
    what: 'idle race, FIN, announced',
    may: ['peer-application', 'proxy'],
    mustFrom: 5,
    seen: (w) =>
      cut(w, 0.5 * w.rtt, { failure: closed, connection: idle(5_000), around: { headers: { keepAliveMs: 5_000 } } }),
  },
  {
    what: 'idle race, FIN and EPIPE',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 0.5 * w.rtt, {
        failure: { ...closed, code: 'EPIPE', syscall: 'write' },
        evidence: { ending: 'fin-then-rst' },
        connection: idle(5_000),
      }),
  },
  {
    what: 'idle race behind ALB',
    may: ['proxy'],
    mustFrom: 5,
    seen: (w) => cut(w, 0.5 * w.rtt, { failure: closed, connection: idle(60_000), around: { headers: alb } }),
  },
  {
    what: 'idle race behind a Via',
    may: ['proxy'],
    mustFrom: 5,
    seen: (w) =>
      cut(w, 0.5 * w.rtt, { failure: closed, connection: idle(8_000), around: { headers: { via: '1.1 gw' } } }),
  },
  {
    what: 'idle race with nginx, 75 s',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 0.5 * w.rtt, { failure: closed, connection: idle(75_000), around: { headers: { server: 'nginx/1.29' } } }),
  },
  {
    what: 'idle race by RST',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) => cut(w, 0.5 * w.rtt, { failure: reset, connection: idle(5_000) }),
  },
  {
    what: 'idle race by RST, learned timer',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) =>
      cut(w, 0.5 * w.rtt, {
        failure: reset,
        connection: idle(5_000),
        around: { learned: { idleMs: 5_000, closes: 4 } },
      }),
  },
  {
    what: 'FIN long after the request on a connection that had been idle',
    may: ['peer-application', 'proxy'],
    mustFrom: 0,
    seen: (w) => cut(w, w.rtt + 900, { failure: closed, connection: idle(5_000) }),
  },
  {
    what: 'hundred requests and a FIN',
    may: ['peer-application', 'proxy'],
    mustFrom: 5,
    seen: (w) => cut(w, 0.5 * w.rtt, { failure: closed, connection: { ...busy, requestsBefore: 100 } }),
  },
  {
    what: 'Connection: close, then a request nevertheless',
    may: ['peer-application', 'proxy'],
    mustFrom: 5,
    seen: (w) =>
      cut(w, 0.5 * w.rtt, { failure: closed, connection: busy, around: { headers: { connectionClose: true } } }),
  },
  {
    what: 'all connections end by FIN',
    may: app,
    mustFrom: 0,
    seen: (w) => cut(w, 100, { failure: closed, connection: busy, around: siblings({ stood: 9, closed: 9 }) }),
  },
  {
    what: 'all connections end by FIN behind a gateway',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 100, {
        failure: closed,
        connection: busy,
        around: { headers: { via: '1.1 gw' }, ...siblings({ stood: 9, closed: 9 }) },
      }),
  },
  {
    what: 'all connections to everywhere are reset',
    may: ['path', 'local-host'],
    seen: (w) =>
      cut(w, 100, {
        failure: reset,
        connection: busy,
        around: siblings({ stood: 3, reset: 3 }, { stood: 5, reset: 5 }),
      }),
  },
  {
    what: 'this process stood still past the idle timer',
    may: ['local-host', 'peer-application', 'proxy'],
    seen: (w) => cut(w, 0.1, { failure: closed, connection: idle(3_000), around: { loopDelayMs: 4_000, lateMs: 2 } }),
  },
  {
    what: 'this process stood still after the dial',
    may: ['local-host'],
    mustFrom: 5,
    seen: (w) =>
      cut(w, 0.1, { failure: closed, connection: { ageMs: 1_400 }, around: { loopDelayMs: 1_300, lateMs: 1_300 } }),
  },
  {
    what: 'slept with connections open',
    may: ['local-host', 'peer-application', 'proxy', 'path'],
    seen: (w) => cut(w, w.rtt, { failure: reset, connection: idle(60_000), around: { clockJumpMs: 3_600_000 } }),
  },
  {
    what: 'close_notify on a fresh connection',
    may: ['peer-application', 'proxy', 'tls-peer'],
    seen: (w) => cut(w, w.rtt + 30, { failure: closed, around: tls('established', { closeNotify: true }) }),
  },
  {
    what: 'bare FIN on a TLS connection at work',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, w.rtt + 30, { failure: closed, connection: busy, around: tls('established', { closeNotify: false }) }),
  },
  {
    what: 'FIN after our hello',
    may: ['tls-peer', 'peer-application', 'proxy'],
    seen: (w) =>
      dialled(w, w.rtt + 3, {
        failure: { ...closed, phase: 'tls' },
        evidence: { ending: 'fin' },
        around: { ...tls('hello-sent'), minRttMs: w.rtt + 1, rttFrom: 'connect' },
      }),
  },
  {
    what: 'RST after our hello, a round trip later',
    may: ['tls-peer', 'peer-application', 'proxy'],
    seen: (w) =>
      dialled(w, w.rtt + 3, {
        failure: { ...reset, phase: 'tls' },
        evidence: { ending: 'rst' },
        around: {
          ...tls('hello-sent'),
          sinceLastWriteMs: w.rtt + 0.6 + w.late / 2,
          minRttMs: w.rtt + 0.8 + w.late / 2,
          rttAtLeastMs: Math.max(0, w.rtt - w.late / 2),
          rttFrom: 'connect',
        },
      }),
  },
  {
    what: 'RST in the handshake after the server hello',
    may: ['tls-peer', 'peer-application', 'proxy'],
    seen: (w) =>
      dialled(w, 2 * w.rtt + 5, {
        failure: { ...reset, phase: 'tls' },
        evidence: { ending: 'rst' },
        around: { ...tls('server-answered'), sinceLastWriteMs: w.rtt + 1, minRttMs: w.rtt + 1, rttFrom: 'connect' },
      }),
  },
  {
    what: 'accept and FIN at once',
    may: ['peer-application', 'proxy'],
    seen: (w) => cut(w, 0.1 * w.rtt, { failure: closed }),
  },
  {
    what: 'a restart: reset, then the same again on a new connection',
    may: app,
    seen: (w) =>
      cut(w, w.rtt + 10, {
        failure: reset,
        attempts: [
          { kind: 'reset', phase: 'wait', connection: peer },
          { kind: 'reset', phase: 'wait' },
        ],
      }),
  },
  {
    what: 'FIN through a tunnel, after idle',
    may: ['proxy'],
    mustFrom: 5,
    seen: (w) =>
      cut(w, 0.5 * w.rtt, {
        failure: closed,
        connection: { ...idle(5_000), proxy: 'http://p:3128' },
        around: { tunnel: 'made' },
      }),
  },
  {
    what: 'one upload is reset each time, others pass',
    may: ['peer-application', 'path'],
    seen: (w) =>
      cut(w, w.rtt, {
        failure: reset,
        connection: busy,
        around: { learned: { sameRequest: { cut: 5, answered: 0, othersAnswered: 50 } } },
      }),
  },
  {
    what: 'Windows: a reset, whoever',
    may: ['peer-application'],
    seen: (w) => cut(w, w.rtt, { failure: { ...reset, errno: -4077 }, around: { platform: 'win32' } }),
  },
  {
    what: 'RST from a loopback peer',
    may: app,
    mustFrom: 0,
    seen: (w) => cut(w, 3, { failure: reset, connection: { ...busy, remoteAddress: '127.0.0.1' } }),
  },
  {
    what: 'RST by a sidecar on loopback whose upstream failed',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      cut(w, 3, {
        failure: reset,
        connection: { ...busy, remoteAddress: '127.0.0.1' },
        around: { headers: { server: 'envoy', marks: ['x-envoy-upstream-service-time'] } },
      }),
  },
]
