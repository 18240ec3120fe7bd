/**
 * What clients of databases and brokers, and HTTP clients over Node's, say in a text alone. They wrap the socket's own
 * error, or leave it out: then all that is left of a FIN is a sentence. None of them proves that nothing was executed.
 */

import type { TextRow } from './error-texts.js'

const closed = { kind: 'closed', phase: 'wait', mute: true } as const
const late = { kind: 'timeout', phase: 'wait' } as const
const lateDial = { kind: 'timeout', phase: 'connect' } as const
const bare = 'it is a plain Error without a code'

export const clientTextRows: readonly TextRow[] = [
  {
    codes: ['ECONNABORTED'],
    text: /^timeout of \d+ ?ms exceeded|^timeout exceeded$/,
    says: late,
    why: "axios calls its own limit ECONNABORTED, which is the system's word for an aborted connection",
    source: 'axios lib/adapters/http.js, lib/core/AxiosError.js',
  },
  {
    text: /^Connection terminated(?: unexpectedly)?$/,
    says: closed,
    why: bare,
    source: 'pg lib/client.js _handleErrorWhileConnecting, _errorAllQueries',
  },
  {
    text: /^(?:timeout expired|timeout exceeded when trying to connect|Connection terminated due to connection timeout)$/,
    says: lateDial,
    why: bare,
    source: 'pg lib/client.js, pg-pool index.js',
  },
  { text: /^Query read timeout$/, says: late, why: bare, source: 'pg lib/client.js' },
  {
    text: /^(?:Connection is closed\.|Stream connection ended and command aborted\.)/,
    says: closed,
    why: bare,
    source: 'ioredis lib/redis/event_handler.ts CONNECTION_CLOSED_ERROR_MSG',
  },
  { text: /^Command timed out$/, says: late, why: bare, source: 'ioredis lib/Command.ts setTimeout' },
  {
    name: 'MaxRetriesPerRequestError',
    text: /^Reached the max retries per request limit/,
    says: closed,
    why: 'ioredis throws it when the connection was lost that often with the command under way',
    source: 'ioredis lib/errors/MaxRetriesPerRequestError.ts',
  },
  {
    name: 'SocketClosedUnexpectedlyError',
    text: /^Socket closed unexpectedly$/,
    says: closed,
    why: bare,
    source: '@redis/client lib/errors.ts',
  },
  {
    name: 'ConnectionTimeoutError',
    text: /^Connection timeout$/,
    says: lateDial,
    why: bare,
    source: '@redis/client lib/errors.ts',
  },
  {
    name: 'KafkaJSConnectionError',
    text: /^Connection timeout$/,
    says: lateDial,
    why: bare,
    source: 'kafkajs src/network/connection.js',
  },
  {
    name: 'KafkaJSConnectionClosedError',
    text: /^Closed connection$/,
    says: closed,
    why: bare,
    source: 'kafkajs src/network/connection.js, src/errors.js',
  },
  {
    name: 'KafkaJSRequestTimeoutError',
    text: /timed out$/,
    says: late,
    why: bare,
    source: 'kafkajs src/network/requestQueue/socketRequest.js',
  },
  {
    codes: ['PROTOCOL_CONNECTION_LOST'],
    text: /^Connection lost: The server closed the connection\.?$/,
    says: closed,
    why: "the code is the client's own, and stands for an idle close as well as for a crash",
    source: 'mysql lib/protocol/Protocol.js, mysql2 lib/base/connection.js',
  },
  {
    name: 'MongoNetworkError',
    text: /^connection \S+ to \S+ closed$/,
    says: closed,
    why: bare,
    source: 'mongodb src/cmap/connection.ts onClose',
  },
  {
    name: 'MongoNetworkTimeoutError',
    text: /timed out$/,
    says: late,
    why: bare,
    source: 'mongodb src/cmap/connection.ts onTimeout',
  },
  {
    name: 'KafkaJSConnectionError',
    codes: ['ECONNRESET'],
    text: /^Connection error: (?:read|write) ECONNRESET$/,
    says: { kind: 'reset', phase: 'wait', mute: true },
    why: "kafkajs keeps the code of the system's error and drops the system call, which only the text still tells",
    source: 'kafkajs src/network/connection.js onError',
  },
]
