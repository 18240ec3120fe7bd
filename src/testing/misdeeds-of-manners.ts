import type { Misdeed } from './misdeeds-before-answer.js'

/** Answers that are whole and say no; and what is done to a connection that was kept. */
export const misdeedsOfManners = {
  // Statuses. None of these executes the request, save where it is said.
  'status-408': {
    over: 'any',
    says: 'answers 408 Request Timeout and closes',
    request: [{ respond: { status: 408, close: true } }],
  },
  'status-409': { over: 'any', says: 'answers 409 Conflict', request: [{ respond: { status: 409 } }] },
  'status-421': { over: 'any', says: 'answers 421 Misdirected Request', request: [{ respond: { status: 421 } }] },
  'status-425': { over: 'any', says: 'answers 425 Too Early', request: [{ respond: { status: 425 } }] },
  'status-429-retry-after': {
    over: 'any',
    says: 'answers 429 Too Many Requests, Retry-After: 1',
    request: [{ respond: { status: 429, retryAfter: 1 } }],
  },
  'status-500': { over: 'any', says: 'answers 500 Internal Server Error', request: [{ respond: { status: 500 } }] },
  'status-500-after-executing': {
    over: 'any',
    says: 'executes the request, then answers 500 Internal Server Error',
    request: ['execute', { respond: { status: 500 } }],
  },
  'status-502': { over: 'any', says: 'answers 502 Bad Gateway', request: [{ respond: { status: 502 } }] },
  'status-503': { over: 'any', says: 'answers 503 Service Unavailable', request: [{ respond: { status: 503 } }] },
  'status-503-retry-after': {
    over: 'any',
    says: 'answers 503 Service Unavailable, Retry-After: 1',
    request: [{ respond: { status: 503, retryAfter: 1 } }],
  },
  'status-503-retry-after-date': {
    over: 'any',
    says: 'answers 503 Service Unavailable, Retry-After as a date in two seconds',
    request: [{ respond: { status: 503, retryAfter: { dateInSeconds: 2 } } }],
  },
  'status-503-retry-after-a-day': {
    over: 'any',
    says: 'answers 503 Service Unavailable, Retry-After: 86400',
    request: [{ respond: { status: 503, retryAfter: 86_400 } }],
  },
  'status-503-retry-after-garbage': {
    over: 'any',
    says: 'answers 503 Service Unavailable, Retry-After: soon',
    request: [{ respond: { status: 503, retryAfter: 'soon' } }],
  },
  'status-504-after-executing': {
    over: 'any',
    says: 'executes the request, then answers 504 Gateway Timeout',
    request: ['execute', { respond: { status: 504 } }],
  },
  'status-413-before-body': {
    over: 'any',
    says: 'answers 413 Content Too Large on the head alone, and closes',
    request: [{ read: 'head' }, { respond: { status: 413, close: true } }],
  },
  'status-413-before-body-then-reset': {
    over: 'any',
    says: 'answers 413 Content Too Large on the head alone, then RST',
    request: [{ read: 'head' }, { respond: { status: 413 } }, { wait: 20 }, 'rst'],
  },
  'redirect-loop': {
    over: 'any',
    says: 'redirects (307) to the same place, always',
    request: [{ respond: { status: 307, headers: { location: '' } } }],
  },

  // Kept connections: the first request on each is answered well.
  'reset-when-idle': { over: 'any', says: 'resets a connection that was idle for 20 ms', idle: [{ wait: 20 }, 'rst'] },
  'fin-when-idle': { over: 'any', says: 'closes a connection that was idle for 20 ms', idle: [{ wait: 20 }, 'fin'] },
  'bare-fin-when-idle': {
    over: 'tls',
    says: 'closes a connection that was idle for 20 ms, without close_notify',
    idle: [{ wait: 20 }, 'bare-fin'],
  },
  'deaf-when-idle': {
    over: 'any',
    says: 'goes deaf on a connection that was idle for 20 ms, as if something between had forgotten it',
    idle: [{ wait: 20 }, 'deaf'],
  },
  'status-408-when-idle': {
    over: 'any',
    says: 'answers 408 that nobody asked for on a connection that was idle for 20 ms, and closes',
    idle: [{ wait: 20 }, { respond: { status: 408, close: true } }],
  },
  'bytes-when-idle': {
    over: 'any',
    says: 'sends bytes that nobody asked for on a connection that was idle for 20 ms',
    idle: [{ wait: 20 }, { write: 'by the way' }],
  },
  'reset-after-one-request': {
    over: 'any',
    says: 'resets the connection right after a good answer that promised to keep it',
    idle: [{ wait: 1 }, 'rst'],
  },
  'fin-after-one-request': {
    over: 'any',
    says: 'closes the connection right after a good answer that promised to keep it',
    idle: ['fin'],
  },
  'fin-before-keep-alive-hint': {
    over: 'any',
    says: 'promises Keep-Alive: timeout=60 and closes after 20 ms',
    request: [{ respond: { body: 'ok', headers: { connection: 'keep-alive', 'keep-alive': 'timeout=60' } } }],
    idle: [{ wait: 20 }, 'fin'],
  },
  'reset-on-reuse': {
    over: 'any',
    says: 'resets at the first byte of a second request on the same connection',
    request: [{ served: 1 }, 'rst'],
  },
  'fin-on-reuse': {
    over: 'any',
    says: 'reads a second request on the same connection, does nothing about it, and closes',
    request: [{ served: 1 }, { read: 'request' }, 'fin'],
  },
  'execute-on-reuse-then-reset': {
    over: 'any',
    says: 'executes a second request on the same connection, then RST without an answer',
    request: [{ served: 1 }, { read: 'request' }, 'execute', 'rst'],
  },
  'stall-on-reuse': {
    over: 'any',
    says: 'never answers a second request on the same connection',
    request: [{ served: 1 }, { read: 'request' }, 'execute', 'stall'],
  },
} as const satisfies Record<string, Misdeed>
