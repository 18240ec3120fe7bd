/** Errors of undici's request and of the global fetch, made on real sockets and then named by their shape alone. */

import type { Socket } from 'node:net'
import { Agent, Client, interceptors, MockAgent, ProxyAgent } from 'undici'
import { describe } from 'vitest'
import { certificates } from '../../src/testing/certificates.js'
import {
  byFetch,
  byUndici,
  closedPort,
  fin,
  onData,
  rejection,
  rst,
  says,
  saysThenRst,
  silence,
  thrown,
  withPeer,
  withTls,
} from './provoke.js'
import { walk } from './walk.js'

const head = 'HTTP/1.1 200 OK\r\n'
const counted = `${head}content-length: 9\r\n\r\nabc`
const refused = { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ECONNREFUSED' } as const
const invalid = { kind: 'not-admitted', phase: 'admit', admission: 'invalid', permanent: true } as const
const noAnswer = { phase: 'wait', delivery: 'unknown' } as const
const cut = { phase: 'body', delivery: 'partial' } as const
const junk = { kind: 'protocol', phase: 'head', delivery: 'partial' } as const
const certificate = { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'certificate', permanent: true } as const
const badRedirect = { kind: 'protocol', phase: 'head', delivery: 'answered', permanent: true } as const
const redirectTo = (location: string) =>
  onData((socket) =>
    socket.write(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`),
  )

/** Every request is sent on, to somewhere else each time. */
let count = 0
function redirectForEver(socket: Socket): void {
  socket.on('data', () => socket.write(`HTTP/1.1 302 Found\r\nlocation: /${count++}\r\ncontent-length: 0\r\n\r\n`))
}

async function byProxy(answer: string, target: string): Promise<unknown> {
  return withPeer(
    onData((socket) => socket.write(answer)),
    (port) => byUndici(target, { dispatcher: new ProxyAgent({ uri: `http://127.0.0.1:${port}`, proxyTunnel: true }) }),
  )
}

/** A client that has one request under way, to be ended in one of its two ways. */
async function withBusyClient<T>(use: (client: Client, pending: Promise<unknown>) => Promise<T>): Promise<T> {
  return withPeer(silence, async (port) => {
    const client = new Client(`http://127.0.0.1:${port}`)
    const pending = rejection(client.request({ path: '/', method: 'GET' }))
    await new Promise((resolve) => client.once('connect', resolve))
    return use(client, pending).finally(() => client.destroy())
  })
}

describe('undici', () =>
  walk([
    ['nobody listens', async () => byUndici(await closedPort()), refused],
    ['FIN', () => withPeer(fin, byUndici), { ...noAnswer, kind: 'closed', code: 'UND_ERR_SOCKET' }],
    ['RST', () => withPeer(rst, byUndici), { ...noAnswer, kind: 'reset', code: 'ECONNRESET', syscall: 'read' }],
    // Half a body and no body look alike from here.
    ['FIN in a counted body', () => withPeer(says(counted), byUndici), { ...noAnswer, kind: 'closed' }],
    ['RST in a counted body', () => withPeer(saysThenRst(counted), byUndici), { ...noAnswer, kind: 'reset' }],
    [
      'FIN in a counted body of a connection that was to be closed',
      () => withPeer(says(`${head}connection: close\r\ncontent-length: 9\r\n\r\nabc`), byUndici),
      { ...cut, kind: 'protocol', code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' },
    ],
    [
      'FIN in a chunk of a connection that was to be closed',
      () => withPeer(says(`${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc`), byUndici),
      { ...cut, kind: 'closed' },
    ],
    ['garbage', () => withPeer(says('what?\r\n\r\n'), byUndici), junk],
    ['an answer that was not asked for', () => withPeer(says('HTTP/1.1 100 Continue\r\n\r\n'), byUndici), junk],
    [
      'a head without end',
      () => withPeer(says(`${head}x: ${'y'.repeat(100_000)}\r\n\r\n`), byUndici),
      { ...junk, permanent: true, code: 'UND_ERR_HEADERS_OVERFLOW' },
    ],
    [
      'a body over the limit',
      () =>
        withPeer(says(`${head}content-length: 9\r\n\r\n123456789`), (port) =>
          byUndici(port, { agent: { maxResponseSize: 3 } }),
        ),
      { ...cut, kind: 'protocol', permanent: true },
    ],
    [
      'no head in time',
      () => withPeer(silence, (port) => byUndici(port, { headersTimeout: 50 })),
      { ...noAnswer, kind: 'timeout', code: 'UND_ERR_HEADERS_TIMEOUT' },
    ],
    [
      'no body in time',
      () =>
        withPeer(
          onData((socket) => socket.write(counted)),
          (port) => byUndici(port, { bodyTimeout: 50 }),
        ),
      { ...cut, kind: 'timeout', code: 'UND_ERR_BODY_TIMEOUT' },
    ],
    [
      'no handshake in time',
      () => withPeer(silence, (port) => byUndici(`https://127.0.0.1:${port}`, { agent: { connect: { timeout: 50 } } })),
      { kind: 'timeout', phase: 'connect', delivery: 'unsent', code: 'UND_ERR_CONNECT_TIMEOUT' },
    ],
    [
      'a certificate',
      () => withTls(certificates.expired, (port) => byUndici(`https://127.0.0.1:${port}`)),
      certificate,
    ],
    [
      'an abort',
      () => withPeer(silence, (port) => byUndici(port, { signal: AbortSignal.abort() })),
      { kind: 'unknown', delivery: 'unknown', aborted: true },
    ],
    [
      'a time-out of the caller',
      () => withPeer(silence, (port) => byUndici(port, { signal: AbortSignal.timeout(30) })),
      { kind: 'timeout', phase: 'call', delivery: 'unknown' },
    ],
    [
      'a proxy that wants credentials',
      () => byProxy('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n', 'http://origin.test'),
      { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 407, permanent: true, code: 'UND_ERR_ABORTED' },
    ],
    [
      'a proxy that cannot reach the origin',
      () => byProxy('HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n', 'https://origin.test'),
      { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 502 },
    ],
    [
      'a request under way in a client that is destroyed',
      () => withBusyClient((client, pending) => client.destroy().then(() => pending)),
      { kind: 'not-admitted', admission: 'destroyed', phase: 'admit', delivery: 'unknown', code: 'UND_ERR_DESTROYED' },
    ],
    [
      'a request to a client that is closing',
      () =>
        withBusyClient((client) => {
          client.close(() => undefined)
          return rejection(client.request({ path: '/', method: 'GET' }))
        }),
      { kind: 'not-admitted', admission: 'closed', phase: 'admit', delivery: 'unsent', code: 'UND_ERR_CLOSED' },
    ],
    [
      'no HTTP URL',
      () => byUndici('ftp://127.0.0.1'),
      { ...invalid, delivery: 'unknown', code: 'UND_ERR_INVALID_ARG' },
    ],
    [
      'a header that is not supported',
      () => byUndici(1, { headers: { expect: '100-continue' } }),
      { ...invalid, delivery: 'unsent' },
    ],
    [
      'a body shorter than announced',
      () =>
        withPeer(silence, (port) =>
          byUndici(port, { method: 'POST', body: 'abc', headers: { 'content-length': '9' } }),
        ),
      { ...invalid, delivery: 'unknown', code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' },
    ],
    [
      'a mock that was not told of it',
      () => {
        const dispatcher = new MockAgent()
        dispatcher.disableNetConnect()
        return byUndici('http://mock.test', { dispatcher })
      },
      { ...invalid, delivery: 'unsent' },
    ],
    [
      'a status that is an error by request',
      () =>
        withPeer(says('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n'), (port) =>
          byUndici(port, { dispatcher: new Agent().compose(interceptors.responseError()) }),
        ),
      { kind: 'status', phase: 'body', delivery: 'answered', status: 503 },
    ],
    [
      'too many redirects',
      () =>
        withPeer(redirectForEver, (port) =>
          byUndici(port, {
            dispatcher: new Agent().compose(interceptors.redirect({ maxRedirections: 2 })),
            // undici 7 hears it here alone, and 8 here too.
            ...({ throwOnMaxRedirect: true } as object),
          }),
        ),
      { kind: 'protocol', phase: 'head', delivery: 'answered', permanent: true },
    ],
  ]))

describe('the global fetch', () =>
  walk([
    ['nobody listens', async () => byFetch(await closedPort()), refused],
    ['FIN', () => withPeer(fin, byFetch), { ...noAnswer, kind: 'closed', code: 'UND_ERR_SOCKET' }],
    ['RST', () => withPeer(rst, byFetch), { ...noAnswer, kind: 'reset', code: 'ECONNRESET' }],
    ['FIN in a counted body', () => withPeer(says(counted), byFetch), { ...cut, kind: 'closed' }],
    [
      'RST in a counted body',
      () => withPeer(saysThenRst(counted), byFetch),
      { ...cut, kind: 'reset', code: 'ECONNRESET' },
    ],
    [
      'gzip that is none',
      () => withPeer(says(`${head}content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc`), byFetch),
      { ...cut, kind: 'protocol', code: 'Z_DATA_ERROR' },
    ],
    ['garbage', () => withPeer(says('what?\r\n\r\n'), byFetch), junk],
    [
      'a certificate',
      () => withTls(certificates['self-signed'], (port) => byFetch(`https://127.0.0.1:${port}`)),
      certificate,
    ],
    [
      'a redirect where none is wanted',
      () => withPeer(redirectTo('/there'), (port) => byFetch(port, { redirect: 'error' })),
      { kind: 'protocol', phase: 'head', delivery: 'answered', permanent: true },
    ],
    [
      'redirects without end',
      () => withPeer(redirectForEver, byFetch),
      { kind: 'protocol', phase: 'head', delivery: 'answered', permanent: true },
    ],
    ['a redirect to another scheme', () => withPeer(redirectTo('ftp://127.0.0.1/'), byFetch), badRedirect],
    ['a redirect to no URL', () => withPeer(redirectTo('http://['), byFetch), badRedirect],
    // It may be the URL that was given, or one that an answer pointed to.
    ['a port that browsers block', () => byFetch('http://127.0.0.1:25/'), { ...invalid, delivery: 'unknown' }],
    ['a scheme that nobody knows', () => byFetch('gopher://127.0.0.1/'), { ...invalid, delivery: 'unsent' }],
    ['no URL', () => byFetch('nowhere'), { ...invalid, delivery: 'unsent', code: 'ERR_INVALID_URL' }],
    ['an abort', () => byFetch(1, { signal: AbortSignal.abort() }), { kind: 'unknown', aborted: true }],
    [
      'a time-out of the caller',
      () => withPeer(silence, (port) => byFetch(port, { signal: AbortSignal.timeout(30) })),
      { kind: 'timeout', phase: 'call', delivery: 'unknown' },
    ],
    [
      'a time-out of the caller in the body',
      () =>
        withPeer(
          onData((socket) => socket.write(counted)),
          (port) => byFetch(port, { signal: AbortSignal.timeout(60) }),
        ),
      { kind: 'timeout', phase: 'call', delivery: 'unknown' },
    ],
    ['a body where none may be', () => thrown(() => new Request('http://a.test', { body: 'x' })), { kind: 'unknown' }],
  ]))
