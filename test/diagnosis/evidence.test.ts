/** What the wire saw against what the error says: which of the two decides. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify } from '../../src/diagnosis/classify.js'
import type { Evidence, ExchangeFacts, Limit } from '../../src/failure/evidence.js'
import { type Delivery, deliveries, type Phase, phases } from '../../src/failure/kinds.js'
import { dialling, inBody, otherSideClosed, outside, reset, rows, waiting } from './evidence-rows.js'
import { anyEvidence, anyRaw, coded } from './generate.js'

describe('evidence outranks shape', () => {
  test.each(rows)('%s', (_what, raw, evidence, expected) => {
    const failure = classify(raw, evidence)
    expect(failure).toMatchObject(expected)
    expect(failure.aborted).toBe(expected.aborted)
  })
})

const limits: readonly (readonly [Limit, Evidence, Phase, Delivery])[] = [
  ['connect', dialling('connect'), 'connect', 'unsent'],
  ['connect', dialling('tls'), 'tls', 'unsent'],
  ['connect', dialling('dns'), 'dns', 'unsent'],
  ['connect', dialling('admit'), 'connect', 'unsent'],
  ['headers', waiting, 'wait', 'unknown'],
  ['headers', { ...waiting, phase: 'send' }, 'send', 'unknown'],
  ['headers', { ...waiting, phase: 'head' }, 'head', 'partial'],
  ['headers', outside, 'connect', 'unsent'],
  ['attempt', waiting, 'wait', 'unknown'],
  ['attempt', dialling('tls'), 'tls', 'unsent'],
  ['attempt', { vantage: 'none', phase: 'admit' }, 'wait', 'unknown'],
  ['body', inBody, 'body', 'partial'],
  ['total', waiting, 'call', 'unknown'],
  ['total', dialling('connect'), 'call', 'unsent'],
  ['total', inBody, 'call', 'partial'],
]

describe('a limit of ours that ran out', () => {
  test.each(limits)('%s, %j: phase %s, %s', (limit, evidence, phase, delivery) => {
    // Whatever came of it: the abort with which we stopped it, or what happened at the same moment.
    for (const raw of [
      new DOMException('', 'AbortError'),
      reset,
      otherSideClosed,
      undefined,
      coded('UND_ERR_HEADERS_TIMEOUT'),
    ]) {
      const failure = classify(raw, { ...evidence, limit, limitMs: 50, ending: 'local' })
      expect(failure).toMatchObject({ kind: 'timeout', phase, delivery })
      expect(failure.aborted).toBeUndefined()
    }
  })
})

describe('redirects', () => {
  const exchange = (delivery: Delivery): ExchangeFacts => ({
    method: 'POST',
    origin: 'http://a.test',
    path: '/',
    delivery,
  })

  test('the worst exchange decides, in the order of the verdicts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...deliveries), { maxLength: 5 }),
        anyRaw,
        anyEvidence,
        (before, raw, evidence) => {
          const alone = classify(raw, { ...evidence, earlier: [] })
          const all = classify(raw, { ...evidence, earlier: before.map(exchange) })
          const ranks = [alone.delivery, ...before].map((delivery) => deliveries.indexOf(delivery))
          expect(all.delivery).toBe(deliveries[Math.max(...ranks)])
          expect({ ...all, delivery: alone.delivery }).toEqual(alone)
        },
      ),
    )
  })

  test('a POST that was answered by a 303 was executed, though its follow-up was refused', () => {
    const refused = coded('ECONNREFUSED', { syscall: 'connect' })
    expect(classify(refused, { ...dialling('connect'), earlier: [exchange('answered')] })).toMatchObject({
      kind: 'refused',
      delivery: 'answered',
    })
  })
})

describe('proof', () => {
  test('unsent is said only of what was seen not to start, and of nothing that was answered', () => {
    fc.assert(
      fc.property(anyRaw, anyEvidence, (raw, evidence) => {
        const { delivery, phase, kind } = classify(raw, evidence)
        expect(phases).toContain(phase)
        if (delivery === 'unsent') expect(evidence.started).not.toBe(true)
        if (evidence.vantage !== 'none' && evidence.started === false && evidence.complete !== true) {
          expect(delivery).toBe('unsent')
        }
        if (evidence.vantage === 'none') expect(['unsent', 'rejected']).not.toContain(delivery)
        if (evidence.status !== undefined) expect(['partial', 'answered', 'unsent']).toContain(delivery)
        if (evidence.limit !== undefined) expect(kind).toBe('timeout')
      }),
      { numRuns: 2000 },
    )
  })
})
