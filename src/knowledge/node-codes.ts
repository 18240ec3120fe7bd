/** Codes that Node itself gives: sockets, streams, aborts, and input that it refuses. */

import { type CodeRow, dialling, invalid } from './code-row.js'

const errors = 'https://nodejs.org/api/errors.html#nodejs-error-codes'

export const nodeCodes: readonly CodeRow[] = [
  { codes: ['ABORT_ERR'], says: { kind: 'unknown', aborted: true, outranksCause: true }, source: errors },
  // Node's happy eyeballs gave up on an address, as its own timer had it.
  { codes: ['ERR_SOCKET_CONNECTION_TIMEOUT'], says: { kind: 'timeout', ...dialling }, source: 'node:net' },
  { codes: ['ERR_SOCKET_CLOSED_BEFORE_CONNECTION'], says: { kind: 'closed', ...dialling }, source: errors },
  { codes: ['ERR_SOCKET_CLOSED'], says: { kind: 'closed', mute: true }, source: errors },
  // The stream closed without its end: a cut body, or an upload that nobody took.
  { codes: ['ERR_STREAM_PREMATURE_CLOSE'], says: { kind: 'closed', mute: true }, source: errors },
  // Written to after somebody had destroyed it: its own error, if there was one, says why.
  {
    codes: ['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'],
    says: { kind: 'closed', phase: 'send', mute: true },
    source: errors,
  },
  {
    codes: ['ERR_PROXY_TUNNEL'],
    says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', outranksCause: true },
    source: 'node:http, built-in proxy support since 24.5',
  },
  { codes: ['ERR_PROXY_INVALID_CONFIG'], says: invalid, source: errors },
  {
    codes: [
      'ERR_INVALID_URL',
      'ERR_INVALID_URL_SCHEME',
      'ERR_INVALID_PROTOCOL',
      'ERR_INVALID_DOMAIN_NAME',
      'ERR_INVALID_CHAR',
      'ERR_INVALID_HTTP_TOKEN',
      'ERR_HTTP_INVALID_HEADER_VALUE',
      'ERR_UNESCAPED_CHARACTERS',
      'ERR_SOCKET_BAD_PORT',
      'ERR_HTTP2_INVALID_PSEUDOHEADER',
      'ERR_HTTP2_INVALID_HEADER_VALUE',
      'ERR_HTTP2_INVALID_CONNECTION_HEADERS',
      'ERR_HTTP2_HEADER_SINGLE_VALUE',
      'ERR_HTTP2_UNSUPPORTED_PROTOCOL',
    ],
    says: invalid,
    source: errors,
  },
  // Also thrown for a piece of a body that is no bytes, when others may have been sent.
  {
    codes: [
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_OUT_OF_RANGE',
      'ERR_STREAM_NULL_VALUES',
      'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
      'ERR_HTTP_BODY_NOT_ALLOWED',
    ],
    says: { kind: 'not-admitted', admission: 'invalid', phase: 'admit', permanent: true },
    source: errors,
  },
]
