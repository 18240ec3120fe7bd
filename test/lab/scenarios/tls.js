// TLS: what the peer says in its handshake, and who ends it.

import { application, path, post, tlsPeer } from './scenario.js'

/** @typedef {import('./scenario.js').Scenario} Scenario */
/** @typedef {import('../stage.js').Stage} Stage */

const trusting = { tls: { trust: true, servername: 'localhost' } }

/** @param {string} certificate */
const secure =
  (certificate, more = {}) =>
  (/** @type {Stage} */ stage) => ({
    tls: { certificate, package: stage.options.packageUrl, ...more },
  })

/** @type {Scenario['provoke']} */
const dial = (_, { far, caller }) => caller.call(far.secureUrl(), post)

/** @type {Scenario[]} */
export const tlsScenarios = [
  {
    name: 'tls-expired',
    says: "the peer's certificate has expired",
    label: tlsPeer('app-protocol', 'tls-refused', 'a bad certificate'),
    alone: true,
    quick: true,
    client: trusting,
    far: secure('expired'),
    provoke: dial,
  },
  {
    name: 'tls-wrong-name',
    says: "the peer's certificate is for another name",
    label: tlsPeer('app-protocol', 'tls-refused', 'a bad certificate'),
    alone: true,
    client: trusting,
    far: secure('wrong-name'),
    provoke: dial,
  },
  {
    name: 'tls-self-signed',
    says: "the peer's certificate is signed by itself",
    label: tlsPeer('app-protocol', 'tls-refused', 'a bad certificate'),
    alone: true,
    client: trusting,
    far: secure('self-signed'),
    provoke: dial,
  },
  {
    name: 'tls-no-common-version',
    says: 'the peer speaks only a version of TLS that this side does not: a fatal alert',
    label: tlsPeer('app-protocol', 'tls-refused', 'an alert'),
    alone: true,
    client: { tls: { ...trusting.tls, maxVersion: 'TLSv1.2' } },
    far: secure('good', { minVersion: 'TLSv1.3' }),
    provoke: dial,
  },
  {
    name: 'tls-client-certificate',
    says: 'the peer asks for a certificate of the client and gets none',
    label: tlsPeer(['app-protocol', 'rst', 'fin'], 'tls-refused', 'an alert after the handshake'),
    alone: true,
    client: trusting,
    far: secure('good', { askClient: true }),
    provoke: dial,
  },
  {
    name: 'tls-plain-port',
    says: 'the port speaks plain HTTP',
    label: tlsPeer('app-protocol', 'tls-refused', 'no TLS'),
    alone: true,
    client: trusting,
    provoke: dial,
  },
  {
    name: 'tls-resets-handshake',
    says: 'the peer resets the connection at the first bytes of the handshake',
    label: tlsPeer('rst', ['tls-refused', 'peer-application-aborted'], 'rst in a handshake'),
    alone: true,
    client: trusting,
    far: (stage) => ({ ...secure('good')(stage), onFirstBytes: 'reset' }),
    provoke: dial,
  },
  {
    name: 'tls-closes-handshake',
    says: 'the peer closes the connection at the first bytes of the handshake',
    label: tlsPeer('fin', ['tls-refused', 'peer-application-aborted'], 'fin in a handshake'),
    alone: true,
    client: trusting,
    far: (stage) => ({ ...secure('good')(stage), onFirstBytes: 'fin' }),
    provoke: dial,
  },
  {
    name: 'tls-reset-by-name',
    says: 'a device on the way forges a reset when it sees a certain name in the handshake',
    label: path('rst', 'injected-reset', 'rst in a handshake, too fast'),
    hosts: true,
    fromRoundTripMs: 15,
    alone: true,
    client: { tls: { trust: true, servername: 'blocked.lab' } },
    far: secure('good'),
    setUp: (stage) => stage.network.cables({ resetOn: 'blocked.lab' }),
    provoke: dial,
  },
  {
    name: 'tls-swallowed-by-name',
    says: 'a device on the way drops the flow when it sees a certain name in the handshake',
    label: path('silence', 'filter-drops', 'silence in a handshake, unacknowledged'),
    hosts: true,
    alone: true,
    client: { tls: { trust: true, servername: 'blocked.lab' } },
    far: secure('good'),
    setUp: (stage) => stage.network.cables({ swallowOn: 'blocked.lab' }),
    provoke: dial,
  },
  {
    name: 'tls-idle-timer',
    says: 'the server closes idle TLS connections politely; the request meets that on its way',
    label: application(['fin', 'fin-then-rst'], 'peer-idle-timer', 'fin on reuse after idle'),
    hosts: true,
    fromRoundTripMs: 15,
    client: trusting,
    far: (stage) => ({ ...secure('good')(stage), idleMs: 1_200 }),
    provoke: async (stage, { far, caller }) => {
      await caller.good(far.secureUrl())
      return caller.call(far.secureUrl(), { ...post, afterMs: 1_200 - stage.roundTripMs * (0.4 + 0.3 * stage.spread) })
    },
  },
]
