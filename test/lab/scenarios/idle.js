// Connections that are let go of while idle, and requests that meet the end on its way: the keep-alive race. It is one
// round trip wide, so most of it needs hosts of its own.

import { addresses } from '../network.js'
import { application, balancer, path, post, proxy } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../stage.js').Stage} Stage */

const idleMs = 1_200

/**
 * When to send, after the last answer, so as to meet the end of the connection on its way.
 *
 * @param {Stage} stage
 */
function inTheRace(stage) {
  return idleMs - stage.roundTripMs * (0.4 + 0.3 * stage.spread)
}

/**
 * @param {Stage} stage
 * @param {import('./scenario.js').Cast} cast
 */
async function race(stage, { far, caller }) {
  await caller.good(far.url())
  return caller.call(far.url(), { ...post, afterMs: inTheRace(stage) })
}

/** @type {Scenario[]} */
export const idleScenarios = [
  {
    name: 'idle-timer-fin',
    says: 'the server closes idle connections (FIN); the request meets it on its way',
    label: application(['fin', 'fin-then-rst'], 'peer-idle-timer', 'fin on reuse after idle'),
    hosts: true,
    fromRoundTripMs: 15,
    far: () => ({ idleMs, headers: { server: 'lab' } }),
    provoke: race,
  },
  {
    name: 'idle-timer-rst',
    says: 'the server resets idle connections; the request meets it on its way',
    label: application('rst', 'peer-idle-timer', 'rst on reuse after idle, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    far: () => ({ idleMs, idleBy: 'rst' }),
    provoke: race,
  },
  {
    name: 'gateway-idle-fin',
    says: 'a gateway that names itself in its answers closes idle connections (FIN)',
    label: proxy(['fin', 'fin-then-rst'], 'proxy-idle-timer', 'fin on reuse after idle, through a gateway'),
    hosts: true,
    fromRoundTripMs: 15,
    far: () => ({ idleMs, headers: { via: '1.1 lab-gateway', server: 'lab' } }),
    provoke: race,
  },
  {
    name: 'balancer-idle-rst',
    says: 'a balancer that ends TCP and leaves no mark resets idle connections',
    label: proxy('rst', 'proxy-idle-timer', 'rst on reuse after idle, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    provoke: async (stage, { far, caller }) => {
      const to = { host: far.host, port: far.port }
      const balancer = await stage.far({ kind: 'meddler', to, meddle: 'rst', meddleAfterMs: idleMs })
      return race(stage, { far: balancer, caller })
    },
  },
  {
    name: 'request-cap',
    says: 'the server closes after five answers, without a word; the next request is on its way',
    label: application(['fin', 'fin-then-rst'], 'peer-connection-cap', 'fin on busy reuse'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    far: (stage) => ({ maxRequests: 5, capAfterMs: stage.roundTripMs / 3 }),
    provoke: async (_, { far, caller }) => {
      for (let request = 0; request < 5; request += 1) await caller.good(far.url())
      return caller.call(far.url(), { ...post, afterMs: 0 })
    },
  },
  {
    name: 'nat-expired-rst',
    says: 'a NAT gateway has forgotten the idle flow and answers the next packet with a reset',
    label: path('rst', 'nat-state-expired', 'rst on reuse after idle, too fast', 'rst on reuse after idle'),
    hosts: true,
    quick: true,
    setUp: (stage) => forgetful(stage, 'reject with tcp reset'),
    provoke: afterIdle,
  },
  {
    name: 'nat-expired-silent',
    says: 'a firewall has forgotten the idle flow and drops what comes',
    label: path('silence', 'nat-state-dropped', 'silence, unacknowledged, after idle'),
    hosts: true,
    setUp: (stage) => forgetful(stage, 'drop'),
    provoke: afterIdle,
  },
  {
    name: 'nat-remapped',
    says: 'a NAT has forgotten the flow and gives it another port: the real server answers that it knows no such connection',
    label: path('rst', 'nat-remapped', 'rst one round trip after reuse', 'rst on reuse after idle'),
    hosts: true,
    setUp: async (stage) => {
      await stage.network.run('router', 'sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=1')
      await stage.network.masquerade('masquerade fully-random')
    },
    provoke: afterIdle,
  },
  {
    name: 'balancer-forgot-flow',
    says: 'a balancer that only forwards has dropped the idle flow from its table and answers with a reset',
    label: balancer('rst', 'balancer-flow-expired', 'rst on reuse after idle, too fast', 'rst on reuse after idle'),
    hosts: true,
    alone: true,
    setUp: async (stage) => {
      await stage.network.run(
        'router',
        'sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=1 net.netfilter.nf_conntrack_tcp_loose=0',
      )
      await stage.network.balance(addresses.peer)
      await stage.network.filter('router', 'prerouting', 'ct state invalid meta l4proto tcp reject with tcp reset')
    },
    provoke: overBalancer,
  },
  {
    name: 'balancer-changed-target',
    says: 'a balancer gives the idle flow to another host, whose kernel knows no such connection',
    label: balancer('rst', 'balancer-target-gone', 'rst one round trip after reuse', 'rst on reuse after idle'),
    hosts: true,
    alone: true,
    setUp: async (stage) => {
      await stage.network.run('router', 'sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=1')
      await stage.network.balance(addresses.peer)
    },
    provoke: async (stage, { far, caller }) => {
      await caller.good(`http://${addresses.balanced}:${far.port}/ok`)
      await stage.network.balance(addresses.elsewhere)
      return caller.call(`http://${addresses.balanced}:${far.port}/ok`, {
        ...post,
        afterMs: 1_400 + 300 * stage.spread,
      })
    },
  },
]

/**
 * @param {Stage} stage
 * @param {import('./scenario.js').Cast} cast
 */
async function overBalancer(stage, { far, caller }) {
  const url = `http://${addresses.balanced}:${far.port}/ok`
  await caller.good(url)
  return caller.call(url, { ...post, afterMs: 1_400 + 300 * stage.spread })
}

/**
 * A router that tracks flows, forgets them after one idle second, and does `verdict` to packets of flows unknown.
 *
 * @param {Stage} stage
 * @param {string} verdict
 */
async function forgetful(stage, verdict) {
  await stage.network.run(
    'router',
    'sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=1 net.netfilter.nf_conntrack_tcp_loose=0',
  )
  await stage.network.masquerade('masquerade')
  await stage.network.filter('router', 'forward', `ct state invalid meta l4proto tcp ${verdict}`)
}

/**
 * @param {Stage} stage
 * @param {import('./scenario.js').Cast} cast
 */
async function afterIdle(stage, { far, caller }) {
  await caller.good(far.url())
  return caller.call(far.url(), { ...post, afterMs: 1_400 + 300 * stage.spread })
}
