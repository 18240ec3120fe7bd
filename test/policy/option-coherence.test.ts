/** Options that are each allowed and do not fit together: refused when the client is made, by both their names. */

import { type ClientOptions, createClient } from 'offhook'
import { Agent } from 'undici'
import { describe, expect, it } from 'vitest'
import { refusedPort } from '../../src/testing/rude-server.js'

/** Options, the two names that the error must say, and a change that makes them fit. */
const clashes: readonly (readonly [options: ClientOptions, first: string, second: string, cure: ClientOptions])[] = [
  // Times.
  [
    { timeout: { attempt: 10, total: 5 } },
    'timeout.attempt',
    'timeout.total',
    { timeout: { attempt: 4, total: 5 }, retry: false },
  ],
  [
    { timeout: { attempt: 50_000, total: 50_000 } },
    'timeout.attempt',
    'timeout.total',
    { timeout: { attempt: 49_999, total: 50_000 } },
  ],
  [{ timeout: 40 }, 'retry.backoff.base', 'timeout.total', { timeout: 40, retry: { backoff: { base: 39 } } }],
  [{ timeout: 50 }, 'retry.backoff.base', 'timeout.total', { timeout: 50, retry: { attempts: 1 } }],
  [{ timeout: 50 }, 'retry.backoff.base', 'timeout.total', { timeout: 50, retry: false }],
  // Hedging.
  [
    { hedge: { minDelayMs: 500 }, timeout: { attempt: 500 } },
    'hedge.minDelayMs',
    'timeout.attempt',
    { timeout: { attempt: 501 } },
  ],
  [
    { hedge: { minDelayMs: 500 }, timeout: { headers: 400 } },
    'hedge.minDelayMs',
    'timeout.headers',
    { timeout: { headers: false } },
  ],
  [{ hedge: { minDelayMs: 500 }, timeout: 400 }, 'hedge.minDelayMs', 'timeout.total', { hedge: { minDelayMs: 399 } }],
  [{ hedge: true, connections: 1 }, 'connections', 'hedge', { connections: 2 }],
  [{ hedge: true, connections: 1 }, 'connections', 'hedge', { hedge: false }],
  // Windows.
  [
    { breaker: true, timeout: { attempt: 20_000 } },
    'breaker.windowMs',
    'timeout.attempt',
    { timeout: { attempt: 15_000 } },
  ],
  [
    { breaker: { windowMs: 999 }, timeout: { attempt: 500 } },
    'breaker.windowMs',
    'timeout.attempt',
    { breaker: { windowMs: 1_000 } },
  ],
  [{ breaker: true, timeout: { attempt: 20_000 } }, 'breaker.windowMs', 'timeout.attempt', { breaker: false }],
  [
    { throttle: true, timeout: { attempt: 130_000 } },
    'throttle.windowMs',
    'timeout.attempt',
    { throttle: { windowMs: 130_000 } },
  ],
  // Switches.
  [
    { retry: { unsafeOn429: true, statuses: [503] } },
    'retry.unsafeOn429',
    'retry.statuses',
    { retry: { unsafeOn429: true, statuses: [429] } },
  ],
  [
    { retry: { unsafeOn503: true, statuses: [429] } },
    'retry.unsafeOn503',
    'retry.statuses',
    { retry: { unsafeOn503: true } },
  ],
  [
    { retry: { nackHeader: 'x-nack', statuses: [500] } },
    'retry.nackHeader',
    'retry.statuses',
    { retry: { nackHeader: 'x-nack' } },
  ],
  [
    { retry: { trustProxyStatus: true, statuses: [500] } },
    'retry.trustProxyStatus',
    'retry.statuses',
    { retry: { trustProxyStatus: true, statuses: [504] } },
  ],
  ...(
    ['unsafeOnStaleConnection', 'unsafeOn429', 'resume', 'keyedAfterCutBody', 'idempotentOnInvalidResponse'] as const
  ).map(
    (name) =>
      [
        { retry: { attempts: 1, [name]: true } },
        `retry.${name}`,
        'retry.attempts',
        { retry: { attempts: 2, [name]: true } },
      ] as const,
  ),
  [{ retry: { bufferLimit: 5 } }, 'retry.bufferLimit', 'retry.body', { retry: { bufferLimit: 5, body: 'buffer' } }],
  [
    { retry: { backoff: { base: 9, cap: 8 } } },
    'retry.backoff.base',
    'retry.backoff.cap',
    { retry: { backoff: { base: 8, cap: 8 } } },
  ],
  // Connections.
  [
    { socketPath: '/run/x', proxy: 'http://p' },
    'options.socketPath',
    'options.proxy',
    { socketPath: { 'http://x': '/run/x' } },
  ],
  ...(
    [
      ['proxy', 'http://p'],
      ['socketPath', '/run/x'],
      ['lookup', () => {}],
      ['localAddress', '127.0.0.1'],
      ['tls', {}],
      ['http2', true],
      ['connections', 5],
    ] as const
  ).map(
    ([name, value]) =>
      [
        { dispatcher: new Agent(), [name]: value },
        `options.${name}`,
        'options.dispatcher',
        { dispatcher: undefined },
      ] as const,
  ),
]

describe('together they are refused, and one of them changed they are not', () => {
  it.each(clashes)('%o: %s and %s', async (options, first, second, cure) => {
    let message = ''
    try {
      await createClient(options).destroy()
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      message = (error as Error).message
    }
    expect(message.slice(0, first.length)).toBe(first)
    expect(message).toContain(second)
    await createClient({ ...options, ...cure }).destroy()
  })

  it('each policy alone fits to every default', async () => {
    for (const name of ['hedge', 'breaker', 'throttle', 'concurrency'] as const)
      await createClient({ [name]: true }).destroy()
  })

  it('a free repetition may be allowed where there is one attempt', async () => {
    await createClient({ retry: { attempts: 1, unsafeOnHttp11Required: true } }).destroy()
  })

  it('a call may have less time than its client gives an attempt', async () => {
    const client = createClient({ timeout: { attempt: 5_000 }, retry: false })
    await using nobody = await refusedPort()
    const gone = client.fetch(nobody.url, { timeout: 1_000 })
    await expect(gone).rejects.toMatchObject({ kind: 'refused' })
    await client.destroy()
  })
})
