import dns from 'node:dns'
import http2 from 'node:http2'
import { getSystemErrorMap } from 'node:util'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { errors as undiciErrors } from 'undici'
import { describe, expect, test } from 'vitest'
import { deliveries, failureKinds, type Phase, phases } from '../../src/failure/kinds.js'
import { type CodeFact, type CodeRow, type Step, stepOf } from '../../src/knowledge/code-row.js'
import { codeRows, factOf } from '../../src/knowledge/error-codes.js'
import { http2Says, opensslCode, proxySays, textRows } from '../../src/knowledge/error-texts.js'
import { http2Codes } from '../../src/knowledge/http-codes.js'

const syscallOf: Record<Step, string> = {
  resolve: 'getaddrinfo',
  connect: 'connect',
  read: 'read',
  write: 'write',
  datagram: 'send',
  elsewhere: 'open',
}
const rows = codeRows.flatMap((row) => row.codes.map((code) => ({ code, row, at: row.at?.join(' ') ?? 'anywhere' })))
const beforeStart: readonly Phase[] = ['admit', 'dns', 'connect', 'proxy', 'tls', 'send']

/** What has to hold of every claim, whichever table makes it. */
function expectSound(says: CodeFact): void {
  expect(failureKinds).toContain(says.kind)
  if (says.phase !== undefined) expect(phases).toContain(says.phase)
  if (says.delivery !== undefined) expect(deliveries).toContain(says.delivery)
  // A request that is called unsent can have been in no phase in which bytes of an answer come.
  if (says.delivery === 'unsent') expect(beforeStart).toContain(says.phase)
  expect(says.kind === 'dns').toBe(says.temporary !== undefined)
  expect(says.admission !== undefined).toBe(says.kind === 'not-admitted')
  if (says.tls !== undefined) expect(says.kind).toBe('tls')
  if (says.proxyStatus !== undefined) expect(says.kind).toBe('proxy')
  if (says.aborted === true) expect(says.kind).toBe('unknown')
  // Only a peer's word makes a request rejected.
  expect(says.delivery === 'rejected').toBe(says.kind === 'rejected')
}

describe('every row', () => {
  test.each(rows)('$code ($at) makes sound claims and names its source', ({ code, row }) => {
    expect(code).toMatch(/^[A-Z][\w*]+$/)
    expect(row.source.length).toBeGreaterThan(4)
    expectSound(row.says)
  })

  test.each(rows)('$code ($at) is found, and by no other row before it', ({ code, row }) => {
    const example = code.replaceAll('*', 'X')
    for (const step of row.at ?? [undefined]) {
      expect(factOf(example, step && syscallOf[step])).toBe(row.says)
    }
  })

  test('no code stands twice for the same step', () => {
    const claims = rows.flatMap(({ code, row }) => (row.at ?? ['anywhere']).map((step) => `${code} at ${step}`))
    expect(claims.filter((claim, index) => claims.indexOf(claim) !== index)).toEqual([])
  })
})

describe('the codes of the runtime are known', () => {
  test('every error that undici exports, by its own code', () => {
    const classes = Object.values(undiciErrors) as (new (...input: unknown[]) => Error & { code?: string })[]
    const codes = classes.map((Class) => new Class('message', 500, {}).code)
    const unknown = codes.filter((code) => /^UND_ERR_/.test(code ?? '') && factOf(String(code)) === undefined)
    expect(codes.length).toBeGreaterThan(15)
    // The base class has a code that names nothing; a WebSocket's messages are not this table's affair.
    expect(unknown.filter((code) => code !== 'UND_ERR_WS_MESSAGE_SIZE_EXCEEDED')).toEqual([])
  })

  test('every constant of node:dns, as an error of a query', () => {
    const codes = Object.entries(dns).filter(([name, value]) => /^[A-Z]+$/.test(name) && typeof value === 'string')
    expect(codes.length).toBeGreaterThan(20)
    for (const [, code] of codes) expect([code, factOf(code as string, 'queryA')?.kind]).toEqual([code, 'dns'])
  })

  test('every failure of zlib', () => {
    const {
      Z_OK: _ok,
      Z_STREAM_END: _end,
      ...codes
    } = (zlib as unknown as { codes: Record<string, string | number> }).codes
    const names = Object.keys(codes).filter((name) => name.startsWith('Z_'))
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) expect(factOf(name)).toMatchObject({ kind: 'protocol', phase: 'body' })
  })

  test('the codes of HTTP/2 have the numbers of node:http2', () => {
    for (const [number, { name, says }] of http2Codes.entries()) {
      expect((http2.constants as unknown as Record<string, number>)[`NGHTTP2_${name}`]).toBe(number)
      expectSound(says)
      expect(http2Says(number)).toEqual({ ...says, http2: name })
      expect(http2Says(name)).toEqual({ ...says, http2: name })
    }
    expect(http2Codes.filter(({ says }) => says.delivery !== undefined).map(({ name }) => name)).toEqual([
      'REFUSED_STREAM',
    ])
  })

  test('every error number of the system has a name that the look-up takes, in every step', () => {
    for (const [code] of getSystemErrorMap().values()) {
      for (const syscall of [undefined, ...Object.values(syscallOf)]) {
        const says = factOf(code, syscall)
        if (says !== undefined) expectSound(says)
      }
    }
  })

  test.each([
    'close_notify',
    'unexpected_message',
    'bad_record_mac',
    'handshake_failure',
    'bad_certificate',
    'unsupported_certificate',
    'certificate_revoked',
    'certificate_expired',
    'certificate_unknown',
    'illegal_parameter',
    'unknown_ca',
    'access_denied',
    'decode_error',
    'decrypt_error',
    'protocol_version',
    'insufficient_security',
    'internal_error',
    'inappropriate_fallback',
    'user_cancelled',
    'missing_extension',
    'certificate_required',
    'no_application_protocol',
  ])('TLS alert %s means the same in every spelling, and proves nothing about delivery', (alert) => {
    const spellings = ['SSLV3', 'TLSV1', 'TLSV13', 'SSL/TLS', 'TLSV1.3'].map(
      (version) => `ERR_SSL_${version}_ALERT_${alert.toUpperCase()}`,
    )
    const [first, ...others] = spellings.map((code) => factOf(code))
    expect(first).toMatchObject({ kind: 'tls', phase: 'tls' })
    expect(first?.tls).toBeDefined()
    expect(first?.delivery).toBeUndefined()
    for (const other of others) expect(other).toBe(first)
  })
})

describe('the same code in another system call', () => {
  test.each([
    ['ETIMEDOUT', 'connect', { kind: 'timeout', delivery: 'unsent' }],
    ['ETIMEDOUT', 'read', { kind: 'timeout', phase: 'wait' }],
    ['ETIMEDOUT', 'queryAaaa', { kind: 'dns', temporary: true }],
    ['ECONNREFUSED', 'connect', { kind: 'refused', delivery: 'unsent' }],
    ['ECONNREFUSED', 'read', { kind: 'unreachable', phase: 'wait' }],
    ['ECONNREFUSED', 'queryA', { kind: 'dns', temporary: true }],
    ['ECONNREFUSED', 'recvmsg', { kind: 'refused', phase: 'wait' }],
    ['EPERM', 'send', { kind: 'local-resource', delivery: 'unsent' }],
    ['EMSGSIZE', 'send', { kind: 'not-admitted', delivery: 'unsent' }],
    ['ECONNRESET', 'connect', { kind: 'reset', delivery: 'unsent' }],
    ['ECONNRESET', 'write', { kind: 'reset', phase: 'send' }],
    ['EPIPE', undefined, { kind: 'closed', phase: 'send' }],
    ['EPIPE', 'write', { kind: 'reset', phase: 'send' }],
    ['ENOMEM', 'getaddrinfo', { kind: 'dns', temporary: true }],
    ['ENOMEM', 'socket', { kind: 'local-resource', delivery: 'unsent' }],
    ['EMFILE', 'open', { kind: 'local-resource' }],
  ] as const)('%s of %s', (code, syscall, says) => {
    expect(factOf(code, syscall)).toMatchObject(says)
  })

  test.each(['ENOENT', 'EACCES', 'EPERM', 'EINVAL'])('%s is no network failure outside of the network', (code) => {
    expect(factOf(code, 'open')).toBeUndefined()
    expect(factOf(code)).toBeUndefined()
    expect(factOf(code, 'connect')?.delivery).toBe('unsent')
  })

  test.each([
    ['getaddrinfo', 'resolve'],
    ['queryTxt', 'resolve'],
    ['getHostByAddr', 'resolve'],
    ['connect', 'connect'],
    ['bind', 'connect'],
    ['read', 'read'],
    ['recvmsg', 'datagram'],
    ['writev', 'write'],
    ['send', 'datagram'],
    ['readv', 'read'],
    ['shutdown', 'write'],
    ['readdir', 'elsewhere'],
    ['', 'elsewhere'],
  ])('%s is for %s', (syscall, step) => {
    expect(stepOf(syscall)).toBe(step)
  })
})

describe('the look-up takes anything', () => {
  test('text of any kind, as a code and as a system call', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        (code, syscall) => {
          const says = factOf(code, syscall)
          if (says !== undefined) expectSound(says)
        },
      ),
    )
  })

  test('names that every object has are no codes', () => {
    for (const code of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) expect(factOf(code)).toBeUndefined()
  })
})

describe('texts', () => {
  test('each row says why nothing else tells it, and where the text is made', () => {
    for (const { why, source, says } of textRows) {
      expect(why.length).toBeGreaterThan(10)
      expect(source.length).toBeGreaterThan(4)
      if (typeof says !== 'function') {
        const { mute: _, ...claims } = says
        expect(claims.kind === 'rejected').toBe(claims.delivery === 'rejected')
        expect(failureKinds).toContain(claims.kind)
      }
    }
  })

  test.each([
    [407, true],
    [403, true],
    [408, undefined],
    [429, undefined],
    [502, undefined],
    [504, undefined],
    [302, undefined],
  ])('a proxy that answers %i', (status, permanent) => {
    expect(proxySays(status)).toMatchObject({ kind: 'proxy', delivery: 'unsent', proxyStatus: status })
    expect(proxySays(status).permanent).toBe(permanent)
  })

  test.each([
    [
      'write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:a.c:350:\n',
      'WRONG_VERSION_NUMBER',
    ],
    [
      'write EPROTO 40:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:b.c:1:',
      'SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    ],
    ['write EPROTO', undefined],
    ['error:1E08010C:DECODER routines::unsupported', undefined],
  ])('the code in %j', (text, reason) => {
    expect(opensslCode(text)).toBe(reason === undefined ? undefined : `ERR_SSL_${reason}`)
  })
})

/** Rows keep their form: what a test could not see is refused by the compiler. */
const misspelt = { codes: ['E'], says: { kind: 'resett' }, source: '' }
// @ts-expect-error: no such kind
misspelt satisfies CodeRow
