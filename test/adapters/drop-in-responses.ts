/** Probes of what comes back: statuses, encodings, bodies and the ways to read them. */

import { createHash } from 'node:crypto'
import type { Probe } from './drop-in-probe.js'
import { page } from './drop-in-server.js'

const hash = (name: string) => `${name}-${createHash(name).update(page).digest('base64')}`

/** Error statuses that offhook would repeat a GET for are asked for with a POST, which it leaves alone. */
const statuses = [
  200, 201, 202, 203, 206, 226, 299, 204, 205, 304, 400, 401, 403, 404, 405, 410, 411, 413, 418, 421, 422, 451,
]
const repeatable = [408, 421, 500, 501, 502, 503, 504, 505, 511, 599]

export const responses: readonly Probe[] = [
  ...statuses.map(
    (status) =>
      ({
        name: `${status}`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`),
      }) satisfies Probe,
  ),
  ...repeatable.map(
    (status) =>
      ({
        name: `${status} to a POST`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`, { method: 'POST', body: 'x' }),
      }) satisfies Probe,
  ),
  ...[200, 404, 204, 304].map(
    (status) =>
      ({
        name: `${status} to a HEAD`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`, { method: 'HEAD' }),
      }) satisfies Probe,
  ),
  { name: 'a reason of its own', ask: (fetch, { url }) => fetch(`${url}/status?status=200&reason=Fine%20by%20me`) },
  { name: 'headers of all sorts, and cookies', ask: (fetch, { url }) => fetch(`${url}/headers`) },
  { name: 'no such place', ask: (fetch, { url }) => fetch(`${url}/nowhere`) },
  ...['gzip', 'br', 'deflate', 'x-gzip'].map(
    (how) =>
      ({
        name: `content in ${how}`,
        ask: (fetch, { url }) => fetch(`${url}/encoded?how=${how}`),
      }) satisfies Probe,
  ),
  {
    name: 'raw deflate under the name of deflate',
    ask: (fetch, { url }) => fetch(`${url}/encoded?how=raw-deflate&name=deflate`),
  },
  { name: 'two encodings', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip-br&name=gzip,%20br`) },
  { name: 'an encoding in capitals', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip&name=GZIP`) },
  { name: 'an encoding that nobody knows', ask: (fetch, { url }) => fetch(`${url}/encoded?how=none&name=compress2`) },
  { name: 'identity', ask: (fetch, { url }) => fetch(`${url}/encoded?how=identity`) },
  { name: 'gzip without its last bytes', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip&cut=8`) },
  { name: 'HEAD of something encoded', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip`, { method: 'HEAD' }) },
  {
    name: 'what is no gzip',
    fails: 'protocol',
    ask: async (fetch, { url }) => (await fetch(`${url}/not-gzip`)).text(),
  },
  { name: 'chunks', ask: (fetch, { url }) => fetch(`${url}/chunked`) },
  { name: 'trailers', ask: (fetch, { url }) => fetch(`${url}/trailers`) },
  { name: 'an end with the connection', ask: (fetch, { url }) => fetch(`${url}/until-close`) },
  { name: 'connection: close', ask: (fetch, { url }) => fetch(`${url}/close`) },
  { name: 'HTTP/1.0', ask: (fetch, { url }) => fetch(`${url}/http10`) },
  { name: 'nothing', ask: (fetch, { url }) => fetch(`${url}/empty`) },
  { name: 'processing', ask: (fetch, { url }) => fetch(`${url}/processing`) },
  { name: 'early hints', ask: (fetch, { url }) => fetch(`${url}/early-hints`) },
  {
    name: 'continue, unasked',
    fails: 'protocol',
    ask: (fetch, { url }) => fetch(`${url}/continue`, { method: 'POST', body: 'x' }),
  },
  { name: 'five megabytes', ask: (fetch, { url }) => fetch(`${url}/large?bytes=5000000`) },
  { name: 'slowly', ask: (fetch, { url }) => fetch(`${url}/slow`) },
  { name: 'a cut body', fails: 'closed', ask: async (fetch, { url }) => (await fetch(`${url}/cut`)).text() },
  {
    name: 'a hang-up on a POST',
    fails: 'closed',
    ask: (fetch, { url }) => fetch(`${url}/hang-up`, { method: 'POST', body: 'x' }),
  },
  ...['sha256', 'sha384', 'sha512'].map(
    (name) =>
      ({
        name: `integrity, ${name}`,
        ask: (fetch, { url }) => fetch(`${url}/encoded?how=none&name=identity`, { integrity: hash(name) }),
      }) satisfies Probe,
  ),
  {
    name: 'integrity that does not hold',
    fails: 'protocol',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { integrity: hash('sha256') }),
  },
  {
    name: 'integrity in words that nobody knows',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { integrity: 'md5-abc' }),
  },
]
