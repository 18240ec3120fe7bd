/** Codes of what travels over a connection: HTTP/1.1 (llhttp), HTTP/2 (nghttp2) and content codings (zlib). */

import type { CodeFact, CodeRow } from './code-row.js'

const llhttp = 'https://github.com/nodejs/llhttp/blob/main/src/llhttp/constants.ts'
const zlib = 'https://nodejs.org/api/zlib.html#constants'
const node = 'https://nodejs.org/api/errors.html'

const junk = { kind: 'protocol', phase: 'head', delivery: 'partial' } as const
const undecodable = { kind: 'protocol', phase: 'body', delivery: 'partial' } as const

export const httpCodes: readonly CodeRow[] = [
  // The connection ended where the message could not: its end, not its content, was wrong.
  {
    codes: ['HPE_INVALID_EOF_STATE', 'HPE_UNEXPECTED_EOF'],
    says: { kind: 'closed', phase: 'body', delivery: 'partial', mute: true },
    source: `${llhttp}; undici 8 lib/dispatcher/parser-h1.js`,
  },
  { codes: ['HPE_HEADER_OVERFLOW'], says: { ...junk, permanent: true }, source: node },
  {
    codes: ['HPE_INVALID_CHUNK_SIZE', 'HPE_CHUNK_EXTENSIONS_OVERFLOW'],
    says: { ...junk, phase: 'body' },
    source: llhttp,
  },
  { codes: ['HPE_*'], says: junk, source: llhttp },

  // A stream or session whose end has a code: that is read from the text, see error-texts.
  { codes: ['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR'], says: { kind: 'reset' }, source: node },
  { codes: ['ERR_HTTP2_ERROR'], says: { kind: 'protocol' }, source: node },
  // The wire's own, see wire/ping-timer.
  {
    codes: ['ERR_HTTP2_PING_TIMEOUT'],
    says: { kind: 'timeout', phase: 'wait', http2: 'PING' },
    source: 'https://www.rfc-editor.org/rfc/rfc9113#section-6.7',
  },
  // Never opened: it waited for a session that did not come to be, or may take no more.
  {
    codes: ['ERR_HTTP2_STREAM_CANCEL', 'ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'],
    says: { kind: 'closed', delivery: 'unsent', phase: 'send', mute: true },
    source: node,
  },
  {
    codes: [
      'ERR_HTTP2_INVALID_STREAM',
      'ERR_HTTP2_SOCKET_UNBOUND',
      'ERR_HTTP2_SETTINGS_CANCEL',
      'ERR_HTTP2_PING_CANCEL',
    ],
    says: { kind: 'closed', mute: true },
    source: node,
  },

  // A coding that stops too early: cut, or never complete.
  { codes: ['Z_BUF_ERROR'], says: { ...undecodable, mute: true }, source: zlib },
  {
    codes: ['Z_DATA_ERROR', 'Z_NEED_DICT', 'Z_STREAM_ERROR', 'Z_VERSION_ERROR', 'Z_MEM_ERROR', 'Z_ERRNO'],
    says: undecodable,
    source: zlib,
  },
  // Brotli's decoder, whose codes Node spells with one underscore or two, and Zstandard's.
  {
    codes: ['ERR_BROTLI_*', 'ERR__ERROR_*', 'ERR_ZSTD_*', 'ZSTD_error_*', 'ERR_TRAILING_JUNK_AFTER_STREAM_END'],
    says: undecodable,
    source: 'brotli c/include/brotli/decode.h; zstd lib/zstd_errors.h',
  },
]

/** An HTTP/2 error code: its name, and what a stream or session that ends with it says (RFC 9113 §7). */
export interface Http2Code {
  readonly name: string
  readonly says: CodeFact
}

const violation = { kind: 'protocol' } as const
// The peer stops this stream, for a reason of its own; what it did until then is not known.
const stopped = { kind: 'reset' } as const

/** The HTTP/2 error codes; the index is the number on the wire. */
export const http2Codes: readonly Http2Code[] = [
  { name: 'NO_ERROR', says: { kind: 'closed', mute: true } },
  { name: 'PROTOCOL_ERROR', says: violation },
  { name: 'INTERNAL_ERROR', says: stopped },
  { name: 'FLOW_CONTROL_ERROR', says: violation },
  { name: 'SETTINGS_TIMEOUT', says: violation },
  { name: 'STREAM_CLOSED', says: violation },
  { name: 'FRAME_SIZE_ERROR', says: violation },
  // "guarantee that a request has not been processed" (RFC 9113 §8.7). nghttp2 gives it too for a stream above the last
  // one that a GOAWAY lets stand.
  { name: 'REFUSED_STREAM', says: { kind: 'rejected', delivery: 'rejected' } },
  { name: 'CANCEL', says: stopped },
  { name: 'COMPRESSION_ERROR', says: violation },
  { name: 'CONNECT_ERROR', says: stopped },
  { name: 'ENHANCE_YOUR_CALM', says: stopped },
  { name: 'INADEQUATE_SECURITY', says: { ...violation, permanent: true } },
  { name: 'HTTP_1_1_REQUIRED', says: stopped },
]
