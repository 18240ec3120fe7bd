// The way between the hosts: filters, forgers, cables.

import { addresses } from '../network.js'
import { path, post } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../stage.js').Stage} Stage */
/** @typedef {import('./scenario.js').Cast} Cast */

/**
 * Puts a rule about this peer on the router while the connection stands, then calls over it.
 *
 * @param {string} verdict
 */
const whileBusy =
  (verdict) =>
  async (/** @type {Stage} */ stage, /** @type {Cast} */ { far, caller }) => {
    await caller.good(far.url())
    await stage.network.filter('router', 'forward', `ip saddr ${addresses.caller} tcp dport ${far.port} ${verdict}`)
    return caller.call(far.url(), post)
  }

/**
 * Puts a rule about this peer on the router before anything was sent there.
 *
 * @param {string} verdict
 */
const beforeDial =
  (verdict) =>
  async (/** @type {Stage} */ stage, /** @type {Cast} */ { far, caller }) => {
    await stage.network.filter('router', 'forward', `ip saddr ${addresses.caller} tcp dport ${far.port} ${verdict}`)
    return caller.call(far.url(), post)
  }

/** The kernel's patience, cut short: it gives up before the caller does. */
const impatientKernel = 'sysctl -q -w net.ipv4.tcp_retries2=3 net.ipv4.tcp_syn_retries=1'
const patientCaller = { timeout: { connect: 8_000, headers: 8_000, body: 8_000 } }

/** @type {Scenario[]} */
export const pathScenarios = [
  {
    name: 'router-refuses-by-reset',
    says: 'a firewall on the way rejects the dial with a TCP reset',
    label: path('refused', 'filter-rejects', 'refused by a reset'),
    hosts: true,
    alone: true,
    provoke: beforeDial('reject with tcp reset'),
  },
  {
    name: 'router-refuses-by-icmp-port',
    says: 'a firewall on the way rejects the dial with ICMP port unreachable',
    label: path(['refused', 'icmp'], 'filter-rejects', 'refused by ICMP'),
    hosts: true,
    alone: true,
    provoke: beforeDial('reject with icmp type port-unreachable'),
  },
  {
    name: 'router-refuses-by-icmp-admin',
    says: 'a firewall on the way rejects the dial with ICMP administratively prohibited',
    label: path('icmp', 'filter-rejects', 'unreachable by ICMP'),
    hosts: true,
    alone: true,
    quick: true,
    provoke: beforeDial('reject with icmp type admin-prohibited'),
  },
  {
    name: 'router-has-no-way',
    says: 'a router on the way answers ICMP network unreachable',
    label: path('icmp', 'path-down', 'unreachable by ICMP'),
    hosts: true,
    alone: true,
    provoke: beforeDial('reject with icmp type net-unreachable'),
  },
  {
    name: 'router-drops-dial',
    says: 'a firewall on the way drops the dial',
    label: path('silence', 'filter-drops', 'silence to a dial'),
    hosts: true,
    alone: true,
    provoke: beforeDial('drop'),
  },
  {
    name: 'router-drops-dial-kernel',
    says: 'a firewall on the way drops the dial, and the kernel gives up before the caller',
    label: path(['local-timeout', 'silence'], 'filter-drops', 'silence to a dial'),
    hosts: true,
    alone: true,
    client: patientCaller,
    setUp: async (stage) => void (await stage.network.run('caller', impatientKernel)),
    provoke: beforeDial('drop'),
  },
  {
    name: 'router-resets-busy',
    says: 'a firewall on the way gets a new rule and rejects a busy flow with a TCP reset',
    label: path('rst', 'filter-rejects', 'rst on busy reuse, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    provoke: whileBusy('reject with tcp reset'),
  },
  {
    name: 'router-icmp-busy',
    says: 'a firewall on the way gets a new rule and rejects a busy flow with ICMP',
    label: path('silence', 'filter-rejects', 'silence, unacknowledged, with ICMP'),
    hosts: true,
    alone: true,
    provoke: whileBusy('reject with icmp type host-prohibited'),
  },
  {
    name: 'router-icmp-busy-kernel',
    says: 'a firewall on the way rejects a busy flow with ICMP until the kernel gives up',
    label: path(['icmp', 'local-timeout'], 'filter-rejects', 'silence, unacknowledged, with ICMP'),
    hosts: true,
    alone: true,
    client: patientCaller,
    setUp: async (stage) => void (await stage.network.run('caller', impatientKernel)),
    provoke: whileBusy('reject with icmp type host-prohibited'),
  },
  {
    name: 'router-drops-busy',
    says: 'a firewall on the way gets a new rule and drops a busy flow',
    label: path('silence', 'filter-drops', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    quick: true,
    provoke: whileBusy('drop'),
  },
  {
    name: 'router-drops-busy-kernel',
    says: 'a firewall on the way drops a busy flow, and the kernel gives up before the caller',
    label: path('local-timeout', 'filter-drops', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    client: patientCaller,
    setUp: async (stage) => void (await stage.network.run('caller', impatientKernel)),
    provoke: whileBusy('drop'),
  },
  {
    name: 'injected-on-content',
    says: 'a device on the way forges a reset when it sees certain bytes in a request',
    label: path('rst', 'injected-reset', 'rst on a fresh connection, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    setUp: (stage) => stage.network.cables({ resetOn: 'forbidden-word' }),
    provoke: (_, { far, caller }) => caller.call(far.url('/ok?ms=500&q=forbidden-word'), post),
  },
  {
    name: 'injected-on-busy',
    says: 'a device on the way forges a reset when it sees certain bytes on a busy connection',
    label: path('rst', 'injected-reset', 'rst on busy reuse, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    setUp: (stage) => stage.network.cables({ resetOn: 'forbidden-word' }),
    provoke: async (_, { far, caller }) => {
      await caller.good(far.url())
      return caller.call(far.url('/ok?ms=500&q=forbidden-word'), post)
    },
  },
  {
    name: 'swallowed-on-content',
    says: 'a device on the way drops a flow once it has seen certain bytes in it',
    label: path('silence', 'filter-drops', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    setUp: (stage) => stage.network.cables({ swallowOn: 'forbidden-word' }),
    provoke: (_, { far, caller }) => caller.call(far.url('/ok?q=forbidden-word'), post),
  },
  {
    name: 'mtu-black-hole',
    says: 'large packets are lost on the way and nobody says so',
    label: path('silence', 'path-down', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    setUp: (stage) => stage.network.cables({ swallowAbove: 1_300 }),
    provoke: (_, { far, caller }) => caller.call(far.url(), { method: 'POST', bodyBytes: 20_000 }),
  },
  {
    name: 'router-drops-answer',
    says: 'a firewall on the way drops the flow while the answer is coming in',
    label: path('silence', 'filter-drops', 'silence in an answer, nobody lives'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      const call = caller.call(far.url('/part?by=hang'), { options: { retry: false } })
      await stage.wait(2 * stage.roundTripMs + 100)
      await stage.network.filter('router', 'forward', `tcp sport ${far.port} drop`)
      return call
    },
  },
  {
    name: 'router-drops-what-comes-back',
    says: 'a firewall on the way drops what comes back from the peer; requests get there',
    label: path('silence', 'filter-drops', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('router', 'forward', `tcp sport ${far.port} drop`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'router-loses-way-busy',
    says: 'a router on the way loses its route and says so (ICMP network unreachable)',
    label: path(['silence', 'icmp'], 'path-down', 'silence, unacknowledged, with ICMP'),
    hosts: true,
    alone: true,
    provoke: whileBusy('reject with icmp type net-unreachable'),
  },
  {
    name: 'router-drops-upload',
    says: 'a firewall on the way drops the flow in the middle of an upload',
    label: path('silence', 'filter-drops', 'silence, unacknowledged'),
    hosts: true,
    alone: true,
    far: () => ({ onConnect: 'hold' }),
    setUp: (stage) => stage.network.cables({ swallowOn: 'aaaaaaaa' }),
    provoke: (_, { far, caller }) => caller.call(far.url(), { method: 'POST', bodyBytes: 20_000 }),
  },
  {
    name: 'cable-cut',
    says: 'the way to everything beyond the router is cut',
    label: path('silence', 'path-down', 'silence, unacknowledged, from everywhere'),
    hosts: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('router', 'forward', 'drop')
      return caller.call(far.url(), post)
    },
  },
]
