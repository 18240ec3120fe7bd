// A far side of the lab, in a process of its own so that it can be killed, stopped and starved like any other.
//
//   far-side.mjs '{"kind": "http", "host": "10.77.2.2", …}'
//
// Says `{ port }` to its parent once it listens. Ends with its parent.

import { connectProxy } from './far-connect-proxy.js'
import { httpServer } from './far-http.js'
import { nameServer } from './far-names.js'
import { meddler } from './meddler.js'

/**
 * @typedef {object} FarSpec
 * @property {'http' | 'connect-proxy' | 'names' | 'meddler'} kind
 * @property {string} [host]
 * @property {number} [port]
 * @property {number} [backlog]
 * @property {number} [idleMs] An idle connection is ended after this long.
 * @property {'fin' | 'rst'} [idleBy]
 * @property {number} [maxRequests] A connection is ended after so many answers, without a word.
 * @property {number} [capAfterMs] So long after the last of them.
 * @property {number} [patienceMs] A connection that says nothing for so long is closed.
 * @property {Record<string, string>} [headers] Of every answer.
 * @property {'reset' | 'fin' | 'hold' | 'junk'} [onConnect] What is done to a connection before anything was read.
 * @property {'reset' | 'fin' | 'hold'} [onFirstBytes] What is done at the first bytes, whatever they are.
 * @property {{ certificate: string, package: string, askClient?: boolean, minVersion?: string, maxVersion?: string, ciphers?: string }} [tls]
 * @property {boolean} [blocked] Listens, and never accepts: the event loop stands still.
 * @property {number} [status] What a proxy answers to CONNECT instead of making the tunnel.
 * @property {{ host: string, port: number }} [to] Where a meddler carries everything.
 * @property {'fin' | 'rst' | 'deaf'} [meddle] What a meddler does to a flow.
 * @property {number} [meddleAfterMs] Once it was idle for so long.
 * @property {number} [meddleAtByte] Once so many bytes have gone back to the caller.
 * @property {'nxdomain' | 'servfail' | 'silent' | 'answer'} [names] What a name server says to everything.
 */

/** @type {FarSpec} */
const spec = JSON.parse(process.argv[2] ?? '{}')
const makers = { http: httpServer, 'connect-proxy': connectProxy, names: nameServer, meddler }

const far = await makers[spec.kind](spec)
process.on('disconnect', () => process.exit())
process.send?.({ port: far.port })
if (spec.blocked) {
  // The message above is on its way by itself; from here on nothing is accepted any more.
  setTimeout(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
    process.exit()
  }, 20)
}
