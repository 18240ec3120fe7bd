/** offhook's own errors, given back to it: by an outer client, by fetch that wraps them, by another copy of the package. */

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { classify } from '../../src/diagnosis/classify.js'
import { errorOf } from '../../src/failure/errors.js'
import type { Evidence } from '../../src/failure/evidence.js'
import { failureKinds, mayHaveExecuted } from '../../src/failure/kinds.js'
import { anyDetails, attempt, details } from '../failure/make.js'
import { anyEvidence, coded } from './generate.js'

vi.resetModules()
const copy = await import('../../src/failure/errors.js')

const cause = coded('ECONNRESET', { errno: -104, syscall: 'read', message: 'read ECONNRESET' })

describe('comes out as itself', () => {
  test('whatever the wire saw this time', () => {
    fc.assert(
      fc.property(anyDetails, fc.option(anyEvidence, { nil: undefined }), (made, evidence) => {
        const { kind, phase, delivery } = made.failure
        const error = errorOf(made)
        const failure = classify(error, evidence)
        expect(failure).toMatchObject({ kind, phase })
        expect(mayHaveExecuted(failure.delivery)).toBe(error.mayHaveExecuted)
        if (mayHaveExecuted(delivery) || !error.mayHaveExecuted) expect(failure.delivery).toBe(delivery)
        expect(failure.cause).toBe(error.cause)
      }),
    )
  })

  test.each(failureKinds)('%s, with all that only its kind has', (kind) => {
    const only = {
      dns: { temporary: true },
      tls: { tls: 'certificate' },
      proxy: { proxyStatus: 407 },
      status: { status: 503 },
      'not-admitted': { admission: 'breaker' },
      rejected: { http2: 'REFUSED_STREAM' },
    } as const
    const failure = {
      kind,
      phase: 'wait',
      delivery: 'unknown',
      code: 'ECONNRESET',
      errno: -104,
      syscall: 'read',
      ...(kind in only && only[kind as keyof typeof only]),
      cause,
    } as const
    expect(classify(errorOf(details(failure)))).toEqual(failure)
  })

  test.each([
    ['as the cause of what fetch throws', (error: unknown) => new TypeError('fetch failed', { cause: error })],
    ['as the cause of a body that breaks off', (error: unknown) => new TypeError('terminated', { cause: error })],
    [
      'as the cause of an abort',
      (error: unknown) => Object.assign(new DOMException('', 'AbortError'), { cause: error }),
    ],
    ['as the cause of another failure', (error: unknown) => Object.assign(coded('UND_ERR_SOCKET'), { cause: error })],
    ['as the only member', (error: unknown) => new AggregateError([error])],
  ])('%s', (_where, wrap) => {
    const failure = { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ECONNREFUSED', cause } as const
    expect(classify(wrap(errorOf(details(failure))))).toEqual(failure)
  })

  test('from another copy of the package', () => {
    const error = copy.errorOf(details({ kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'mismatch', cause }))
    expect(classify(error)).toEqual({ kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'mismatch', cause })
  })

  test('with the advice not to repeat it, and that it cannot help', () => {
    expect(classify(errorOf(details({}, { stopReason: 'budget' })))).toMatchObject({ advice: 'do-not-retry' })
    expect(classify(errorOf(details({}, { stopReason: 'permanent' })))).toMatchObject({ permanent: true })
  })
})

test('the exchanges before it count: a redirect was followed to where it failed', () => {
  const earlier: Evidence['earlier'] = [{ method: 'POST', origin: 'http://a.test', path: '/', delivery: 'answered' }]
  const error = errorOf(details({ kind: 'refused', phase: 'connect', delivery: 'unsent' }))
  const evidence: Evidence = { vantage: 'socket', started: false, phase: 'connect', earlier }
  expect(classify(error, evidence)).toMatchObject({ kind: 'refused', delivery: 'answered' })
})

test.each(['unsent', 'rejected'] as const)(
  'an attempt before it may have been executed, though the last was %s',
  (last) => {
    const failure = { kind: 'reset', phase: 'send', delivery: last } as const
    const heard = errorOf(details(failure, { attempts: [attempt(1, { delivery: 'unknown' }), attempt(2, failure)] }))
    expect(heard.mayHaveExecuted).toBe(true)
    expect(classify(heard)).toMatchObject({ kind: 'reset', delivery: 'unknown' })
    const none = errorOf(details(failure, { attempts: [attempt(1, failure), attempt(2, failure)] }))
    expect(classify(none)).toMatchObject({ kind: 'reset', delivery: last })
  },
)

test('of several calls the worst delivery counts', () => {
  const unsent = errorOf(details({ kind: 'refused', phase: 'connect', delivery: 'unsent' }))
  const unknown = errorOf(details({ kind: 'reset', phase: 'wait', delivery: 'unknown' }))
  expect(classify(new AggregateError([unsent, unsent, unknown]))).toMatchObject({ kind: 'reset', delivery: 'unknown' })
  const partial = errorOf(details({ kind: 'dns', phase: 'dns', delivery: 'partial' }))
  expect(classify(new AggregateError([partial, unknown]))).toMatchObject({ kind: 'reset', delivery: 'partial' })
})

const brand = Symbol.for('offhook.error')
test.each([
  [{ [brand]: true, kind: 'mine', phase: 'wait', delivery: 'unknown' }],
  [{ [brand]: true, kind: 'reset', phase: 'here', delivery: 'unknown' }],
  [{ [brand]: true, kind: 'reset', phase: 'wait', delivery: 'perhaps' }],
  [{ [brand]: true }],
])('what only carries the brand is read like any other: case %#', (impostor) => {
  expect(classify(impostor)).toMatchObject({ kind: 'unknown', delivery: 'unknown', cause: impostor })
  expect(classify(Object.assign(impostor, { code: 'ECONNREFUSED' }))).toMatchObject({ kind: 'refused' })
})
