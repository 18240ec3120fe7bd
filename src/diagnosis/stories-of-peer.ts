/** The stories in which the other end did it: its application, its host, or its TLS. Priors: services in a cloud. */

import type { StoryRow } from './story-row.js'

const application = { party: 'peer-application', side: 'peer' } as const
const host = { party: 'peer-host', side: 'peer' } as const

export const storiesOfPeer = {
  'peer-application-aborted': {
    ...application,
    says: 'the server application broke the connection off itself (an exception, a destroyed socket, a limit of its own)',
    prior: [0, 0, 0, 6, 30, 28, 4, 18, 22],
    ends: { 'rst-solicited': 0.35, 'rst-unsolicited': 0.35, 'rst-too-fast': 0.003, fin: 0.3, 'fin-then-rst': 0.05 },
  },
  'peer-rejected-early': {
    ...application,
    says: 'the server answered or gave up before it had read the whole request, and its answer was lost in the reset',
    prior: [0, 0, 0, 0, 5, 5, 1, 40, 0.3],
    ends: { 'rst-solicited': 0.35, 'rst-unsolicited': 0.35, 'rst-too-fast': 0.005, fin: 0.15, 'fin-then-rst': 0.25 },
  },
  'peer-idle-timer': {
    ...application,
    traits: ['by-idling', 'by-limit'],
    says: 'the server closed the idle connection just as the request was on its way (the keep-alive race)',
    prior: [0, 0, 0, 0, 0, 2, 38, 2, 0],
    // A timer ends with a FIN, and the FIN is seen first: an RST alone, and a whole round trip later, is not its way.
    ends: { fin: 0.6, 'fin-then-rst': 0.3, 'rst-too-fast': 0.08, 'rst-solicited': 0.02, 'rst-unsolicited': 0.01 },
  },
  'peer-connection-cap': {
    ...application,
    traits: ['by-limit'],
    says: 'the connection had reached the number of requests, or the age, at which the server closes it',
    prior: [0, 0, 0, 0, 0.3, 10, 6, 2, 0.5],
    ends: { fin: 0.7, 'fin-then-rst': 0.2, 'rst-too-fast': 0.03, 'rst-solicited': 0.04, 'rst-unsolicited': 0.02 },
  },
  'peer-process-gone': {
    ...application,
    traits: ['exit'],
    says: 'the server process ended (a crash, a kill, a restart, a deploy)',
    prior: [0, 13, 0, 8, 13, 18, 7, 10, 25],
    ends: {
      refused: 0.75,
      fin: 0.5,
      'fin-then-rst': 0.15,
      'rst-unsolicited': 0.25,
      'rst-solicited': 0.1,
      'rst-too-fast': 0.003,
    },
  },
  'peer-application-silent': {
    ...application,
    says: 'the server application does not answer (it hangs, is stopped, is slow, or waits for something itself)',
    prior: [0, 0.5, 0, 10, 30, 30, 18, 14, 22],
    ends: { silence: 0.95 },
  },
  'peer-said-no': {
    ...application,
    says: 'the server itself said so, in the words of the protocol',
    prior: [0, 0, 0, 1, 25, 25, 20, 20, 20],
    ends: { 'app-protocol': 0.9 },
  },
  'peer-speaks-otherwise': {
    ...application,
    says: 'what answers there speaks something else than HTTP, or breaks its rules',
    prior: [0, 0, 0, 1, 6, 4, 1, 2, 8],
    ends: { 'app-protocol': 0.3 },
  },
  'peer-host-lost-state': {
    ...host,
    traits: ['forgotten'],
    says: "the server's host no longer knew the connection (a reboot, a replaced machine, a fail-over)",
    prior: [0, 0, 0, 0.5, 1, 4, 6, 1, 2],
    ends: {
      'rst-solicited': 0.9,
      'rst-unsolicited': 0.05,
      'rst-too-fast': 0.003,
      silence: 0.02,
      'local-timeout': 0.02,
    },
  },
  'peer-host-down': {
    ...host,
    traits: ['cut-off'],
    says: "the server's host is off, unplugged or gone",
    prior: [0, 13, 0, 3, 4, 4, 5, 4, 6],
    ends: { silence: 0.85, 'local-timeout': 0.8, icmp: 0.4 },
  },
  'peer-host-overloaded': {
    ...host,
    says: "the server's kernel had no room (accept queue, memory), or its listener was being closed",
    prior: [0, 8, 0, 4, 5, 2, 1, 2, 1],
    ends: { silence: 0.4, 'local-timeout': 0.4, 'rst-unsolicited': 0.2, 'rst-solicited': 0.15, refused: 0.05 },
  },
  'peer-host-filter': {
    ...host,
    says: "a packet filter on the server's own host turned it away",
    prior: [0, 6, 0, 0.5, 1, 0.7, 1, 0.5, 0.5],
    ends: { silence: 0.4, 'local-timeout': 0.4, refused: 0.3, icmp: 0.25, 'rst-solicited': 0.5 },
  },
  'peer-connection-killed': {
    ...host,
    says: "something on the server's host killed the connection (its kernel for want of memory, ss -K, a container network)",
    prior: [0, 0, 0, 1, 2, 2.5, 1, 1, 2],
    ends: { 'rst-unsolicited': 0.8, 'rst-solicited': 0.2 },
  },
  'nothing-listening': {
    ...host,
    says: "nothing listens on that port of the server's host",
    prior: [0, 28, 0, 0, 0, 0, 0, 0, 0],
    ends: { refused: 0.95 },
  },
  'tls-refused': {
    party: 'tls-peer',
    side: 'peer',
    says: 'the TLS endpoint and this client do not agree (certificate, versions, name, or no TLS there at all)',
    prior: [0, 0, 0, 30, 0.3, 0.1, 0.1, 0.1, 0.1],
    ends: { 'app-protocol': 0.95, fin: 0.25, 'rst-solicited': 0.25, 'rst-unsolicited': 0.15, silence: 0.12 },
  },
} as const satisfies Record<string, StoryRow>
