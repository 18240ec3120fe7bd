import { describe, expect, test } from 'vitest'
import { explain } from '../../src/diagnosis/explain.js'
import { errorOf } from '../../src/failure/errors.js'
import { failureKinds } from '../../src/failure/kinds.js'
import { attempt, details, evidence } from '../failure/make.js'
import { byFetch, byHttp, byUndici, closedPort, fin, rst, says, withPeer } from './provoke.js'

describe('an error of offhook', () => {
  test('is its headline and its story', () => {
    const error = errorOf(details({}, { attempts: [attempt(1)], evidence, stopReason: 'unsafe' }))
    const lines = explain(error).split('\n')
    expect(lines[0]).toBe(`ConnectionResetError: ${error.message}`)
    expect(lines[1]).toMatch(/^ {2}attempt 1: reset/)
    expect(lines.at(-1)).toMatch(/^ {2}stopped: not sent again/)
  })

  test.each(failureKinds)('of kind %s is told on a dozen lines, however often it was tried', (kind) => {
    const attempts = Array.from({ length: 30 }, (_, index) => attempt(index + 1))
    const more = { attempts, evidence, stopReason: 'attempts', retryAfterMs: 1, path: `/${'x'.repeat(5_000)}` } as const
    const lines = explain(errorOf(details({ kind, cause: new Error('x'.repeat(5_000)) }, more))).split('\n')
    expect(lines.length).toBeLessThanOrEqual(12)
    for (const line of lines) expect(line.length).toBeLessThan(1_100)
  })

  test('of another copy, which has the same fields and another class', () => {
    const { message, attempts, kind, phase, delivery, name } = errorOf(details())
    const other = {
      [Symbol.for('offhook.error')]: true,
      name,
      message,
      attempts,
      kind,
      phase,
      delivery,
      mayHaveExecuted: true,
    }
    expect(explain(other)).toBe(`ConnectionResetError: ${message}\n  executed? maybe (delivery unknown)`)
  })

  test('or what only carries the brand', () => {
    expect(explain({ [Symbol.for('offhook.error')]: true, kind: 'reset', attempts: 7 })).toMatch(/^object: /)
    expect(explain({ [Symbol.for('offhook.error')]: true, kind: 'mine', attempts: [] })).toMatch(/^object: /)
  })
})

describe('any other error', () => {
  test('that proves that nothing was sent', async () => {
    const port = await closedPort()
    const lines = explain(await byFetch(`http://127.0.0.1:${port}/orders?card=hunter2`)).split('\n')
    expect(lines).toEqual([
      'TypeError: the connection was refused while connecting.',
      '  kind refused, phase connect, delivery unsent: judged by the error alone',
      '  executed? no: the error proves that this request was not sent. It may be sent again, whatever its method',
      '  unless it followed a redirect: an earlier request may have been executed then',
      '  who: Very likely (81 %) nothing listens on that port of this very host.',
      '  odds: 84 % this host (nothing-listening-here), 14 % the server application (peer-process-gone)',
      '  for: the SYN was answered with a refusal; 127.0.0.1 is this host itself: there is no network in between',
      expect.stringMatching(/^ {2}looks the same: peer-process-gone.*Would tell: whether the process runs and listens/),
      expect.stringMatching(`^  what to do: Nothing on this machine listens at 127.0.0.1:${port}: start it`),
      '  not known: the times, what became of other connections: nobody watched the connection',
      '  error: TypeError: fetch failed',
      `  cause: Error ECONNREFUSED connect: connect ECONNREFUSED 127.0.0.1:${port}`,
    ])
  })

  test.each([
    ['RST', rst, byUndici, 'the connection was reset (RST) while waiting', 'maybe: the error does not prove'],
    ['FIN', fin, byHttp, 'the other side closed the connection (FIN) while waiting', 'maybe: the error does not prove'],
    [
      'half a body',
      says('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'),
      byFetch,
      'in the middle of the response body',
      'maybe, and probably',
    ],
    ['garbage', says('what?\r\n\r\n'), byFetch, 'the answer is not valid HTTP', 'maybe, and probably'],
  ] as const)('%s: what it proves about delivery', async (_name, serve, ask, happened, proves) => {
    const told = explain(await withPeer(serve, ask as (port: number) => Promise<unknown>))
    expect(told).toContain(happened)
    expect(told).toContain(`executed? ${proves}`)
    expect(told).toContain('not known: whether it had been used before, for how long it had been idle')
    expect(told).toContain('who: ')
    expect(told).toContain('what to do: ')
  })

  test('that cannot be helped by trying again says so', () => {
    expect(explain(Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }))).toContain('trying again cannot help')
    expect(explain(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).not.toContain('trying again')
  })

  test('of several addresses names each', () => {
    const at = (address: string, code: string) =>
      Object.assign(new Error(), { code, syscall: 'connect', address, port: 443 })
    const error = new TypeError('fetch failed', {
      cause: new AggregateError([
        at('192.0.2.1', 'ETIMEDOUT'),
        at('2001:db8::1', 'ENETUNREACH'),
        ...Array(5).fill(at('192.0.2.2', 'ECONNREFUSED')),
      ]),
    })
    expect(explain(error)).toContain(
      'tried: ETIMEDOUT 192.0.2.1:443, ENETUNREACH 2001:db8::1:443, ECONNREFUSED 192.0.2.2:443',
    )
  })

  test('an abort is no failure', () => {
    const told = explain(AbortSignal.abort().reason)
    expect(told).toMatch(/^AbortError: the caller aborted\./)
    expect(told).not.toContain('what to do')
  })

  test.each([
    ['a text', 'string: ', 'error: a text'],
    [undefined, 'undefined: ', 'no name here'],
    [null, 'null: ', 'no name here'],
    [42, 'number: ', 'no name here'],
  ])('%s', (value, start, part) => {
    expect(explain(value).startsWith(start)).toBe(true)
    expect(explain(value)).toContain(part)
  })
})

describe('no secret is told', () => {
  const secrets = {
    url: 'https://user:hunter2@host/path?token=hunter2#access=hunter2',
    header: 'authorization: Bearer hunter2hunter2',
    field: 'password=hunter2',
  }
  const all = Object.values(secrets).join(' ')

  test.each([
    ['in a message', new Error(all)],
    ['in a name', Object.assign(new Error(), { name: all })],
    ['in a code', Object.assign(new Error(), { code: all, syscall: all })],
    ['in a cause', new Error('x', { cause: new Error(all) })],
    ['in an address', new AggregateError([Object.assign(new Error(), { address: secrets.url, port: secrets.field })])],
    ['in a bare text', all],
    ['in other properties', Object.assign(new Error(), { config: all, headers: { all }, data: all, url: secrets.url })],
    ['in one of ours', errorOf(details({ cause: new Error(all) }, { attempts: [attempt(1)] }))],
  ])('%s', (_where, error) => {
    expect(explain(error)).not.toContain('hunter2')
  })
})
