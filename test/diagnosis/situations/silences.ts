/** Nothing came. */

import {
  acknowledged,
  busy,
  dialled,
  idle,
  others,
  type Situation,
  siblings,
  tell,
  timedOut,
  unacknowledged,
  unsent,
  waited,
} from './world.js'

const app = ['peer-application'] as const
const l = 1_500
export const silences: readonly Situation[] = [
  {
    what: 'the application hangs; its kernel has the request',
    may: app,
    mustFrom: 0,
    seen: (w) => waited(w, l, { around: { row: acknowledged } }),
  },
  {
    what: 'the application is slow, on a connection that was used before',
    may: app,
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: busy, around: { row: acknowledged, ...others } }),
  },
  {
    what: 'a handler hangs while others are answered',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, { connection: busy, around: { row: acknowledged, ...siblings({ stood: 3, answered: 3 }) } }),
  },
  {
    what: 'a slow application behind ALB',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: acknowledged, headers: { server: 'nginx', marks: ['x-amzn-trace-id'] } },
      }),
  },
  {
    what: 'a slow application behind a gateway that names itself',
    may: ['peer-application', 'proxy'],
    seen: (w) => waited(w, l, { connection: busy, around: { row: acknowledged, headers: { via: '1.1 gw' } } }),
  },
  {
    what: 'a stopped process does not read an upload',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        evidence: { bytes: { sent: 900_000 } },
        around: { requestWritten: false, row: { state: 'established', unacknowledged: 200_000, timer: 'zero-window' } },
      }),
  },
  {
    what: 'after long idle the application hangs',
    may: app,
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: idle(30_000), around: { row: acknowledged } }),
  },
  {
    what: 'the peer host loses power',
    may: ['peer-host', 'path'],
    seen: (w) => waited(w, l, { connection: busy, around: { row: unacknowledged } }),
  },
  {
    what: 'the peer host loses power, other places answer',
    may: ['peer-host', 'path'],
    seen: (w) => waited(w, l, { connection: busy, around: { row: unacknowledged, ...others } }),
  },
  {
    what: 'the peer host loses power; dials to it fail too',
    may: ['peer-host', 'path'],
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: unacknowledged, ...siblings({ stood: 2, failed: 2 }, { stood: 2, answered: 2 }) },
      }),
  },
  {
    what: 'a filter drops this flow; others to the peer go on',
    may: ['path'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, { connection: busy, around: { row: unacknowledged, ...siblings({ stood: 3, answered: 3 }) } }),
  },
  {
    what: 'a NAT forgot the idle flow; a new connection works',
    may: ['path'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        connection: idle(400_000),
        around: { row: unacknowledged, reconnect: { outcome: 'connected', afterMs: 3 } },
      }),
  },
  {
    what: 'a NAT forgot the idle flow',
    may: ['path'],
    seen: (w) => waited(w, l, { connection: idle(400_000), around: { row: unacknowledged, ...others } }),
  },
  {
    what: 'a cable is cut',
    may: ['path', 'local-host'],
    seen: (w) =>
      waited(w, l, { connection: busy, around: { row: unacknowledged, ...siblings({}, { stood: 3, failed: 2 }) } }),
  },
  {
    what: 'own Wi-Fi gone',
    may: ['path', 'local-host'],
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: unacknowledged, ...siblings({ failed: 2 }, { stood: 3, failed: 3 }) },
      }),
  },
  {
    what: 'own route lost',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: busy, around: { row: unsent, counters: { 'Ip.OutNoRoutes': 4 } } }),
  },
  {
    what: 'own IPv6 route lost',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: busy, around: { row: unsent, counters: { 'Ip6.OutNoRoutes': 4 } } }),
  },
  {
    what: 'own filter drops',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: busy, around: { row: unsent, counters: { 'Ip.OutStopped': 4 } } }),
  },
  {
    what: 'own filter drops, old kernel',
    may: ['local-host'],
    seen: (w) => waited(w, l, { connection: busy, around: { row: unsent } }),
  },
  {
    what: 'own filter drops what comes in (INPUT)',
    may: ['path', 'peer-host', 'local-host'],
    seen: (w) => waited(w, l, { connection: busy, around: { row: unacknowledged } }),
  },
  {
    what: 'no row, nothing known',
    may: app,
    seen: (w) => waited(w, l, { around: { platform: 'darwin' } }),
  },
  {
    what: 'no row; the way holds',
    may: app,
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, { connection: busy, around: { platform: 'darwin', ...siblings({ stood: 2, answered: 2 }) } }),
  },
  {
    what: 'large upload is lost, small ones pass (MTU)',
    may: ['path'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        evidence: { bytes: { sent: 20_000 } },
        around: { row: { ...unacknowledged, unacknowledged: 20_000 }, ...siblings({ stood: 3, answered: 3 }) },
      }),
  },
  {
    what: 'MTU black hole, alone',
    may: ['path', 'peer-host'],
    seen: (w) =>
      waited(w, l, {
        evidence: { bytes: { sent: 20_000 } },
        around: { row: { ...unacknowledged, unacknowledged: 20_000 } },
      }),
  },
  {
    what: 'the lid was closed',
    may: ['local-host'],
    seen: (w) => waited(w, l, { connection: idle(5_000), around: { row: unacknowledged, clockJumpMs: 900_000 } }),
  },
  {
    what: 'the loop stood still through the limit',
    may: ['local-host', 'self'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { around: { loopDelayMs: 1_450, lateMs: 1_450, row: { ...acknowledged, unread: 400 } } }),
  },
  {
    what: 'the answer lies unread in the kernel',
    may: ['local-host', 'self'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { loopDelayMs: 300, lateMs: 300, row: { ...acknowledged, unread: 400 } },
      }),
  },
  {
    what: 'a limit below the round trip',
    may: ['self', 'local-host'],
    seen: (w) => waited(w, Math.max(1, 0.5 * w.rtt), { connection: busy, around: { row: unacknowledged } }),
  },
  {
    what: 'silence in an answer',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200 },
        around: { sinceLastReadMs: l, row: acknowledged },
      }),
  },
  {
    what: "silence in an answer; the peer's kernel answers a probe",
    may: app,
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200, phase: 'body' },
        around: {
          row: { ...acknowledged, timer: 'keepalive', probed: true },
          counters: { 'TcpExt.TCPKeepAlive': 1 },
        },
      }),
  },
  {
    what: 'silence in an answer; a probe was asked for, and none was sent',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200, phase: 'body' },
        around: { row: { ...acknowledged, timer: 'keepalive', probed: true } },
      }),
  },
  {
    what: "silence in an answer; the peer's kernel does not answer a probe",
    may: ['path', 'peer-host'],
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200, phase: 'body' },
        around: { row: { ...acknowledged, timer: 'keepalive', retransmits: 1, probed: true } },
      }),
  },
  {
    what: "the request was acknowledged long ago; now the peer's kernel does not answer a probe",
    may: ['path', 'peer-host'],
    seen: (w) =>
      waited(w, 30_000, {
        connection: busy,
        around: { row: { ...acknowledged, timer: 'keepalive', retransmits: 2, probed: true } },
      }),
  },
  {
    what: 'own filter drops what comes in, and is counted',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: unacknowledged, counters: { 'Tcp.RetransSegs': 3, 'TcpExt.TCPTimeouts': 2, 'Ip.InStopped': 3 } },
      }),
  },
  {
    what: 'nothing comes from other places either',
    may: ['path', 'local-host'],
    seen: (w) =>
      waited(w, l, { connection: busy, around: { row: unacknowledged, ...siblings({}, { stood: 2, silent: 2 }) } }),
  },
  {
    what: 'silence in an answer, no row',
    may: ['peer-application', 'proxy', 'path'],
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200 },
        around: { sinceLastReadMs: l },
      }),
  },
  {
    what: 'silence in an answer; others to it are answered',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      waited(w, l, {
        failure: { phase: 'body' },
        evidence: { limit: 'body', status: 200 },
        around: { sinceLastReadMs: l, ...siblings({ stood: 3, answered: 3 }) },
      }),
  },
  {
    what: 'the kernel gives up, sent again',
    may: ['peer-host', 'path'],
    seen: (w) =>
      tell(w, {
        failure: timedOut,
        connection: busy,
        around: { counters: { 'Tcp.RetransSegs': 15, 'TcpExt.TCPAbortOnTimeout': 1, 'TcpExt.TCPTimeouts': 15 } },
      }),
  },
  {
    what: 'the kernel gives up, nothing left',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      tell(w, { failure: timedOut, connection: busy, around: { counters: { 'TcpExt.TCPAbortOnTimeout': 1 } } }),
  },
  {
    what: 'the kernel gives up, no route',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      tell(w, {
        failure: timedOut,
        connection: busy,
        around: { counters: { 'TcpExt.TCPAbortOnTimeout': 1, 'Ip.OutNoRoutes': 4 } },
      }),
  },
  {
    what: 'keepalive probes are not answered',
    may: ['peer-host', 'path'],
    seen: (w) =>
      tell(w, {
        failure: timedOut,
        connection: idle(70_000),
        around: { counters: { 'TcpExt.TCPKeepAlive': 10, 'TcpExt.TCPAbortOnTimeout': 1, 'Tcp.OutRsts': 1 } },
      }),
  },
  {
    what: 'ETIMEDOUT without anything known',
    may: ['peer-host', 'path'],
    seen: (w) => tell(w, { failure: timedOut, connection: busy, around: { platform: 'darwin' } }),
  },
  {
    what: 'ICMP in the middle, until our limit',
    may: ['path', 'peer-host'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: unacknowledged, counters: { 'Icmp.InDestUnreachs': 3, 'Tcp.RetransSegs': 3 } },
      }),
  },
  {
    what: 'EHOSTUNREACH on a read: a filter or a dead host',
    may: ['path', 'peer-host'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'unreachable', phase: 'wait', code: 'EHOSTUNREACH', syscall: 'read', errno: -113 },
        connection: busy,
        around: { counters: { 'Icmp.InDestUnreachs': 5 } },
      }),
  },
  {
    what: 'own REJECT (ICMP) in the middle',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      waited(w, l, {
        connection: busy,
        around: { row: unsent, counters: { 'Icmp.InDestUnreachs': 4, 'Icmp.OutDestUnreachs': 4, 'Ip.OutStopped': 4 } },
      }),
  },
  {
    what: 'connected, queued, never accepted (full accept queue)',
    may: ['peer-application', 'peer-host'],
    seen: (w) => waited(w, l, { around: { row: acknowledged } }),
  },
  {
    what: 'TLS handshake: hello acknowledged, no word',
    may: ['tls-peer', 'peer-application', 'proxy'],
    seen: (w) =>
      dialled(w, l, {
        failure: { kind: 'timeout', phase: 'tls' },
        evidence: { limit: 'connect', limitMs: l },
        around: { row: acknowledged, tls: { stage: 'hello-sent' }, minRttMs: w.rtt + 1, rttFrom: 'connect' },
      }),
  },
  {
    what: 'TLS handshake: hello not acknowledged',
    may: ['path', 'peer-host'],
    seen: (w) =>
      dialled(w, l, {
        failure: { kind: 'timeout', phase: 'tls' },
        evidence: { limit: 'connect', limitMs: l },
        around: {
          row: { ...unacknowledged, unacknowledged: 1_700 },
          tls: { stage: 'hello-sent' },
          minRttMs: w.rtt + 1,
          rttFrom: 'connect',
        },
      }),
  },
  {
    what: 'TLS handshake: the certificate does not come (MTU on the way back)',
    may: ['tls-peer', 'peer-application', 'proxy', 'path'],
    seen: (w) =>
      dialled(w, l, {
        failure: { kind: 'timeout', phase: 'tls' },
        evidence: { limit: 'connect', limitMs: l },
        around: { row: acknowledged, tls: { stage: 'hello-sent' }, minRttMs: w.rtt + 1, rttFrom: 'connect', ...others },
      }),
  },
  {
    what: 'a proxy does not answer CONNECT',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, l, {
        failure: { kind: 'timeout', phase: 'proxy' },
        evidence: { limit: 'connect', limitMs: l },
        connection: { proxy: 'http://proxy:3128' },
        around: { tunnel: 'asked', row: acknowledged },
      }),
  },
  {
    what: 'behind a tunnel the application hangs',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      waited(w, l, { connection: { proxy: 'http://proxy:3128' }, around: { tunnel: 'made', row: acknowledged } }),
  },
  {
    what: 'a port of this host hangs',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: { ...busy, remoteAddress: '127.0.0.1' }, around: { row: acknowledged } }),
  },
  {
    what: 'a port of this host hangs, no row',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) => waited(w, l, { connection: { ...busy, remoteAddress: '127.0.0.1' } }),
  },
  {
    what: 'a whole minute without an answer: upstream of a proxy',
    may: ['peer-application', 'proxy'],
    seen: (w) => waited(w, 60_000, { connection: busy, around: { row: acknowledged } }),
  },
]
