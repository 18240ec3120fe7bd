/** What HTTP/2 said about a stream, against what undici made of it: the table of RFC 9113 §6.8, §7 and §8.7 by hand. */

import { classify } from 'offhook'
import { describe, expect, test } from 'vitest'
import type { Evidence, Http2Facts } from '../../src/failure/evidence.js'

const raw = (code: string, message: string) => Object.assign(new Error(message), { code })
const goawayOf7 = (code: number) => raw('UND_ERR_SOCKET', `HTTP/2: "GOAWAY" frame received with code ${code}`)
const vague = raw('UND_ERR_INFO', 'HTTP/2: stream closed before the response was complete')
const otherSide = raw('UND_ERR_SOCKET', 'other side closed')
const reset = Object.assign(raw('ECONNRESET', 'read ECONNRESET'), { errno: -104, syscall: 'read' })

function evidence(http2: Http2Facts, more: Partial<Evidence> = {}): Evidence {
  const connection = { id: 1, protocol: 'h2', reused: true, requestsBefore: 1 } as const
  return { vantage: 'socket', phase: 'wait', started: true, connection, http2, ...more }
}

const body: Partial<Evidence> = { phase: 'body', status: 200 }

const rows: [string, Error, Evidence, { kind: string; delivery: string; http2?: string }][] = [
  [
    'GOAWAY below our stream',
    goawayOf7(0),
    evidence({ stream: 7, goaway: { code: 0, lastStream: 5 } }),
    { kind: 'rejected', delivery: 'rejected', http2: 'GOAWAY' },
  ],
  [
    'GOAWAY at our stream',
    goawayOf7(0),
    evidence({ stream: 7, goaway: { code: 0, lastStream: 7 } }),
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'GOAWAY above our stream',
    goawayOf7(0),
    evidence({ stream: 7, goaway: { code: 0, lastStream: 2 ** 31 - 1 } }),
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'GOAWAY, and no stream known',
    goawayOf7(0),
    evidence({ goaway: { code: 0, lastStream: 0 } }),
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'GOAWAY ENHANCE_YOUR_CALM below our stream',
    goawayOf7(11),
    evidence({ stream: 7, goaway: { code: 11, lastStream: 0 } }),
    { kind: 'rejected', delivery: 'rejected', http2: 'ENHANCE_YOUR_CALM' },
  ],
  [
    'GOAWAY ENHANCE_YOUR_CALM at our stream',
    goawayOf7(11),
    evidence({ stream: 7, goaway: { code: 11, lastStream: 7 } }),
    { kind: 'closed', delivery: 'unknown', http2: 'ENHANCE_YOUR_CALM' },
  ],
  [
    'GOAWAY with a code that nobody knows',
    goawayOf7(99),
    evidence({ stream: 7, goaway: { code: 99, lastStream: 7 } }),
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'GOAWAY below a stream whose answer had begun',
    goawayOf7(0),
    evidence({ stream: 7, goaway: { code: 0, lastStream: 5 } }, body),
    { kind: 'reset', delivery: 'partial', http2: 'GOAWAY' },
  ],
  [
    'the connection was lost after a GOAWAY that let our stream stand',
    otherSide,
    evidence({ stream: 7, goaway: { code: 0, lastStream: 7 } }, { ending: 'fin' }),
    { kind: 'closed', delivery: 'unknown', http2: 'GOAWAY' },
  ],
  [
    'the connection was reset',
    reset,
    evidence({ stream: 7 }, { ending: 'rst' }),
    { kind: 'reset', delivery: 'unknown' },
  ],
  ['CANCEL', vague, evidence({ stream: 7, reset: 8 }), { kind: 'reset', delivery: 'unknown', http2: 'CANCEL' }],
  ['NO_ERROR', vague, evidence({ stream: 7, reset: 0 }), { kind: 'closed', delivery: 'unknown', http2: 'NO_ERROR' }],
  [
    'REFUSED_STREAM',
    vague,
    evidence({ stream: 7, reset: 7 }),
    { kind: 'rejected', delivery: 'rejected', http2: 'REFUSED_STREAM' },
  ],
  [
    'REFUSED_STREAM in the middle of a body',
    vague,
    evidence({ stream: 7, reset: 7 }, body),
    { kind: 'reset', delivery: 'partial', http2: 'REFUSED_STREAM' },
  ],
  [
    'CANCEL in the middle of a body that undici found too short',
    raw('UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'Response body length does not match content-length header'),
    evidence({ stream: 7, reset: 8 }, body),
    { kind: 'reset', delivery: 'partial', http2: 'CANCEL' },
  ],
  ['a code that nobody knows', vague, evidence({ stream: 7, reset: 200 }), { kind: 'closed', delivery: 'unknown' }],
  [
    'a limit of ours, whatever was said of the stream afterwards',
    raw('UND_ERR_HEADERS_TIMEOUT', 'the headers limit of 5 ms ran out'),
    evidence({ stream: 7, reset: 8 }, { limit: 'headers', limitMs: 5 }),
    { kind: 'timeout', delivery: 'unknown' },
  ],
]

test.each(rows)('%s', (_says, error, seen, expected) => {
  const { kind, delivery, http2 } = classify(error, seen)
  expect({ kind, delivery, ...(http2 !== undefined && { http2 }) }).toEqual(expected)
})

describe('what undici put on the wire before, by itself', () => {
  const refused = evidence({ stream: 1, reset: 7 })
  const sent = (delivery: 'rejected' | 'unknown') => [{ method: 'POST', origin: 'https://a.test', path: '/', delivery }]

  test('adds nothing when that was rejected', () => {
    expect(classify(vague, { ...refused, earlier: sent('rejected') }).delivery).toBe('rejected')
  })

  test('spoils the proof when nobody knows what became of it', () => {
    expect(classify(vague, { ...refused, earlier: sent('unknown') }).delivery).toBe('unknown')
  })
})
