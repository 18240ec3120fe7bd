/**
 * The decision table, written down a second time: by hand, from the document that specifies it, and not from the code.
 * `decide` is held against it cell by cell. The words of the cells are the document's:
 *
 * `T` transparent · `T once` · `T once, then C` · `C` charged with backoff · `C0, then C` the first time without it ·
 * `C once` · `C slow` with the backoff of overload · `C throttle` the same, cheaper · `–` never · `o` when asked for by
 * name · `as status` whatever the status says.
 */

import type { Failure, RequestClass, StopReason } from '../../src/failure/kinds.js'
import type { RetryQuestion } from '../../src/policy/retry-question.js'

export type Words = 'T' | 'T once' | 'T once, then C' | 'C' | 'C0, then C' | 'C once' | 'C slow' | 'C throttle'

/** A cell that is open only by an option, or only where the facts of the example add something. */
export interface Ask {
  readonly o?: string
  readonly with?: Partial<RetryQuestion>
  readonly how: Words
}

export type OracleCell = Words | 'as status' | { readonly never: StopReason } | readonly [StopReason, ...Ask[]]

export interface OracleRow {
  readonly number: number
  readonly what: string
  readonly cells: Readonly<Record<RequestClass, OracleCell>>
  /** What is said when a "once" is asked for a second time. */
  readonly used?: StopReason
  readonly examples: readonly Example[]
}

/** A failure that belongs to the row, with what must be known besides. */
export interface Example extends Partial<Omit<RetryQuestion, 'failure'>> {
  readonly failure: Omit<Failure, 'cause'>
}

const row = (
  number: number,
  what: string,
  cells: { readonly S: OracleCell; readonly K: OracleCell; readonly U: OracleCell; readonly used?: StopReason },
  ...examples: readonly Example[]
): OracleRow => ({
  number,
  what,
  cells: { idempotent: cells.S, keyed: cells.K, unsafe: cells.U },
  ...(cells.used === undefined ? undefined : { used: cells.used }),
  examples,
})

const all = (cell: OracleCell) => ({ S: cell, K: cell, U: cell })
const never = (reason: StopReason) => all({ never: reason })
const unsafe = { never: 'unsafe' } as const
const harmless = { S: 'C', K: 'C', U: unsafe } as const
const status = (code: number, facts: Omit<Example, 'failure'> = {}): Example => ({
  failure: { kind: 'status', phase: 'body', delivery: 'answered', status: code },
  ...facts,
})
const proxyStatus = (...errors: readonly string[]) => ({
  signals: { proxyStatus: errors.map((error) => ({ name: 'gateway', error })) },
})

export const oracle: readonly OracleRow[] = [
  row(
    1,
    'invalid URL/header/option, unsupported scheme',
    never('permanent'),
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'invalid', permanent: true } },
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'invalid' } },
    { failure: { kind: 'local-resource', phase: 'connect', delivery: 'unsent', code: 'EPERM', permanent: true } },
    { failure: { kind: 'unknown', phase: 'send', delivery: 'unknown', permanent: true } },
  ),
  row(
    2,
    'caller abort',
    never('abort'),
    { failure: { kind: 'unknown', phase: 'wait', delivery: 'unknown', aborted: true } },
    {
      failure: { kind: 'reset', phase: 'body', delivery: 'partial', aborted: true },
      committed: true,
      resumable: true,
    },
  ),
  row(
    2,
    'total deadline',
    never('deadline'),
    { failure: { kind: 'timeout', phase: 'call', delivery: 'unsent' } },
    {
      failure: { kind: 'timeout', phase: 'call', delivery: 'partial' },
      committed: true,
    },
  ),
  row(
    3,
    'pool-acquire timeout, local queue full, breaker open, throttled',
    never('local'),
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'queue-full' } },
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'queue-timeout' } },
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'breaker' } },
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'throttled' } },
    { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'closed' } },
    { failure: { kind: 'timeout', phase: 'admit', delivery: 'unsent' } },
  ),
  row(3, 'budget empty', never('budget'), {
    failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent', admission: 'budget' },
  }),
  row(
    4,
    'DNS temporary (EAI_AGAIN, resolver timeout)',
    all('C'),
    { failure: { kind: 'dns', phase: 'dns', delivery: 'unsent', code: 'EAI_AGAIN', temporary: true } },
    { failure: { kind: 'timeout', phase: 'dns', delivery: 'unsent' } },
  ),
  row(
    5,
    'DNS NXDOMAIN/no data (ENOTFOUND)',
    all('C once'),
    { failure: { kind: 'dns', phase: 'dns', delivery: 'unsent', code: 'ENOTFOUND', temporary: false } },
    { failure: { kind: 'dns', phase: 'dns', delivery: 'unsent', code: 'ENODATA', permanent: true } },
  ),
  row(6, 'ECONNREFUSED', all('C'), {
    failure: { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ECONNREFUSED' },
  }),
  row(
    7,
    'connect timeout, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN',
    all('C'),
    { failure: { kind: 'timeout', phase: 'connect', delivery: 'unsent', code: 'UND_ERR_CONNECT_TIMEOUT' } },
    { failure: { kind: 'timeout', phase: 'tls', delivery: 'unsent' } },
    { failure: { kind: 'unreachable', phase: 'connect', delivery: 'unsent', code: 'EHOSTUNREACH' } },
  ),
  row(
    8,
    'EADDRNOTAVAIL, EMFILE, ENOBUFS',
    all('C slow'),
    { failure: { kind: 'local-resource', phase: 'connect', delivery: 'unsent', code: 'EMFILE' } },
    { failure: { kind: 'local-resource', phase: 'connect', delivery: 'unsent', code: 'EADDRNOTAVAIL' } },
  ),
  row(
    9,
    'RST/FIN in accept or TLS handshake',
    all('C'),
    { failure: { kind: 'reset', phase: 'connect', delivery: 'unsent' } },
    { failure: { kind: 'reset', phase: 'tls', delivery: 'unsent' }, reused: false },
    { failure: { kind: 'closed', phase: 'tls', delivery: 'unsent' } },
    { failure: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'handshake' } },
  ),
  row(
    10,
    'certificate invalid, hostname mismatch, TLS version/cipher mismatch, wrong-version record',
    never('permanent'),
    { failure: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'certificate', permanent: true } },
    { failure: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'mismatch' } },
    { failure: { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'alert' } },
    { failure: { kind: 'tls', phase: 'wait', delivery: 'unknown', tls: 'alert', permanent: true } },
  ),
  row(
    11,
    'proxy CONNECT refused: 407',
    never('permanent'),
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 407 } },
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 403 } },
  ),
  row(
    12,
    'proxy CONNECT failed 502/503/504 or reset',
    all('C'),
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 502 } },
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 503 } },
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: 504 } },
    { failure: { kind: 'proxy', phase: 'proxy', delivery: 'unsent' } },
    { failure: { kind: 'reset', phase: 'proxy', delivery: 'unsent' } },
  ),
  row(
    13,
    'pooled connection died, this request never written',
    all('T'),
    { failure: { kind: 'reset', phase: 'send', delivery: 'unsent' }, reused: true },
    { failure: { kind: 'closed', phase: 'send', delivery: 'unsent' } },
    { failure: { kind: 'reset', phase: 'connect', delivery: 'unsent' }, reused: true },
    { failure: { kind: 'protocol', phase: 'wait', delivery: 'unsent' }, reused: true },
  ),
  row(
    14,
    'reused, request written, FIN or RST, 0 response bytes',
    { S: 'C0, then C', K: 'C0, then C', U: ['unsafe', { o: 'unsafeOnStaleConnection', how: 'C0, then C' }] },
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown' }, reused: true },
    { failure: { kind: 'closed', phase: 'wait', delivery: 'unknown' }, reused: true },
  ),
  row(
    15,
    'fresh, request written, FIN or RST, 0 response bytes',
    harmless,
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown' }, reused: false },
    { failure: { kind: 'closed', phase: 'wait', delivery: 'unknown' }, reused: false },
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown' } },
  ),
  row(
    16,
    'write failed part-way and no response readable',
    harmless,
    { failure: { kind: 'reset', phase: 'send', delivery: 'unknown', code: 'EPIPE', syscall: 'write' }, reused: true },
    { failure: { kind: 'closed', phase: 'send', delivery: 'unknown' }, reused: false },
    { failure: { kind: 'timeout', phase: 'send', delivery: 'unknown' } },
  ),
  row(
    17,
    'write failed but an early response is readable (401/413/…)',
    all('as status'),
    { failure: { kind: 'status', phase: 'send', delivery: 'answered', status: 401 } },
    { failure: { kind: 'status', phase: 'send', delivery: 'answered', status: 413 } },
    { failure: { kind: 'status', phase: 'send', delivery: 'answered', status: 503 } },
    { failure: { kind: 'reset', phase: 'send', delivery: 'answered', status: 429 } },
  ),
  row(18, 'headers timeout after full send', harmless, {
    failure: { kind: 'timeout', phase: 'wait', delivery: 'unknown', code: 'UND_ERR_HEADERS_TIMEOUT' },
  }),
  row(
    19,
    'response started, headers incomplete',
    harmless,
    { failure: { kind: 'reset', phase: 'head', delivery: 'partial' } },
    { failure: { kind: 'closed', phase: 'head', delivery: 'partial' }, reused: true },
    { failure: { kind: 'timeout', phase: 'head', delivery: 'partial' } },
  ),
  row(
    20,
    'not HTTP, HPE_* parse failure, header overflow',
    {
      S: ['permanent', { o: 'idempotentOnInvalidResponse', how: 'C' }],
      K: { never: 'permanent' },
      U: { never: 'permanent' },
    },
    { failure: { kind: 'protocol', phase: 'head', delivery: 'partial' } },
    { failure: { kind: 'protocol', phase: 'head', delivery: 'partial', permanent: true } },
    { failure: { kind: 'protocol', phase: 'body', delivery: 'partial', code: 'HPE_INVALID_CHUNK_SIZE' } },
  ),
  row(
    21,
    '2xx headers delivered, body cut, not yet handed to the caller',
    { S: 'C', K: ['unsafe', { o: 'keyedAfterCutBody', how: 'C' }], U: unsafe },
    { failure: { kind: 'reset', phase: 'body', delivery: 'partial' } },
    { failure: { kind: 'closed', phase: 'body', delivery: 'partial' }, closeDelimited: true },
    { failure: { kind: 'timeout', phase: 'body', delivery: 'partial' } },
    { failure: { kind: 'protocol', phase: 'body', delivery: 'partial', code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' } },
    { failure: { kind: 'reset', phase: 'body', delivery: 'partial', http2: 'CANCEL' } },
  ),
  row(
    22,
    'same, body already streaming',
    {
      S: ['committed', { o: 'resume', with: { resumable: true }, how: 'C' }],
      K: { never: 'committed' },
      U: { never: 'committed' },
    },
    { failure: { kind: 'reset', phase: 'body', delivery: 'partial' }, committed: true },
    { failure: { kind: 'timeout', phase: 'body', delivery: 'partial' }, committed: true },
  ),
  row(
    23,
    'close-delimited body ended by RST, as 21',
    { S: 'C', K: unsafe, U: unsafe },
    { failure: { kind: 'reset', phase: 'body', delivery: 'partial' }, closeDelimited: true },
  ),
  row(
    23,
    'close-delimited body ended by RST, as 22',
    {
      S: ['committed', { o: 'resume', with: { resumable: true }, how: 'C' }],
      K: { never: 'committed' },
      U: { never: 'committed' },
    },
    { failure: { kind: 'reset', phase: 'body', delivery: 'partial' }, closeDelimited: true, committed: true },
  ),
  row(
    24,
    'h2 REFUSED_STREAM; GOAWAY with id < ours; H3_REQUEST_REJECTED',
    all('T once, then C'),
    { failure: { kind: 'rejected', phase: 'wait', delivery: 'rejected', http2: 'REFUSED_STREAM' } },
    { failure: { kind: 'rejected', phase: 'wait', delivery: 'rejected', http2: 'GOAWAY' } },
    { failure: { kind: 'closed', phase: 'wait', delivery: 'rejected', http2: 'GOAWAY' }, reused: true, protocol: 'h2' },
  ),
  row(
    25,
    'h2 connection lost without GOAWAY, or id ≥ ours; PING timeout: as 14',
    { S: 'C0, then C', K: 'C0, then C', U: unsafe },
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown' }, protocol: 'h2', reused: true },
    { failure: { kind: 'closed', phase: 'wait', delivery: 'unknown', http2: 'GOAWAY' }, reused: true },
  ),
  row(
    25,
    'h2 connection lost without GOAWAY, or id ≥ ours; PING timeout: as 15',
    harmless,
    { failure: { kind: 'closed', phase: 'wait', delivery: 'unknown' }, protocol: 'h2', reused: false },
    { failure: { kind: 'rejected', phase: 'wait', delivery: 'unknown', http2: 'GOAWAY' } },
    { failure: { kind: 'timeout', phase: 'wait', delivery: 'unknown', http2: 'PING' }, protocol: 'h2' },
  ),
  // The document writes "C throttle price" for S and "C throttle" for K, and means one thing by both.
  row(
    26,
    'h2 ENHANCE_YOUR_CALM',
    { S: 'C throttle', K: 'C throttle', U: unsafe },
    {
      failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', http2: 'ENHANCE_YOUR_CALM' },
      protocol: 'h2',
    },
  ),
  row(
    27,
    'h2 HTTP_1_1_REQUIRED',
    { S: 'T once', K: 'T once', U: ['unsafe', { o: 'unsafeOnHttp11Required', how: 'T once' }], used: 'permanent' },
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', http2: 'HTTP_1_1_REQUIRED' }, protocol: 'h2' },
  ),
  row(
    28,
    'h2 CANCEL, INTERNAL_ERROR, PROTOCOL_ERROR from peer',
    harmless,
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', http2: 'CANCEL' }, protocol: 'h2', reused: true },
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', http2: 'INTERNAL_ERROR' } },
    { failure: { kind: 'protocol', phase: 'wait', delivery: 'unknown', http2: 'PROTOCOL_ERROR' } },
  ),
  row(
    29,
    'TLS early data rejected / 425',
    { ...all('T once'), used: 'permanent' },
    { failure: { kind: 'status', phase: 'body', delivery: 'rejected', status: 425 } },
    { failure: { kind: 'rejected', phase: 'tls', delivery: 'rejected' } },
  ),
  row(
    30,
    '421',
    { ...all('T once'), used: 'permanent' },
    {
      failure: { kind: 'status', phase: 'body', delivery: 'rejected', status: 421 },
    },
  ),
  row(
    31,
    '408 on a reused connection before/at our send',
    { S: 'T once', K: 'T once', U: unsafe, used: 'attempts' },
    status(408, { reused: true }),
  ),
  row(
    31,
    '408, and the request was not sent',
    { ...all('T once'), used: 'attempts' },
    {
      failure: { kind: 'status', phase: 'send', delivery: 'unsent', status: 408 },
      reused: true,
    },
  ),
  // The document writes "C throttle" for S and "C" for K; §c.1 gives every 429 the backoff of overload.
  row(
    32,
    '429',
    { S: 'C throttle', K: 'C throttle', U: ['unsafe', { o: 'unsafeOn429', how: 'C throttle' }] },
    status(429),
  ),
  row(
    33,
    '503',
    {
      S: 'C',
      K: 'C',
      U: [
        'unsafe',
        { o: 'unsafeOn503', how: 'C' },
        { o: 'nackHeader', with: { signals: { nack: true } }, how: 'C' },
        { o: 'trustProxyStatus', with: proxyStatus('connection_refused'), how: 'C' },
      ],
    },
    status(503),
  ),
  row(
    34,
    '502, 504',
    {
      S: 'C',
      K: 'C',
      U: [
        'unsafe',
        { o: 'trustProxyStatus', with: proxyStatus('connection_refused'), how: 'C' },
        { o: 'trustProxyStatus', with: proxyStatus('dns_error'), how: 'C' },
      ],
    },
    status(502),
    status(504),
    status(502, { signals: { nack: true } }),
    status(504, proxyStatus('connection_terminated')),
    status(504, proxyStatus('connection_refused', 'http_response_timeout')),
  ),
  row(35, '500', harmless, status(500), status(408, { reused: false })),
  row(36, '409 keyed', { S: { never: 'permanent' }, K: 'C', U: { never: 'permanent' } }, status(409)),
  row(37, '422 / 400 keyed', never('permanent'), status(422), status(400)),
  row(
    38,
    'other 4xx, 501, 505, 511',
    never('permanent'),
    ...[
      401, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 417, 418, 423, 424, 426, 428, 431, 451, 501, 505, 511,
    ].map((code) => status(code)),
  ),
  row(
    39,
    'server said stop (negative pushback, nonretryable nack, `NonRetryable` from an inner layer)',
    never('server-said'),
    status(503, { signals: { stop: true } }),
    status(429, { signals: { stop: true, retryAfterMs: 0 } }),
    { failure: { kind: 'reset', phase: 'wait', delivery: 'unknown' }, signals: { stop: true }, reused: true },
    { failure: { kind: 'reset', phase: 'send', delivery: 'unsent' }, signals: { stop: true } },
  ),
  row(
    40,
    'Retry-After (or backoff) would end after the deadline',
    never('deadline'),
    { failure: { kind: 'refused', phase: 'connect', delivery: 'unsent' }, remainingMs: 25 },
    { failure: { kind: 'reset', phase: 'send', delivery: 'unsent' }, remainingMs: 0, reused: true },
    {
      failure: { kind: 'refused', phase: 'connect', delivery: 'unsent' },
      remainingMs: 4000,
      signals: { retryAfterMs: 4000 },
    },
    {
      failure: { kind: 'rejected', phase: 'wait', delivery: 'rejected', http2: 'REFUSED_STREAM' },
      remainingMs: 1000,
      signals: { pushbackMs: 2000 },
    },
  ),
]
