/** Whatever a server, a proxy or a kernel writes: parsers answer, in bounds, and never throw. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { continuationOf, firstRange } from '../../src/adapters/byte-range.js'
import { redactLine, redactPath, redactText } from '../../src/failure/redact.js'
import { parseHttpDate } from '../../src/policy/http-date.js'
import { isInRange, parseIp, parseIpRange } from '../../src/policy/ip-address.js'
import { readNoProxy } from '../../src/policy/no-proxy.js'
import { parseProxyStatus, provesNeverForwarded } from '../../src/policy/proxy-status.js'
import { readRetryAfter, readSignals, serverDelayMs } from '../../src/policy/server-signals.js'
import { parseDictionary, parseList } from '../../src/policy/structured-fields.js'
import { answerMarks, keepAlive } from '../../src/wire/answer-marks.js'
import { findRow, readNamedLines, readPairedLines, rowKey } from '../../src/wire/proc-net.js'
import { nearly, patienceMs, tries } from './runs.js'

const now = Date.UTC(2026, 10, 24)
const property = (name: string, it: fc.IProperty<unknown>) =>
  test(name, () => void fc.assert(it, tries(300)), patienceMs)

/** A wait that a timer can be set for. */
function expectWait(ms: number | undefined): void {
  if (ms === undefined) return
  expect(Number.isFinite(ms)).toBe(true)
  expect(ms).toBeGreaterThanOrEqual(0)
}

const dates = [
  'Tue, 24 Nov 2026 15:00:00 GMT',
  'Tuesday, 24-Nov-26 15:00:00 GMT',
  'Tue Nov 24 15:00:00 2026',
  'GMT',
  'Nov',
]
const fields: Record<string, string[]> = {
  'retry-after': dates,
  date: dates,
  ratelimit: ['"default";r=0;t=30', 'limit=100, remaining=0, reset=30', 'r=0', 't=30', '"default"'],
  'ratelimit-policy': ['"default";q=100;w=60', 'w=60', '"default"'],
  'ratelimit-remaining': ['0', '1'],
  'ratelimit-reset': ['30', '0'],
  'proxy-status': [
    'proxy; error=connection_refused',
    'error=dns_error',
    'received-status=503',
    '"a proxy"',
    'details="x"',
  ],
  'keep-alive': ['timeout=5', 'max=100', 'timeout=', 'max=', '"5"'],
  'content-range': ['bytes 0-9/10', 'bytes 5-9/*', 'bytes', '/*', '*/10'],
  connection: ['close', 'keep-alive'],
  server: ['nginx/1.27', 'AmazonS3'],
  via: ['1.1 varnish', '1.1 google'],
}
const anyHeaders = fc.record(Object.fromEntries(Object.entries(fields).map(([name, words]) => [name, nearly(words)])), {
  requiredKeys: [],
})

describe('headers', () => {
  property(
    'signals of a server: waits are waits, and malformed ones are absent',
    fc.property(anyHeaders, fc.constantFrom('keep-alive', 'ratelimit', 'x-other'), (headers, pushback) => {
      const signals = readSignals((name) => headers[name], now, { pushback, nack: 'x-nack', stop: 'server' })
      for (const [name, value] of Object.entries(signals)) {
        expect(value).not.toBeUndefined()
        if (name.endsWith('Ms')) expectWait(value as number)
      }
      expectWait(serverDelayMs(signals))
    }),
  )

  property(
    'Retry-After: nothing but whole seconds or a date is a wait, and seconds are those seconds',
    fc.property(nearly(dates), fc.option(nearly(dates), { nil: undefined }), fc.nat(), (value, date, seconds) => {
      expectWait(readRetryAfter(value, date, now))
      expect(readRetryAfter(` ${seconds} `, date, now)).toBe(readRetryAfter(String(seconds), undefined, now))
      if (/^\s*-/.test(value)) expect(readRetryAfter(value, undefined, now)).toBeUndefined()
    }),
  )

  property(
    'dates: those that are written are read, and nothing else becomes a number that is none',
    fc.property(
      nearly(dates),
      fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
      (text, date) => {
        const read = parseHttpDate(text, now)
        if (read !== undefined) expect(Number.isFinite(read)).toBe(true)
        expect(parseHttpDate(date.toUTCString(), now)).toBe(Math.floor(date.getTime() / 1000) * 1000)
      },
    ),
  )

  property(
    'structured fields: whole, or not at all',
    fc.property(nearly(Object.values(fields).flat()), (text) => {
      for (const item of [...(parseList(text) ?? []), ...(parseDictionary(text)?.values() ?? [])]) {
        expect(item.value).not.toBeUndefined()
        expect(item.parameters).toBeInstanceOf(Map)
      }
    }),
  )

  property(
    'Proxy-Status: proof needs a word of it',
    fc.property(nearly(fields['proxy-status'] ?? []), (text) => {
      const entries = parseProxyStatus(text)
      if (provesNeverForwarded(entries)) expect(text).toMatch(/error=/)
      for (const { name } of entries ?? []) expect(typeof name).toBe('string')
    }),
  )

  property(
    'Keep-Alive and the marks of an answer: bounded, printable',
    fc.property(anyHeaders, nearly(fields['keep-alive'] ?? []), (headers, text) => {
      const { timeoutMs, max } = keepAlive(text) ?? {}
      expectWait(timeoutMs)
      expectWait(max)
      const { server = '', via = '' } = answerMarks((name) => headers[name]) ?? {}
      for (const product of [server, via]) expect(product).toMatch(/^[\x20-\x7e]{0,80}$/)
    }),
  )

  const etag = fc.oneof(fc.constantFrom('"a"', 'W/"a"', '""', '"a'), nearly(['"a"', 'W/']))
  const span = fc.tuple(fc.nat(2_000), fc.nat(2_000), fc.nat(2_000)).map(([a, b, c]) => `bytes ${a}-${b}/${c}`)
  const range = fc.oneof(span, nearly(fields['content-range'] ?? []))
  property(
    'Content-Range: what continues a body begins where it was cut, ends where it ends, and is of the same version',
    fc.property(etag, range, range, etag, fc.nat(2_000), (first, had, next, second, received) => {
      const of = (tag: string, value: string) => (name: string) =>
        ({ etag: tag, 'content-range': value, 'content-length': '1500' })[name]
      for (const status of [200, 206]) {
        const promised = firstRange(status, of(first, had))
        if (promised === undefined) continue
        expect(promised.etag.startsWith('W/')).toBe(false)
        expect(promised.ask({ Range: 'x', 'IF-RANGE': 'y' }, received)).toEqual({
          range: `bytes=${promised.start + received}-${promised.end ?? ''}`,
          'if-range': promised.etag,
        })
        if (!continuationOf(promised, received, { status: 206, header: of(second, next) })) continue
        expect(second).toBe(first)
        const [, start, end] = /^bytes (\d+)-(\d+)\//i.exec(next) ?? []
        expect(Number(start)).toBe(promised.start + received)
        if (promised.end !== undefined) expect(Number(end)).toBe(promised.end)
      }
    }),
  )
})

describe('/proc', () => {
  const row =
    '   1: 0100007F:1F90 0200007F:D431 01 00000005:00000000 02:00000A1C 00000000  1000 0 12345 1 0 20 4 30 10 -1'
  const words = [row, row.slice(0, 40), '\n', 'Tcp: InSegs OutSegs', 'Tcp: 5 -1', 'TcpExt: A', 'Icmp6InMsgs 12', 'Ip6']
  const table = fc.array(nearly(words), { maxLength: 8 }).map((lines) => lines.join('\n'))

  property(
    'counters are counts',
    fc.property(table, (text) => {
      for (const amount of [...readPairedLines(text).values(), ...readNamedLines(text).values()]) expectWait(amount)
    }),
  )

  property(
    'rows: one that is there is found among whatever stands around it, and nothing else is',
    fc.property(table, table, fc.boolean(), (before, after, there) => {
      const key = rowKey({ localPort: 0x1f90, remoteAddress: '127.0.0.2', remotePort: 0xd431 }, true) ?? ''
      const clean = (text: string) => text.replaceAll('0200007F:D431', '0300007F:D431')
      const text = [clean(before), ...(there ? [row] : []), clean(after)].join('\n')
      const found = findRow(text, key)
      expect(found).toEqual(
        there ? { state: 'established', unacknowledged: 5, unread: 0, timer: 'keepalive', retransmits: 0 } : undefined,
      )
    }),
  )

  property(
    'keys: of an address alone',
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly(['::', '127.0.0.1'])), fc.nat(65_535), (remoteAddress, port) => {
      for (const littleEndian of [true, false]) {
        const key = rowKey({ localPort: port, remoteAddress, remotePort: port }, littleEndian)
        if (key !== undefined) expect(key).toMatch(/^:[\dA-F]{4} ([\dA-F]{8}|[\dA-F]{32}):[\dA-F]{4} $/)
        if (/^\d+\.\d+\.\d+\.\d+$/.test(remoteAddress) && parseIp(remoteAddress)) expect(key).toBeDefined()
      }
    }),
  )
})

describe('names and addresses', () => {
  property(
    'what is an address is in its own range, and a list of no proxies answers for anybody',
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6()),
      nearly(['.example.com', '10.0.0.0/8', '*', '::1', 'a:80']),
      (ip, text) => {
        const address = parseIp(ip)
        const range = parseIpRange(ip)
        expect(address && range && isInRange(address, range)).toBe(true)
        parseIp(text)
        parseIpRange(text)
        expect(typeof readNoProxy(text)(text, 80)).toBe('boolean')
        expect(readNoProxy(`${text}, ${ip}`)(ip, 443)).toBe(true)
      },
    ),
  )

  property(
    'redaction: no query, no password, no control character',
    fc.property(nearly(['https://u:SECRET@h/p?SECRET', '?', '//', 'x?SECRET#SECRET']), fc.nat(300), (text, length) => {
      const secret = `https://user:SECRET@host.example/${text.replace(/[\s?#]/g, '')}?token=SECRET`
      expect(redactText(`see ${secret}`)).not.toContain('token=SECRET')
      expect(redactText(`see https://user:SECRET@host.example/`)).not.toContain('SECRET')
      expect(redactPath(`/a${text.replace(/[?#]/g, '')}?SECRET-9`)).not.toContain('SECRET-9')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing that moves a cursor comes through
      expect(redactLine(text, length)).not.toMatch(/[\u0000-\u001f\u007f]/)
    }),
  )
})
