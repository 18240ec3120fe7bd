/** What must hold of every verdict, whatever failed: properties over arbitrary questions and policies. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deliveries, type Failure, failureKinds, phases } from '../../src/failure/kinds.js'
import { longestWaitMs } from '../../src/policy/backoff.js'
import { decide, mostTransparentRetries } from '../../src/policy/retry.js'
import { defaultRetryPolicy, type OptIn, optInNames, type RetryPolicy } from '../../src/policy/retry-options.js'
import type { RetryQuestion } from '../../src/policy/retry-question.js'
import { type ServerSignals, serverDelayMs } from '../../src/policy/server-signals.js'
import { oracle } from './decision-oracle.js'

/** An object of which any part may be missing, as facts are that nobody saw. */
const partial = <T>(arbitraries: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  fc.record(arbitraries, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>

const failures = fc
  .tuple(
    fc.record({
      kind: fc.constantFrom(...failureKinds),
      phase: fc.constantFrom(...phases),
      delivery: fc.constantFrom(...deliveries),
    }),
    partial<Omit<Failure, 'kind' | 'phase' | 'delivery' | 'cause'>>({
      code: fc.constantFrom('ECONNRESET', 'EPIPE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
      status: fc.oneof(
        fc.constantFrom(408, 409, 421, 422, 425, 429, 500, 502, 503, 504),
        fc.integer({ min: 400, max: 599 }),
      ),
      http2: fc.constantFrom(
        'REFUSED_STREAM',
        'GOAWAY',
        'NO_ERROR',
        'CANCEL',
        'ENHANCE_YOUR_CALM',
        'HTTP_1_1_REQUIRED',
        'PING',
      ),
      tls: fc.constantFrom('certificate', 'mismatch', 'alert', 'handshake'),
      proxyStatus: fc.constantFrom(403, 407, 502),
      temporary: fc.boolean(),
      permanent: fc.boolean(),
      admission: fc.constantFrom('closed', 'breaker', 'queue-full', 'budget', 'invalid'),
    }),
    fc.boolean(),
  )
  .map(
    ([words, facts, aborted]): Failure => ({ ...words, ...facts, ...(aborted ? { aborted } : {}), cause: undefined }),
  )

/** Failures that have a place in the table, so that most questions are not about nonsense. */
const knownFailures = fc
  .constantFrom(...oracle.flatMap((row) => row.examples))
  .map((example): Failure => ({ ...example.failure, cause: undefined }))

const signals: fc.Arbitrary<ServerSignals> = partial<Required<ServerSignals>>({
  retryAfterMs: fc.integer({ min: 0, max: longestWaitMs }),
  rateLimitMs: fc.integer({ min: 0, max: 100_000 }),
  pushbackMs: fc.integer({ min: 0, max: 100_000 }),
  stop: fc.constant(true),
  nack: fc.constant(true),
  proxyStatus: fc.array(
    fc.record({ name: fc.constant('gateway'), error: fc.constantFrom('connection_refused', 'connection_terminated') }),
    { maxLength: 2 },
  ),
})

const questions: fc.Arbitrary<RetryQuestion> = fc
  .tuple(
    fc.record({
      failure: fc.oneof(failures, knownFailures),
      requestClass: fc.constantFrom('idempotent', 'keyed', 'unsafe'),
      replayable: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 6 }),
      transparent: fc.integer({ min: 0, max: 5 }),
      dice: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      granted: fc.integer({ min: 0, max: 2 }),
    }),
    partial<Record<string, unknown>>({
      reused: fc.boolean(),
      protocol: fc.constantFrom('h2', 'http/1.1'),
      closeDelimited: fc.boolean(),
      committed: fc.boolean(),
      resumable: fc.boolean(),
      earlierAnswered: fc.boolean(),
      remainingMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 50_000, noNaN: true })),
      signals,
    }),
  )
  .map(([{ granted, ...asked }, facts]) => ({ ...asked, ...facts, retriesOfRow: () => granted }) as RetryQuestion)

const policies: fc.Arbitrary<RetryPolicy> = fc
  .record({
    attempts: fc.integer({ min: 1, max: 5 }),
    optIns: fc.subarray([...optInNames]),
    statuses: fc.oneof(
      fc.constant(defaultRetryPolicy.statuses),
      fc.array(fc.integer({ min: 400, max: 599 }), { maxLength: 8 }),
    ),
    maxRetryAfterMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 100_000 })),
    disabled: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  })
  .map(({ optIns, disabled, ...rest }) => ({
    ...defaultRetryPolicy,
    ...rest,
    ...(disabled ? { disabled: true as const } : {}),
    optIns: new Set<OptIn>(optIns),
  }))

const withOptIns = (policy: RetryPolicy, optIns: Iterable<OptIn>): RetryPolicy => ({
  ...policy,
  optIns: new Set(optIns),
})

const always = (property: (question: RetryQuestion, policy: RetryPolicy) => void) =>
  fc.assert(fc.property(questions, policies, property), { numRuns: 3000 })

describe('every verdict', () => {
  it('retries and says when, or stops and says why: never both, never neither', () => {
    always((question, policy) => {
      const verdict = decide(question, policy)
      expect(verdict.stopReason === undefined).toBe(verdict.retry)
      expect(verdict.waitMs !== undefined).toBe(verdict.retry)
      expect(verdict.charged !== undefined).toBe(verdict.retry)
      expect(verdict.row).toBeGreaterThanOrEqual(1)
      expect(verdict.row).toBeLessThanOrEqual(41)
      expect(verdict.because).toMatch(/^(?:[a-z]|TLS ).*[^.;:]$/)
      expect(verdict.because).not.toMatch(/undefined|NaN|\[object/)
    })
  })

  it('waits a time that a timer can do, and ends before the deadline', () => {
    always((question, policy) => {
      const { retry, waitMs = 0 } = decide(question, policy)
      expect(waitMs).toBeGreaterThanOrEqual(0)
      expect(waitMs).toBeLessThanOrEqual(longestWaitMs)
      if (retry && question.remainingMs !== undefined) expect(waitMs).toBeLessThan(question.remainingMs)
    })
  })

  it('comes back no earlier than the server asked, and not at all after a longer wait than is allowed', () => {
    always((question, policy) => {
      const { retry, waitMs } = decide(question, policy)
      const asked = serverDelayMs(question.signals)
      if (!retry || asked === undefined) return
      expect(waitMs).toBeGreaterThanOrEqual(asked)
      expect(asked).toBeLessThanOrEqual(policy.maxRetryAfterMs ?? Number.POSITIVE_INFINITY)
    })
  })

  it('repeats an unsafe request only on proof, or by an option that it names', () => {
    always((question, policy) => {
      const verdict = decide({ ...question, requestClass: 'unsafe' }, policy)
      if (!verdict.retry) return
      const proved = question.failure.delivery === 'unsent' || question.failure.delivery === 'rejected'
      expect(proved || (verdict.optIn !== undefined && policy.optIns.has(verdict.optIn as OptIn))).toBe(true)
      expect(question.earlierAnswered).not.toBe(true)
    })
  })

  it('names an option only when the same question without options is stopped', () => {
    always((question, policy) => {
      const verdict = decide(question, policy)
      expect(verdict.optIn !== undefined).toBe(verdict.retry && !decide(question, withOptIns(policy, [])).retry)
    })
  })

  it('is free only in a row of at most three, and the last of them opens a connection of its own', () => {
    always((question, policy) => {
      const verdict = decide(question, policy)
      if (!verdict.retry) {
        expect(verdict).toMatchObject({ cost: 0, transparent: false, freshConnection: false })
        return
      }
      expect(verdict.charged).toBe(!verdict.transparent)
      expect(verdict.cost === 0).toBe(verdict.transparent)
      if (!verdict.transparent) {
        expect(question.attempts).toBeLessThan(policy.attempts)
        return
      }
      expect(question.transparent).toBeLessThan(mostTransparentRetries)
      if (question.transparent === mostTransparentRetries - 1) expect(verdict.freshConnection).toBe(true)
    })
  })

  it('forbids to the idempotent nothing that it allows to the unsafe', () => {
    always((question, policy) => {
      if (!decide({ ...question, requestClass: 'unsafe' }, policy).retry) return
      expect(decide({ ...question, requestClass: 'idempotent' }, policy).retry).toBe(true)
      expect(decide({ ...question, requestClass: 'keyed' }, policy).retry).toBe(true)
    })
  })

  it('takes nothing back when there is more time, or one option more', () => {
    always((question, policy) => {
      if (!decide(question, policy).retry) return
      const { remainingMs: _, ...patient } = question
      expect(decide(patient, policy).retry).toBe(true)
      for (const name of optInNames)
        expect(decide(question, withOptIns(policy, [...policy.optIns, name])).retry).toBe(true)
    })
  })

  it('depends on nothing but the question and the policy', () => {
    always((question, policy) => {
      Object.freeze(question)
      Object.freeze(question.failure)
      expect(decide(question, policy)).toEqual(decide(structuredCloneOf(question), policy))
    })
  })

  it('stops for an abort, a stop sign, a body that is gone, and a switch that is off', () => {
    always((question, policy) => {
      const aborted = { ...question, failure: { ...question.failure, aborted: true } }
      expect(decide(aborted, policy)).toMatchObject({ retry: false, stopReason: 'abort' })
      expect(decide({ ...question, signals: { ...question.signals, stop: true } }, policy).retry).toBe(false)
      expect(decide({ ...question, replayable: false }, policy).retry).toBe(false)
      expect(decide(question, { ...policy, disabled: true }).retry).toBe(false)
      const committed = decide({ ...question, committed: true }, policy)
      if (committed.retry) expect(committed.optIn).toBe('resume')
    })
  })
})

/** The functions of a question cannot be cloned; what they give back can. */
function structuredCloneOf(question: RetryQuestion): RetryQuestion {
  const { retriesOfRow, ...rest } = question
  return { ...structuredClone(rest), ...(retriesOfRow === undefined ? {} : { retriesOfRow }) }
}
