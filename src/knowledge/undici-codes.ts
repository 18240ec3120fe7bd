/** Codes of undici 6 to 8, and so of the global fetch that is made of it. */

import { type CodeRow, dialling, invalid } from './code-row.js'

const errors = 'https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md'
const lib = 'undici lib/core/errors.js'

export const undiciCodes: readonly CodeRow[] = [
  { codes: ['UND_ERR_CONNECT_TIMEOUT'], says: { kind: 'timeout', ...dialling }, source: errors },
  { codes: ['UND_ERR_HEADERS_TIMEOUT'], says: { kind: 'timeout', phase: 'wait' }, source: errors },
  { codes: ['UND_ERR_BODY_TIMEOUT'], says: { kind: 'timeout', phase: 'body', delivery: 'partial' }, source: errors },

  // "other side closed": a FIN. A RST comes as the system's ECONNRESET instead.
  { codes: ['UND_ERR_SOCKET'], says: { kind: 'closed', mute: true }, source: errors },
  // undici's talk with itself; over HTTP/2 also streams that ended without a word.
  { codes: ['UND_ERR_INFO'], says: { kind: 'closed', mute: true }, source: errors },
  // Cut by a FIN where the connection was to be closed anyway, or a server that cannot count.
  {
    codes: ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH'],
    says: { kind: 'protocol', phase: 'body', delivery: 'partial', mute: true },
    source: errors,
  },
  {
    codes: ['UND_ERR_HEADERS_OVERFLOW'],
    says: { kind: 'protocol', phase: 'head', delivery: 'partial', permanent: true },
    source: errors,
  },
  {
    codes: ['UND_ERR_RES_EXCEEDED_MAX_SIZE'],
    says: { kind: 'protocol', phase: 'body', delivery: 'partial', permanent: true },
    source: errors,
  },
  {
    codes: ['UND_ERR_REDIRECT_MAX'],
    says: { kind: 'protocol', delivery: 'answered', permanent: true },
    source: 'undici 8 lib/handler/redirect-handler.js',
  },
  {
    codes: ['UND_ERR_RESPONSE'],
    says: { kind: 'status', phase: 'body', delivery: 'answered' },
    source: 'undici lib/interceptor/response-error.js',
  },
  // RetryHandler: a status, or a resumed body that is not the rest of the first one.
  { codes: ['UND_ERR_REQ_RETRY'], says: { kind: 'protocol', phase: 'body', delivery: 'partial' }, source: lib },

  // The proxy failed; what it wraps would read as if the origin had.
  {
    codes: ['UND_ERR_PRX_CONN'],
    says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', outranksCause: true },
    source: 'undici 8 lib/dispatcher/proxy-agent.js',
  },
  {
    codes: ['UND_ERR_PRX_TLS'],
    says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', permanent: true, outranksCause: true },
    source: 'undici lib/dispatcher/proxy-agent.js: the name in the certificate of the proxy',
  },
  {
    // Refused by its rules, no tunnels, no such addresses: it would say the same again.
    codes: ['UND_ERR_SOCKS5_AUTH_*', 'UND_ERR_SOCKS5_REPLY_2', 'UND_ERR_SOCKS5_REPLY_7', 'UND_ERR_SOCKS5_REPLY_8'],
    says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', permanent: true, outranksCause: true },
    source: 'undici lib/core/socks5-client.js; RFC 1928 §6',
  },
  {
    codes: ['UND_ERR_SOCKS5*'],
    says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', outranksCause: true },
    source: 'undici lib/core/socks5-client.js',
  },

  // `destroy` fails requests that are under way too, so it proves nothing; `close` only those that come later.
  {
    codes: ['UND_ERR_DESTROYED'],
    says: { kind: 'not-admitted', admission: 'destroyed', phase: 'admit', outranksCause: true },
    source: errors,
  },
  {
    codes: ['UND_ERR_CLOSED'],
    says: { kind: 'not-admitted', admission: 'closed', phase: 'admit', delivery: 'unsent' },
    source: errors,
  },
  {
    codes: ['UND_ERR_MAX_ORIGINS_REACHED'],
    says: { kind: 'not-admitted', admission: 'queue-full', phase: 'admit', delivery: 'unsent' },
    source: lib,
  },
  {
    codes: ['UND_ERR_NOT_SUPPORTED', 'UND_ERR_BPL_MISSING_UPSTREAM', 'UND_MOCK_ERR_MOCK_NOT_MATCHED'],
    says: invalid,
    source: errors,
  },
  // Also for a chunk of a body, or its length, after the head was sent: no proof that nothing was.
  {
    codes: ['UND_ERR_INVALID_ARG', 'UND_ERR_INVALID_RETURN_VALUE', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'],
    says: { kind: 'not-admitted', admission: 'invalid', phase: 'admit', permanent: true },
    source: 'undici lib/dispatcher/client-h1.js',
  },

  {
    codes: ['UND_ERR_ABORT', 'UND_ERR_ABORTED'],
    says: { kind: 'unknown', aborted: true, outranksCause: true },
    source: errors,
  },
]
