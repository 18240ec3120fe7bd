/** Errors of any making, bigger and stranger than a network's: classify, explain and diagnose answer, bounded, and change nothing. */

import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { classify, diagnose, explain, isOffhookError } from 'offhook'
import { expect, test } from 'vitest'
import { deliveries, failureKinds, phases } from '../../src/failure/kinds.js'
import { patienceMs, tries } from './runs.js'

const boom = () => {
  throw new Error('boom')
}
const codes = [
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'ABORT_ERR',
  'x'.repeat(9_999),
]
const messages = ['fetch failed', 'socket hang up', 'other side closed', '\u001b[31m\r\n', 'y'.repeat(200_000), '']

/** How an error is made of its parts. */
const makings: Record<string, (fields: Record<string, unknown>) => unknown> = {
  plain: (fields) => ({ ...fields }),
  error: (fields) => Object.assign(new Error(''), fields),
  'of another realm': (fields) => Object.assign(runInNewContext('new Error("there")') as Error, fields),
  frozen: (fields) => Object.freeze(Object.assign(new TypeError(''), fields)),
  'without a prototype': (fields) => Object.assign(Object.create(null) as object, fields),
  'with getters that throw': (fields) =>
    Object.defineProperties(
      {},
      Object.fromEntries(Object.keys(fields).map((name) => [name, { get: boom, enumerable: true }])),
    ),
  'whose getters are never the same': (fields) =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        Object.entries(fields).map(([name, value], at) => {
          let asked = at
          return [name, { get: () => (asked++ % 2 === 0 ? value : Symbol(name)), enumerable: true }]
        }),
      ),
    ),
  'a proxy': (fields) => new Proxy(Object.assign(new Error(''), fields), {}),
  'a proxy that refuses': () => new Proxy({}, { get: boom, has: boom, ownKeys: boom, getPrototypeOf: boom }),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  branded: (fields) => ({ [Symbol.for('offhook.error')]: true, kind: 'reset', ...fields }),
  aggregate: (fields) => Object.assign(new AggregateError([], ''), fields),
}

/** A graph: nodes, and for each field the node that stands there; circles are as likely as anything. */
const graph = fc
  .array(
    fc.record({
      making: fc.constantFrom(...Object.keys(makings)),
      code: fc.option(fc.oneof(fc.constantFrom(...codes), fc.anything()), { nil: undefined }),
      message: fc.option(fc.oneof(fc.constantFrom(...messages), fc.anything()), { nil: undefined }),
      syscall: fc.option(fc.oneof(fc.constantFrom('read', 'connect'), fc.anything()), { nil: undefined }),
      cause: fc.option(fc.nat(11), { nil: undefined }),
      errors: fc.array(fc.nat(11), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((nodes) => {
    // Made from the last to the first; what is named before it is made is put in afterwards, where that is allowed.
    const made: unknown[] = []
    for (const { making, cause, errors, ...fields } of nodes) {
      const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      const of = (at: number) => made[at % Math.max(1, made.length)]
      made.push(
        makings[making]?.({ ...known, ...(cause !== undefined && { cause: of(cause) }), errors: errors.map(of) }),
      )
    }
    for (const [at, node] of made.entries()) {
      try {
        Object.assign(node as object, { cause: made[(at * 7 + 3) % made.length] })
      } catch {
        // Frozen, or none of ours to change.
      }
    }
    return made
  })

test(
  'whatever was thrown is named, told in a few lines, and explained',
  () => {
    fc.assert(
      fc.property(fc.noShrink(graph), (made) => {
        const error = made.at(-1)
        const { kind, phase, delivery } = classify(error)
        expect(failureKinds).toContain(kind)
        expect(phases).toContain(phase)
        expect(deliveries).toContain(delivery)
        const text = explain(error)
        expect(text.length).toBeLessThan(20_000)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing that moves a cursor comes through
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
        const { hypotheses } = diagnose(error)
        const sum = hypotheses.reduce((total, { probability }) => total + probability, 0)
        if (hypotheses.length > 0) expect(sum).toBeCloseTo(1, 5)
        expect(typeof isOffhookError(error)).toBe('boolean')
      }),
      tries(200),
    )
  },
  patienceMs,
)

test(
  'a chain of ten thousand causes, and a tree of ten thousand errors',
  () => {
    let deep: object = Object.assign(new Error('bottom'), { code: 'ECONNRESET', syscall: 'read' })
    for (let depth = 0; depth < 10_000; depth++) deep = Object.assign(new Error(`level ${depth}`), { cause: deep })
    let wide: object = Object.assign(new Error('leaf'), { code: 'ECONNREFUSED', syscall: 'connect' })
    for (let depth = 0; depth < 5; depth++) wide = new AggregateError(Array(6).fill(wide), '')
    for (const error of [deep, wide, new AggregateError(Array(10_000).fill(wide), '')]) {
      expect(failureKinds).toContain(classify(error).kind)
      expect(explain(error).length).toBeLessThan(20_000)
      diagnose(error)
    }
  },
  patienceMs,
)
