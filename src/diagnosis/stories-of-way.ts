/** The stories in which something between here and the server did it: proxies, balancers, NATs, filters, the name service. */

import type { StoryRow } from './story-row.js'

const proxy = { party: 'proxy', side: 'load-balancer' } as const
const balancer = { party: 'path', side: 'load-balancer' } as const
const network = { party: 'path', side: 'network' } as const
const names = { party: 'name-service', side: 'network' } as const

export const storiesOfWay = {
  'proxy-idle-timer': {
    ...proxy,
    traits: ['by-idling', 'by-limit', 'forwarder'],
    says: 'a proxy in front of the server closed the idle connection just as the request was on its way',
    prior: [0, 0, 0, 0, 0, 0.5, 9, 0.5, 0],
    ends: { fin: 0.5, 'fin-then-rst': 0.3, 'rst-too-fast': 0.15, 'rst-solicited': 0.05, 'rst-unsolicited': 0.03 },
  },
  'proxy-upstream-failed': {
    ...proxy,
    traits: ['forwarder'],
    says: 'a proxy in front of the server failed, or lost its own connection to the server',
    prior: [0, 0.5, 5, 3, 11, 10, 3, 6, 18],
    ends: { 'app-protocol': 0.5, fin: 0.35, 'rst-unsolicited': 0.2, 'rst-solicited': 0.1, silence: 0.1 },
  },
  'proxy-silent': {
    ...proxy,
    traits: ['forwarder'],
    says: 'a proxy in front of the server took the request and does not answer',
    prior: [0, 0.3, 25, 2, 4, 4, 3, 3, 4],
    ends: { silence: 0.9 },
  },
  'proxy-refused-tunnel': {
    ...proxy,
    says: 'the proxy did not make the tunnel',
    prior: [0, 1, 65, 0.2, 0, 0, 0, 0, 0],
    ends: { 'app-protocol': 0.9, fin: 0.5, 'rst-solicited': 0.4, 'rst-unsolicited': 0.4, silence: 0.3, refused: 0.3 },
  },
  'proxy-unreachable': {
    ...proxy,
    says: 'the proxy is not there, or cannot be reached',
    prior: [0, 0.2, 25, 0, 0, 0, 0, 0, 0],
    ends: { refused: 0.8, silence: 0.7, 'local-timeout': 0.7, icmp: 0.6 },
  },
  'balancer-flow-expired': {
    ...balancer,
    traits: ['by-idling', 'forgotten'],
    says: 'a load balancer had dropped the idle flow from its table',
    prior: [0, 0, 0, 0, 0, 0, 10, 0.3, 0.5],
    ends: { 'rst-solicited': 0.6, 'rst-too-fast': 0.3, silence: 0.1, 'local-timeout': 0.1 },
  },
  'balancer-target-gone': {
    ...balancer,
    traits: ['forgotten'],
    says: 'a load balancer no longer had the server that this connection went to (deregistered, unhealthy, re-hashed)',
    prior: [0, 4, 0, 3, 4, 5, 4, 3, 4],
    ends: {
      'rst-solicited': 0.35,
      'rst-unsolicited': 0.15,
      'rst-too-fast': 0.15,
      fin: 0.08,
      refused: 0.5,
      silence: 0.15,
    },
  },
  'nat-state-expired': {
    ...network,
    traits: ['by-idling', 'forgotten'],
    says: 'a NAT or firewall had forgotten the idle flow and answered with a reset',
    prior: [0, 0, 0, 0, 0.2, 0, 6, 0.2, 0.5],
    ends: { 'rst-solicited': 0.35, 'rst-too-fast': 0.6 },
  },
  'nat-state-dropped': {
    ...network,
    traits: ['by-idling', 'forgotten'],
    says: 'a NAT or firewall had forgotten the flow and now drops its packets without a word',
    prior: [0, 0, 0, 0.3, 0.5, 0.5, 6, 0.5, 1.5],
    ends: { silence: 0.9, 'local-timeout': 0.9 },
  },
  'nat-remapped': {
    ...network,
    traits: ['forgotten'],
    says: "a NAT gave the flow another port, so that the server's own kernel did not know it",
    prior: [0, 0, 0, 0.2, 0.5, 0.7, 3, 0.3, 0.5],
    ends: { 'rst-solicited': 0.85, silence: 0.1 },
  },
  'filter-rejects': {
    ...network,
    says: 'a firewall on the way rejects this traffic',
    prior: [0, 15, 0, 4, 4, 3, 1, 1.5, 1],
    ends: {
      refused: 0.45,
      icmp: 0.7,
      'rst-too-fast': 0.35,
      'rst-solicited': 0.2,
      'rst-unsolicited': 0.1,
      // Of ICMP in the middle of a connection the kernel says nothing until it gives up.
      silence: 0.1,
      'local-timeout': 0.2,
    },
  },
  'filter-drops': {
    ...network,
    says: 'a firewall on the way drops this traffic without a word',
    prior: [0, 12, 0, 3, 3, 1.5, 2, 2, 2],
    ends: { silence: 0.9, 'local-timeout': 0.9 },
  },
  'injected-reset': {
    ...network,
    says: 'a device on the way injected the reset because of what was sent (inspection, censorship)',
    prior: [0, 0.5, 0, 5, 4.5, 2.5, 0.2, 1, 1],
    ends: { 'rst-too-fast': 0.8, 'rst-solicited': 0.12, 'rst-unsolicited': 0.05 },
  },
  'path-down': {
    ...network,
    traits: ['cut-off'],
    says: 'the way to the server is broken (a lost route, a cut)',
    prior: [0, 14, 0, 4, 4, 3, 3, 6, 7],
    ends: { silence: 0.85, 'local-timeout': 0.9, icmp: 0.8 },
  },
  'packets-too-large': {
    ...network,
    says: 'large packets are lost on the way, and nobody says so (an MTU black hole)',
    prior: [0, 0, 0, 1.5, 0.4, 0.4, 0.4, 3, 0.5],
    ends: { silence: 0.95, 'local-timeout': 0.95 },
  },
  'name-unknown': {
    ...names,
    says: 'the name service says that there is no such name',
    prior: [55, 0.3, 0, 0, 0, 0, 0, 0, 0],
    ends: { 'app-protocol': 0.95 },
  },
  'name-service-failed': {
    ...names,
    says: 'the name service failed, or did not answer in time',
    prior: [45, 1, 0, 0, 0, 0, 0, 0, 0],
    ends: { silence: 0.95, 'app-protocol': 0.2, 'local-timeout': 0.9 },
  },
} as const satisfies Record<string, StoryRow>
