/** Probes of what fetch can be given: addresses, Requests, init objects, headers, methods. */

import type { Probe } from './drop-in-probe.js'

/** An init whose members are getters of a class. */
class Init {
  get method() {
    return 'POST'
  }
  get headers() {
    return { 'x-from': 'a getter' }
  }
  get body() {
    return 'got'
  }
}

export const inputs: readonly Probe[] = [
  { name: 'a string', ask: (fetch, { url }) => fetch(`${url}/echo`) },
  { name: 'a URL', ask: (fetch, { url }) => fetch(new URL('/echo?a=1&b=%20', url)) },
  { name: 'a URL with a fragment', ask: (fetch, { url }) => fetch(`${url}/echo?a#part`) },
  { name: 'a string with spaces around it', ask: (fetch, { url }) => fetch(`  ${url}/echo\n`) },
  {
    name: 'a string with a line break inside',
    ask: (fetch, { url }) => fetch(`${url.replace('http', 'ht\ntp')}/echo`),
  },
  { name: 'a scheme in capitals', ask: (fetch, { url }) => fetch(`${url.replace('http', 'HTTP')}/echo`) },
  { name: 'dots and unicode in the path', ask: (fetch, { url }) => fetch(`${url}/a/../echo?q=naïve ☎`) },
  { name: 'an object that turns into a URL', ask: (fetch, { url }) => fetch({ toString: () => `${url}/echo` }) },
  { name: 'a String object', ask: (fetch, { url }) => fetch(new String(`${url}/echo`)) },
  { name: 'a Request', ask: (fetch, { url }) => fetch(new Request(`${url}/echo`, { headers: { 'x-one': '1' } })) },
  {
    name: 'a Request with a body, and whether it was used up',
    ask: async (fetch, { url }) => {
      const request = new Request(`${url}/echo`, { method: 'POST', body: 'hello' })
      const response = await fetch(request)
      return [await response.text(), request.bodyUsed]
    },
  },
  {
    name: 'a Request with a large body',
    ask: (fetch, { url }) => fetch(new Request(`${url}/echo`, { method: 'PUT', body: 'x'.repeat(3_000_000) })),
  },
  {
    name: 'a Request with a stream as its body',
    ask: (fetch, { url }) => {
      const body = new Blob(['str', 'eam']).stream()
      return fetch(new Request(`${url}/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit))
    },
  },
  {
    name: 'a Request whose body is replaced by init',
    ask: async (fetch, { url }) => {
      const request = new Request(`${url}/echo`, { method: 'POST', body: 'old', headers: { 'x-kept': 'yes' } })
      const response = await fetch(request, { body: 'new' })
      return [await response.text(), request.bodyUsed]
    },
  },
  {
    name: 'a Request with a body of which init says null',
    ask: (fetch, { url }) => fetch(new Request(`${url}/echo`, { method: 'POST', body: 'kept' }), { body: null }),
  },
  {
    name: 'a Request, its headers replaced by init',
    ask: (fetch, { url }) =>
      fetch(new Request(`${url}/echo`, { headers: { 'x-old': '1' } }), { headers: { 'x-new': '2' } }),
  },
  {
    name: 'a Request, its method replaced by init',
    ask: (fetch, { url }) => fetch(new Request(`${url}/echo`), { method: 'DELETE' }),
  },
  {
    name: 'a cloned Request, and the original after it',
    ask: async (fetch, { url }) => {
      const request = new Request(`${url}/echo`, { method: 'POST', body: 'twice' })
      const copy = request.clone()
      const first = await (await fetch(copy)).text()
      return [first, await (await fetch(request)).text()]
    },
  },
  {
    name: 'a Request without a body, twice',
    ask: async (fetch, { url }) => {
      const request = new Request(`${url}/echo`)
      return [(await fetch(request)).status, (await fetch(request)).status]
    },
  },
  {
    name: 'a Request with a FormData, whose type stands in its headers',
    ask: (fetch, { url }) => {
      const body = new FormData()
      body.set('a', '1')
      return fetch(new Request(`${url}/echo`, { method: 'POST', body }))
    },
  },
  {
    name: 'a Request as init',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo?other`, new Request(url, { method: 'POST', body: 'from init', headers: { 'x-init': '1' } })),
  },
  { name: 'init null', ask: (fetch, { url }) => fetch(`${url}/echo`, null) },
  { name: 'init with members of a class', ask: (fetch, { url }) => fetch(`${url}/echo`, new Init()) },
  {
    name: 'init without a prototype',
    ask: (fetch, { url }) => fetch(`${url}/echo`, Object.assign(Object.create(null), { method: 'PUT', body: 'bare' })),
  },
  {
    name: 'init that inherits its members',
    ask: (fetch, { url }) => fetch(`${url}/echo`, Object.create({ method: 'PUT', body: 'inherited' })),
  },
  {
    name: 'init whose getters are asked once each',
    ask: async (fetch, { url }) => {
      const asked: string[] = []
      const init = {
        get method() {
          asked.push('method')
          return 'POST'
        },
        get body() {
          asked.push('body')
          return 'x'
        },
        get headers() {
          asked.push('headers')
          return { 'x-a': '1' }
        },
      }
      const response = await fetch(`${url}/echo`, init)
      return [await response.text(), asked.sort()]
    },
  },
  {
    name: 'members that are undefined',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        method: undefined,
        body: undefined,
        headers: undefined,
        signal: undefined,
        redirect: undefined,
      }),
  },
  { name: 'members that nobody knows', ask: (fetch, { url }) => fetch(`${url}/echo`, { agent: {}, compress: true }) },
]

export const headers: readonly Probe[] = [
  { name: 'Headers', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: new Headers({ 'X-One': '1' }) }) },
  {
    name: 'pairs',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        headers: [
          ['x-b', '2'],
          ['x-a', '1'],
        ],
      }),
  },
  {
    name: 'pairs with one name twice',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        headers: [
          ['x-a', '1'],
          ['X-A', '2'],
        ],
      }),
  },
  { name: 'a Map', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: new Map([['x-map', 'yes']]) }) },
  {
    name: 'a Map with a POST',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', headers: new Map([['x-map', 'yes']]) }),
  },
  {
    name: 'an iterator, which can be read once, with a POST',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', headers: new Map([['x-once', 'yes']]).entries() }),
  },
  {
    name: 'entries of Headers with a PATCH',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, { method: 'PATCH', headers: new Headers({ 'x-once': 'yes' }).entries() }),
  },
  {
    name: 'values that are numbers',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { 'x-n': 5, 'x-t': true, 'x-u': undefined } }),
  },
  {
    name: 'a value with spaces around it',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { 'x-space': '  a  b ' } }),
  },
  { name: 'a value in Latin-1', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { 'x-latin': 'naïve' } }) },
  { name: 'an empty value', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { 'x-empty': '' } }) },
  { name: 'a cookie', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { cookie: 'a=1; b=2' } }) },
  {
    name: 'an own user-agent and accept',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        headers: { 'user-agent': 'me', accept: 'text/plain', 'accept-language': 'fr', 'accept-encoding': 'br' },
      }),
  },
  { name: 'an own host', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { host: 'example.com' } }) },
  { name: 'authorization', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { authorization: 'Basic abc' } }) },
  { name: 'connection: close', ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { connection: 'close' } }) },
  { name: 'a range', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip`, { headers: { range: 'bytes=0-9' } }) },
  {
    name: 'a key for idempotency as a plain header',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', headers: { 'idempotency-key': 'k' } }),
  },
  {
    name: 'a content-length that is right',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', body: 'abc', headers: { 'content-length': '3' } }),
  },
]

const sendsBody = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT']

export const methods: readonly Probe[] = [
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'PROPFIND'].map(
    (method) =>
      ({
        name: `${method} without a body`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { method }),
      }) satisfies Probe,
  ),
  ...sendsBody.map(
    (method) =>
      ({
        name: `${method} with a body`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { method, body: 'hello' }),
      }) satisfies Probe,
  ),
  ...['get', 'head', 'Delete', 'pOsT', 'put', 'options', 'patch', 'propfind'].map(
    (method) =>
      ({
        name: `${method}, as it is written`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { method }),
      }) satisfies Probe,
  ),
]

export const requestModes: readonly Probe[] = [
  ...['default', 'no-store', 'reload', 'no-cache', 'force-cache'].map(
    (cache) =>
      ({
        name: `cache: ${cache}`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { cache }),
      }) satisfies Probe,
  ),
  ...['cors', 'no-cors', 'same-origin'].map(
    (mode) =>
      ({
        name: `mode: ${mode}`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { mode }),
      }) satisfies Probe,
  ),
  ...['omit', 'same-origin', 'include'].map(
    (credentials) =>
      ({
        name: `credentials: ${credentials}`,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { credentials, headers: { cookie: 'a=1' } }),
      }) satisfies Probe,
  ),
  {
    name: 'keepalive',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', body: 'beacon', keepalive: true }),
  },
  {
    name: 'a referrer',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { referrer: `${url}/from`, referrerPolicy: 'unsafe-url' }),
  },
  {
    name: 'no referrer',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { referrer: '', referrerPolicy: 'no-referrer' }),
  },
  { name: 'a priority', ask: (fetch, { url }) => fetch(`${url}/echo`, { priority: 'low' }) },
]
