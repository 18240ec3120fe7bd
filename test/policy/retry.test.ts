/** The guards of a decision, one by one: what comes first, how long it waits, what the options change. */

import { describe, expect, it } from 'vitest'
import type { Failure } from '../../src/failure/kinds.js'
import { deliveryOfStatus } from '../../src/policy/decision-rows-answered.js'
import { decide } from '../../src/policy/retry.js'
import { defaultRetryPolicy, type OptIn, type RetryPolicy } from '../../src/policy/retry-options.js'
import type { RetryQuestion } from '../../src/policy/retry-question.js'
import type { ServerSignals } from '../../src/policy/server-signals.js'

const withOptIns = (policy: RetryPolicy, optIns: Iterable<OptIn>): RetryPolicy => ({
  ...policy,
  optIns: new Set(optIns),
})

describe('guards', () => {
  const reset: RetryQuestion = {
    failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', cause: undefined },
    requestClass: 'idempotent',
    replayable: true,
    attempts: 1,
    transparent: 0,
    dice: 0.5,
  }
  const idle: RetryQuestion = {
    ...reset,
    failure: { kind: 'reset', phase: 'send', delivery: 'unsent', cause: undefined },
    requestClass: 'unsafe',
    reused: true,
  }
  const unavailable: RetryQuestion = {
    ...reset,
    failure: { kind: 'status', phase: 'body', delivery: 'answered', status: 503, cause: undefined },
  }
  const off: RetryPolicy = { ...defaultRetryPolicy, disabled: true }

  it.each([
    ['the caller aborted', { failure: { ...reset.failure, aborted: true }, committed: true }, 'abort'],
    ['the answer was handed over', { committed: true, signals: { stop: true } }, 'committed'],
    ['the table forbids it', { requestClass: 'unsafe', replayable: false }, 'unsafe'],
    ['the body is gone', { replayable: false, attempts: 3 }, 'body'],
    ['the attempts are used up', { attempts: 3, remainingMs: 0 }, 'attempts'],
    ['there is no time', { remainingMs: 25 }, 'deadline'],
    ['there never was', { remainingMs: 0, dice: 0 }, 'deadline'],
  ] as const)('%s: that reason is given before the ones that come later', (_, facts, stopReason) => {
    expect(decide({ ...reset, ...facts }, defaultRetryPolicy)).toMatchObject({ retry: false, stopReason })
  })

  it('says that retries are switched off only where they would have been made', () => {
    expect(decide(reset, off).stopReason).toBe('disabled')
    expect(decide({ ...reset, requestClass: 'unsafe' }, off).stopReason).toBe('unsafe')
  })

  it('repeats for free even when the attempts are used up, three times, then pays', () => {
    const allUsed = { ...idle, attempts: 3 }
    const cost = (transparent: number, attempts = 3) => decide({ ...idle, attempts, transparent }, defaultRetryPolicy)
    expect(decide(allUsed, { ...defaultRetryPolicy, attempts: 1 })).toMatchObject({ retry: true, transparent: true })
    expect([0, 1, 2].map((transparent) => cost(transparent).freshConnection)).toEqual([false, false, true])
    expect(cost(3)).toMatchObject({ retry: false, stopReason: 'attempts' })
    expect(cost(3, 1)).toMatchObject({ retry: true, charged: true, cost: 1, waitMs: 25 })
  })

  it('tries the next address of a name before the backoff, and is charged for it', () => {
    const unsent = { delivery: 'unsent', cause: undefined } as const
    const dials: readonly Failure[] = [
      { ...unsent, kind: 'refused', phase: 'connect' },
      { ...unsent, kind: 'timeout', phase: 'connect' },
      { ...unsent, kind: 'unreachable', phase: 'connect' },
      { ...unsent, kind: 'reset', phase: 'tls' },
      { ...unsent, kind: 'closed', phase: 'connect' },
    ]
    for (const failure of dials) {
      const ask = (otherAddress: boolean) =>
        decide({ ...reset, failure, requestClass: 'unsafe', otherAddress }, defaultRetryPolicy)
      expect(ask(true)).toMatchObject({ retry: true, waitMs: 0, charged: true, cost: 1 })
      expect(ask(false)).toMatchObject({ retry: true, waitMs: 25, charged: true, cost: 1 })
    }
    // What speaks against the name, or against this host, is no better elsewhere.
    for (const kind of ['dns', 'local-resource'] as const) {
      const failure: Failure = { ...unsent, kind, phase: 'connect', temporary: true }
      expect(decide({ ...reset, failure, otherAddress: true }, defaultRetryPolicy).waitMs).toBeGreaterThan(0)
    }
  })

  it('waits as long as the server asks, and spreads those who were told the same', () => {
    const asked = (signals: ServerSignals, dice = 0.5) => decide({ ...unavailable, dice, signals }, defaultRetryPolicy)
    expect(asked({ retryAfterMs: 30_000 })).toMatchObject({ waitMs: 30_500, cost: 0.4 })
    expect(asked({ retryAfterMs: 30_000 }, 0)).toMatchObject({ waitMs: 30_000 })
    expect(asked({ retryAfterMs: 0 })).toMatchObject({ retry: true, waitMs: 0, cost: 0.4 })
    expect(asked({ rateLimitMs: 2000 })).toMatchObject({ waitMs: 2500 })
    expect(asked({})).toMatchObject({ waitMs: 25, cost: 1 })
    const dear = decide({ ...unavailable, throttleCost: 0.9, signals: { retryAfterMs: 0 } }, defaultRetryPolicy)
    expect(dear).toMatchObject({ cost: 0.9 })
    expect(decide({ ...unavailable, throttleCost: 0.9 }, defaultRetryPolicy)).toMatchObject({ cost: 1 })
  })

  it('gives up the spread, but not the wait, when time is short', () => {
    const question = { ...unavailable, signals: { retryAfterMs: 4000 } }
    expect(decide({ ...question, remainingMs: 4100 }, defaultRetryPolicy)).toMatchObject({ retry: true, waitMs: 4000 })
    expect(decide({ ...question, remainingMs: 4000 }, defaultRetryPolicy)).toMatchObject({
      stopReason: 'deadline',
      row: 40,
    })
  })

  it('does not wait longer than retry.maxRetryAfter, and does not come back sooner either', () => {
    const question = { ...unavailable, signals: { retryAfterMs: 60_001 } }
    expect(decide(question, defaultRetryPolicy)).toMatchObject({ retry: false, stopReason: 'server-said', row: 40 })
    const { maxRetryAfterMs: _, ...patient } = defaultRetryPolicy
    expect(decide(question, patient)).toMatchObject({ retry: true, waitMs: 60_501 })
    // It limits what the server asks for, not the backoff.
    expect(decide(unavailable, { ...defaultRetryPolicy, maxRetryAfterMs: 0 })).toMatchObject({
      retry: true,
      waitMs: 25,
    })
  })

  it('repeats no unsafe request after a redirect was answered, whatever the last exchange declares', () => {
    const refused = {
      kind: 'rejected',
      phase: 'wait',
      delivery: 'rejected',
      http2: 'REFUSED_STREAM',
      cause: undefined,
    } as const
    const question = { ...reset, failure: refused, requestClass: 'unsafe' } as const
    expect(decide(question, defaultRetryPolicy)).toMatchObject({ retry: true, transparent: true })
    expect(decide({ ...question, earlierAnswered: true }, defaultRetryPolicy)).toMatchObject({ stopReason: 'unsafe' })
    expect(decide({ ...question, earlierAnswered: true, requestClass: 'keyed' }, defaultRetryPolicy).retry).toBe(true)
  })

  it('heeds the list of statuses, in both directions', () => {
    const status = (code: number, statuses: readonly number[]) =>
      decide(
        { ...unavailable, reused: true, failure: { ...unavailable.failure, status: code } },
        { ...defaultRetryPolicy, statuses },
      )
    for (const code of [408, 425, 429, 500, 502, 503, 504]) {
      expect(status(code, [])).toMatchObject({ retry: false, stopReason: 'disabled' })
      expect(status(code, [code])).toMatchObject({ retry: true })
    }
    for (const code of [404, 409, 422, 520]) {
      expect(status(code, [])).toMatchObject({ retry: false, stopReason: 'permanent' })
      expect(status(code, [code])).toMatchObject({ retry: true, row: 35 })
    }
    expect(status(421, [])).toMatchObject({ retry: true })
  })

  it('repeats what has no name as a request that was written, but proof remains proof', () => {
    const nameless = (delivery: Failure['delivery'], requestClass: RetryQuestion['requestClass']) =>
      decide(
        { ...reset, requestClass, failure: { kind: 'unknown', phase: 'wait', delivery, cause: undefined } },
        defaultRetryPolicy,
      )
    expect(nameless('unknown', 'idempotent')).toMatchObject({ retry: true, charged: true, row: 41 })
    expect(nameless('unknown', 'keyed')).toMatchObject({ retry: true, charged: true, row: 41 })
    expect(nameless('unknown', 'unsafe')).toMatchObject({ retry: false, stopReason: 'unsafe', row: 41 })
    expect(nameless('unsent', 'unsafe')).toMatchObject({ retry: true, charged: true, row: 41 })
  })

  it('takes 421 and 425, and no other status, for a declaration that nothing was processed', () => {
    for (let status = 100; status < 600; status++) {
      const delivery = deliveryOfStatus(status)
      expect(delivery).toBe(status === 421 || status === 425 ? 'rejected' : 'answered')
      const question = {
        ...unavailable,
        requestClass: 'unsafe',
        failure: { ...unavailable.failure, status, delivery },
      } as const
      expect(decide(question, defaultRetryPolicy).retry).toBe(delivery === 'rejected')
    }
  })

  it('continues a body only where the rest can be asked for, and may help', () => {
    const cut = { kind: 'reset', phase: 'body', delivery: 'partial', cause: undefined } as const
    const resume = withOptIns(defaultRetryPolicy, ['resume'])
    const question = { ...reset, failure: cut, committed: true, resumable: true }
    expect(decide(question, resume)).toMatchObject({ retry: true, optIn: 'resume', freshConnection: true })
    const closed: readonly Partial<RetryQuestion>[] = [
      { resumable: false },
      { signals: { stop: true } },
      { failure: { ...cut, permanent: true } },
      { failure: { ...cut, kind: 'protocol' } },
      { requestClass: 'keyed' },
    ]
    for (const facts of closed) {
      expect(decide({ ...question, ...facts }, resume)).toMatchObject({ retry: false, stopReason: 'committed' })
    }
  })

  it('asks for HTTP/1.1 where the server wants it', () => {
    const failure = { ...reset.failure, http2: 'HTTP_1_1_REQUIRED' }
    expect(decide({ ...reset, failure }, defaultRetryPolicy)).toMatchObject({ overHttp1: true, freshConnection: true })
    expect(decide(reset, defaultRetryPolicy)).not.toHaveProperty('overHttp1')
  })
})
