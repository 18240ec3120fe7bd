// What strangers send is read in time that grows with its length, and not with the square of it.

import { classify, diagnose, explain } from 'offhook'
import { describe, expect, test } from 'vitest'
import { firstRange } from '../../src/adapters/byte-range.js'
import { headerOf } from '../../src/adapters/undici-headers.js'
import { redactLine, redactPath, redactText } from '../../src/failure/redact.js'
import { parseHttpDate } from '../../src/policy/http-date.js'
import { parseIp, parseIpRange } from '../../src/policy/ip-address.js'
import { parseProxyStatus } from '../../src/policy/proxy-status.js'
import { readRetryAfter } from '../../src/policy/server-signals.js'
import { parseDictionary, parseList } from '../../src/policy/structured-fields.js'
import { readRequester } from '../../src/server/requester.js'
import { routeKey } from '../../src/server/route-key.js'
import { announcesClose, answerMarks, keepAlive } from '../../src/wire/answer-marks.js'

const failing = (message: string) => Object.assign(new Error(message), { code: 'EWHATEVER' })

const readers: Record<string, (text: string) => unknown> = {
  redactText,
  redactPath,
  redactLine: (text) => redactLine(text, 200),
  answerMarks: (text) => answerMarks(() => text),
  announcesClose: (text) => announcesClose(() => text),
  keepAlive,
  retryAfter: (text) => readRetryAfter(text, text, 0),
  httpDate: (text) => parseHttpDate(text, 0),
  structuredList: parseList,
  structuredDictionary: parseDictionary,
  proxyStatus: parseProxyStatus,
  ip: parseIp,
  ipRange: parseIpRange,
  contentRange: (text) => firstRange(206, () => text),
  headerOf: (text) => headerOf({ [text]: text, b: text }, 'a'),
  classify: (text) => classify(failing(text)),
  diagnose: (text) => diagnose(failing(text)),
  explain: (text) => explain(failing(text)),
  routeKey: (text) => routeKey('GET', `/${text}`),
  requester: (text) => readRequester({ 'user-agent': text, via: text, 'x-forwarded-for': text, forwarded: text }),
}

/** Pieces that begin what a pattern of ours looks for, and do not end it. */
const pieces = [
  ...['a', ' ', '\t', '"', '\\', ',', ';', '=', ':', '/', '//', '?', '#', '-', '0', '1 ', '(', '((', '@', 'a@', ':@'],
  ...[
    'a:',
    'a=',
    'a=b,',
    'a;b=',
    '"\\',
    '//a',
    '//a:b',
    '=a:',
    'a:b@',
    'timeout=',
    'timeout ',
    'max =',
    'close',
    'closeclose ',
  ],
  ...[
    'bearer ',
    'Basic A',
    'Basic',
    'token',
    'token ',
    'token-',
    'api-key',
    'x-api-',
    'password',
    'secret: ',
    'cookie="',
  ],
  ...[
    'bytes ',
    'bytes 0-',
    '0-0/',
    '1.1 a, ',
    'for=',
    'Mon, ',
    '::',
    '1.',
    '1:',
    '/0',
    '*.',
    '127.0.0.1/',
    'ECONNRESET ',
    '...',
  ],
]

/** CPU time in microseconds, the least of some runs: others share this machine. */
function costOf(read: () => unknown, runs: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage()
    read()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

/** How many times as much the long one costs; 0 where both cost so little that it cannot be told. */
function growth(read: (text: string) => unknown, piece: string): number {
  const text = (length: number) => piece.repeat(Math.ceil(length / piece.length))
  const [short, long] = [text(8_192), text(65_536)]
  if (costOf(() => read(long), 1) < grainUs) return 0
  return (
    costOf(() => read(long), 3) /
    Math.max(
      grainUs / 8,
      costOf(() => read(short), 5),
    )
  )
}

/** Below two milliseconds nothing can be told of 64 KB, and nothing need be. */
const grainUs = 2_000
/** Eight times the text; the square of that is sixty-four. */
const most = 28

describe('64 KB of anything take linear time', () => {
  test.each(Object.entries(readers))('%s', { timeout: 120_000 }, (_, read) => {
    const steep = pieces.filter((piece) => growth(read, piece) > most && growth(read, piece) > most)
    expect(steep).toEqual([])
  })

  test('and what takes more is found', () => {
    expect(growth((text) => /a*b/.test(text.slice((text.length / 8) * 7)), 'a')).toBeGreaterThan(most)
  })
})
