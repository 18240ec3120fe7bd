/** Probes of what fetch refuses, of schemes that need no network, and of networks that fail. */

import type { Probe } from './drop-in-probe.js'

const hello = 'data:text/plain;charset=utf-8,hello%20there'

export const schemes: readonly Probe[] = [
  { name: 'data:', ask: (fetch) => fetch(hello) },
  { name: 'data: in base64', ask: (fetch) => fetch('data:image/png;base64,aGVsbG8=') },
  { name: 'data: as a URL', ask: (fetch) => fetch(new URL(hello)) },
  { name: 'data: as a Request', ask: (fetch) => fetch(new Request(hello)) },
  {
    name: 'data: with an aborted signal',
    ask: (fetch) => fetch(hello, { signal: AbortSignal.abort(new Error('no')) }),
  },
  { name: 'data: that is broken', ask: (fetch) => fetch('data:text/plain') },
  {
    name: 'blob:',
    ask: async (fetch) => {
      const url = URL.createObjectURL(new Blob(['a blob'], { type: 'text/x-blob' }))
      const response = await fetch(url)
      URL.revokeObjectURL(url)
      return [response.status, response.headers.get('content-type'), await response.text()]
    },
  },
  {
    name: 'blob: that was revoked',
    ask: (fetch) => {
      const url = URL.createObjectURL(new Blob(['gone']))
      URL.revokeObjectURL(url)
      return fetch(url).then(
        () => 'found',
        (error: Error) => [error.constructor.name, error.message],
      )
    },
  },
  { name: 'about:blank', ask: (fetch) => fetch('about:blank') },
  { name: 'file:', ask: (fetch) => fetch('file:///etc/hostname') },
  { name: 'ftp:', ask: (fetch) => fetch('ftp://127.0.0.1/') },
  { name: 'a scheme that nobody knows', ask: (fetch) => fetch('gopher+x:thing') },
  { name: 'javascript:', ask: (fetch) => fetch('javascript:alert(1)') },
]

const addresses: Readonly<Record<string, unknown>> = {
  'nothing at all': undefined,
  null: null,
  'an empty string': '',
  'a number': 5,
  'a symbol': Symbol('url'),
  'a relative address': '/echo',
  'an address without a scheme': '127.0.0.1/echo',
  'no host': 'http://',
  'a host with a space': 'http://a b/',
  'an open bracket': 'http://[/',
  'a port that is none': 'http://127.0.0.1:99999/',
  'a password': 'http://me:secret@127.0.0.1/',
  'a user': 'http://me@127.0.0.1/',
  'a forbidden port': 'http://127.0.0.1:25/',
  'another forbidden port': 'http://127.0.0.1:6667/',
  'an object that looks like a Request': { url: 'http://127.0.0.1/', method: 'GET' },
}

const inits: Readonly<Record<string, unknown>> = {
  'a string as init': 'POST',
  'a number as init': 5,
  'a symbol as init': Symbol('init'),
  CONNECT: { method: 'CONNECT' },
  TRACE: { method: 'TRACE' },
  Track: { method: 'Track' },
  'a method with a space': { method: 'GET POST' },
  'an empty method': { method: '' },
  'a symbol as method': { method: Symbol('GET') },
  'a header name with a space': { headers: { 'x a': '1' } },
  'an empty header name': { headers: { '': '1' } },
  'a header name beyond ASCII': { headers: { 'x-é': '1' } },
  'a line break in a header': { headers: { 'x-a': 'one\r\nx-b: two' } },
  'a NUL in a header': { headers: { 'x-a': 'a\0b' } },
  'a header beyond Latin-1': { headers: { 'x-a': '☎' } },
  'a symbol as a header': { headers: { 'x-a': Symbol('1') } },
  'headers of one part': { headers: [['x-a']] },
  'headers of three parts': { headers: [['x-a', '1', '2']] },
  'headers that are a string': { headers: 'x-a: 1' },
  'headers that are a number': { headers: 1 },
  'headers that are null': { headers: null },
  'a redirect that nobody knows': { redirect: 'maybe' },
  'a mode that nobody knows': { mode: 'quiet' },
  'mode: navigate': { mode: 'navigate' },
  'mode: websocket': { mode: 'websocket' },
  'a cache that nobody knows': { cache: 'sometimes' },
  'only-if-cached': { cache: 'only-if-cached' },
  'only-if-cached, same-origin': { cache: 'only-if-cached', mode: 'same-origin' },
  'credentials that nobody knows': { credentials: 'mine' },
  'a window': { window: {} },
  'a referrer that is no URL': { referrer: 'http://[' },
  'a referrer policy that nobody knows': { referrerPolicy: 'whatever' },
  'a duplex that nobody knows': { duplex: 'quarter' },
  'no-cors with a method that is not simple': { mode: 'no-cors', method: 'PUT' },
  'a symbol as integrity': { integrity: Symbol('sha') },
}

export const refusals: readonly Probe[] = [
  ...Object.entries(addresses).map(([name, input]) => ({ name, ask: (fetch) => fetch(input) }) satisfies Probe),
  ...Object.entries(inits).map(
    ([name, init]) => ({ name, ask: (fetch, { url }) => fetch(`${url}/echo`, init) }) satisfies Probe,
  ),
  {
    name: 'a getter that throws',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        get method() {
          throw new RangeError('not today')
        },
      }),
  },
  {
    name: 'a toString that throws',
    ask: (fetch) =>
      fetch({
        toString() {
          throw new RangeError('not today')
        },
      }),
  },
]

/** Failures behind fetch's back: bare fetch says "fetch failed", offhook by a TypeError of its own what. */
export const failures: readonly Probe[] = [
  {
    name: 'nobody listens',
    fails: 'refused',
    ask: (fetch, { nobody }) => fetch(nobody, { method: 'POST', body: 'x' }),
  },
  { name: 'no such name', fails: 'dns', ask: (fetch) => fetch('http://nothing.invalid/', { method: 'POST' }) },
  {
    name: 'TLS to a server that speaks none',
    fails: 'tls',
    ask: (fetch, { url }) => fetch(url.replace('http', 'https')),
  },
  {
    name: 'a content-length that is wrong',
    fails: 'not-admitted',
    cause: 'UND_ERR_INVALID_ARG',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', body: 'abc', headers: { 'content-length': '5' } }),
  },
  {
    name: 'a content-length that is no number',
    fails: 'not-admitted',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', body: 'abc', headers: { 'content-length': 'x' } }),
  },
  {
    name: 'expect',
    fails: 'not-admitted',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'POST', body: 'abc', headers: { expect: '100-continue' } }),
  },
  {
    name: 'transfer-encoding',
    fails: 'not-admitted',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, { method: 'POST', body: 'abc', headers: { 'transfer-encoding': 'chunked' } }),
  },
  {
    name: 'upgrade',
    fails: 'not-admitted',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { upgrade: 'websocket' } }),
  },
  {
    name: 'keep-alive',
    fails: 'not-admitted',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { headers: { 'keep-alive': 'timeout=5' } }),
  },
  { name: '407', fails: 'unknown', ask: (fetch, { url }) => fetch(`${url}/status?status=407`) },
]
