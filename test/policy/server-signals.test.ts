import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { longestWaitMs } from '../../src/policy/backoff.js'
import { neverForwarded, parseProxyStatus, provesNeverForwarded } from '../../src/policy/proxy-status.js'
import { readRetryAfter, readSignals, type SignalHeaders, serverDelayMs } from '../../src/policy/server-signals.js'

const now = Date.UTC(2026, 6, 1, 12, 0, 0)
const date = (offsetMs: number) => new Date(now + offsetMs).toUTCString()

const read = (fields: Record<string, string>, names?: SignalHeaders) =>
  readSignals((name) => (Object.hasOwn(fields, name) ? fields[name] : undefined), now, names)

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['1', 1000],
    [' 120 ', 120_000],
    ['007', 7000],
    ['2147483', 2_147_483_000],
    ['2147484', longestWaitMs],
    ['9'.repeat(400), longestWaitMs],
  ])('of %j seconds', (value, ms) => {
    expect(readRetryAfter(value, undefined, now)).toBe(ms)
  })

  it.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '1 s',
    '1s',
    '120, 120',
    'Infinity',
    'NaN',
    'soon',
    '١٢',
    date(0).toLowerCase(),
  ])('of %j is not heard', (value) => {
    expect(readRetryAfter(value, undefined, now)).toBeUndefined()
  })

  it.each([
    ['in 30 s by our clock', date(30_000), undefined, 30_000],
    ['over, by our clock', date(-30_000), undefined, 0],
    ['in 30 s by a clock that is an hour ahead', date(3_630_000), date(3_600_000), 30_000],
    ['in 30 s by a clock that is an hour behind', date(-3_570_000), date(-3_600_000), 30_000],
    ['over, by its own clock', date(3_600_000), date(3_600_000 + 1000), 0],
    ['in 30 s, beside a Date that is none', date(30_000), 'yesterday', 30_000],
    ['in the older form', 'Wednesday, 01-Jul-26 12:00:30 GMT', undefined, 30_000],
    ['in the oldest form', 'Wed Jul  1 12:00:30 2026', undefined, 30_000],
    ['in the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT', undefined, longestWaitMs],
  ])('as a date: %s', (_, value, server, ms) => {
    expect(readRetryAfter(value, server, now)).toBe(ms)
  })

  it('is a wait that a timer can do, or nothing, whatever comes', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^-?[0-9]{1,30}$/),
      fc.date({ noInvalidDate: true }).map((at) => at.toUTCString()),
    )
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (value, server) => {
        const ms = readRetryAfter(value, server, now)
        if (ms === undefined) return
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(longestWaitMs)
      }),
    )
  })
})

describe('RateLimit', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing left', { ratelimit: '"default";r=0;t=30' }, 30_000],
    ['something left', { ratelimit: '"default";r=1;t=30' }, undefined],
    ['one of two quotas used up', { ratelimit: '"burst";r=0;t=5, "daily";r=900;t=3600' }, 5000],
    ['both used up: the longer one', { ratelimit: '"burst";r=0;t=5, "daily";r=0;t=3600' }, 3_600_000],
    ['a name as a token, a partition key', { ratelimit: 'burst;r=0;t=5;pk=:aGk=:' }, 5000],
    ['renewed now', { ratelimit: '"default";r=0;t=0' }, 0],
    [
      'no time, but a window',
      { ratelimit: '"burst";r=0', 'ratelimit-policy': '"daily";q=9;w=9, "burst";q=100;w=60' },
      60_000,
    ],
    ['no time, no window of that name', { ratelimit: '"burst";r=0', 'ratelimit-policy': '"daily";q=9;w=9' }, undefined],
    [
      'no time, a policy that cannot be read',
      { ratelimit: '"burst";r=0', 'ratelimit-policy': '"burst";w=60,' },
      undefined,
    ],
    ['no remainder', { ratelimit: '"default";t=30' }, undefined],
    ['a negative time', { ratelimit: '"default";r=0;t=-30' }, undefined],
    ['a fraction', { ratelimit: '"default";r=0;t=1.5' }, undefined],
    ['a text for a number', { ratelimit: '"default";r=0;t="30"' }, undefined],
    ['an endless time', { ratelimit: '"default";r=0;t=999999999999999' }, longestWaitMs],
    ['not well formed', { ratelimit: '"default";r=0;t=30,' }, undefined],
    ['draft 7', { ratelimit: 'limit=100, remaining=0, reset=30' }, 30_000],
    ['draft 7, something left', { ratelimit: 'limit=100, remaining=3, reset=30' }, undefined],
    ['draft 6', { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, 30_000],
    ['draft 6, something left', { 'ratelimit-remaining': '7', 'ratelimit-reset': '30' }, undefined],
    ['draft 6, a date', { 'ratelimit-remaining': '0', 'ratelimit-reset': date(30_000) }, undefined],
    ['draft 6, an empty remainder', { 'ratelimit-remaining': ' ', 'ratelimit-reset': '30' }, undefined],
    ['draft 6, no reset', { 'ratelimit-remaining': '0' }, undefined],
    [
      'the X- form, which means different things',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' },
      undefined,
    ],
  ])('%s', (_, fields, ms) => {
    expect(read(fields).rateLimitMs).toBe(ms)
  })
})

describe('signals without a standard name', () => {
  const names = { pushback: 'x-push-back', nack: 'x-nack', stop: 'x-stop' }

  it.each<[string, Record<string, unknown>]>([
    ['0', { pushbackMs: 0 }],
    ['1500', { pushbackMs: 1500 }],
    [' 20 ', { pushbackMs: 20 }],
    ['9'.repeat(30), { pushbackMs: longestWaitMs }],
    ['-1', { stop: true }],
    ['soon', { stop: true }],
    ['1.5', { stop: true }],
    ['', { stop: true }],
  ])('push-back %j', (value, expected) => {
    expect(read({ 'x-push-back': value }, names)).toEqual(expected)
    expect(read({ 'x-push-back': value })).toEqual({})
  })

  it.each([
    ['1', true],
    ['true', true],
    ['retryable-request', true],
    ['0', undefined],
    ['false', undefined],
    ['?0', undefined],
    ['No', undefined],
    [' ', undefined],
  ])('a mark that says %j', (value, said) => {
    expect(read({ 'x-nack': value }, names).nack).toBe(said)
    expect(read({ 'x-stop': value }, names).stop).toBe(said)
    expect(read({ 'x-nack': value, 'x-stop': value })).toEqual({})
  })
})

describe('readSignals', () => {
  it('leaves out what was not said', () => {
    expect(read({})).toEqual({})
    expect(Object.keys(read({ 'retry-after': 'soon', ratelimit: ',', 'proxy-status': ';' }))).toEqual([])
  })

  it('takes null for absent, as Headers say it', () => {
    const headers = new Headers({ 'Retry-After': '3' })
    expect(readSignals((name) => headers.get(name), now, { pushback: 'x-push-back', stop: 'x-stop' })).toEqual({
      retryAfterMs: 3000,
    })
  })

  it('measures a date from the Date beside it', () => {
    const fields = { 'retry-after': date(3_630_000), date: date(3_600_000) }
    expect(read(fields)).toEqual({ retryAfterMs: 30_000 })
  })

  it('hears the plainest word first', () => {
    const all = { 'x-push-back': '10', 'retry-after': '2', ratelimit: '"default";r=0;t=30' }
    expect(serverDelayMs(read(all, { pushback: 'x-push-back' }))).toBe(10)
    expect(serverDelayMs(read(all))).toBe(2000)
    expect(serverDelayMs(read({ ratelimit: all.ratelimit }))).toBe(30_000)
    expect(serverDelayMs(read({ 'retry-after': '0', ratelimit: all.ratelimit }))).toBe(0)
    expect(serverDelayMs(undefined)).toBeUndefined()
  })

  it('never throws, and every wait is one that a timer can do', () => {
    const fields = fc.record(
      Object.fromEntries(
        [
          'retry-after',
          'date',
          'ratelimit',
          'ratelimit-policy',
          'ratelimit-remaining',
          'ratelimit-reset',
          'proxy-status',
          'x-push-back',
        ].map((name) => [
          name,
          fc.oneof(fc.string(), fc.constantFrom('0', '-1', 'a;r=0;t=1', 'limit=1, remaining=0, reset=9', date(99_000))),
        ]),
      ),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fields, (given) => {
        const signals = read(given as Record<string, string>, { pushback: 'x-push-back' })
        for (const ms of [signals.retryAfterMs, signals.rateLimitMs, signals.pushbackMs]) {
          if (ms === undefined) continue
          expect(ms).toBeGreaterThanOrEqual(0)
          expect(ms).toBeLessThanOrEqual(longestWaitMs)
        }
      }),
    )
  })
})

describe('Proxy-Status', () => {
  it.each<[string, unknown]>([
    ['ExampleCDN', [{ name: 'ExampleCDN' }]],
    ['"gateway 1"; error=connection_refused', [{ name: 'gateway 1', error: 'connection_refused' }]],
    [
      'a; received-status=502, b; error=http_protocol_error',
      [
        { name: 'a', receivedStatus: 502 },
        { name: 'b', error: 'http_protocol_error' },
      ],
    ],
    [
      'a; error=connection_timeout; next-hop="10.0.0.1:80"; details="no route"',
      [{ name: 'a', error: 'connection_timeout' }],
    ],
    ['a; error="connection_refused"', [{ name: 'a' }]],
    ['', undefined],
    ['42; error=connection_refused', undefined],
    ['a; error=connection_refused,', undefined],
    ['(a b); error=dns_error', undefined],
  ])('%j is read as %j', (field, entries) => {
    expect(parseProxyStatus(field)).toEqual(entries)
    expect(read({ 'proxy-status': field }).proxyStatus).toEqual(entries)
  })

  it.each([
    ['connection_refused', true],
    ['dns_error', true],
    ['dns_timeout', true],
    ['destination_unavailable', true],
    ['connection_timeout', true],
    ['connection_limit_reached', true],
    ['tls_certificate_error', true],
    ['connection_terminated', false],
    ['connection_read_timeout', false],
    ['connection_write_timeout', false],
    ['http_response_incomplete', false],
    ['http_response_timeout', false],
    ['tls_alert_received', false],
    ['proxy_internal_error', false],
    ['made_up', false],
  ])('%s proves that the request was not forwarded: %s', (error, proves) => {
    expect(neverForwarded.has(error)).toBe(proves)
    expect(provesNeverForwarded(parseProxyStatus(`gateway; error=${error}`))).toBe(proves)
  })

  it.each([
    ['nobody reports an error', 'a, b'],
    ['another reports something that may come after', 'a; error=connection_terminated, b; error=connection_refused'],
    ['a status was received', 'a; received-status=503; error=connection_refused'],
    ['a status was received by another', 'a; received-status=200, b; error=dns_error'],
  ])('proves nothing when %s', (_, field) => {
    expect(provesNeverForwarded(parseProxyStatus(field))).toBe(false)
  })

  it('proves nothing when it is absent', () => {
    expect(provesNeverForwarded(undefined)).toBe(false)
  })
})
