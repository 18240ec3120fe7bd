/**
 * One call, from start to end: ask the policies, run attempts, return or throw. The first attempt goes straight out;
 * p-retry drives the others, and every decision in between is asked of `policy/retry`.
 */

import pRetry from 'p-retry'
import type { AttemptOwner, Lost, Outcome, Route } from '../attempt/sender.js'
import type { AnyOffhookError } from '../failure/errors.js'
import type { AttemptReport, Evidence } from '../failure/evidence.js'
import type { Failure, StopReason } from '../failure/kinds.js'
import type { Pass } from '../origin/origin.js'
import { remainingTime } from '../policy/deadline.js'
import { decide } from '../policy/retry.js'
import type { Verdict } from '../policy/retry-question.js'
import { serverDelayMs } from '../policy/server-signals.js'
import { channels } from '../telemetry/channels.js'
import type { CutBody, CutLine } from './cut.js'
import { Ending } from './ending.js'
import { type CallEvents, eventsOf } from './events.js'
import { explainedError } from './explained-error.js'
import { deliverySoFar, neverTried, notFine, pastDeadline, refusal, refusals } from './made-failures.js'
import { probed } from './probing.js'
import { type Examined, examine, questionOf } from './question.js'
import { CallRecord } from './record.js'
import type { CallHost, CallSpec, CallTarget, RunningCall } from './spec.js'
import { Tries } from './tries.js'

/**
 * Runs one call.
 *
 * @param before what was cut that this call is to continue: its first attempt is then a retry
 */
export function runCall<Answer>(spec: CallSpec<Answer>, host: CallHost, before?: CutBody | CutLine): Promise<Answer> {
  return new Call(spec, host).run(before)
}

/** For p-retry: the waits are ours, since they hear the signal and know the deadline. */
const neverWaiting = { retries: Number.POSITIVE_INFINITY, minTimeout: 0, maxTimeout: 0 }

class Call<Answer> implements AttemptOwner, RunningCall {
  readonly #spec: CallSpec<Answer>
  readonly #host: CallHost
  slot = -1
  readonly startedAt: number
  readonly #events: CallEvents | undefined
  readonly #ending: Ending
  readonly #tries: Tries<Answer>
  /** Made when an attempt was not fine. */
  #record: CallRecord | undefined
  #pass: Pass | undefined
  #continuesBody = false
  /** What happened to the connection that this call is to replace, until that was decided about. */
  #says: string | undefined
  /** The answer was handed over; its body may still be on the way. */
  #returned = false
  #bodyOver = false
  #route: Route = 'pooled'
  #settle: { resolve(answer: Answer): void; reject(error: unknown): void } | undefined

  constructor(spec: CallSpec<Answer>, host: CallHost) {
    this.#spec = spec
    this.#host = host
    this.startedAt = host.clock.now()
    this.#ending = new Ending({ clock: host.clock, signal: spec.signal, totalMs: spec.limits.total }, this)
    this.#events = eventsOf(spec.target, host.clock)
    this.#tries = new Tries({ spec, host, call: this, ending: this.#ending, callId: this.#events?.callId ?? 0 })
  }

  target(): CallTarget {
    return this.#spec.target()
  }

  run(before?: CutBody | CutLine): Promise<Answer> {
    // Not async: of the promises on the way of a call that goes well this is the only one of ours.
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      const { signal } = this.#spec
      if (signal?.aborted === true) return reject(signal.reason)
      this.#host.enter(this)
      this.#ending.link()
      this.#events?.start()
      if (before !== undefined) {
        this.#goOn(before)
        this.#onFirst(before)
      } else if (this.#host.gated || channels.attempt.heard) {
        this.#tries.first().then(
          (first) => this.#onFirst(first),
          (error) => this.#fail(error),
        )
      } else {
        this.#tries.straight((first) => this.#onFirst(first))
      }
    })
  }

  #goOn(before: CutBody | CutLine): void {
    this.#continuesBody = !('record' in before)
    if (!('record' in before)) return
    this.#record = before.record
    this.#says = before.says
  }

  #onFirst(first: Outcome<Answer>): void {
    if (this.#isFine(first)) this.#succeed(first.answer)
    else
      this.#persist(first).then(
        (answer) => this.#succeed(answer),
        (error) => this.#fail(error),
      )
  }

  #succeed(answer: Answer): void {
    this.#host.leave(this)
    this.#events?.end(this.#tries.count, this.#spec.sender.status(answer))
    this.#returned = true
    if (this.#bodyOver) this.#ending.unlink()
    this.#takeSettle()?.resolve(answer)
  }

  #fail(error: unknown): void {
    this.#host.leave(this)
    this.#ending.unlink()
    this.#events?.error(this.#tries.count, error)
    this.#takeSettle()?.reject(error)
  }

  /** While its body is on the way the call lives, and must not keep the answer: one that nobody holds is given up. */
  #takeSettle() {
    const settle = this.#settle
    this.#settle = undefined
    return settle
  }

  end(reason: unknown): void {
    this.#ending.end(reason)
  }

  ended(reason: unknown): void {
    this.#tries.cancel(reason)
  }

  async deadline(total: number): Promise<() => AnyOffhookError> {
    const { failure, evidence } = (await this.#tries.outOfTime(total)) ?? neverTried(total)
    return () => {
      this.#remember().add(failure, evidence, pastDeadline)
      return this.#error(failure, evidence, pastDeadline)
    }
  }

  destroyed(cause: unknown): AnyOffhookError {
    const evidence = this.#tries.evidence()
    const delivery = deliverySoFar(evidence)
    const phase = evidence?.phase ?? 'admit'
    return this.#error({ kind: 'not-admitted', admission: 'destroyed', phase, delivery, cause }, evidence, {
      stopReason: 'local',
    })
  }

  bodyFailed({ failure, evidence: seen }: Lost, attempts?: readonly AttemptReport[]): AnyOffhookError {
    const evidence = this.#tries.origin.failed(failure, seen)
    const record = this.#remember()
    const because = 'the response head had already been handed to the caller'
    if (attempts !== undefined) record.append(attempts)
    // An answer that waits for how another attempt at the same call ends was handed to nobody.
    else if (this.#returned) record.add(failure, evidence, { retry: false, because, stopReason: 'committed' })
    const error = this.#error(failure, evidence, { stopReason: record.stopReason })
    this.#events?.errorAfterEnd(this.#tries.count, error)
    return error
  }

  finished(): void {
    // An answer that is not handed over, since another attempt follows, has a body that ends as well.
    if (this.#returned) this.#ending.unlink()
    else this.#bodyOver = true
  }

  wouldRetry(outcome: Outcome<Answer>): boolean {
    if (outcome.end === 'cancelled' || outcome.end === 'mistake' || this.#isFine(outcome)) return false
    return this.#decide(this.#examine(outcome)).retry
  }

  #isFine(outcome: Outcome<Answer>): outcome is { end: 'answer'; answer: Answer } {
    return outcome.end === 'answer' && this.#spec.sender.status(outcome.answer) < 400
  }

  /** From the first attempt that was not fine to the end of the call. */
  async #persist(first: Outcome<Answer>): Promise<Answer> {
    let outcome = first
    try {
      // What is not tried again needs no loop.
      if (!(await this.#prepareNext(first))) throw notFine
      return await pRetry(
        async () => {
          outcome = await this.#tries.again(this.#pass, this.#route)
          if (this.#isFine(outcome)) return this.#recovered(outcome.answer)
          throw notFine
        },
        { ...neverWaiting, shouldRetry: () => this.#prepareNext(outcome) },
      )
    } catch (error) {
      const time = { ending: this.#ending, startedAt: this.startedAt, totalMs: this.#spec.limits.total }
      if (error === notFine) return this.#conclude(await probed(outcome, this.#host, time))
      throw error
    }
  }

  #recovered(answer: Answer): Answer {
    const cost = this.#record?.lastCost ?? 0
    if (cost > 0) this.#tries.origin.budget.refund(this.#host.clock.now(), cost)
    return answer
  }

  /** Decides, and waits. True when another attempt is to follow. */
  async #prepareNext(outcome: Outcome<Answer>): Promise<boolean> {
    if (outcome.end === 'cancelled' || outcome.end === 'mistake' || this.#ending.ended !== undefined) return false
    const examined = this.#examine(outcome)
    const verdict = this.#afford(this.#decide(examined))
    const record = this.#remember()
    record.retryAfterMs = serverDelayMs(examined.signals)
    const says = this.#says
    this.#says = undefined
    record.add(examined.failure, examined.evidence, says === undefined ? verdict : { ...verdict, because: says })
    this.#events?.decision(record.attempts.length, verdict)
    if (!verdict.retry) return false
    record.goOn(verdict)
    this.#bodyOver = false
    // A server that wanted HTTP/1.1 once would say so again.
    if (verdict.overHttp1 === true) this.#route = 'http/1.1'
    else if (this.#route !== 'http/1.1') this.#route = verdict.freshConnection ? 'fresh' : 'pooled'
    if (outcome.end === 'answer') {
      this.#tries.current?.letGo()
      this.#spec.sender.discard(outcome.answer, this.#host.clock)
    }
    if (record.waitedMs > 0) await this.#ending.sleep(record.waitedMs)
    return true
  }

  #examine(outcome: Outcome<Answer> & { end: 'answer' | 'failure' }): Examined {
    return examine(outcome, this.#spec, { tries: this.#tries, clock: this.#host.clock })
  }

  #decide(examined: Examined): Verdict {
    const { clock, random } = this.#host
    const question = questionOf(examined, this.#spec, {
      record: this.#record,
      dice: random(),
      throttleCost: this.#tries.origin.budget.throttleCost,
      remainingMs: remainingTime(this.startedAt, clock.now(), this.#spec.limits.total),
      continuesBody: this.#continuesBody,
      replacesLine: this.#says !== undefined,
    })
    return decide(question, this.#spec.retry)
  }

  /** Another attempt must be let out by the origin's policies, and paid for where it puts load on a server. */
  #afford(verdict: Verdict): Verdict {
    if (!verdict.retry) return verdict
    const { origin } = this.#tries
    const pass = origin.admit(true)
    if (typeof pass === 'string') return refusal('local', refusals[pass], verdict.row)
    this.#pass = pass
    if (verdict.cost === 0 || origin.budget.withdraw(this.#host.clock.now(), verdict.cost)) return verdict
    origin.report('ignored', pass)
    return refusal('budget', 'the retry budget of this origin is empty', verdict.row)
  }

  #conclude(outcome: Outcome<Answer>): Answer {
    if (this.#ending.ended !== undefined && outcome.end !== 'mistake') throw this.#ending.ended.reason
    const stopReason = this.#record?.stopReason
    switch (outcome.end) {
      case 'answer': {
        if (!this.#spec.throwOnStatus) return outcome.answer
        const { failure, evidence } = this.#examine(outcome)
        throw this.#error(failure, evidence, { stopReason, response: outcome.answer })
      }
      case 'failure':
        throw this.#error(outcome.failure, outcome.evidence, { stopReason })
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
    const { attempts = [], retryAfterMs } = this.#record ?? {}
    return explainedError({ failure, attempts, retryAfterMs, evidence, ...this.#spec.target(), ...end })
  }
}
