/** Rows 29 to 40: a complete answer, and what ends a call whatever happened. */

import { all, harmless, never, type OracleRow, proxyStatus, row, status, unsafe } from './oracle-words.js'

export const answers: readonly OracleRow[] = [
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
