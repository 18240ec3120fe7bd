import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import {
  type AnyOffhookError,
  type ConnectionClosedError,
  type ConnectionRefusedError,
  type ConnectionResetError,
  errorClasses,
  errorOf,
  isOffhookError,
  type LocalResourceError,
  type NameResolutionError,
  type NotAdmittedError,
  type ProtocolError,
  type ProxyError,
  type RejectedError,
  StatusError,
  type TimeoutError,
  type TlsError,
  type UnknownNetworkError,
  type UnreachableError,
} from '../../src/failure/errors.js'
import { deliveries, failureKinds } from '../../src/failure/kinds.js'
import { OffhookError } from '../../src/failure/offhook-error.js'
import { anyDetails, attempt, connection, details, evidence } from './make.js'

// Loaded once more from the beginning: another copy of the package.
vi.resetModules()
const copy = await import('../../src/failure/errors.js')

describe('every kind has a class', () => {
  test.each(failureKinds)('%s', (kind) => {
    const error = errorOf(details({ kind }))
    expect(error).toBeInstanceOf(errorClasses[kind])
    expect(error).toBeInstanceOf(OffhookError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.kind).toBe(kind)
    expect(error.name).toBe(errorClasses[kind].name)
    expect(Object.values(errorClasses).filter((Class) => error instanceof Class)).toHaveLength(1)
    expect(isOffhookError(error)).toBe(true)
  })

  test('no two kinds share one', () => {
    expect(new Set(Object.values(errorClasses)).size).toBe(failureKinds.length)
  })

  test('the kind narrows to the class', () => {
    const narrow = (error: AnyOffhookError) => {
      switch (error.kind) {
        case 'reset':
          return expectTypeOf(error).toEqualTypeOf<ConnectionResetError>()
        case 'closed':
          return expectTypeOf(error).toEqualTypeOf<ConnectionClosedError>()
        case 'refused':
          return expectTypeOf(error).toEqualTypeOf<ConnectionRefusedError>()
        case 'timeout':
          return expectTypeOf(error).toEqualTypeOf<TimeoutError>()
        case 'unreachable':
          return expectTypeOf(error).toEqualTypeOf<UnreachableError>()
        case 'dns':
          return expectTypeOf(error).toEqualTypeOf<NameResolutionError>()
        case 'tls':
          return expectTypeOf(error).toEqualTypeOf<TlsError>()
        case 'proxy':
          return expectTypeOf(error).toEqualTypeOf<ProxyError>()
        case 'protocol':
          return expectTypeOf(error).toEqualTypeOf<ProtocolError>()
        case 'rejected':
          return expectTypeOf(error).toEqualTypeOf<RejectedError>()
        case 'local-resource':
          return expectTypeOf(error).toEqualTypeOf<LocalResourceError>()
        case 'not-admitted':
          return expectTypeOf(error).toEqualTypeOf<NotAdmittedError>()
        case 'status':
          return expectTypeOf(error).toEqualTypeOf<StatusError>()
        case 'unknown':
          return expectTypeOf(error).toEqualTypeOf<UnknownNetworkError>()
        default:
          return expectTypeOf(error).toEqualTypeOf<never>()
      }
    }
    for (const kind of failureKinds) expect(() => narrow(errorOf(details({ kind })))).not.toThrow()
    expectTypeOf(isOffhookError).guards.toEqualTypeOf<AnyOffhookError>()
  })
})

describe('what is not known is absent', () => {
  test.each(failureKinds)('%s', (kind) => {
    const bare = errorOf(details({ kind }))
    const always = ['kind', 'phase', 'delivery', 'mayHaveExecuted', 'method', 'origin', 'path', 'attempts']
    const own = Object.keys(bare).filter((name) => !always.includes(name))
    expect(own).toEqual(kind === 'dns' ? ['temporary'] : kind === 'status' ? ['status'] : [])
    expect('cause' in bare).toBe(false)
    expect(Object.values(bare.toJSON())).not.toContain(undefined)
  })

  test('and what is known stands on the error, and in its JSON', () => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' })
    const known = { code: 'ECONNRESET', errno: -104, syscall: 'read', http2: 'CANCEL' }
    const more = { stopReason: 'unsafe', retryAfterMs: 5, evidence, attempts: [attempt(1)] } as const
    const error = errorOf(details({ ...known, cause }, more))
    const facts = { ...known, connection, timings: evidence.timings, bytes: evidence.bytes, retryAfterMs: 5 }
    expect(error).toMatchObject({ ...facts, stopReason: 'unsafe', mayHaveExecuted: true })
    expect(error.cause).toBe(cause)
    expect(error.toJSON()).toMatchObject({
      ...facts,
      attemptCount: 1,
      cause: { message: 'read ECONNRESET', errno: -104 },
    })
  })

  test.each([
    ['dns', { temporary: true }, { temporary: true }],
    ['tls', { tls: 'certificate' }, { trouble: 'certificate' }],
    ['proxy', { proxyStatus: 407 }, { proxyStatus: 407 }],
    ['rejected', { http2: 'REFUSED_STREAM' }, { http2: 'REFUSED_STREAM' }],
    ['not-admitted', { admission: 'breaker' }, { admission: 'breaker' }],
    ['status', { status: 503 }, { status: 503 }],
    ['timeout', {}, { limit: 'attempt', limitMs: 100 }],
  ] as const)('what only %s has', (kind, failure, expected) => {
    const error = errorOf(details({ kind, ...failure }, { evidence: { ...evidence, limit: 'attempt', limitMs: 100 } }))
    expect(error).toMatchObject(expected)
    expect(error.toJSON()).toMatchObject(expected)
  })

  test('the response of a status error is there, but in no log', () => {
    const response = { body: 'secret' }
    const error = errorOf({ ...details({ kind: 'status', status: 503 }), response }) as StatusError
    expect(error.response).toBe(response)
    expect(Object.keys(error)).not.toContain('response')
    expect(inspect(error) + JSON.stringify(error) + inspect({ ...error })).not.toContain('secret')
    expect(error).toBeInstanceOf(StatusError)
  })
})

test('it may have been executed unless every attempt is proved not to have been', () => {
  const anyDelivery = fc.constantFrom(...deliveries)
  fc.assert(
    fc.property(anyDelivery, fc.array(anyDelivery, { maxLength: 4 }), (last, before) => {
      const attempts = before.map((delivery, index) => attempt(index + 1, { delivery }))
      const proved = [last, ...before].every((delivery) => delivery === 'unsent' || delivery === 'rejected')
      expect(errorOf(details({ delivery: last }, { attempts })).mayHaveExecuted).toBe(!proved)
    }),
  )
})

describe('two copies of the package', () => {
  test('know each other by the brand, not by the class', () => {
    const error = copy.errorOf(details({ kind: 'refused' }))
    expect(copy.isOffhookError).not.toBe(isOffhookError)
    expect(error).not.toBeInstanceOf(OffhookError)
    expect(isOffhookError(error)).toBe(true)
    expect(copy.isOffhookError(errorOf(details()))).toBe(true)
  })

  test.each([undefined, null, 1, 'reset', {}, new TypeError('fetch failed'), { kind: 'reset' }])(
    'and nothing else: case %#',
    (value) => {
      expect(isOffhookError(value)).toBe(false)
    },
  )

  test('not what cannot even be looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(isOffhookError(proxy)).toBe(false)
  })
})

describe('JSON', () => {
  test('is bounded, plain, and can be cloned, whatever the error was made of', () => {
    fc.assert(
      fc.property(anyDetails, (made) => {
        const error = errorOf(made)
        const json = error.toJSON()
        expect(JSON.stringify(error).length).toBeLessThan(30_000)
        expect(structuredClone(json)).toEqual(json)
        expect((json['attempts'] as unknown[]).length).toBeLessThanOrEqual(10)
        expect(json['attemptCount']).toBe(made.attempts.length)
      }),
      { numRuns: 500 },
    )
  })

  test('of a cause takes words and numbers, whatever hangs on it', () => {
    const cause = Object.assign(new Error('at https://user:hunter2@host/?key=hunter2'), {
      code: 'E_MINE',
      errno: 12n,
      syscall: Number.NaN,
      headers: { authorization: 'hunter2' },
      self: undefined as unknown,
    })
    cause.self = cause
    const { cause: told } = errorOf(details({ cause })).toJSON()
    expect(told).toEqual({ name: 'Error', code: 'E_MINE', message: 'at https://host/?…' })
  })

  test('of a cause that throws on being read takes nothing', () => {
    const cause = new Proxy({}, { get: () => fail() })
    expect('cause' in errorOf(details({ cause })).toJSON()).toBe(false)
  })
})

function fail(): never {
  throw new Error('read')
}

describe('printed', () => {
  test('is the headline, the story and the stack, whatever the error was made of', () => {
    fc.assert(
      fc.property(anyDetails, (made) => {
        const error = errorOf(made)
        const printed = inspect(error)
        expect(printed.startsWith(`${error.name}: ${error.message}`)).toBe(true)
        expect(printed).toContain('executed?')
        expect(printed).toMatch(/\n +at /)
      }),
    )
  })

  test('deep inside of something else is one line', () => {
    expect(inspect({ a: { b: { c: errorOf(details()) } } }, { depth: 2 })).toMatch(/\[ConnectionResetError: .*\]/)
  })
})
