/** The stories in which this host did it, or this very program. */

import type { StoryRow } from './story-row.js'

const host = { party: 'local-host', side: 'local' } as const

export const storiesOfHere = {
  'local-filter': {
    ...host,
    says: 'a packet filter or security software of this host turned it away',
    prior: [0.5, 4, 0, 1.5, 1, 0.5, 0.7, 0.7, 0.7],
    ends: {
      refused: 0.4,
      icmp: 0.3,
      'local-refused': 0.6,
      'rst-too-fast': 0.5,
      silence: 0.35,
      'local-timeout': 0.5,
      'local-aborted': 0.1,
    },
  },
  'local-socket-killed': {
    ...host,
    says: 'something on this host killed the connection (ss -K, a VPN or network manager, a container network)',
    prior: [0, 0.5, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    ends: { 'local-aborted': 0.9 },
  },
  'local-network-changed': {
    ...host,
    says: "this host's own network went away under the connection (an address or route lost, a sleep, a VPN)",
    prior: [1, 4, 0, 1, 1, 1, 3, 1.5, 2],
    ends: { 'local-refused': 0.6, silence: 0.5, 'local-timeout': 0.7, icmp: 0.2, 'local-aborted': 0.2 },
  },
  'local-stall': {
    ...host,
    says: 'this process was blocked for so long that the other end had given the connection up, or our limit ran out',
    prior: [0, 0.5, 0, 0.3, 0.5, 0.5, 3, 0.3, 0.3],
    ends: { fin: 0.5, 'fin-then-rst': 0.3, 'rst-too-fast': 0.1, 'rst-solicited': 0.1, silence: 0.6 },
  },
  'local-resources': {
    ...host,
    says: 'this host has run out of something: file descriptors, ports, memory',
    prior: [0.3, 3, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2],
    ends: { 'local-refused': 0.95 },
  },
  'nothing-listening-here': {
    ...host,
    says: 'nothing listens on that port of this very host',
    prior: [0, 0.5, 0, 0, 0, 0, 0, 0, 0],
    ends: { refused: 0.95 },
  },
  self: {
    party: 'self',
    side: 'self',
    says: 'this program ended it itself (an abort, a closed client, a limit that is too short)',
    prior: [2, 2, 2, 2, 2, 2, 2, 2, 2],
    ends: { self: 1, silence: 0.1 },
  },
} as const satisfies Record<string, StoryRow>
