/** Probes of redirects. */

import type { Probe } from './drop-in-probe.js'

const statuses = [301, 302, 303, 307, 308]
const to = (target: string, status = 302) => `/redirect?status=${status}&to=${encodeURIComponent(target)}`
const secrets = { authorization: 'Bearer secret', cookie: 'session=1', 'proxy-authorization': 'x', 'x-other': 'kept' }

export const redirects: readonly Probe[] = [
  ...statuses.map(
    (status) =>
      ({
        name: `a POST, ${status}`,
        ask: (fetch, { url }) => fetch(`${url}${to('/echo', status)}`, { method: 'POST', body: 'hello' }),
      }) satisfies Probe,
  ),
  ...statuses.map(
    (status) =>
      ({
        name: `a PUT of bytes, ${status}`,
        // Node 20's fetch cannot send bytes twice.
        fails: 'protocol',
        ask: (fetch, { url }) => fetch(`${url}${to('/echo', status)}`, { method: 'PUT', body: new Uint8Array([1, 2]) }),
      }) satisfies Probe,
  ),
  ...[303, 307].map(
    (status) =>
      ({
        name: `a DELETE, ${status}`,
        ask: (fetch, { url }) => fetch(`${url}${to('/echo', status)}`, { method: 'DELETE' }),
      }) satisfies Probe,
  ),
  ...[301, 303].map(
    (status) =>
      ({
        name: `a HEAD, ${status}`,
        ask: (fetch, { url }) => fetch(`${url}${to('/echo', status)}`, { method: 'HEAD' }),
      }) satisfies Probe,
  ),
  ...[303, 307].map(
    (status) =>
      ({
        name: `a FormData, ${status}`,
        ask: (fetch, { url }) => {
          const body = new FormData()
          body.set('a', '1')
          return fetch(`${url}${to('/echo', status)}`, { method: 'POST', body })
        },
      }) satisfies Probe,
  ),
  ...[303, 307].map(
    (status) =>
      ({
        name: `a Request with a body, ${status}`,
        ask: (fetch, { url }) => fetch(new Request(`${url}${to('/echo', status)}`, { method: 'POST', body: 'hello' })),
      }) satisfies Probe,
  ),
  {
    name: 'a stream, 303, which needs no body',
    ask: (fetch, { url }) =>
      fetch(`${url}${to('/echo', 303)}`, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' }),
  },
  {
    name: 'a stream, 307, which would need it twice',
    fails: 'protocol',
    ask: (fetch, { url }) =>
      fetch(`${url}${to('/echo', 307)}`, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' }),
  },
  { name: 'a relative target', ask: (fetch, { url }) => fetch(`${url}${to('echo?relative')}`) },
  { name: 'a target with a fragment', ask: (fetch, { url }) => fetch(`${url}${to('/echo#there')}`) },
  { name: 'a fragment that is carried over', ask: (fetch, { url }) => fetch(`${url}${to('/echo')}#mine`) },
  { name: 'three in a row', ask: (fetch, { url }) => fetch(`${url}/hops?left=3`) },
  { name: 'twenty in a row', ask: (fetch, { url }) => fetch(`${url}/hops?left=20`) },
  { name: 'twenty-one in a row', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}/hops?left=21`) },
  { name: 'a loop', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}/loop`) },
  { name: 'no location', ask: (fetch, { url }) => fetch(`${url}/redirect-without-location`) },
  { name: '300 with a location', ask: (fetch, { url }) => fetch(`${url}${to('/echo', 300)}`) },
  { name: '304 with a location', ask: (fetch, { url }) => fetch(`${url}${to('/echo', 304)}`) },
  {
    name: 'to another origin',
    ask: (fetch, { url, other }) => fetch(`${url}${to(`${other}/echo`)}`, { headers: secrets }),
  },
  { name: 'to the same origin', ask: (fetch, { url }) => fetch(`${url}${to(`${url}/echo`)}`, { headers: secrets }) },
  {
    name: 'to another origin and back',
    ask: (fetch, { url, other }) => fetch(`${url}${to(`${other}${to(`${url}/echo`)}`)}`, { headers: secrets }),
  },
  {
    name: 'a POST to another origin, 307',
    ask: (fetch, { url, other }) =>
      fetch(`${url}${to(`${other}/echo`, 307)}`, { method: 'POST', body: 'hello', headers: secrets }),
  },
  {
    // A GET would be made again: nobody has heard it.
    name: 'a POST to where nobody listens',
    fails: 'refused',
    ask: (fetch, { url, nobody }) => fetch(`${url}${to(nobody)}`, { method: 'POST', body: 'x' }),
  },
  {
    name: 'to a URL with a password',
    fails: 'protocol',
    ask: (fetch, { url, other }) => fetch(`${url}${to(other.replace('//', '//me:secret@'))}`),
  },
  { name: 'to data:', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}${to('data:,hello')}`) },
  { name: 'to ftp:', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}${to('ftp://127.0.0.1/')}`) },
  { name: 'to no URL at all', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}${to('http://[')}`) },
  ...statuses.map(
    (status) =>
      ({
        name: `manual, ${status}`,
        ask: (fetch, { url }) => fetch(`${url}${to('/echo', status)}`, { redirect: 'manual' }),
      }) satisfies Probe,
  ),
  { name: 'manual, nothing to follow', ask: (fetch, { url }) => fetch(`${url}/echo`, { redirect: 'manual' }) },
  { name: 'error', fails: 'protocol', ask: (fetch, { url }) => fetch(`${url}${to('/echo')}`, { redirect: 'error' }) },
  { name: 'error, nothing to follow', ask: (fetch, { url }) => fetch(`${url}/echo`, { redirect: 'error' }) },
  {
    name: 'error, a POST of a Request',
    fails: 'protocol',
    ask: (fetch, { url }) =>
      fetch(new Request(`${url}${to('/echo', 307)}`, { method: 'POST', body: 'x', redirect: 'error' })),
  },
]
