/** Whatever is thrown at it: classify and explain answer, and leave it as it was. */

import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify } from '../../src/diagnosis/classify.js'
import { explain } from '../../src/diagnosis/explain.js'
import { deliveries, type Failure, failureKinds, phases } from '../../src/failure/kinds.js'
import { anyCode, anyEvidence, coded } from './generate.js'
import { guard } from './untouched.js'

const known = ['kind', 'phase', 'delivery', 'cause', 'code', 'errno', 'syscall', 'temporary', 'tls', 'http2']
const fields = [...known, 'proxyStatus', 'status', 'admission', 'aborted', 'permanent', 'advice']

function expectValid(failure: Failure): void {
  expect(failureKinds).toContain(failure.kind)
  expect(phases).toContain(failure.phase)
  expect(deliveries).toContain(failure.delivery)
  expect('cause' in failure).toBe(true)
  for (const [name, value] of Object.entries(failure)) {
    expect(fields).toContain(name)
    if (name !== 'cause') expect(value).not.toBeUndefined()
  }
  if (failure.code !== undefined) expect(failure.code).toMatch(/^\S{1,80}$/)
}

function expectStory(error: unknown): void {
  const lines = explain(error).split('\n')
  expect(lines.length).toBeLessThanOrEqual(14)
  for (const line of lines) {
    expect(line.length).toBeLessThan(1100)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing that moves a cursor comes through
    expect(line).not.toMatch(/[\u0000-\u001f\u007f]/)
  }
}

const read = ['name', 'code', 'errno', 'syscall', 'message', 'cause', 'errors', 'http2ErrorCode', 'statusCode', 'kind']
const names = [
  ...read,
  'request',
  'response',
  'socket',
  'timings',
  'address',
  'port',
  '$fault',
  '$metadata',
  'diagnosis',
]
const brand = Symbol.for('offhook.error')
const boom = () => {
  throw new Error('boom')
}

/** A proxy all of whose traps throw. */
const hostile = () => new Proxy(() => undefined, new Proxy({}, { get: () => boom }))
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}
/** Every property that is read throws. */
const throwing = () =>
  Object.defineProperties(
    {},
    Object.fromEntries([...names, brand].map((name) => [name, { get: boom, enumerable: true }])),
  )
/** Carries the brand, and nothing that goes with it. */
const impostor = (kind: unknown) => ({
  [brand]: true,
  kind,
  attempts: 7,
  message: Symbol('m'),
  name: {},
  cause: revoked(),
})

/** Makers rather than values: the generator itself looks into its values, which some of these do not bear. */
type Make = () => unknown
const constant = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Make> => arbitrary.map((value) => () => value)
const anyField = constant(fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true }))

const { anyError, anyGraph } = fc.letrec<{ anyError: Make; anyGraph: Make }>((tie) => ({
  anyError: fc.oneof(
    { maxDepth: 4 },
    anyField,
    anyCode.map((code) => () => coded(code, { syscall: 'read', errno: -1 })),
    fc.constantFrom<Make>(
      hostile,
      revoked,
      throwing,
      () => impostor('reset'),
      () => impostor('nothing'),
    ),
    fc.constantFrom<Make>(
      () => 'ECONNRESET',
      () => Symbol('s'),
      () => () => undefined,
    ),
    tie('anyGraph'),
  ),
  anyGraph: fc
    .record(
      {
        name: fc.oneof(constant(fc.constantFrom('AbortError', 'TimeoutError', 'HTTPParserError')), anyField),
        code: fc.oneof(constant(anyCode), anyField),
        errno: fc.oneof(constant(fc.integer()), anyField),
        syscall: fc.oneof(constant(fc.constantFrom('connect', 'read')), anyField),
        message: fc.oneof(constant(fc.string()), constant(fc.constantFrom('fetch failed', 'terminated')), anyField),
        cause: tie('anyError'),
        errors: fc.oneof(
          fc.array(tie('anyError'), { maxLength: 6 }).map((makes) => () => makes.map((make) => make())),
          anyField,
        ),
        circle: constant(fc.constantFrom('cause', 'errors')),
      },
      { requiredKeys: [] },
    )
    .map((makers) => () => graphOf(makers)),
}))

function graphOf(makers: Record<string, Make>): unknown {
  const { circle, ...fields } = Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make()]))
  const error = Object.assign(new Error(), fields) as Error & { errors?: unknown }
  if (circle === 'cause') error.cause = { cause: error }
  if (circle === 'errors') error.errors = [error, { errors: [error] }]
  return error
}

describe('anything', () => {
  test('classify names it, with evidence and without', () => {
    fc.assert(
      fc.property(anyError, fc.option(anyEvidence, { nil: undefined }), (make, evidence) => {
        expectValid(classify(make(), evidence))
      }),
      { numRuns: 3000 },
    )
  })

  test('explain tells it, on a dozen lines', () => {
    fc.assert(
      fc.property(anyError, (make) => expectStory(make())),
      { numRuns: 1500 },
    )
  })

  test('it is left as it was', () => {
    fc.assert(
      fc.property(anyGraph, (make) => {
        const error = make()
        const changed = guard(error)
        expectValid(classify(error))
        expectStory(error)
        expect(changed()).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('the same error is named the same twice', () => {
    fc.assert(
      fc.property(anyGraph, (make) => {
        const error = make()
        const { cause, ...names } = classify(error)
        const { cause: causeAgain, ...namesAgain } = classify(error)
        expect(namesAgain).toEqual(names)
        expect(Object.is(cause, causeAgain)).toBe(true)
      }),
    )
  })

  test.each([undefined, null, '', 'a text', 0, Number.NaN, 7n, Symbol('s'), true, () => undefined, [], {}, new Date()])(
    'no error at all: %s',
    (error) => {
      expect(classify(error)).toMatchObject({ kind: 'unknown', delivery: 'unknown', cause: error })
      expectStory(error)
    },
  )
})

test('a write would be noticed', () => {
  const inner = { a: 1, bytes: new Uint8Array(1) }
  const changed = guard({ inner })
  expect(() => Object.assign(inner, { a: 2 })).toThrow(TypeError)
  inner.bytes[0] = 7
  expect(changed()).toEqual(['0'])
})

describe('bounds', () => {
  const refused = () => coded('ECONNREFUSED', { syscall: 'connect' })

  test('a chain longer than anybody reads ends', () => {
    let error: unknown = refused()
    for (let depth = 0; depth < 10_000; depth++) error = new Error('and', { cause: error })
    expect(classify(error)).toMatchObject({ kind: 'unknown', delivery: 'unknown' })
    expectStory(error)
  })

  test('a chain of a usual length is read to its end', () => {
    let error: unknown = refused()
    const bottom = error
    for (let depth = 0; depth < 20; depth++) error = new Error('and', { cause: error })
    expect(classify(error)).toMatchObject({ kind: 'refused', delivery: 'unsent' })
    expect(classify(error).cause).toBe(bottom)
  })

  test('of more members than are read, the rest may have been heard', () => {
    const many = new AggregateError(Array.from({ length: 100_000 }, refused))
    expect(classify(many)).toMatchObject({ kind: 'refused', delivery: 'unknown' })
    expectStory(many)
  })

  test('an array that claims to be endless', () => {
    const errors = new Proxy([refused()], {
      get: (target, key) => (key === 'length' ? 2 ** 53 : Reflect.get(target, key)),
    })
    expect(classify({ errors })).toMatchObject({ kind: 'refused', delivery: 'unknown' })
  })
})

describe('aggregates', () => {
  const of = (...errors: unknown[]) => new AggregateError(errors)
  const at = (code: string, syscall = 'connect') => coded(code, { syscall, errno: -1 })
  const read = at('ECONNRESET', 'read')

  test.each([
    ['all refused', of(at('ECONNREFUSED'), at('ECONNREFUSED')), 'refused', 'unsent'],
    ['all timed out', of(at('ETIMEDOUT'), at('ETIMEDOUT')), 'timeout', 'unsent'],
    ['no IPv6 here, refused there', of(at('ENETUNREACH'), at('ECONNREFUSED')), 'refused', 'unsent'],
    ['no IPv6 here, silence there', of(at('EADDRNOTAVAIL'), at('ETIMEDOUT')), 'timeout', 'unsent'],
    ['refused, and reset at once', of(at('ECONNREFUSED'), at('ECONNRESET')), 'reset', 'unsent'],
    ['refused, and a certificate', of(at('ECONNREFUSED'), coded('CERT_HAS_EXPIRED')), 'tls', 'unsent'],
    ['one of several calls was under way', of(at('ECONNREFUSED'), read), 'reset', 'unknown'],
    [
      'one of several calls was answered in part',
      of(at('ECONNREFUSED'), coded('UND_ERR_BODY_TIMEOUT')),
      'timeout',
      'partial',
    ],
    ['one of them has no name', of(at('ECONNREFUSED'), new Error('?')), 'refused', 'unknown'],
    ['the same error twice', of(...Array(2).fill(at('ECONNREFUSED'))), 'refused', 'unsent'],
    ['one of them is nothing', of(at('ECONNREFUSED'), undefined), 'refused', 'unknown'],
    ['an aggregate in an aggregate', of(of(at('ECONNREFUSED')), at('ETIMEDOUT')), 'refused', 'unsent'],
    [
      'a time-out that wraps it',
      Object.assign(coded('UND_ERR_CONNECT_TIMEOUT'), { cause: of(at('ETIMEDOUT')) }),
      'timeout',
      'unsent',
    ],
    ['none', of(), 'unknown', 'unknown'],
  ])('%s', (_name, error, kind, delivery) => {
    expect(classify(error)).toMatchObject({ kind, delivery })
  })

  test('one that contains itself has no other member for that', () => {
    const error = of(at('ECONNREFUSED'))
    error.errors.push(error)
    expect(classify(error)).toMatchObject({ kind: 'refused', delivery: 'unsent' })
  })

  test('the cause is the member that decided', () => {
    const member = at('ECONNREFUSED')
    expect(classify(of(at('ENETUNREACH'), member)).cause).toBe(member)
  })
})

describe('chains', () => {
  const read = coded('ECONNRESET', { syscall: 'read', errno: -104 })

  test.each([
    ['a wrapper that copies the code', Object.assign(coded('ECONNRESET'), { cause: read }), 'reset'],
    ['a wrapper with a code of its own', Object.assign(coded('E_PAYMENT'), { cause: read }), 'reset'],
    ['a premature end that says why', Object.assign(coded('ERR_STREAM_PREMATURE_CLOSE'), { cause: read }), 'reset'],
    ['a proxy that failed', Object.assign(coded('UND_ERR_PRX_CONN'), { cause: read }), 'proxy'],
    [
      'a proxy with a wrong certificate',
      Object.assign(coded('UND_ERR_PRX_TLS'), { cause: coded('CERT_HAS_EXPIRED') }),
      'proxy',
    ],
    [
      'an abort whose reason is a time-out',
      Object.assign(coded('ABORT_ERR'), { cause: new DOMException('', 'TimeoutError') }),
      'timeout',
    ],
    [
      'a time-out that aborted something',
      Object.assign(coded('UND_ERR_HEADERS_TIMEOUT'), { cause: coded('ABORT_ERR') }),
      'timeout',
    ],
    ['an abort that met a reset', Object.assign(coded('ABORT_ERR'), { cause: read }), 'unknown'],
  ])('%s', (_name, error, kind) => {
    expect(classify(error).kind).toBe(kind)
  })

  test('errors of another realm, of which no class is ours', () => {
    const foreign = runInNewContext(`
      const raw = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
      new TypeError('fetch failed', { cause: raw })
    `)
    expect(foreign).not.toBeInstanceOf(TypeError)
    expect(classify(foreign)).toMatchObject({ kind: 'reset', code: 'ECONNRESET', syscall: 'read' })
    const several = runInNewContext(
      `new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED', syscall: 'connect' })])`,
    )
    expect(classify(several)).toMatchObject({ kind: 'refused', delivery: 'unsent' })
  })
})
