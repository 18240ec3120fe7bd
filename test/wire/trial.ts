/** One attempt over connections of its own: what the wire has seen when it failed. */

import type * as undici from 'undici'
import { Attempt } from '../../src/attempt/attempt.js'
import type { Outcome, Sender } from '../../src/attempt/sender.js'
import type { AttemptLimits } from '../../src/attempt/stage-timer.js'
import { systemClock } from '../../src/clock.js'
import type { Circumstances } from '../../src/failure/circumstances.js'
import type { Evidence } from '../../src/failure/evidence.js'
import type { Failure } from '../../src/failure/kinds.js'
import { AddressMemory } from '../../src/policy/addresses.js'
import { AddressBook } from '../../src/wire/address-book.js'
import { recordReader } from '../../src/wire/handler-shapes.js'
import { Lookout } from '../../src/wire/lookout.js'
import { Connections, type ConnectionsOptions } from '../../src/wire/undici-connections.js'

type Answer = undici.Dispatcher.ResponseData

/** What is sent. */
export interface TrialRequest {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly path?: string
  readonly body?: string | Buffer
  readonly limits?: Partial<AttemptLimits>
}

/** An attempt that failed. */
export interface Failed {
  readonly failure: Failure
  readonly evidence: Evidence
  readonly around: Circumstances
}

const noLimits: AttemptLimits = { attempt: undefined, connect: undefined, headers: undefined, body: undefined }

export class Trial {
  readonly #connections: Connections
  readonly lookout: Lookout
  #underWay = 0
  /** The error that a body's reader was given. */
  bodyLost: Failed | undefined

  constructor(options: Partial<ConnectionsOptions> = {}, lookup?: ConstructorParameters<typeof AddressBook>[2]) {
    this.lookout = new Lookout(systemClock, () => this.#underWay > 0)
    this.#connections = new Connections(
      { connections: undefined, keepAliveMs: 60_000, ...options },
      {
        clock: systemClock,
        addresses: new AddressBook(new AddressMemory(), systemClock, lookup),
        lookout: this.lookout,
        watch: () => ({
          mayReuse: () => true,
          opened() {},
          closed() {},
          survived() {},
          failedOnUse() {},
          fresh() {},
          announced() {},
        }),
      },
    )
  }

  /** Sends a request and reads its answer, which must be good. */
  async answered(origin: string, request: TrialRequest = {}): Promise<string> {
    const outcome = await this.#run(origin, request)
    if (outcome.end !== 'answer') throw new Error(`not answered: ${JSON.stringify(outcome)}`)
    return outcome.answer.body.text()
  }

  /** Sends a request that must fail. */
  async failed(origin: string, request: TrialRequest = {}): Promise<Failed> {
    const outcome = await this.#run(origin, request)
    if (outcome.end !== 'failure') throw new Error(`did not fail: ${outcome.end}`)
    return failedOf(outcome)
  }

  /** Sends a request, and asks what the end of the call's time finds when `when` has come. */
  async outOfTime(origin: string, when: () => Promise<unknown>): Promise<Failed> {
    const attempt = this.#attempt({})
    const outcome = attempt.run(senderOf(origin, {}))
    await when()
    const lost = failedOf(await attempt.outOfTime(1_000))
    attempt.cancel(new Error('out of time'))
    await outcome
    return lost
  }

  /** Sends a request whose body must fail. */
  async cut(origin: string, request: TrialRequest = {}): Promise<Failed> {
    const outcome = await this.#run(origin, request)
    if (outcome.end !== 'answer') throw new Error(`not answered: ${outcome.end}`)
    await outcome.answer.body.text().catch(() => {})
    if (this.bodyLost === undefined) throw new Error('the body did not fail')
    return this.bodyLost
  }

  close(): Promise<void> {
    return this.#connections.destroy()
  }

  async #run(origin: string, request: TrialRequest): Promise<Outcome<Answer>> {
    const attempt = this.#attempt(request.limits ?? {})
    this.#underWay++
    this.lookout.wake()
    try {
      return await attempt.run(senderOf(origin, request))
    } finally {
      this.#underWay--
    }
  }

  #attempt(limits: Partial<AttemptLimits>): Attempt<Answer> {
    return new Attempt<Answer>({
      clock: systemClock,
      target: this.#connections,
      route: 'pooled',
      ownSockets: true,
      limits: { ...noLimits, ...limits },
      holdBytes: 0,
      resumes: false,
      owner: {
        bodyFailed: (lost) => {
          this.bodyLost = failedOf(lost)
          return new Error('the body was cut')
        },
        finished() {},
      },
    })
  }
}

function senderOf(origin: string, request: TrialRequest): Sender<Answer> {
  const { method = 'GET', path = '/', body = null } = request
  return {
    send: ({ dispatcher }) => dispatcher.request({ origin, path, method, body }),
    status: ({ statusCode }) => statusCode,
    header: ({ headers }) => recordReader(headers),
    discard: (answer) => void answer.body.dump().catch(() => {}),
  }
}

function failedOf({ failure, evidence }: { failure: Failure; evidence: Evidence }): Failed {
  return { failure, evidence, around: evidence.circumstances ?? {} }
}
