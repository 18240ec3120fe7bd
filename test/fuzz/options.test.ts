/** Any value as options: taken, or refused by a TypeError that names the option and says little of what came. */

import { createServer } from 'node:http'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { instrument } from 'offhook/opentelemetry'
import { watchClients } from 'offhook/server'
import { rudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import { describe, expect, test } from 'vitest'
import { checkClientOptions } from '../../src/options.js'
import { checkDatagramOptions, checkRequestOptions } from '../../src/sockets/datagram-options.js'
import { checkDialOptions } from '../../src/sockets/dial-options.js'
import { checkRedialOptions } from '../../src/sockets/redial-options.js'
import { patienceMs, tries } from './runs.js'

/** Each option by its path, as it stands in the papers; what is in an array is one section's. */
const sections: Record<string, readonly string[]> = {
  timeout: ['connect', 'attempt', 'headers', 'body', 'total'],
  retry: [
    'attempts',
    'backoff',
    'statuses',
    'maxRetryAfter',
    'resume',
    'body',
    'bufferLimit',
    'unsafeOn429',
    'pushbackHeader',
    'nackHeader',
    'stopHeader',
  ],
  budget: ['ratio', 'windowMs', 'reserve', 'refill', 'perSecond', 'refund', 'throttleCost'],
  hedge: ['percentile', 'maxExtra', 'minSamples', 'windowMs', 'minDelayMs'],
  breaker: ['failures', 'successRate', 'windowMs', 'minRequests', 'openMs', 'maxOpenMs', 'breaks'],
  throttle: ['ratio', 'windowMs'],
  concurrency: ['initial', 'max', 'queue'],
  http2: ['pingAfter', 'pingTimeout'],
  proxy: ['url', 'token', 'headers', 'noProxy', 'tunnel', 'tls'],
  diagnosis: ['probe'],
  tls: ['ca', 'servername', 'rejectUnauthorized'],
}
const plain = [
  'keepAlive',
  'connections',
  'throwOnStatus',
  'maxHeaderSize',
  'localAddress',
  'lookup',
  'socketPath',
  'dispatcher',
  'fetch',
  'clock',
  'random',
  'host',
  'port',
  'path',
  'family',
  'noDelay',
  'signal',
  'heartbeat',
  'provenAfter',
  'idempotent',
  'settleMs',
  'onHangup',
  'spans',
  'metrics',
  'propagate',
]

const boom = () => {
  throw new RangeError('boom')
}
const strange = fc.constantFrom<() => unknown>(
  () => Object.defineProperty({}, 'attempts', { get: boom, enumerable: true }),
  () => new Proxy({}, { get: boom, ownKeys: boom, getOwnPropertyDescriptor: boom, getPrototypeOf: boom }),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  () => runInNewContext('({ attempts: 2 })'),
  () => Object.create({ attempts: 2 }),
  () => Object.assign(Object.create(null), { attempts: 2 }),
  () => ({ toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom }),
  () => Symbol('an option'),
  () => boom,
  () => new Date(Number.NaN),
  () => new Array(3),
  () => 10n,
)
const number = fc.constantFrom(0, -0, -1, 1, 2, 0.5, 1e3, 2 ** 31, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 5e-324)
const text = fc.constantFrom(
  '',
  'all',
  'buffer',
  'hybrid10',
  'env',
  'http://user:SECRET@127.0.0.1:1',
  'x-header',
  'SECRET'.repeat(2_000),
  '\r\n',
)
const value = fc.oneof(
  number.map((one) => () => one as unknown),
  text.map((one) => () => one as unknown),
  fc.constantFrom(true, false, null, undefined).map((one) => () => one as unknown),
  fc.anything({ maxDepth: 2, withNullPrototype: true, withBigInt: true }).map((one) => () => one),
  strange,
)
const names = Object.entries(sections)
const section = fc
  .constantFrom(...names)
  .chain(([name, members]) =>
    fc
      .dictionary(fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...members) }, fc.string()), value, { maxKeys: 3 })
      .map(
        (made) => [name, () => Object.fromEntries(Object.entries(made).map(([key, make]) => [key, make()]))] as const,
      ),
  )
const entry = fc.oneof(section, fc.tuple(fc.constantFrom(...plain, ...names.map(([name]) => name)), value))
/** Makers: the generator itself looks into its values, which some of these do not bear. */
const options = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(entry, { maxLength: 3 })
      .map((made) => () => Object.fromEntries(made.map(([name, make]) => [name, make()])) as unknown),
  },
  { weight: 1, arbitrary: value },
)

const server = createServer()
const doors: Record<string, (given: unknown) => unknown> = {
  createClient: checkClientOptions,
  resilient: (given) => resilient(given as object),
  dial: checkDialOptions,
  redial: checkRedialOptions,
  datagram: checkDatagramOptions,
  'line.request': checkRequestOptions,
  instrument: (given) => instrument(given as object).stop(),
  watchClients: (given) => watchClients(server, given as never).stop(),
}

describe.each(Object.entries(doors))('%s', (_, open) => {
  test(
    'takes it, or refuses it by a TypeError that can be acted upon',
    () => {
      fc.assert(
        fc.property(fc.noShrink(options), (make) => {
          let refused: unknown
          try {
            open(make())
          } catch (error) {
            refused = error
          }
          if (refused === undefined) return
          expect(refused).toBeInstanceOf(TypeError)
          const { message } = refused as TypeError
          // What came is quoted, a little of it; but of a proxy nothing is, for its URL may have a password.
          if (/^(?:options\.)?proxy\b/.test(message)) expect(message).not.toContain('SECRET')
          expect(message.length).toBeLessThan(600)
          // The path of an option, or a sentence that begins with one.
          expect(message).toMatch(
            /^(?:watchClients: .+; allowed is |(?:the )?[a-zA-Z][\w]*(?:\.[^\s]+)? .{5,}|.* (?:option|options) .*)/s,
          )
        }),
        tries(400),
      )
    },
    patienceMs,
  )
})

test(
  'a rude server as well',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.noShrink(options), async (make) => {
        let made: Awaited<ReturnType<typeof rudeServer>> | undefined
        try {
          made = await rudeServer(make() as object)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect((error as TypeError).message).toMatch(/rudeServer/)
        } finally {
          await made?.close()
        }
      }),
      tries(100),
    )
  },
  patienceMs,
)
