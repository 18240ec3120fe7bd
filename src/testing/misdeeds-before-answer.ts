import type { Script } from './script.js'

/** A ready-made script, with a line that says what it does. */
export interface Misdeed extends Script {
  readonly says: string
  /** `'tls'`: it makes sense over TLS alone; most of these are refused by a server that speaks plain TCP. */
  readonly over: 'any' | 'tls'
}

/** While the connection is made, the request is sent, and the answer is awaited. */
export const misdeedsBeforeAnswer = {
  // Accept.
  'reset-at-accept': { over: 'any', says: 'accepts the connection and resets it at once', accept: ['rst'] },
  'fin-at-accept': { over: 'any', says: 'accepts the connection and closes it at once', accept: ['fin'] },
  'stall-at-accept': {
    over: 'any',
    says: 'accepts the connection and then does nothing: over TLS the handshake stalls',
    accept: ['stall'],
  },
  'reset-with-request-unread': {
    over: 'any',
    says: 'closes with the request (over TLS: the ClientHello) unread, for which the kernel sends RST in place of FIN',
    accept: [{ wait: 50 }, 'close'],
  },

  // TLS handshake.
  'tls-reset-after-client-hello': { over: 'tls', says: 'reads the ClientHello, then RST', clientHello: ['rst'] },
  'tls-fin-after-client-hello': { over: 'tls', says: 'reads the ClientHello, then FIN', clientHello: ['fin'] },
  'tls-stall-after-client-hello': {
    over: 'tls',
    says: 'reads the ClientHello and never answers',
    clientHello: ['stall'],
  },
  'tls-alert-handshake-failure': {
    over: 'tls',
    says: 'refuses the handshake: no cipher in common',
    clientHello: [{ alert: 'handshake_failure' }, 'fin'],
  },
  'tls-alert-protocol-version': {
    over: 'tls',
    says: 'refuses the handshake: TLS version not supported',
    clientHello: [{ alert: 'protocol_version' }, 'fin'],
  },
  'tls-alert-unrecognized-name': {
    over: 'tls',
    says: 'refuses the handshake: no such server name here',
    clientHello: [{ alert: 'unrecognized_name' }, 'fin'],
  },
  'tls-alert-internal-error': {
    over: 'tls',
    says: 'refuses the handshake: internal error',
    clientHello: [{ alert: 'internal_error' }, 'fin'],
  },
  'tls-plain-http-answer': {
    over: 'tls',
    says: 'speaks plain HTTP on the TLS port',
    clientHello: [{ write: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' }, 'fin'],
  },
  'tls-garbage-answer': {
    over: 'tls',
    says: 'answers the ClientHello with bytes that are no TLS record',
    clientHello: [{ write: '\x00\xff\x00\xff', times: 64 }, 'fin'],
  },
  'tls-expired-certificate': { over: 'tls', says: 'shows a certificate that expired in 2020', certificate: 'expired' },
  'tls-wrong-name-certificate': {
    over: 'tls',
    says: 'shows the certificate of another host',
    certificate: 'wrong-name',
  },
  'tls-self-signed-certificate': {
    over: 'tls',
    says: 'shows a certificate signed by itself',
    certificate: 'self-signed',
  },
  'tls-reset-after-handshake': { over: 'tls', says: 'completes the handshake, then RST', open: ['rst'] },
  'tls-fin-after-handshake': { over: 'tls', says: 'completes the handshake, then close_notify and FIN', open: ['fin'] },

  // Send.
  'reset-mid-request-head': {
    over: 'any',
    says: 'reads 16 bytes of the request, then RST',
    request: [{ read: 16 }, 'rst'],
  },
  'reset-after-request-head': {
    over: 'any',
    says: 'reads the head of the request, then RST; the body is not read',
    request: [{ read: 'head' }, 'rst'],
  },
  'fin-after-request-head': {
    over: 'any',
    says: 'reads the head of the request, then FIN; the body is not read',
    request: [{ read: 'head' }, 'fin'],
  },
  'reset-mid-upload': {
    over: 'any',
    says: 'reads 64 KiB of the request, then RST',
    request: [{ read: 65_536 }, 'rst'],
  },
  'stop-reading': {
    over: 'any',
    says: 'reads the head of the request and then no more: the window of a long upload closes',
    request: [{ read: 'head' }, 'pause', 'stall'],
  },
  'execute-head-then-reset': {
    over: 'any',
    says: 'acts on the head of the request alone, then RST',
    request: [{ read: 'head' }, 'execute', 'rst'],
  },
  'execute-prefix-then-reset': {
    over: 'any',
    says: 'acts on the first 512 bytes of the request, then RST',
    request: [{ read: 512 }, 'execute', 'rst'],
  },

  // Wait: from here on the request was executed, and the client does not know.
  'reset-after-request': {
    over: 'any',
    says: 'executes the request, then RST without a byte of an answer',
    request: [{ read: 'request' }, 'execute', 'rst'],
  },
  'fin-after-request': {
    over: 'any',
    says: 'executes the request, then FIN without a byte of an answer',
    request: [{ read: 'request' }, 'execute', 'fin'],
  },
  'bare-fin-after-request': {
    over: 'tls',
    says: 'executes the request, then FIN without close_notify',
    request: [{ read: 'request' }, 'execute', 'bare-fin'],
  },
  'half-close-after-request': {
    over: 'any',
    says: 'executes the request, sends FIN, and goes on reading',
    request: [{ read: 'request' }, 'execute', 'half-close', 'stall'],
  },
  'stall-before-head': {
    over: 'any',
    says: 'executes the request and never answers',
    request: [{ read: 'request' }, 'execute', 'stall'],
  },
  'stall-without-executing': {
    over: 'any',
    says: 'reads the request, does nothing about it, and never answers',
    request: [{ read: 'request' }, 'stall'],
  },
  'reset-after-early-hints': {
    over: 'any',
    says: 'sends 103 Early Hints, executes the request, then RST before the final answer',
    request: [
      { read: 'request' },
      { inform: 103, headers: { link: '</style.css>; rel=preload' } },
      'execute',
      { wait: 20 },
      'rst',
    ],
  },
  'unsolicited-continue': {
    over: 'any',
    says: 'sends 100 Continue that nobody asked for, then a good answer',
    request: [{ read: 'request' }, { inform: 100 }, { respond: { body: 'ok' } }],
  },
  'switching-protocols': {
    over: 'any',
    says: 'answers 101 Switching Protocols that nobody asked for',
    request: [{ write: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: none\r\n\r\n' }, 'stall'],
  },
} as const satisfies Record<string, Misdeed>
