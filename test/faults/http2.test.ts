/**
 * Every misdeed of an HTTP/2 server × {GET, POST, POST with a key} × {fetch, request}, over TLS and ALPN, on a
 * connection that has served a request before: kind, phase, delivery, HTTP/2 code, attempts, and what the server's own
 * ledger says about it.
 */

import { type AnyOffhookError, type Client, createClient, isOffhookError } from 'offhook'
import * as undici from 'undici'
import { describe, expect, test } from 'vitest'
import {
  type H2Misdeed,
  type H2MisdeedName,
  h2Misdeeds,
  type RudeH2Server,
  rudeH2Server,
} from '../../src/testing/rude-server.js'
import { type H2Failure, h2Expectations } from './http2-expectations.js'

const version = 'Dispatcher1Wrapper' in undici ? 'undici8' : 'undici7'
const methods = ['GET', 'POST', 'POST with key'] as const
const hosts = ['fetch', 'request'] as const
const payload = 'x'.repeat(2000)
/** Misdeeds that only a limit of our own ends. */
const silent: H2MisdeedName[] = ['stall-before-head', 'ignore-pings', 'mute', 'stall-mid-body']

interface Cell {
  readonly host: (typeof hosts)[number]
  readonly method: (typeof methods)[number]
}

const cells: Cell[] = hosts.flatMap((host) => methods.map((method) => ({ host, method })))

for (const [name, row] of Object.entries(h2Expectations)) {
  const misdeed: H2Misdeed = h2Misdeeds[name as H2MisdeedName]
  const expected = row[version]
  describe.concurrent(`${name}: ${misdeed.says}`, () => {
    test.each(cells)('$method by $host', async (cell) => {
      await using bench = await Bench.open(misdeed, cell)
      if (expected === 'answer') {
        await bench.answered()
        return
      }
      await bench.always(expected)
      if (expected.repeats !== 'timing') await bench.once(expected)
    })
  })
}

class Bench implements AsyncDisposable {
  readonly #client: Client
  readonly #server: RudeH2Server
  readonly #misdeed: H2Misdeed
  readonly #cell: Cell

  private constructor(server: RudeH2Server, misdeed: H2Misdeed, cell: Cell) {
    this.#server = server
    this.#misdeed = misdeed
    this.#cell = cell
    this.#client = createClient({
      http2: true,
      random: () => 0,
      budget: false,
      timeout: { connect: 5000 },
      tls: { ca: server.ca },
    })
  }

  static async open(misdeed: H2Misdeed, cell: Cell): Promise<Bench> {
    return new Bench(await rudeH2Server(), misdeed, cell)
  }

  /** The misdeed is done to every attempt: the error must say exactly what happened. */
  async always(expected: H2Failure): Promise<void> {
    await this.#call('warm')
    this.#server.on(this.#misdeed)
    const error = await this.#call('always').then(
      (answer) => expect.fail(`it succeeded: ${JSON.stringify(answer)}`),
      (reason: unknown) => reason,
    )
    if (!isOffhookError(error)) throw error
    const { kind, delivery, http2 } = expected
    const [first] = error.attempts
    expect(first).toMatchObject({ kind, delivery, connection: { protocol: 'h2' } })
    expect(expected.phase).toContain(first?.phase)
    expect(first?.connection?.reused).toBe(true)
    if (expected.repeats !== 'none' || this.#unsafe) {
      expect(error).toMatchObject({ kind, delivery })
      expect(error.http2).toBe(http2)
    }
    this.#checkAttempts(error, expected)
    this.#checkLedger(error)
  }

  /** The misdeed is done once: whoever may be repeated must succeed, and nobody else may try. */
  async once(expected: H2Failure): Promise<void> {
    this.#server.on({})
    await this.#call('warm')
    this.#server.on({ turns: [this.#misdeed, {}], per: 'request-id' })
    const outcome = await this.#call('once').then(
      (text) => text,
      (reason: unknown) => reason,
    )
    if (expected.repeats === 'all' || (expected.repeats === 'harmless' && !this.#unsafe)) expect(outcome).toBe('ok')
    else expect(outcome).toBeInstanceOf(TypeError)
    const executions = this.#server.ledger.executions('once')
    if (this.#unsafe) expect(executions).toBeLessThanOrEqual(1)
    if (outcome === 'ok') expect(executions).toBeGreaterThanOrEqual(1)
    expect(this.#server.ledger.corrupted()).toEqual([])
  }

  /** The misdeed does no harm. */
  async answered(): Promise<void> {
    await this.#call('warm')
    this.#server.on(this.#misdeed)
    expect(await this.#call('always')).toBe('ok')
    expect([this.#server.ledger.began('always'), this.#server.ledger.executions('always')]).toEqual([1, 1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.destroy()
    await this.#server.close()
  }

  get #unsafe(): boolean {
    return this.#cell.method === 'POST'
  }

  #checkAttempts({ attempts, stopReason }: AnyOffhookError, { repeats }: H2Failure): void {
    expect(attempts.slice(0, -1).every(({ decision }) => decision.retry)).toBe(true)
    if (repeats === 'timing' || repeats === 'none') return
    if (repeats === 'harmless' && this.#unsafe) {
      expect([attempts.length, stopReason]).toEqual([1, 'unsafe'])
      return
    }
    // The first repetition of what was rejected is free; the others count.
    const free = attempts.filter(({ decision }) => decision.retry && decision.charged === false).length
    expect([attempts.length - free, stopReason]).toEqual([3, 'attempts'])
    expect(free).toBe(repeats === 'all' ? 1 : 0)
  }

  #checkLedger(error: AnyOffhookError): void {
    const { ledger } = this.#server
    // The verdict is judged by the server: what is proved unprocessed was not executed.
    if (!error.mayHaveExecuted) expect(ledger.executions('always')).toBe(0)
    if (this.#unsafe) expect(ledger.executions('always')).toBeLessThanOrEqual(1)
    expect(ledger.corrupted()).toEqual([])
    const sent = error.attempts.length
    const dialled = error.attempts.filter(({ delivery }) => delivery === 'unsent').length
    expect(ledger.began('always')).toBe(sent - dialled)
  }

  async #call(id: string): Promise<string> {
    const patience = id !== 'warm' && silent.some((name) => h2Misdeeds[name] === this.#misdeed) ? 300 : 5000
    const [method = 'GET', key] = this.#cell.method.split(' with ')
    const options = {
      method,
      headers: { 'x-request-id': id },
      timeout: { headers: patience, body: patience },
      ...(method !== 'GET' && { body: payload }),
      ...(key !== undefined && { idempotencyKey: id }),
    }
    const url = `${this.#server.url}/orders`
    if (this.#cell.host === 'fetch') return (await this.#client.fetch(url, options)).text()
    return (await this.#client.request(url, options)).body.text()
  }
}
