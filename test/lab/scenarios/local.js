// This host and this process.

import { addresses } from '../network.js'
import { local, post, self } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../stage.js').Stage} Stage */
/** @typedef {import('./scenario.js').Cast} Cast */

/**
 * @param {string} verdict
 * @param {{ busy: boolean }} when Once the connection stands, or before the dial.
 */
const ownFilter =
  (verdict, { busy }) =>
  async (/** @type {Stage} */ stage, /** @type {Cast} */ { far, caller }) => {
    if (busy) await caller.good(far.url())
    await stage.network.filter('caller', 'output', `tcp dport ${far.port} ${verdict}`)
    return caller.call(far.url(), post)
  }

/**
 * @param {string} command
 * @returns {(stage: Stage, cast: Cast) => Promise<import('../stage.js').Outcome>}
 */
const afterCommand =
  (command) =>
  async (stage, { far, caller }) => {
    await caller.good(far.url())
    await stage.network.run('caller', command)
    return caller.call(far.url(), post)
  }

const impatientKernel = 'sysctl -q -w net.ipv4.tcp_retries2=3 net.ipv4.tcp_syn_retries=1'
const patientCaller = { timeout: { connect: 8_000, headers: 8_000, body: 8_000 } }

/** @type {Scenario[]} */
export const localScenarios = [
  {
    name: 'own-firewall-drops-dial',
    says: "this host's own firewall drops the dial",
    label: local('silence', 'local-filter', 'silence to a dial, nothing left'),
    hosts: true,
    alone: true,
    provoke: ownFilter('drop', { busy: false }),
  },
  {
    name: 'own-firewall-drops-busy',
    says: "this host's own firewall gets a rule that drops the flow",
    label: local('silence', 'local-filter', 'silence, nothing left'),
    hosts: true,
    alone: true,
    provoke: ownFilter('drop', { busy: true }),
  },
  {
    name: 'own-firewall-drops-busy-kernel',
    says: "this host's own firewall drops the flow, and the kernel gives up before the caller",
    label: local('local-timeout', 'local-filter', 'silence, nothing left'),
    hosts: true,
    alone: true,
    client: patientCaller,
    setUp: async (stage) => void (await stage.network.run('caller', impatientKernel)),
    provoke: ownFilter('drop', { busy: true }),
  },
  {
    name: 'own-firewall-drops-answers',
    says: "this host's own firewall gets a rule that drops what comes from the peer",
    label: local('silence', 'local-filter', 'silence, held back here'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('caller', 'input', `tcp sport ${far.port} drop`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'own-firewall-drops-answer-to-dial',
    says: "this host's own firewall drops what the peer says to the dial",
    label: local('silence', 'local-filter', 'silence to a dial, held back here'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await stage.network.filter('caller', 'input', `tcp sport ${far.port} drop`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'own-link-down',
    says: 'the network interface is switched off under the connection',
    label: local('silence', 'local-network-changed', 'silence, no route'),
    hosts: true,
    provoke: afterCommand('ip link set c0 down'),
  },
  {
    name: 'own-firewall-refuses-by-icmp',
    says: "this host's own firewall rejects the dial with ICMP",
    label: local(['refused', 'icmp'], 'local-filter', 'refused by own ICMP'),
    hosts: true,
    alone: true,
    provoke: ownFilter('reject with icmp type port-unreachable', { busy: false }),
  },
  {
    name: 'own-firewall-resets-dial',
    says: "this host's own firewall rejects the dial with a TCP reset",
    label: local('refused', 'local-filter', 'refused at once'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    provoke: ownFilter('reject with tcp reset', { busy: false }),
  },
  {
    name: 'own-firewall-resets-busy',
    says: "this host's own firewall rejects a busy flow with a TCP reset",
    label: local('rst', 'local-filter', 'rst on busy reuse, at once'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    provoke: ownFilter('reject with tcp reset', { busy: true }),
  },
  {
    name: 'own-address-removed',
    says: 'the local address goes away under the connection',
    label: local('silence', 'local-network-changed', 'own address gone'),
    hosts: true,
    quick: true,
    provoke: afterCommand(`ip addr del ${addresses.caller}/24 dev c0`),
  },
  {
    name: 'own-route-lost-busy',
    says: 'the default route goes away under the connection',
    label: local('silence', 'local-network-changed', 'silence, no route'),
    hosts: true,
    provoke: afterCommand('ip route del default'),
  },
  {
    name: 'own-route-lost-busy-kernel',
    says: 'the default route goes away under the connection, and the kernel gives up before the caller',
    label: local(['local-timeout', 'icmp'], 'local-network-changed', 'silence, no route'),
    hosts: true,
    client: patientCaller,
    setUp: async (stage) => void (await stage.network.run('caller', impatientKernel)),
    provoke: afterCommand('ip route del default'),
  },
  {
    name: 'own-no-route',
    says: 'this host has no route to the peer',
    label: local('local-refused', 'local-network-changed', 'refused by connect(2)'),
    hosts: true,
    alone: true,
    quick: true,
    setUp: async (stage) => void (await stage.network.run('caller', 'ip route del default')),
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'own-route-prohibits',
    says: 'a route of this host prohibits the peer',
    label: local('local-refused', ['local-network-changed', 'local-filter'], 'refused by connect(2)'),
    hosts: true,
    alone: true,
    setUp: async (stage) => void (await stage.network.run('caller', `ip route add prohibit ${addresses.peer}`)),
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'own-ports-exhausted',
    says: 'every local port is in use',
    label: local('local-refused', 'local-resources', 'refused by connect(2)'),
    hosts: true,
    alone: true,
    setUp: async (stage) =>
      void (await stage.network.run('caller', 'sysctl -q -w net.ipv4.ip_local_port_range="40000 40003"')),
    provoke: async (_, { far, caller }) => {
      const calls = Array.from({ length: 8 }, () => caller.call(far.url('/ok?ms=300'), post))
      const outcomes = await Promise.all(calls)
      return outcomes.find((outcome) => outcome.failure !== undefined) ?? {}
    },
  },
  {
    name: 'own-descriptors-exhausted',
    says: 'the process may open no more descriptors',
    label: local('local-refused', 'local-resources', 'out of descriptors'),
    alone: true,
    quick: true,
    limits: { descriptors: 96 },
    provoke: async (_, { far, caller }) => {
      await caller.ask('exhaust')
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'own-connection-destroyed',
    says: 'somebody on this host destroys the connection (ss -K)',
    label: local('local-aborted', 'local-socket-killed', 'aborted'),
    hosts: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      const call = caller.call(far.url('/ok?ms=3000'), post)
      await stage.wait(stage.roundTripMs + 150)
      await stage.network.run('caller', `ss -K -t dport = :${far.port}`)
      return call
    },
  },
  {
    name: 'own-port-unheard',
    says: 'nothing listens on the port, and it is a port of this very host',
    label: local('refused', 'nothing-listening-here', 'refused on loopback'),
    alone: true,
    quick: true,
    provoke: (_, { caller }) => caller.call('http://127.0.0.1:9/', post),
  },
  {
    name: 'own-loop-stalled',
    says: 'this process stood still after it had dialled, for longer than the server waits for a request',
    label: local(['fin', 'fin-then-rst'], 'local-stall', 'fin on a fresh connection, after a stall'),
    alone: true,
    quick: true,
    far: () => ({ patienceMs: 400 }),
    provoke: (stage, { far, caller }) =>
      caller.call(far.url(), { ...post, thenBlockMs: 1_000 + 400 * stage.spread + stage.roundTripMs }),
  },
  {
    name: 'own-limit-too-short',
    says: 'the answer was on its way, as soon as ever, when a limit of our own ran out',
    label: self(['silence', 'self'], 'self', 'limit below a round trip'),
    hosts: true,
    fromRoundTripMs: 60,
    client: { timeout: { headers: 30 } },
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
]
