/** Connections that were not made. */

import { dialled, others, peer, refused, type Situation, siblings } from './world.js'

const t = { failure: { kind: 'timeout', phase: 'connect' }, evidence: { limit: 'connect', limitMs: 1_500 } } as const
const syn = { row: { state: 'syn-sent', retransmits: 1, timer: 'retransmit' } } as const
const unr = (code: string) => ({ kind: 'unreachable', phase: 'connect', code, syscall: 'connect', errno: -1 }) as const
export const dials: readonly Situation[] = [
  {
    what: 'nothing listens',
    may: ['peer-host', 'peer-application'],
    seen: (w) => dialled(w, w.rtt, { failure: refused, around: { counters: { 'Tcp.AttemptFails': 1 } } }),
  },
  {
    what: 'nothing listens; other places work',
    may: ['peer-host', 'peer-application'],
    seen: (w) => dialled(w, w.rtt, { failure: refused, around: { counters: { 'Tcp.AttemptFails': 1 }, ...others } }),
  },
  {
    what: 'a filter on the way refuses by reset, sooner than the host',
    may: ['path', 'local-host'],
    mustFrom: 20,
    seen: (w) =>
      dialled(w, 0.2 * w.rtt, {
        failure: refused,
        around: { counters: { 'Tcp.AttemptFails': 1 }, minRttMs: w.rtt + 1, rttAtLeastMs: w.rtt, rttFrom: 'connect' },
      }),
  },
  {
    what: 'the process crashed: its host had accepted connections',
    may: ['peer-application', 'peer-host'],
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        around: { counters: { 'Tcp.AttemptFails': 1 }, minRttMs: w.rtt + 1, rttFrom: 'connect' },
      }),
  },
  {
    what: 'nothing listens, a round trip away',
    may: ['peer-host', 'peer-application'],
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        around: { counters: { 'Tcp.AttemptFails': 1 }, minRttMs: w.rtt + 1, rttAtLeastMs: w.rtt, rttFrom: 'answer' },
      }),
  },
  {
    what: 'the process crashed, its connections ended just before',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        around: {
          counters: { 'Tcp.AttemptFails': 1 },
          minRttMs: w.rtt + 1,
          rttFrom: 'connect',
          ...siblings({ stood: 4, closed: 3, reset: 1 }),
        },
      }),
  },
  {
    what: 'reset, then refused',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        attempts: [
          { kind: 'closed', phase: 'wait', connection: peer },
          { kind: 'refused', phase: 'connect' },
        ],
      }),
  },
  {
    what: 'refused by ICMP from the way',
    may: ['path', 'peer-host'],
    mustFrom: 0,
    seen: (w) => dialled(w, w.rtt, { failure: refused, around: { counters: { 'Icmp.InDestUnreachs': 1 } } }),
  },
  {
    what: 'refused by our own ICMP',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0.1, {
        failure: refused,
        around: { counters: { 'Icmp.InDestUnreachs': 1, 'Icmp.OutDestUnreachs': 1 } },
      }),
  },
  {
    what: 'refused by our own filter with a reset',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0.1, { failure: refused, around: { counters: { 'Ip.OutStopped': 1, 'Tcp.AttemptFails': 1 } } }),
  },
  {
    what: 'an internet address refuses at once',
    may: ['local-host', 'path'],
    mustFrom: 0,
    seen: (w) => dialled({ ...w, late: 0 }, 0.1, { failure: refused, connection: { remoteAddress: '203.0.113.9' } }),
  },
  {
    what: 'nothing listens on this host',
    may: ['local-host', 'peer-application'],
    mustFrom: 0,
    seen: (w) => dialled(w, 0.1, { failure: refused, connection: { remoteAddress: '127.0.0.1' } }),
  },
  {
    what: 'nothing listens on this host, v6',
    may: ['local-host', 'peer-application'],
    mustFrom: 0,
    seen: (w) => dialled(w, 0.1, { failure: refused, connection: { remoteAddress: '::1' } }),
  },
  {
    what: 'new connections are refused, old ones go on (a drain)',
    may: ['peer-application', 'peer-host', 'path'],
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        around: { minRttMs: w.rtt + 1, rttFrom: 'connect', ...siblings({ stood: 4, answered: 2 }) },
      }),
  },
  {
    what: 'refused behind a reset of an earlier attempt by a middlebox',
    may: ['peer-application'],
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        attempts: [
          { kind: 'reset', phase: 'wait', connection: peer },
          { kind: 'refused', phase: 'connect' },
        ],
      }),
  },
  {
    what: 'refused at three attempts',
    may: ['peer-host', 'peer-application'],
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        attempts: [
          { kind: 'refused', phase: 'connect' },
          { kind: 'refused', phase: 'connect' },
          { kind: 'refused', phase: 'connect' },
        ],
      }),
  },
  {
    what: 'the SYN is dropped, anybody',
    may: [],
    seen: (w) => dialled(w, 1500, { ...t, around: { ...syn, counters: { 'TcpExt.TCPSynRetrans': 1 } } }),
  },
  {
    what: 'the SYN is dropped; other places work',
    may: ['path', 'peer-host'],
    seen: (w) => dialled(w, 1500, { ...t, around: { ...syn, ...others } }),
  },
  {
    what: 'the SYN is dropped; other connections to the peer are answered',
    may: ['peer-host', 'path', 'peer-application'],
    seen: (w) => dialled(w, 1500, { ...t, around: { ...syn, ...siblings({ stood: 3, answered: 3 }) } }),
  },
  {
    what: 'the process ended with all its connections a few seconds before',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: refused,
        around: { learned: { endedTogether: { connections: 6, agoMs: 4_000, times: 1 } } },
      }),
  },
  {
    what: 'dials to many places fail',
    may: ['path', 'local-host'],
    seen: (w) => dialled(w, 1500, { ...t, around: { ...syn, ...siblings({ failed: 2 }, { failed: 6 }) } }),
  },
  {
    what: 'own filter drops the SYN',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 1500, { ...t, around: { ...syn, counters: { 'TcpExt.TCPRetransFail': 1, 'Ip.OutStopped': 2 } } }),
  },
  {
    what: 'the kernel gave up on the SYN',
    may: ['path', 'peer-host'],
    seen: (w) =>
      dialled(w, 127_000, {
        failure: { kind: 'timeout', phase: 'connect', code: 'ETIMEDOUT', syscall: 'connect', errno: -110 },
        around: { counters: { 'TcpExt.TCPSynRetrans': 6, 'TcpExt.TCPAbortOnTimeout': 1 } },
      }),
  },
  {
    what: 'no ARP answer',
    may: ['peer-host', 'path'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 3_060, {
        failure: unr('EHOSTUNREACH'),
        around: { counters: { 'Icmp.InDestUnreachs': 1, 'Icmp.OutDestUnreachs': 1 } },
      }),
  },
  {
    what: 'a router does not find the host (ARP there)',
    may: ['peer-host', 'path'],
    seen: (w) =>
      dialled(w, 3_060 + w.rtt, { failure: unr('EHOSTUNREACH'), around: { counters: { 'Icmp.InDestUnreachs': 1 } } }),
  },
  {
    what: 'host unreachable at once',
    may: ['path', 'peer-host'],
    seen: (w) =>
      dialled(w, w.rtt, { failure: unr('EHOSTUNREACH'), around: { counters: { 'Icmp.InDestUnreachs': 1 } } }),
  },
  {
    what: 'net unreachable',
    may: ['path'],
    mustFrom: 5,
    seen: (w) => dialled(w, w.rtt, { failure: unr('ENETUNREACH'), around: { counters: { 'Icmp.InDestUnreachs': 1 } } }),
  },
  {
    what: 'protocol unreachable',
    may: ['path', 'peer-host'],
    mustFrom: 5,
    seen: (w) => dialled(w, w.rtt, { failure: unr('ENOPROTOOPT'), around: { counters: { 'Icmp.InDestUnreachs': 2 } } }),
  },
  {
    what: 'own REJECT host-unreachable',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled({ ...w, late: 0 }, 0.2, {
        failure: unr('EHOSTUNREACH'),
        around: { counters: { 'Icmp.InDestUnreachs': 1, 'Icmp.OutDestUnreachs': 1, 'Ip.OutStopped': 1 } },
      }),
  },
  {
    what: 'no route here',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, {
        failure: unr('ENETUNREACH'),
        around: { raw: { code: 'ENETUNREACH', syscall: 'connect', errno: -101, localSuffix: true } },
      }),
  },
  {
    what: 'EACCES here',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, {
        failure: { kind: 'local-resource', phase: 'connect', code: 'EACCES', syscall: 'connect' },
        around: { raw: { code: 'EACCES', syscall: 'connect', errno: -13, localSuffix: true } },
      }),
  },
  {
    what: 'ports run out',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, {
        failure: { kind: 'local-resource', phase: 'connect', code: 'EADDRNOTAVAIL', syscall: 'connect' },
        around: { raw: { code: 'EADDRNOTAVAIL', syscall: 'connect', errno: -99, localSuffix: true } },
      }),
  },
  {
    what: 'descriptors run out',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, { failure: { kind: 'local-resource', phase: 'connect', code: 'EMFILE', syscall: 'connect' } }),
  },
  {
    what: 'descriptors run out in the lookup',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, {
        failure: { kind: 'local-resource', phase: 'dns', code: 'EMFILE', syscall: 'getaddrinfo' },
        around: { lookedUp: false },
      }),
  },
  {
    what: 'the local address is not here',
    may: ['local-host'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 0, { failure: { kind: 'local-resource', phase: 'connect', code: 'EADDRNOTAVAIL', syscall: 'bind' } }),
  },
  {
    what: 'NXDOMAIN',
    may: ['name-service'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: { kind: 'dns', phase: 'dns', code: 'ENOTFOUND', syscall: 'getaddrinfo', temporary: false },
        unaddressed: true,
        around: { lookedUp: false },
      }),
  },
  {
    what: 'SERVFAIL',
    may: ['name-service'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: { kind: 'dns', phase: 'dns', code: 'EAI_AGAIN', syscall: 'getaddrinfo', temporary: true },
        unaddressed: true,
        around: { lookedUp: false },
      }),
  },
  {
    what: 'no resolver answers within our limit',
    may: ['name-service'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, 1_500, {
        failure: { kind: 'timeout', phase: 'dns' },
        evidence: { limit: 'connect', limitMs: 1_500 },
        unaddressed: true,
        around: { lookedUp: false },
      }),
  },
  {
    what: 'names fail because this host is offline',
    may: ['name-service', 'local-host'],
    seen: (w) =>
      dialled(w, 5, {
        failure: { kind: 'dns', phase: 'dns', code: 'EAI_AGAIN', syscall: 'getaddrinfo', temporary: true },
        unaddressed: true,
        around: { lookedUp: false, counters: { 'Ip.OutNoRoutes': 4 }, ...siblings({}, { failed: 6 }) },
      }),
  },
  {
    what: 'the proxy is not there',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) => dialled(w, w.rtt, { failure: refused, connection: { proxy: 'http://proxy:3128' } }),
  },
  {
    what: 'the proxy host does not answer',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) => dialled(w, 1_500, { ...t, connection: { proxy: 'http://proxy:3128' }, around: syn }),
  },
  {
    what: 'CONNECT 502',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: { kind: 'proxy', phase: 'proxy', proxyStatus: 502 },
        connection: { proxy: 'http://p:1' },
        around: { tunnel: 'asked' },
      }),
  },
  {
    what: 'the proxy resets the tunnel',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: { kind: 'reset', phase: 'proxy', code: 'ECONNRESET', syscall: 'read', errno: -104 },
        evidence: { ending: 'rst' },
        connection: { proxy: 'http://p:1' },
        around: { tunnel: 'asked' },
      }),
  },
  {
    what: 'the proxy closes instead of a tunnel',
    may: ['proxy'],
    mustFrom: 0,
    seen: (w) =>
      dialled(w, w.rtt, {
        failure: { kind: 'closed', phase: 'proxy' },
        evidence: { ending: 'fin' },
        connection: { proxy: 'http://p:1' },
        around: { tunnel: 'asked' },
      }),
  },
]
