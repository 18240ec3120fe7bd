/**
 * Every misdeed × {GET, PUT, POST, POST with a key} × {fresh, reused connection} × {fetch, request}, on real sockets:
 * kind, phase, delivery, attempts, and what the server's own ledger says about it.
 */

import { type AnyOffhookError, type Client, createClient, isOffhookError } from 'offhook'
import { describe, expect, test } from 'vitest'
import { type Misdeed, misdeeds, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { type Expectation, expectations } from './expectations.js'

const methods = ['GET', 'PUT', 'POST', 'POST with key'] as const
const hosts = ['fetch', 'request'] as const
const payload = 'x'.repeat(2000)

interface Cell {
  readonly host: (typeof hosts)[number]
  readonly method: (typeof methods)[number]
  readonly reused: boolean
}

interface Task extends Cell {
  readonly misdeed: Misdeed
  readonly limits: { readonly connect: number; readonly headers: number; readonly body: number }
}

const cells: Cell[] = [false, true].flatMap((reused) =>
  hosts.flatMap((host) => methods.map((method) => ({ host, method, reused }))),
)

test('at least forty faults stand in the table', () => {
  expect(Object.keys(expectations).length).toBeGreaterThanOrEqual(40)
})

for (const [name, expected] of Object.entries(expectations)) {
  const misdeed: Misdeed = misdeeds[name as keyof typeof misdeeds]
  describe.concurrent(`${name}: ${misdeed.says}`, () => {
    for (const cell of cells.filter(({ reused }) => expected.reusable || !reused)) {
      const title = `${cell.method} by ${cell.host} on a ${cell.reused ? 'reused' : 'fresh'} connection`
      test(title, async () => {
        await using bench = await Bench.open({ ...cell, misdeed, limits: limitsFor(expected) })
        await bench.always(expected)
        if (expected.recovers !== 'timing') await bench.once(expected)
      })
    }
  })
}

/** Silence is waited for, and briefly; where anything else is to come, a busy machine may take its time over it. */
const limitsFor = ({ kind }: Expectation) =>
  kind.includes('timeout')
    ? { connect: 2000, headers: 600, body: 600 }
    : { connect: 10_000, headers: 10_000, body: 10_000 }

/** Misdeeds that are done before a request is read: they cannot depend on the request. */
const isOfConnection = ({ accept, clientHello, open, certificate }: Misdeed) =>
  (accept ?? clientHello ?? open ?? certificate) !== undefined

class Bench implements AsyncDisposable {
  readonly #client: Client
  readonly #server: RudeServer
  readonly #misdeed: Misdeed
  readonly #cell: Cell

  private constructor(server: RudeServer, { misdeed, limits, ...cell }: Task) {
    this.#server = server
    this.#misdeed = misdeed
    this.#cell = cell
    this.#client = createClient({
      random: () => 0,
      budget: false,
      timeout: limits,
      ...(server.ca !== undefined && { tls: { ca: server.ca } }),
    })
  }

  static async open(task: Task): Promise<Bench> {
    return new Bench(await rudeServer({ tls: task.misdeed.over === 'tls' }), task)
  }

  /** The misdeed is done to every attempt: the error must say exactly what happened. */
  async always(expected: Expectation): Promise<void> {
    await this.#warm()
    this.#server.on(this.#misdeed)
    const error = await this.#call('always').then(
      (answer) => expect.fail(`it succeeded: ${JSON.stringify(answer)}`),
      (reason: unknown) => reason,
    )
    if (!isOffhookError(error)) throw error
    expect(expected.kind).toContain(error.kind)
    expect(expected.phase).toContain(error.phase)
    expect(expected.delivery).toContain(error.delivery)
    expect(JSON.stringify(error)).not.toContain('SECRET-CARD')
    this.#checkAttempts(error, expected)
    this.#checkLedger(error)
  }

  /** The misdeed is done once: whoever may be repeated must succeed, and nobody else may try. */
  async once(expected: Expectation): Promise<void> {
    this.#server.on({})
    await this.#warm()
    const per = isOfConnection(this.#misdeed) ? 'connection' : 'request-id'
    this.#server.on({ turns: [this.#misdeed, {}], per })
    const outcome = await this.#call('once').then(
      (text) => text,
      (reason: unknown) => reason,
    )
    const repeatable =
      expected.recovers === 'all' || (expected.recovers === 'idempotent' && this.#cell.method !== 'POST')
    if (repeatable) expect(outcome).toBe('ok')
    else expect(outcome).toBeInstanceOf(TypeError)
    if (this.#cell.method === 'POST') expect(this.#server.ledger.executions('once')).toBeLessThanOrEqual(1)
    expect(this.#server.ledger.corrupted()).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.destroy()
    await this.#server.close()
  }

  #checkAttempts(error: AnyOffhookError, expected: Expectation): void {
    const { attempts, stopReason } = error
    expect(attempts.at(-1)).toMatchObject({ kind: error.kind, phase: error.phase, delivery: error.delivery })
    expect(attempts.slice(0, -1).every(({ decision }) => decision.retry)).toBe(true)
    if (expected.recovers === 'none') expect(attempts).toHaveLength(1)
    if (expected.recovers === 'all') expect([attempts.length, stopReason]).toEqual([3, 'attempts'])
    if (expected.recovers === 'idempotent') {
      const unsafe = this.#cell.method === 'POST'
      expect([attempts.length, stopReason]).toEqual(unsafe ? [1, 'unsafe'] : [3, 'attempts'])
    }
  }

  #checkLedger(error: AnyOffhookError): void {
    const { ledger } = this.#server
    // The verdict is judged by the server: what is proved unheard has no entry.
    if (!error.mayHaveExecuted) expect([ledger.began('always'), ledger.executions('always')]).toEqual([0, 0])
    if (this.#cell.method === 'POST') expect(ledger.executions('always')).toBeLessThanOrEqual(1)
    expect(ledger.corrupted()).toEqual([])
  }

  async #warm(): Promise<void> {
    if (this.#cell.reused) await this.#call('warm')
  }

  async #call(id: string): Promise<string> {
    const [method = 'GET', key] = this.#cell.method.split(' with ')
    const options = {
      method,
      headers: { 'x-request-id': id },
      ...(method !== 'GET' && { body: payload }),
      ...(key !== undefined && { idempotencyKey: id }),
    }
    const url = `${this.#server.url}/orders?card=SECRET-CARD`
    if (this.#cell.host === 'fetch') return (await this.#client.fetch(url, options)).text()
    return (await this.#client.request(url, options)).body.text()
  }
}
