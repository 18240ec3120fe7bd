import type { Misdeed } from './misdeeds-before-answer.js'
import type { Answer, Step } from './script.js'

/** The client has read what was written by then; see the comment of `misdeeds`. */
const SETTLE = { wait: 20 } as const satisfies Step

const KILOBYTE = { bytes: 1000 } as const
const COUNTED = { body: KILOBYTE, cut: { body: 500 } } as const satisfies Answer
const CHUNKED = { body: KILOBYTE, framing: 'chunked', cut: { body: 500 } } as const satisfies Answer
const CLOSE_DELIMITED = { body: KILOBYTE, framing: 'close', cut: { body: 500 } } as const satisfies Answer

/** While the answer is sent: its head, then its body. */
export const misdeedsInAnswer = {
  // Head.
  'reset-mid-head': {
    over: 'any',
    says: 'sends 20 bytes of the head, then RST',
    request: [{ respond: { cut: { head: 20 } } }, SETTLE, 'rst'],
  },
  'fin-mid-head': {
    over: 'any',
    says: 'sends 20 bytes of the head, then FIN',
    request: [{ respond: { cut: { head: 20 } } }, 'fin'],
  },
  'stall-mid-head': {
    over: 'any',
    says: 'sends 20 bytes of the head, then nothing more',
    request: [{ respond: { cut: { head: 20 } } }, 'stall'],
  },
  garbage: {
    over: 'any',
    says: 'answers with bytes that are no HTTP',
    request: [{ write: '\x00\xff\x00\xff', times: 64 }],
  },
  'other-protocol': {
    over: 'any',
    says: 'greets as another protocol does (SSH) and closes',
    request: [{ write: 'SSH-2.0-OpenSSH_9.6\r\n' }, 'fin'],
  },
  'bad-status-line': {
    over: 'any',
    says: 'sends a status line without a status',
    request: [{ write: 'HTTP/1.1 OK\r\n\r\n' }],
  },
  'bad-header-line': {
    over: 'any',
    says: 'sends a header line without a name and with a NUL in it',
    request: [{ write: 'HTTP/1.1 200 OK\r\n: no\x00name\r\nContent-Length: 0\r\n\r\n' }],
  },
  'overlong-headers': {
    over: 'any',
    says: 'sends 128 KiB of headers',
    request: [
      { write: 'HTTP/1.1 200 OK\r\n' },
      { write: `X-Long: ${'x'.repeat(1014)}\r\n`, times: 128 },
      { write: '\r\n' },
    ],
  },
  'conflicting-lengths': {
    over: 'any',
    says: 'sends two different content-lengths',
    request: [{ write: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello' }],
  },
  'length-and-chunked': {
    over: 'any',
    says: 'sends a content-length beside a chunked body, as smugglers do',
    request: [
      { write: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n' },
    ],
  },

  // Body.
  'reset-before-body': {
    over: 'any',
    says: 'sends the head, then RST before the first byte of the body',
    request: [{ respond: { ...COUNTED, cut: { body: 0 } } }, SETTLE, 'rst'],
  },
  'fin-before-body': {
    over: 'any',
    says: 'sends the head, then FIN before the first byte of the body',
    request: [{ respond: { ...COUNTED, cut: { body: 0 } } }, 'fin'],
  },
  'reset-mid-body-content-length': {
    over: 'any',
    says: 'sends half of the body that content-length announced, then RST',
    request: [{ respond: COUNTED }, SETTLE, 'rst'],
  },
  'reset-mid-body-chunked': {
    over: 'any',
    says: 'sends half of a chunk, then RST',
    request: [{ respond: CHUNKED }, SETTLE, 'rst'],
  },
  'reset-mid-body-close-delimited': {
    over: 'any',
    says: 'sends half of a body whose end is told by closing, then RST',
    request: [{ respond: CLOSE_DELIMITED }, SETTLE, 'rst'],
  },
  'reset-mid-body-at-once': {
    over: 'any',
    says: 'sends half of the body and RST so fast that the RST overtakes unread bytes',
    request: [{ respond: COUNTED }, 'rst'],
  },
  'fin-mid-body-content-length': {
    over: 'any',
    says: 'sends half of the body that content-length announced, then FIN',
    request: [{ respond: COUNTED }, 'fin'],
  },
  'fin-mid-body-chunked': {
    over: 'any',
    says: 'sends half of a chunk, then FIN',
    request: [{ respond: CHUNKED }, 'fin'],
  },
  'fin-before-last-chunk': {
    over: 'any',
    says: 'sends all of a chunked body but the chunk that ends it, then FIN',
    request: [{ respond: { ...CHUNKED, cut: { body: 1000 } } }, 'fin'],
  },
  'fin-mid-body-close-announced': {
    over: 'any',
    says: 'says connection: close, sends half of the body that content-length announced, then FIN',
    request: [{ respond: { ...COUNTED, close: true } }, 'fin'],
  },
  'bare-fin-mid-body-content-length': {
    over: 'tls',
    says: 'sends half of the body that content-length announced, then FIN without close_notify',
    request: [{ respond: COUNTED }, 'bare-fin'],
  },
  'bare-fin-mid-body-close-delimited': {
    over: 'tls',
    says: 'sends half of a body whose end is told by closing, then FIN without close_notify: truncation',
    request: [{ respond: CLOSE_DELIMITED }, 'bare-fin'],
  },
  'stall-mid-body-content-length': {
    over: 'any',
    says: 'sends half of the body that content-length announced, then nothing more',
    request: [{ respond: COUNTED }, 'stall'],
  },
  'stall-mid-body-chunked': {
    over: 'any',
    says: 'sends half of a chunk, then nothing more',
    request: [{ respond: CHUNKED }, 'stall'],
  },
  'stall-mid-body-close-delimited': {
    over: 'any',
    says: 'sends half of a body whose end is told by closing, then nothing more',
    request: [{ respond: CLOSE_DELIMITED }, 'stall'],
  },
  'bad-chunk': {
    over: 'any',
    says: 'sends one good chunk and then a chunk size that is no number',
    request: [{ respond: { ...CHUNKED, cut: { body: 1000 } } }, { write: 'zz\r\nhello\r\n' }],
  },
  'overlong-chunk': {
    over: 'any',
    says: 'sends a chunk that is longer than it says',
    request: [{ write: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n' }],
  },
  'wrong-length': {
    over: 'any',
    says: 'sends more bytes than content-length says: the rest lies about on the kept connection',
    request: [{ respond: { body: 'hello, world', headers: { 'content-length': 5 } } }],
  },
  'broken-gzip': {
    over: 'any',
    says: 'says content-encoding: gzip, and it is not',
    request: [{ respond: { body: 'this is plain text', headers: { 'content-encoding': 'gzip' } } }],
  },
  'slow-body': {
    over: 'any',
    says: 'sends a good answer, 50 bytes every 5 ms',
    request: [{ respond: { body: KILOBYTE, drip: { bytes: 50, everyMs: 5 } } }],
  },
  'endless-body': {
    over: 'any',
    says: 'sends a chunked body that never ends, 1 KiB every millisecond',
    request: [
      { write: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' },
      { write: `400\r\n${'x'.repeat(1024)}\r\n`, times: Number.MAX_SAFE_INTEGER, everyMs: 1 },
    ],
  },
} as const satisfies Record<string, Misdeed>
