/** What the wire saw, what the error says, and what comes of the two. */
import type { Evidence } from '../../src/failure/evidence.js'
import type { Failure, Phase } from '../../src/failure/kinds.js'
import { coded } from './generate.js'

export const reset = coded('ECONNRESET', { errno: -104, syscall: 'read' })
export const otherSideClosed = coded('UND_ERR_SOCKET', { message: 'other side closed' })
const mismatch = coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
const invalidEof = Object.assign(new Error('Response does not match the HTTP/1.1 protocol (Invalid EOF state)'), {
  name: 'HTTPParserError',
  data: '',
})
const refusedStream = coded('ERR_HTTP2_STREAM_ERROR', {
  message: 'Stream closed with error code NGHTTP2_REFUSED_STREAM',
})
const brokenPipe = coded('EPIPE', { errno: -32, syscall: 'write' })
const badUrl = coded('ERR_INVALID_URL')

const socket = { vantage: 'socket', started: true } as const
export const waiting: Evidence = { ...socket, phase: 'wait' }
export const inBody: Evidence = { ...socket, phase: 'body', status: 200 }
export const dialling = (phase: Phase): Evidence => ({ vantage: 'socket', started: false, phase })
export const outside: Evidence = { vantage: 'dispatcher', started: false, phase: 'admit' }

const cutByRst = { kind: 'reset', phase: 'body', delivery: 'partial' } as const
type Row = readonly [what: string, raw: unknown, evidence: Evidence, expected: Partial<Failure>]

export const rows: readonly Row[] = [
  // How the socket ended outranks what the error calls it.
  [
    'a reset that was shown as a FIN',
    otherSideClosed,
    { ...waiting, ending: 'rst' },
    { kind: 'reset', code: 'UND_ERR_SOCKET' },
  ],
  ['a FIN that was called a reset', reset, { ...waiting, ending: 'fin' }, { kind: 'closed', code: 'ECONNRESET' }],
  [
    'a FIN, then a RST for our bytes',
    brokenPipe,
    { ...waiting, ending: 'fin-then-rst' },
    { kind: 'closed', phase: 'send' },
  ],
  [
    'a RST for our bytes',
    brokenPipe,
    { ...waiting, ending: 'rst' },
    { kind: 'reset', phase: 'send', delivery: 'unknown' },
  ],
  ['success, although it was a RST', undefined, { ...inBody, closeDelimited: true, ending: 'rst' }, cutByRst],
  ['"terminated" without a cause', new TypeError('terminated'), { ...inBody, ending: 'rst' }, cutByRst],
  ['a short body and a FIN', mismatch, { ...inBody, ending: 'fin' }, { kind: 'closed', delivery: 'partial' }],
  ['a short body and a RST', mismatch, { ...inBody, ending: 'rst' }, { kind: 'reset', delivery: 'partial' }],
  [
    'a short body on a connection that we ended',
    mismatch,
    { ...inBody, ending: 'local' },
    { kind: 'protocol', delivery: 'partial' },
  ],
  ['a short body on a connection that stands', mismatch, inBody, { kind: 'protocol', delivery: 'partial' }],
  ['a chunk cut by a RST', invalidEof, { ...inBody, ending: 'rst' }, { kind: 'reset', phase: 'body' }],
  ['a chunk cut by a FIN', invalidEof, { ...inBody, ending: 'fin' }, { kind: 'closed', phase: 'body' }],
  [
    'an error without a name, and a FIN',
    new Error('?'),
    { ...waiting, ending: 'fin' },
    { kind: 'closed', delivery: 'unknown' },
  ],
  // The end of a connection whose work was done explains nothing.
  [
    'an error after a complete answer',
    new Error('?'),
    { ...inBody, complete: true, ending: 'fin' },
    { kind: 'unknown', delivery: 'answered' },
  ],
  [
    'undecodable content, complete',
    coded('Z_DATA_ERROR'),
    { ...inBody, complete: true, ending: 'fin' },
    { kind: 'protocol', delivery: 'answered' },
  ],
  [
    'a coding that stops, complete by its length',
    coded('Z_BUF_ERROR'),
    { ...inBody, complete: true, ending: 'fin' },
    { kind: 'protocol' },
  ],
  [
    'a coding that stops with the connection',
    coded('Z_BUF_ERROR'),
    { ...inBody, complete: true, closeDelimited: true, ending: 'fin' },
    { kind: 'closed' },
  ],
  // What has a name of its own keeps it.
  [
    'a refusal on a socket that we then closed',
    coded('ECONNREFUSED', { syscall: 'connect' }),
    { ...dialling('connect'), ending: 'local' },
    { kind: 'refused', delivery: 'unsent' },
  ],
  [
    'an alert, then a FIN',
    coded('ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'),
    { ...dialling('tls'), ending: 'fin' },
    { kind: 'tls', tls: 'alert', delivery: 'unsent' },
  ],
  [
    'a certificate',
    coded('CERT_HAS_EXPIRED'),
    { ...dialling('tls'), ending: 'local' },
    { kind: 'tls', tls: 'certificate', permanent: true },
  ],
  [
    'the kernel gave up',
    coded('ETIMEDOUT', { errno: -110, syscall: 'read' }),
    { ...waiting, ending: 'local' },
    { kind: 'timeout', phase: 'wait', delivery: 'unknown' },
  ],

  // The phase and the proof are the wire's.
  [
    'a reset before the request was written',
    reset,
    { ...dialling('send'), ending: 'rst' },
    { kind: 'reset', phase: 'send', delivery: 'unsent' },
  ],
  [
    'a reset in the TLS handshake',
    reset,
    { ...dialling('tls'), ending: 'rst' },
    { kind: 'reset', phase: 'tls', delivery: 'unsent' },
  ],
  [
    'a reset after the request',
    reset,
    { ...waiting, ending: 'rst' },
    { kind: 'reset', phase: 'wait', delivery: 'unknown' },
  ],
  ['a reset in the head', reset, { ...waiting, phase: 'head', ending: 'rst' }, { phase: 'head', delivery: 'partial' }],
  [
    'bytes of an answer, no head yet',
    reset,
    { ...waiting, ending: 'rst', bytes: { sent: 10, received: 3 } },
    { delivery: 'partial' },
  ],
  [
    'frames of HTTP/2 are no answer',
    reset,
    {
      ...waiting,
      ending: 'rst',
      bytes: { received: 99 },
      connection: { id: 1, protocol: 'h2', reused: false, requestsBefore: 0 },
    },
    { delivery: 'unknown' },
  ],
  [
    'the name did not resolve',
    coded('EAI_AGAIN', { syscall: 'getaddrinfo' }),
    dialling('connect'),
    { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: true },
  ],
  ['REFUSED_STREAM', refusedStream, waiting, { kind: 'rejected', delivery: 'rejected', http2: 'REFUSED_STREAM' }],
  ['REFUSED_STREAM after the answer had begun', refusedStream, inBody, { delivery: 'partial' }],
  [
    'the tunnel broke off',
    reset,
    { ...dialling('proxy'), ending: 'rst' },
    { kind: 'proxy', phase: 'proxy', delivery: 'unsent' },
  ],
  [
    'the proxy could not be reached',
    coded('ECONNREFUSED', { syscall: 'connect' }),
    dialling('proxy'),
    { kind: 'refused', delivery: 'unsent' },
  ],
  [
    'an answer that points to no URL',
    badUrl,
    { ...inBody, status: 302 },
    { kind: 'protocol', permanent: true, delivery: 'partial' },
  ],
  [
    'a redirect that could not be followed',
    new Error(''),
    { ...inBody, status: 307, complete: true },
    { kind: 'protocol', delivery: 'answered' },
  ],
  [
    'a redirect where none was wanted',
    new TypeError('fetch failed', { cause: new Error('unexpected redirect') }),
    { ...inBody, status: 302 },
    { kind: 'protocol', delivery: 'answered', permanent: true },
  ],
  [
    'a complete answer with an error status',
    undefined,
    { ...inBody, status: 503, complete: true },
    { kind: 'status', status: 503, delivery: 'answered' },
  ],
  [
    'a client that was destroyed under the request',
    coded('UND_ERR_DESTROYED'),
    waiting,
    { kind: 'not-admitted', admission: 'destroyed', phase: 'wait', delivery: 'unknown' },
  ],
  [
    'a client that was destroyed before the request',
    coded('UND_ERR_DESTROYED'),
    dialling('connect'),
    { kind: 'not-admitted', phase: 'admit', delivery: 'unsent' },
  ],

  // Seen from outside a foreign dispatcher.
  ['a reset before the start', reset, outside, { kind: 'reset', phase: 'connect', delivery: 'unsent' }],
  [
    'a name before the start',
    coded('ENOTFOUND', { syscall: 'getaddrinfo' }),
    outside,
    { kind: 'dns', phase: 'dns', delivery: 'unsent' },
  ],
  [
    'a certificate before the start',
    coded('CERT_HAS_EXPIRED'),
    outside,
    { kind: 'tls', phase: 'tls', delivery: 'unsent' },
  ],
  [
    'a proxy that refuses',
    coded('UND_ERR_ABORTED', { message: 'Proxy response (407) !== 200 when HTTP Tunneling' }),
    outside,
    { kind: 'proxy', phase: 'proxy', proxyStatus: 407, permanent: true },
  ],
  [
    'a reset after the start',
    reset,
    { ...outside, started: true, phase: 'wait' },
    { kind: 'reset', phase: 'wait', delivery: 'unknown' },
  ],

  // Nobody watched: a redirect may have come before.
  [
    'refused, unseen',
    coded('ECONNREFUSED', { syscall: 'connect' }),
    { vantage: 'none', phase: 'admit' },
    { kind: 'refused', phase: 'connect', delivery: 'unknown' },
  ],
  ['rejected, unseen', refusedStream, { vantage: 'none', phase: 'admit' }, { kind: 'rejected', delivery: 'unknown' }],
  [
    'a body cut, unseen',
    new TypeError('terminated', { cause: reset }),
    { vantage: 'none', phase: 'body', status: 200 },
    cutByRst,
  ],

  // What HTTP/2 said of the stream outranks the error that a client made of it.
  [
    'a stream above the last one of a GOAWAY',
    otherSideClosed,
    { ...waiting, ending: 'fin', http2: { stream: 5, goaway: { code: 0, lastStream: 3 } } },
    { kind: 'rejected', delivery: 'rejected', http2: 'GOAWAY' },
  ],
  [
    'a stream that a GOAWAY lets stand',
    otherSideClosed,
    { ...waiting, ending: 'fin', http2: { stream: 3, goaway: { code: 0, lastStream: 3 } } },
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'a stream that was reset, although it looks like an end',
    undefined,
    { ...inBody, http2: { stream: 1, reset: 8 } },
    { kind: 'reset', phase: 'body', delivery: 'partial', http2: 'CANCEL' },
  ],

  // Aborts.
  [
    'the caller aborted',
    new DOMException('', 'AbortError'),
    waiting,
    { kind: 'unknown', aborted: true, phase: 'wait', delivery: 'unknown' },
  ],
  [
    'the caller aborted before the start',
    new DOMException('', 'AbortError'),
    dialling('connect'),
    { aborted: true, delivery: 'unsent' },
  ],
  [
    'the caller aborted, and so the socket ended',
    coded('UND_ERR_ABORTED'),
    { ...inBody, ending: 'local' },
    { aborted: true, delivery: 'partial' },
  ],
  [
    'the caller timed out',
    new DOMException('', 'TimeoutError'),
    waiting,
    { kind: 'timeout', phase: 'call', delivery: 'unknown' },
  ],
]
