// What stands between by name: proxies and the name service.

import { addresses } from '../network.js'
import { names, post, proxy } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../far-side.mjs').FarSpec} FarSpec */

/** Where the proxy of the lab listens: the caller has to know it before anything else is known. */
const proxyPort = 3_128

/**
 * A call through a proxy that was told what to do.
 *
 * @param {Partial<FarSpec>} spec
 */
const throughProxy = (spec) => ({
  hosts: /** @type {const} */ (true),
  alone: /** @type {const} */ (true),
  client: { proxy: `http://${addresses.elsewhere}:${proxyPort}`, tls: { trust: true, servername: 'localhost' } },
  far: (/** @type {import('../stage.js').Stage} */ stage) => ({
    tls: { certificate: 'good', package: stage.options.packageUrl },
  }),
  setUp: async (/** @type {import('../stage.js').Stage} */ stage) => {
    await stage.far({ kind: 'connect-proxy', host: addresses.elsewhere, port: proxyPort, ...spec })
  },
})

/** @param {FarSpec['names']} says */
const toldByNames = (says) => ({
  hosts: /** @type {const} */ (true),
  alone: /** @type {const} */ (true),
  client: { timeout: { connect: 6_000, total: 12_000 }, retry: false },
  setUp: async (/** @type {import('../stage.js').Stage} */ stage) => {
    await stage.far({ kind: 'names', host: addresses.resolver, port: 53, ...(says !== undefined && { names: says }) })
  },
})

/** @type {Scenario['provoke']} */
const dialName = (_, { far, caller }) => caller.call(`http://peer.lab.example:${far.port}/`, post)

/** @type {Scenario[]} */
export const betweenScenarios = [
  {
    name: 'gateway-502',
    says: 'a gateway answers 502: what is behind it has failed',
    label: proxy('app-protocol', 'proxy-upstream-failed', 'a 502 from a gateway'),
    client: { throwOnStatus: true, retry: false },
    far: () => ({ headers: { via: '1.1 lab-gateway', server: 'lab-gateway' } }),
    quick: true,
    provoke: (_, { far, caller }) => caller.call(far.url('/status?code=502')),
  },
  {
    name: 'gateway-gives-up-waiting',
    says: 'a gateway that leaves no mark closes the connection (FIN): it has waited long enough for the server',
    label: proxy('fin', 'proxy-upstream-failed', 'fin instead of an answer'),
    alone: true,
    provoke: async (stage, { far, caller }) => {
      const to = { host: far.host, port: far.port }
      const gateway = await stage.far({ kind: 'meddler', to, meddle: 'fin', meddleAfterMs: 300 })
      return caller.call(gateway.url('/ok?ms=3000'), post)
    },
  },
  {
    name: 'gateway-cuts-answer',
    says: 'a gateway that leaves no mark closes the connection (FIN) in the middle of an answer',
    label: proxy('fin', 'proxy-upstream-failed', 'fin in an answer'),
    alone: true,
    provoke: async (stage, { far, caller }) => {
      const to = { host: far.host, port: far.port }
      const gateway = await stage.far({ kind: 'meddler', to, meddle: 'fin', meddleAfterMs: 300 })
      return caller.call(gateway.url('/part?by=hang'), { options: { retry: false } })
    },
  },
  {
    name: 'proxy-502',
    says: 'the proxy answers CONNECT with 502',
    label: proxy('app-protocol', 'proxy-refused-tunnel', 'CONNECT answered otherwise'),
    ...throughProxy({ status: 502 }),
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-407',
    says: 'the proxy wants a password',
    label: proxy('app-protocol', 'proxy-refused-tunnel', 'CONNECT answered otherwise'),
    ...throughProxy({ status: 407 }),
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-resets-connect',
    says: 'the proxy resets the connection instead of making the tunnel',
    label: proxy('rst', 'proxy-refused-tunnel', 'rst instead of a tunnel'),
    ...throughProxy({ onFirstBytes: 'reset' }),
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-closes-connect',
    says: 'the proxy closes the connection (FIN) instead of making the tunnel',
    label: proxy('fin', 'proxy-refused-tunnel', 'fin instead of a tunnel'),
    ...throughProxy({ onFirstBytes: 'fin' }),
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-hangs-connect',
    says: 'the proxy takes the CONNECT and does not answer',
    label: proxy('silence', ['proxy-silent', 'proxy-refused-tunnel'], 'silence instead of a tunnel'),
    ...throughProxy({ onFirstBytes: 'hold' }),
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-host-gone',
    says: 'no host has the address of the proxy',
    label: proxy('silence', 'proxy-unreachable', 'silence to the dial of a proxy'),
    ...throughProxy({}),
    client: { proxy: `http://${addresses.nobody}:${proxyPort}`, tls: { trust: true, servername: 'localhost' } },
    setUp: async () => {},
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'gateway-504',
    says: 'a gateway answers 504: what is behind it did not answer it',
    label: proxy('app-protocol', 'proxy-upstream-failed', 'a 504 from a gateway'),
    client: { throwOnStatus: true, retry: false },
    far: () => ({ headers: { server: 'lab-gateway' } }),
    provoke: (_, { far, caller }) => caller.call(far.url('/status?code=504')),
  },
  {
    name: 'proxy-not-there',
    says: 'nothing listens where the proxy should be',
    label: proxy('refused', ['proxy-unreachable', 'proxy-refused-tunnel'], 'the proxy refused'),
    ...throughProxy({}),
    setUp: async () => {},
    provoke: (_, { far, caller }) => caller.call(far.secureUrl(), post),
  },
  {
    name: 'proxy-idle-fin',
    says: 'the proxy lets go of an idle tunnel; the request meets that on its way',
    label: proxy(['fin', 'fin-then-rst'], 'proxy-idle-timer', 'fin on reuse of a tunnel after idle'),
    ...throughProxy({ idleMs: 1_200 }),
    fromRoundTripMs: 15,
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.secureUrl())
      return caller.call(far.secureUrl(), { ...post, afterMs: 1_200 - stage.roundTripMs * (0.4 + 0.3 * stage.spread) })
    },
  },
  {
    name: 'name-unknown',
    says: 'the name service says that there is no such name',
    label: names('app-protocol', 'name-unknown', 'NXDOMAIN'),
    ...toldByNames('nxdomain'),
    quick: true,
    provoke: dialName,
  },
  {
    name: 'names-fail',
    says: 'the name service answers SERVFAIL',
    label: names(['app-protocol', 'silence', 'unknown'], 'name-service-failed', 'names fail for now'),
    ...toldByNames('servfail'),
    provoke: dialName,
  },
  {
    name: 'names-silent',
    says: 'the name service does not answer',
    label: names(['app-protocol', 'silence', 'unknown'], 'name-service-failed', 'names fail for now'),
    ...toldByNames('silent'),
    provoke: dialName,
  },
  {
    name: 'names-silent-our-limit',
    says: "the name service does not answer within the caller's own limit for a connection",
    label: names('silence', 'name-service-failed', 'limit in a lookup'),
    ...toldByNames('silent'),
    client: { timeout: { connect: 500 }, retry: false },
    provoke: dialName,
  },
]
