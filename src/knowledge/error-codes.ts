/**
 * What the error codes of this world mean: one row a code, or a family of codes that differ in spelling between
 * versions. Facts about the codes alone; what else was observed is weighed in `diagnosis/classify`.
 */

import type { Delivery, Failure, FailureKind, Phase, TlsTrouble } from '../failure/kinds.js'

/** What a code says by itself. */
export interface CodeFact {
  readonly kind: FailureKind
  /** The phase that the code alone proves. */
  readonly phase?: Phase
  /** The delivery that the code alone proves. */
  readonly delivery?: Delivery
  readonly permanent?: true
  readonly temporary?: boolean
  readonly tls?: TlsTrouble
  readonly admission?: NonNullable<Failure['admission']>
  readonly aborted?: true
  /** The code is mute about the reason: how the socket ended says more, where that was seen. */
  readonly mute?: true
}

/** A row: the codes, what they say, and where that is written. */
export interface CodeRow {
  readonly codes: readonly string[]
  readonly says: CodeFact
  readonly source: string
}

const errno = 'https://man7.org/linux/man-pages/man3/errno.3.html'
const connect = 'https://man7.org/linux/man-pages/man2/connect.2.html'
const resolver = 'https://man7.org/linux/man-pages/man3/getaddrinfo.3.html'
const cares = 'https://nodejs.org/api/dns.html#error-codes'
const node = 'https://nodejs.org/api/errors.html#nodejs-error-codes'
const undici = 'https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md'
const zlib = 'https://nodejs.org/api/zlib.html#constants'
const openssl = 'https://docs.openssl.org/3.0/man1/openssl-verify/#diagnostics'

const dial = { phase: 'connect', delivery: 'unsent' } as const
const invalid = {
  kind: 'not-admitted',
  admission: 'invalid',
  phase: 'admit',
  delivery: 'unsent',
  permanent: true,
} as const
const certificate = { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'certificate', permanent: true } as const
const notHttp = { kind: 'protocol', permanent: true } as const

/** The rows. A code stands in one of them at most. */
export const codeRows: readonly CodeRow[] = [
  // Sockets.
  { codes: ['ECONNRESET'], says: { kind: 'reset' }, source: errno },
  { codes: ['EPIPE'], says: { kind: 'reset', phase: 'send' }, source: errno },
  { codes: ['ECONNABORTED'], says: { kind: 'reset' }, source: errno },
  { codes: ['ENOTCONN', 'ESHUTDOWN'], says: { kind: 'closed' }, source: errno },
  { codes: ['ECONNREFUSED'], says: { kind: 'refused', ...dial }, source: connect },
  {
    codes: ['ENOENT', 'ENOTSOCK'],
    says: { kind: 'refused', ...dial },
    source: 'https://man7.org/linux/man-pages/man7/unix.7.html',
  },
  { codes: ['ETIMEDOUT'], says: { kind: 'timeout' }, source: connect },
  {
    codes: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENETRESET', 'ENONET'],
    says: { kind: 'unreachable' },
    source: errno,
  },
  {
    codes: ['EADDRNOTAVAIL', 'EADDRINUSE', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'],
    says: { kind: 'local-resource' },
    source: connect,
  },
  { codes: ['EPERM', 'EACCES'], says: { kind: 'local-resource', ...dial }, source: connect },
  {
    codes: ['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'EINVAL'],
    says: { kind: 'local-resource', ...dial, permanent: true },
    source: connect,
  },
  // Names.
  {
    codes: ['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA', 'EAI_ADDRFAMILY', 'EBADNAME', 'ENONAME'],
    says: { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: false },
    source: resolver,
  },
  {
    codes: [
      'EAI_AGAIN',
      'EAI_FAIL',
      'EAI_SYSTEM',
      'EAI_MEMORY',
      'ETIMEOUT',
      'ESERVFAIL',
      'EREFUSED',
      'ECONNREFUSED_DNS',
      'EBADRESP',
      'EFORMERR',
      'ENOTIMP',
      'ECANCELLED',
      'ENOTINITIALIZED',
      'ELOADIPHLPAPI',
      'EADDRGETNETWORKPARAMS',
    ],
    says: { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: true },
    source: cares,
  },
  // undici.
  {
    codes: ['UND_ERR_CONNECT_TIMEOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT'],
    says: { kind: 'timeout', ...dial },
    source: undici,
  },
  { codes: ['UND_ERR_HEADERS_TIMEOUT'], says: { kind: 'timeout', phase: 'wait' }, source: undici },
  { codes: ['UND_ERR_BODY_TIMEOUT'], says: { kind: 'timeout', phase: 'body', delivery: 'partial' }, source: undici },
  { codes: ['UND_ERR_SOCKET'], says: { kind: 'closed', mute: true }, source: undici },
  { codes: ['UND_ERR_INFO'], says: { kind: 'closed', mute: true }, source: undici },
  {
    codes: ['UND_ERR_HEADERS_OVERFLOW', 'HPE_HEADER_OVERFLOW'],
    says: { ...notHttp, phase: 'head', delivery: 'partial' },
    source: undici,
  },
  {
    codes: ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH'],
    says: { kind: 'protocol', phase: 'body', delivery: 'partial', mute: true },
    source: undici,
  },
  {
    codes: ['UND_ERR_RES_EXCEEDED_MAX_SIZE'],
    says: { ...notHttp, phase: 'body', delivery: 'partial' },
    source: undici,
  },
  {
    codes: ['UND_ERR_RESPONSE', 'UND_ERR_REQ_RETRY'],
    says: { kind: 'protocol', delivery: 'answered' },
    source: undici,
  },
  { codes: ['UND_ERR_PRX_CONN'], says: { kind: 'proxy', phase: 'proxy', delivery: 'unsent' }, source: undici },
  { codes: ['UND_ERR_PRX_TLS'], says: { kind: 'tls', phase: 'tls', delivery: 'unsent' }, source: undici },
  { codes: ['UND_ERR_DESTROYED'], says: { kind: 'not-admitted', admission: 'destroyed' }, source: undici },
  { codes: ['UND_ERR_CLOSED'], says: { kind: 'not-admitted', admission: 'closed' }, source: undici },
  {
    codes: ['UND_ERR_BPL_MISSING_UPSTREAM', 'UND_ERR_MAX_ORIGINS_REACHED'],
    says: { kind: 'not-admitted', admission: 'queue-full', phase: 'admit', delivery: 'unsent' },
    source: undici,
  },
  { codes: ['UND_ERR_ABORTED', 'ABORT_ERR', 'ERR_CANCELED'], says: { kind: 'unknown', aborted: true }, source: undici },
  {
    codes: ['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_INVALID_RETURN_VALUE'],
    says: invalid,
    source: undici,
  },
  {
    codes: ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'],
    says: { kind: 'not-admitted', admission: 'invalid', permanent: true },
    source: undici,
  },
  {
    codes: [
      'ERR_INVALID_URL',
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_CHAR',
      'ERR_INVALID_HTTP_TOKEN',
      'ERR_INVALID_PROTOCOL',
      'ERR_UNESCAPED_CHARACTERS',
      'ERR_SOCKET_BAD_PORT',
      'ERR_HTTP_INVALID_HEADER_VALUE',
    ],
    says: invalid,
    source: node,
  },
  // Node.
  {
    codes: ['ERR_STREAM_PREMATURE_CLOSE'],
    says: { kind: 'closed', phase: 'body', delivery: 'partial', mute: true },
    source: node,
  },
  {
    codes: ['ERR_TLS_NO_CLOSE_NOTIFY'],
    says: { kind: 'closed', phase: 'body', delivery: 'partial' },
    source: 'https://www.rfc-editor.org/rfc/rfc8446#section-6.1',
  },
  { codes: ['ERR_TLS_HANDSHAKE_TIMEOUT'], says: { kind: 'timeout', phase: 'tls', delivery: 'unsent' }, source: node },
  { codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_FORMAT'], says: certificate, source: node },
  {
    codes: [
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
      'CERT_REVOKED',
      'CERT_REJECTED',
      'CERT_UNTRUSTED',
      'CERT_CHAIN_TOO_LONG',
      'CERT_SIGNATURE_FAILURE',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
      'HOSTNAME_MISMATCH',
      'CRL_HAS_EXPIRED',
      'CRL_NOT_YET_VALID',
      'UNABLE_TO_GET_CRL',
    ],
    says: certificate,
    source: openssl,
  },
  { codes: ['EPROTO'], says: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'alert' }, source: errno },
  // HTTP/2; the code of the stream is read apart.
  { codes: ['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_CANCEL'], says: { kind: 'reset' }, source: node },
  {
    codes: [
      'ERR_HTTP2_GOAWAY_SESSION',
      'ERR_HTTP2_SESSION_ERROR',
      'ERR_HTTP2_INVALID_SESSION',
      'ERR_HTTP2_INVALID_STREAM',
    ],
    says: { kind: 'closed' },
    source: node,
  },
  {
    codes: ['ERR_HTTP2_PING_CANCEL', 'ERR_HTTP2_SETTINGS_CANCEL', 'ERR_HTTP2_SOCKET_UNBOUND'],
    says: { kind: 'closed' },
    source: node,
  },
  { codes: ['ERR_HTTP2_ERROR'], says: notHttp, source: node },
  // Content codings.
  {
    codes: ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'Z_STREAM_ERROR', 'Z_VERSION_ERROR'],
    says: { ...notHttp, phase: 'body', delivery: 'partial' },
    source: zlib,
  },
]

/** Families of codes, by a pattern; asked only when no row has the code. */
export const codeFamilies: readonly { readonly pattern: RegExp; readonly says: CodeFact; readonly source: string }[] = [
  { pattern: /^HPE_/, says: notHttp, source: 'https://github.com/nodejs/llhttp' },
  // Alerts that a repetition will meet again (RFC 8446 §6.2); their spelling changed between OpenSSL versions.
  {
    pattern:
      /^ERR_SSL_.*(?:HANDSHAKE_FAILURE|PROTOCOL_VERSION|INSUFFICIENT_SECURITY|UNRECOGNIZED_NAME|NO_APPLICATION_PROTOCOL|ILLEGAL_PARAMETER|DECODE_ERROR|UNSUPPORTED|NO_SHARED|BAD_CERTIFICATE|CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|NO_PROTOCOLS|NO_CIPHERS)/,
    says: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'mismatch', permanent: true },
    source: 'https://www.rfc-editor.org/rfc/rfc8446#section-6.2',
  },
  {
    pattern:
      /^ERR_SSL_.*(?:WRONG_VERSION|HTTP_REQUEST|HTTPS_PROXY|PACKET_LENGTH|BAD_RECORD|UNEXPECTED_MESSAGE|RECORD_TOO|INVALID_RECORD|RECORD_LAYER)/,
    says: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'mismatch', permanent: true },
    source: 'https://docs.openssl.org/3.0/man3/ERR_get_error/',
  },
  {
    pattern: /^ERR_SSL_/,
    says: { kind: 'tls', phase: 'tls', tls: 'alert' },
    source: 'https://docs.openssl.org/3.0/man3/ERR_get_error/',
  },
  { pattern: /^ERR_TLS_/, says: { kind: 'tls', phase: 'tls', delivery: 'unsent', permanent: true }, source: node },
  {
    pattern: /^(?:ERR_BROTLI|ERR_ZSTD|ERR__|ZSTD_)/,
    says: { ...notHttp, phase: 'body', delivery: 'partial' },
    source: zlib,
  },
]

const byCode = new Map(codeRows.flatMap((row) => row.codes.map((code) => [code, row.says] as const)))

/** What a code says; `undefined` for one that is not known. */
export function factOf(code: string): CodeFact | undefined {
  return byCode.get(code) ?? codeFamilies.find(({ pattern }) => pattern.test(code))?.says
}

/** The names of HTTP/2 error codes by number (RFC 9113 §7). */
export const http2Codes: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]
