/** Joins options, policies, wire and adapters into the object that users hold. */

import { type FetchFunction, fetchOf } from './adapters/fetch.js'
import { type RequestFunction, requestOf } from './adapters/request.js'
import { explainedError } from './call/explained-error.js'
import type { CallHost, RunningCall } from './call/spec.js'
import type { NotAdmittedError } from './failure/errors.js'
import { type ClientOptions, type ClientSettings, checkClientOptions } from './options.js'
import type { Origin, OriginStats } from './origin/origin.js'
import { Origins } from './origin/origins.js'
import { OriginWatcher } from './origin/watcher.js'
import { AddressBook } from './wire/address-book.js'
import { Lookout } from './wire/lookout.js'
import { Connections } from './wire/undici-connections.js'

/**
 * An HTTP client with its own connections and budgets. Make one for each set of options, keep it, and share it.
 *
 * It is an `AsyncDisposable`: `await using client = createClient()` closes it at the end of the block.
 */
export interface Client extends AsyncDisposable {
  /**
   * A drop-in for the global fetch: the same inputs, the same `Response`, the same redirects and aborts.
   *
   * Rejects with an {@link OffhookError} of the failure's kind, or with the signal's reason when the caller aborted.
   */
  readonly fetch: FetchFunction
  /**
   * undici's `request`: the fast way, at a third of the CPU of the global fetch. The body must be read, or dropped with `body.dump()`.
   *
   * Rejects as {@link Client.fetch} does.
   */
  readonly request: RequestFunction
  /** What the client has learned and done, per origin. */
  stats(): ClientStats
  /** Takes no more calls, waits for those in flight (bodies included), then closes all connections. */
  close(): Promise<void>
  /** Ends everything at once. Calls in flight reject; a request that was on its way may have been executed. */
  destroy(): Promise<void>
}

/** What a client tells of itself. Counts since it was made; times in milliseconds. */
export interface ClientStats {
  /** Calls that have not settled yet. */
  readonly inFlight: number
  readonly origins: Readonly<Record<string, OriginStats>>
}

/**
 * Makes a client. Its options are checked here, once.
 *
 * @throws TypeError for options that are unknown, of the wrong type, out of range, or contradict each other
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * const client = createClient({ timeout: 10_000 })
 * const { statusCode, body } = await client.request('https://api.example.com/health')
 * console.log(statusCode, await body.text())
 * await client.close()
 * ```
 */
export function createClient(options?: ClientOptions): Client {
  return new OffhookClient(checkClientOptions(options))
}

class OffhookClient implements Client, CallHost {
  readonly fetch: FetchFunction
  readonly request: RequestFunction
  readonly connections: Connections
  readonly clock
  readonly random
  readonly gated: boolean
  readonly probe: CallHost['probe']
  readonly #origins: Origins
  readonly #lookout: Lookout
  /** In no order: a Set that is added to and deleted from all the time is always being laid anew. */
  readonly #calls: RunningCall[] = []
  #state: 'open' | 'closed' | 'destroyed' = 'open'
  #idle: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(settings: ClientSettings) {
    this.clock = settings.clock
    this.random = settings.random
    this.#origins = new Origins(settings.origin, settings.clock, settings.random)
    this.gated = this.#origins.gated
    const { clock } = settings
    const from = { localAddress: settings.connections.localAddress }
    this.#lookout = new Lookout(clock, () => this.#calls.length > 0, settings.diagnosis.probe ? from : undefined)
    this.probe = this.#lookout.probe
    this.connections = new Connections(settings.connections, {
      clock,
      lookout: this.#lookout,
      addresses: new AddressBook(this.#origins.addresses, clock, settings.lookup),
      watch: (name) => new OriginWatcher(name, this.origin(name), clock),
    })
    this.fetch = fetchOf(this, settings)
    this.request = requestOf(this, settings)
  }

  stats(): ClientStats {
    return { inFlight: this.#calls.length, origins: this.#origins.stats() }
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed'
    if (this.#calls.length > 0) {
      this.#idle ??= new Promise((resolve) => {
        this.#onIdle = resolve
      })
      await this.#idle
    }
    await this.connections.close()
  }

  async destroy(): Promise<void> {
    this.#state = 'destroyed'
    for (const call of [...this.#calls]) call.end(call.destroyed(new ClientGone('destroyed')))
    await this.connections.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  origin(name: string): Origin {
    return this.#origins.of(name)
  }

  enter(call: RunningCall): void {
    if (this.#state !== 'open') throw notAdmitted(call, this.#state)
    call.slot = this.#calls.push(call) - 1
    this.#lookout.wake()
  }

  leave(call: RunningCall): void {
    const last = this.#calls.pop()
    if (last !== undefined && last !== call) {
      this.#calls[call.slot] = last
      last.slot = call.slot
    }
    if (this.#calls.length === 0) this.#onIdle?.()
  }
}

class ClientGone extends Error {
  override readonly name = 'ClientGone'
  readonly code: string
  constructor(state: 'closed' | 'destroyed') {
    super(`the client is ${state}`)
    this.code = state === 'closed' ? 'UND_ERR_CLOSED' : 'UND_ERR_DESTROYED'
  }
}

function notAdmitted(call: RunningCall, admission: 'closed' | 'destroyed'): NotAdmittedError {
  const failure = {
    kind: 'not-admitted',
    admission,
    phase: 'admit',
    delivery: 'unsent',
    cause: new ClientGone(admission),
  } as const
  return explainedError({ ...call.target(), failure, attempts: [], stopReason: 'local' }) as NotAdmittedError
}

let theDefault: Client | undefined

function defaultClient(): Client {
  theDefault ??= createClient()
  return theDefault
}

/**
 * The global fetch, with typed errors and safe retries: {@link Client.fetch} of a default client.
 *
 * @example
 * ```ts
 * import { ConnectionResetError, fetch } from 'offhook'
 *
 * try {
 *   const response = await fetch('https://api.example.com/orders', { method: 'POST', body: '{}', idempotencyKey: 'order-7' })
 *   console.log(response.status)
 * } catch (error) {
 *   if (error instanceof ConnectionResetError) console.error(error.mayHaveExecuted, error.message)
 *   else throw error
 * }
 * ```
 */
export const fetch: FetchFunction = (input, init) => defaultClient().fetch(input, init)

/**
 * undici's request, with typed errors and safe retries: {@link Client.request} of a default client.
 *
 * @example
 * ```ts
 * import { request } from 'offhook'
 *
 * const { body } = await request('https://api.example.com/health', { timeout: 2_000 })
 * console.log(await body.json())
 * ```
 */
export const request: RequestFunction = (url, options) => defaultClient().request(url, options)
