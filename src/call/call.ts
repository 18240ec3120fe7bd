/**
 * One call, from start to end: ask the policies, run attempts, return or throw. The first attempt goes straight out;
 * p-retry drives the others, and every decision in between is asked of `policy/retry`.
 */

import pRetry from 'p-retry'
import { Attempt, type AttemptOwner, type Outcome } from '../attempt/attempt.js'
import type { Timer } from '../clock.js'
import { type AnyOffhookError, errorOf } from '../failure/errors.js'
import type { Evidence } from '../failure/evidence.js'
import type { Failure, StopReason } from '../failure/kinds.js'
import { remainingTime } from '../policy/deadline.js'
import { decide } from '../policy/retry.js'
import type { RetryQuestion, Verdict } from '../policy/retry-question.js'
import { readSignals, type ServerSignals, serverDelayMs } from '../policy/server-signals.js'
import { CallRecord } from './record.js'
import type { CallHost, CallSpec, RunningCall } from './spec.js'

/** Runs one call. */
export function runCall<Answer>(spec: CallSpec<Answer>, host: CallHost): Promise<Answer> {
  return new Call(spec, host).run()
}

class Call<Answer> implements AttemptOwner, RunningCall {
  readonly #spec: CallSpec<Answer>
  readonly #host: CallHost
  readonly #startedAt: number
  #attempt: Attempt<Answer> | undefined
  /** Made when an attempt was not fine. */
  #record: CallRecord | undefined
  #ended: { readonly reason: unknown } | undefined
  #wake: (() => void) | undefined
  #totalTimer: Timer | undefined
  #onAbort: (() => void) | undefined

  constructor(spec: CallSpec<Answer>, host: CallHost) {
    this.#spec = spec
    this.#host = host
    this.#startedAt = host.clock.now()
  }

  get method(): string {
    return this.#spec.method
  }

  get origin(): string {
    return this.#spec.origin
  }

  get path(): string {
    return this.#spec.path
  }

  async run(): Promise<Answer> {
    const { signal, sender, origin } = this.#spec
    if (signal?.aborted === true) throw signal.reason
    this.#host.enter(this)
    this.#link()
    try {
      const first = await this.#try()
      const answer = this.#isFine(first) ? first.answer : await this.#persist(first)
      if (sender.status(answer) < 400) this.#host.budget(origin)?.onSuccess(this.#host.clock.now())
      return answer
    } catch (error) {
      this.#unlink()
      throw error
    } finally {
      this.#host.leave(this)
    }
  }

  end(reason: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = { reason }
    this.#unlink()
    this.#attempt?.cancel(reason)
    this.#wake?.()
  }

  destroyed(cause: unknown): AnyOffhookError {
    const evidence = this.#attempt?.evidence()
    const delivery = evidence?.started === true ? 'unknown' : 'unsent'
    const phase = evidence?.phase ?? 'admit'
    return this.#error({ kind: 'not-admitted', admission: 'destroyed', phase, delivery, cause }, evidence, {
      stopReason: 'local',
    })
  }

  bodyFailed(failure: Failure, evidence: Evidence): AnyOffhookError {
    const because = 'the response head had already been handed to the caller'
    this.#remember().add(failure, evidence, { retry: false, because, stopReason: 'committed' })
    return this.#error(failure, evidence, { stopReason: 'committed' })
  }

  finished(): void {
    this.#unlink()
  }

  #try(): Promise<Outcome<Answer>> {
    if (this.#ended !== undefined) return Promise.resolve({ end: 'cancelled', reason: this.#ended.reason })
    const { dispatcher, limits, sender } = this.#spec
    const { clock, connections } = this.#host
    const attempt = new Attempt<Answer>({
      clock,
      target: dispatcher ?? connections,
      ownSockets: dispatcher === undefined,
      limits,
      owner: this,
    })
    this.#attempt = attempt
    return attempt.run(sender)
  }

  #isFine(outcome: Outcome<Answer>): outcome is { end: 'answer'; answer: Answer } {
    return outcome.end === 'answer' && this.#spec.sender.status(outcome.answer) < 400
  }

  /** From the first attempt that was not fine to the end of the call. */
  async #persist(first: Outcome<Answer>): Promise<Answer> {
    let outcome = first
    try {
      return await pRetry(
        async (number) => {
          if (number > 1) outcome = await this.#try()
          if (this.#isFine(outcome)) return this.#recovered(outcome.answer)
          throw new NotFine()
        },
        // The waits are ours (they hear the signal and know the deadline), so p-retry itself never waits.
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: 0,
          maxTimeout: 0,
          shouldRetry: () => this.#prepareNext(outcome),
        },
      )
    } catch (error) {
      if (error instanceof NotFine) return this.#conclude(outcome)
      throw error
    }
  }

  #recovered(answer: Answer): Answer {
    const cost = this.#record?.lastCost ?? 0
    if (cost > 0) this.#host.budget(this.#spec.origin)?.refund(this.#host.clock.now(), cost)
    return answer
  }

  /** Decides, and waits. True when another attempt is to follow. */
  async #prepareNext(outcome: Outcome<Answer>): Promise<boolean> {
    if (outcome.end === 'cancelled' || outcome.end === 'mistake' || this.#ended !== undefined) return false
    const { sender } = this.#spec
    const failure = outcome.end === 'failure' ? outcome.failure : statusFailure(sender.status(outcome.answer))
    const evidence = outcome.end === 'failure' ? outcome.evidence : this.#attempt?.evidence()
    const signals = outcome.end === 'answer' ? this.#signals(outcome.answer) : undefined
    const record = this.#remember()
    const verdict = this.#afford(this.#decide(failure, evidence, signals))
    record.retryAfterMs = serverDelayMs(signals)
    this.#host.budget(this.#spec.origin)?.onFailure()
    record.add(failure, evidence, verdict)
    if (!verdict.retry) return false
    record.goOn(verdict)
    if (outcome.end === 'answer') {
      this.#attempt?.letGo()
      sender.discard(outcome.answer)
    }
    if (record.waitedMs > 0) await this.#sleep(record.waitedMs)
    return true
  }

  #decide(failure: Failure, evidence: Evidence | undefined, signals: ServerSignals | undefined): Verdict {
    const { retry, requestClass, replayable, limits } = this.#spec
    const record = this.#remember()
    const remainingMs = remainingTime(this.#startedAt, this.#host.clock.now(), limits.total)
    const question: RetryQuestion = {
      failure,
      requestClass,
      replayable: replayable(),
      attempts: record.counted + 1,
      transparent: record.transparent,
      dice: this.#host.random(),
      reused: evidence?.connection?.reused,
      protocol: evidence?.connection?.protocol,
      closeDelimited: evidence?.closeDelimited,
      earlierAnswered: evidence?.earlier?.some((exchange) => exchange.delivery === 'answered'),
      remainingMs,
      signals,
      retriesOfRow: record.retriesOfRow,
    }
    return decide(question, retry)
  }

  #signals(answer: Answer): ServerSignals {
    const { sender, retry } = this.#spec
    return readSignals(sender.header(answer), this.#host.clock.epoch(), retry.signalHeaders)
  }

  /** A retry that puts load on a server is paid for. */
  #afford(verdict: Verdict): Verdict {
    if (!verdict.retry || verdict.cost === 0) return verdict
    const purse = this.#host.budget(this.#spec.origin)
    if (purse === undefined || purse.withdraw(this.#host.clock.now(), verdict.cost)) return verdict
    return refusal('budget', 'the retry budget of this origin is empty', verdict.row)
  }

  #conclude(outcome: Outcome<Answer>): Answer {
    if (this.#ended !== undefined && outcome.end !== 'mistake') throw this.#ended.reason
    switch (outcome.end) {
      case 'answer': {
        if (!this.#spec.throwOnStatus) return outcome.answer
        const { sender } = this.#spec
        throw this.#error(statusFailure(sender.status(outcome.answer)), this.#attempt?.evidence(), {
          stopReason: this.#record?.stopReason,
          response: outcome.answer,
        })
      }
      case 'failure':
        throw this.#error(outcome.failure, outcome.evidence, { stopReason: this.#record?.stopReason })
      case 'cancelled':
        throw outcome.reason
      case 'mistake':
        throw outcome.raw
    }
  }

  #remember(): CallRecord {
    this.#record ??= new CallRecord()
    return this.#record
  }

  #error(
    failure: Failure,
    evidence: Evidence | undefined,
    end: { stopReason: StopReason | undefined; response?: Answer },
  ): AnyOffhookError {
    const { method, origin, path } = this.#spec
    const { attempts = [], retryAfterMs } = this.#record ?? {}
    return errorOf({ failure, method, origin, path, attempts, retryAfterMs, evidence, ...end })
  }

  #sleep(ms: number): Promise<void> {
    const { clock } = this.#host
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve)
      this.#wake = () => {
        clock.cancel(timer)
        resolve()
      }
    })
  }

  #link(): void {
    const { signal, limits } = this.#spec
    if (signal !== null && signal !== undefined) {
      this.#onAbort = () => this.end(signal.reason)
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    const { total } = limits
    if (total !== undefined)
      this.#totalTimer = this.#host.clock.after(total, () => this.#host.clock.nextTurn(() => this.#outOfTime(total)))
  }

  #unlink(): void {
    if (this.#onAbort !== undefined) this.#spec.signal?.removeEventListener('abort', this.#onAbort)
    this.#onAbort = undefined
    this.#host.clock.cancel(this.#totalTimer)
    this.#totalTimer = undefined
  }

  #outOfTime(total: number): void {
    // The timer may have been cancelled in the turn in which the sockets were looked at once more.
    if (this.#totalTimer === undefined || this.#attempt === undefined) return
    const { failure, evidence } = this.#attempt.outOfTime(total)
    this.#remember().add(failure, evidence, {
      retry: false,
      because: 'the total deadline of the call has passed',
      stopReason: 'deadline',
    })
    this.end(this.#error(failure, evidence, { stopReason: 'deadline' }))
  }
}

/** What the loop throws when an attempt was not fine. Not a TypeError: p-retry ends its loop at one. */
class NotFine extends Error {}

function refusal(stopReason: StopReason, because: string, row?: number): Verdict {
  return {
    retry: false,
    because,
    stopReason,
    cost: 0,
    transparent: false,
    freshConnection: false,
    ...(row !== undefined && { row }),
  }
}

function statusFailure(status: number): Failure {
  return { kind: 'status', phase: 'body', delivery: 'answered', status, cause: undefined }
}
