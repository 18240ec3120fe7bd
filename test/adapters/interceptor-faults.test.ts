/**
 * The verdicts through the interceptor are those of a client: every misdeed of the rude server × method × API, held
 * against the same expectations. What differs because a foreign dispatcher hides its sockets stands in a list of its own.
 */

import { isOffhookError } from 'offhook'
import { describe, expect, test } from 'vitest'
import { type Misdeed, type MisdeedName, misdeeds, rudeServer } from '../../src/testing/rude-server.js'
import { type Expectation, expectations } from '../faults/expectations.js'
import { type OpenWay, ways } from './interceptor-ways.js'

const methods = ['GET', 'POST', 'POST with key'] as const
type Method = (typeof methods)[number]
const apis = ['request over an Agent', 'the global fetch over an Agent'] as const
const payload = 'x'.repeat(2000)
const options = { random: () => 0, budget: false, timeout: { headers: 800, body: 800 } } as const

/**
 * What cannot be known from outside a dispatcher: how a socket ended, and whether it was the handshake that it was in. A
 * reset that overtakes bytes of the answer is an end to libuv up to 1.51, when the loop is busy, and the kernel cannot be asked.
 */
const overtaking = { kind: ['reset', 'closed'] } as const
const unseen: Partial<Record<MisdeedName, Partial<Expectation> | 'no error'>> = {
  'reset-after-early-hints': overtaking,
  'reset-mid-head': overtaking,
  'reset-before-body': overtaking,
  'reset-mid-body-content-length': overtaking,
  'reset-mid-body-chunked': overtaking,
  'reset-mid-body-close-delimited': 'no error',
  'bare-fin-mid-body-close-delimited': 'no error',
  'fin-mid-body-close-announced': { kind: ['closed', 'protocol'] },
  'tls-reset-after-client-hello': { phase: ['connect', 'tls'] },
  'tls-fin-after-client-hello': { phase: ['connect', 'tls'] },
  'tls-stall-after-client-hello': { phase: ['connect', 'tls'] },
}

/** Misdeeds that are done before a request is read: they cannot depend on the request. */
const isOfConnection = ({ accept, clientHello, open, certificate }: Misdeed) =>
  (accept ?? clientHello ?? open ?? certificate) !== undefined

function ask(by: OpenWay, method: Method, id: string) {
  return by.ask({
    path: '/orders?card=4111',
    method: method === 'GET' ? 'GET' : 'POST',
    headers: { 'x-request-id': id, ...(method === 'POST with key' && { 'idempotency-key': id }) },
    ...(method !== 'GET' && { body: payload }),
  })
}

for (const [name, known] of Object.entries(expectations)) {
  const misdeed: Misdeed = misdeeds[name as MisdeedName]
  const hidden = unseen[name as MisdeedName]
  const expected = hidden === 'no error' ? known : { ...known, ...hidden }
  describe.concurrent(`${name}: ${misdeed.says}`, () => {
    for (const api of apis) {
      for (const method of methods) {
        test(`${method} by ${api}, always`, async () => {
          await using server = await rudeServer({ tls: misdeed.over === 'tls', script: misdeed })
          await using by = await (ways[api] as (typeof ways)[string])(server, options)
          const error = await ask(by, method, 'always').catch((reason: unknown) => reason)
          if (hidden === 'no error') return expect(error).toMatchObject({ status: 200 })
          if (!isOffhookError(error)) throw error
          expect(expected.kind).toContain(error.kind)
          expect(expected.phase).toContain(error.phase)
          expect(expected.delivery).toContain(error.delivery)
          expect(error.connection).toBeUndefined()
          expect(JSON.stringify(error)).not.toContain('card')
          expect(error.attempts.at(-1)).toMatchObject({ kind: error.kind, delivery: error.delivery })
          if (expected.recovers === 'none') expect(error.attempts).toHaveLength(1)
          if (method === 'POST') expect(server.ledger.executions('always')).toBeLessThanOrEqual(1)
          if (error.delivery === 'unsent' && !error.mayHaveExecuted) expect(server.ledger.began('always')).toBe(0)
          expect(server.ledger.corrupted()).toEqual([])
        })
        if (expected.recovers === 'timing') continue
        test(`${method} by ${api}, once`, async () => {
          const per = isOfConnection(misdeed) ? 'connection' : 'request-id'
          await using server = await rudeServer({ tls: misdeed.over === 'tls', script: { turns: [misdeed, {}], per } })
          await using by = await (ways[api] as (typeof ways)[string])(server, options)
          const outcome = await ask(by, method, 'once').catch((reason: unknown) => reason)
          // fetch hands over every body as an iterable, of which nobody knows that it could be read twice.
          const spent = api === 'the global fetch over an Agent' && method !== 'GET' && expected.recovers !== 'all'
          const repeatable = expected.recovers === 'all' || (expected.recovers === 'idempotent' && method !== 'POST')
          if (repeatable && !spent) expect(outcome).toEqual({ status: 200, text: 'ok' })
          else expect(outcome).toBeInstanceOf(TypeError)
          if (isOffhookError(outcome) && spent && method === 'POST with key' && repeatable)
            expect(outcome.stopReason).toBe('body')
          if (method === 'POST') expect(server.ledger.executions('once')).toBeLessThanOrEqual(1)
          expect(server.ledger.corrupted()).toEqual([])
        })
      }
    }
  })
}
