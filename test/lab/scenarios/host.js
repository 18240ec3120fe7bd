// The peer's host: its kernel answers, or nobody does.

import { addresses } from '../network.js'
import { host, post } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */

/** @type {Scenario[]} */
export const hostScenarios = [
  {
    name: 'nothing-listens',
    says: 'nothing listens on the port; the host says so',
    label: host('refused', 'nothing-listening', 'refused by a reset'),
    hosts: true,
    alone: true,
    provoke: async (_, { far, caller }) => {
      await far.kill('SIGKILL')
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'host-lost-state',
    says: 'the host restarted while the connection was idle: it knows nothing of it',
    label: host('rst', 'peer-host-lost-state', 'rst one round trip after reuse', 'rst on reuse after idle'),
    hosts: true,
    quick: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('far', 'output', `tcp sport ${far.port} drop`)
      await stage.network.run('far', `ss -K -t sport = :${far.port}`)
      await far.kill('SIGKILL')
      await stage.far({ port: far.port })
      await stage.network.clearFilter('far')
      return caller.call(far.url(), { ...post, afterMs: 800 + 600 * stage.spread })
    },
  },
  {
    name: 'host-gone',
    says: 'no host has the address; nobody says so',
    label: host('silence', 'peer-host-down', 'silence to a dial'),
    hosts: true,
    alone: true,
    provoke: (_, { far, caller }) => caller.call(`http://${addresses.nobody}:${far.port}/`, post),
  },
  {
    name: 'host-off-busy',
    says: 'the host loses its power between two requests',
    label: host('silence', 'peer-host-down', 'silence, unacknowledged'),
    hosts: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      const rule = `ip daddr ${addresses.peer} drop`
      await stage.network.filter('far', 'input', rule)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'accept-queue-full',
    says: 'the application does not accept, and the queue of its listener is full',
    label: host('silence', 'peer-host-overloaded', 'silence to a dial'),
    hosts: true,
    alone: true,
    far: () => ({ blocked: true, backlog: 1 }),
    setUp: async (stage, { far }) => {
      // Those who stand in the queue are on the far host itself.
      await stage.network.run(
        'far',
        `timeout 20 python3 -c 'import socket, time
waiting = [socket.socket() for _ in range(4)]
for one in waiting: one.setblocking(False); one.connect_ex(("${far.host}", ${far.port}))
time.sleep(20)' >/dev/null 2>&1 &
        until [ $(ss -Hltn sport = :${far.port} | awk '{ print $2 }') -ge 2 ]; do sleep 0.1; done`,
      )
    },
    provoke: (_, { far, caller }) => caller.call(far.url(), post),
  },
  {
    name: 'host-kills-connection',
    says: 'somebody on the host destroys the connection (ss -K) while the application works on the request',
    label: host('rst', ['peer-application-aborted', 'peer-process-gone'], 'rst after the request'),
    hosts: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      const call = caller.call(far.url('/ok?ms=3000'), post)
      await stage.wait(stage.roundTripMs + 150)
      await stage.network.run('far', `ss -K -t sport = :${far.port}`)
      return call
    },
  },
  {
    name: 'host-firewall-refuses',
    says: "the peer's own firewall rejects the dial with a TCP reset",
    label: host('refused', 'peer-host-filter', 'refused by a reset'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await stage.network.filter('far', 'input', `tcp dport ${far.port} reject with tcp reset`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'host-lost-state-busy',
    says: 'the host fails over to another between two requests: it knows nothing of the connection',
    label: host('rst', 'peer-host-lost-state', 'rst one round trip after the request', 'rst on busy reuse, at once'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('far', 'output', `tcp sport ${far.port} drop`)
      await stage.network.run('far', `ss -K -t sport = :${far.port}`)
      await far.kill('SIGKILL')
      await stage.far({ port: far.port })
      await stage.network.clearFilter('far')
      return caller.call(far.url(), { ...post, afterMs: 0 })
    },
  },
  {
    name: 'host-firewall-drops-dial',
    says: "the peer's own firewall drops the dial",
    label: host('silence', 'peer-host-filter', 'silence to a dial'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await stage.network.filter('far', 'input', `tcp dport ${far.port} drop`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'host-firewall-resets-busy',
    says: "the peer's own firewall gets a new rule and rejects a busy flow with a TCP reset",
    label: host('rst', 'peer-host-filter', 'rst one round trip after the request', 'rst on busy reuse, at once'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.url())
      await stage.network.filter('far', 'input', `tcp dport ${far.port} reject with tcp reset`)
      return caller.call(far.url(), post)
    },
  },
  {
    name: 'host-off-mid-body',
    says: 'the host loses its power in the middle of an answer',
    label: host('silence', 'peer-host-down', 'silence in an answer, nobody lives'),
    hosts: true,
    alone: true,
    provoke: async (stage, { far, caller }) => {
      const call = caller.call(far.url('/part?by=hang'), { options: { retry: false } })
      await stage.wait(2 * stage.roundTripMs + 100)
      await stage.network.filter('far', 'input', `ip daddr ${addresses.peer} drop`)
      return call
    },
  },
]
