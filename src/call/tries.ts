/**
 * The attempts of one call as they are made: each is admitted, waits for its place, is sent (twice, when hedged), and
 * is reported to the policies of its origin.
 */

import { Attempt } from '../attempt/attempt.js'
import type { AttemptOwner, Lost, Outcome, Route } from '../attempt/sender.js'
import { factsOf } from '../diagnosis/facts.js'
import { mechanismOf } from '../diagnosis/mechanism.js'
import type { Mechanism } from '../failure/diagnosis.js'
import type { ConnectionFacts, Evidence } from '../failure/evidence.js'
import { deliveries, type Failure } from '../failure/kinds.js'
import type { Origin, Pass, Refusal } from '../origin/origin.js'
import { outcomeOfFailure, outcomeOfStatus } from '../policy/outcome.js'
import { channels } from '../telemetry/channels.js'
import type { Ending } from './ending.js'
import { statusOf } from './events.js'
import { hedgedTry } from './hedged-try.js'
import type { CallHost, CallSpec } from './spec.js'

/** What the attempts need of their call. */
export interface TriesContext<Answer> {
  readonly spec: CallSpec<Answer>
  readonly host: CallHost
  readonly call: AttemptOwner & {
    readonly startedAt: number
    /** Whether another attempt would be made after such an outcome. */
    wouldRetry(outcome: Outcome<Answer>): boolean
  }
  readonly ending: Ending
  readonly callId: number
}

export class Tries<Answer> {
  readonly #context: TriesContext<Answer>
  /** The attempt that counts: the one under way, or the one that ended the call. */
  current: Attempt<Answer> | undefined
  #hedge: Attempt<Answer> | undefined
  /** The leave that the hedge was made by. */
  #hedgePass: Pass | undefined
  #wonByHedge = false
  #origin: Origin | undefined
  #number = 0
  #route: Route = 'pooled'

  constructor(context: TriesContext<Answer>) {
    this.#context = context
  }

  /** The policies of the origin that the call was made to, whatever redirects made of it. */
  get origin(): Origin {
    const { host, spec } = this.#context
    this.#origin ??= host.origin(this.current?.origin ?? spec.target().origin)
    return this.#origin
  }

  /** Attempts made so far, a hedged one counted once. */
  get count(): number {
    return this.#number
  }

  /**
   * The first attempt where no policy can refuse, delay or double it and nobody listens to attempts: nearly every one.
   * Without a promise of its own, since each costs turns of the microtask queue.
   */
  straight(settle: (outcome: Outcome<Answer>) => void): void {
    const { ended } = this.#context.ending
    if (ended !== undefined) {
      settle({ end: 'cancelled', reason: ended.reason })
      return
    }
    this.#number++
    const attempt = this.#attempt(this.#context.call.startedAt)
    this.current = attempt
    attempt.start(this.#context.spec.sender, (outcome) => {
      this.origin.report(this.#loadOf(outcome), undefined, attempt.lastProgressAt)
      settle(this.#noted(outcome))
    })
  }

  /** The first attempt of a call. */
  first(): Promise<Outcome<Answer>> {
    // Without policies that can refuse, the origin need not even be known yet.
    if (!this.#context.host.gated) return this.#go(undefined)
    const pass = this.origin.admit(false)
    if (typeof pass === 'string') return Promise.resolve(refused(pass))
    return this.again(pass)
  }

  /** An attempt that has been admitted. */
  async again(pass: Pass | undefined, route: Route = 'pooled'): Promise<Outcome<Answer>> {
    this.#route = route
    const { ending } = this.#context
    const over = ending.ended
    // A call that has ended meanwhile must not take a place that nobody would give back.
    if (over !== undefined) return this.#unmade(pass, { end: 'cancelled', reason: over.reason })
    const place = this.origin.gate?.enter()
    if (place === 'full') return this.#unmade(pass, refused('queue-full'))
    if (place !== undefined) {
      // Whoever asks how far the call has come must not be told of the attempt before.
      this.current = undefined
      await ending.until(place.turn)
      const { ended } = this.#context.ending
      if (ended !== undefined) {
        place.giveUp()
        return this.#unmade(pass, { end: 'cancelled', reason: ended.reason })
      }
    }
    return this.#go(pass)
  }

  /** An attempt that was admitted and is not made: its leave is handed back, for a probe would be waited for. */
  #unmade(pass: Pass | undefined, outcome: Outcome<Answer>): Outcome<Answer> {
    this.origin.report('ignored', pass)
    return outcome
  }

  /** The total deadline has passed: how far had the attempts come? Of two, the one counts whose request came further. */
  async outOfTime(totalMs: number): Promise<Lost | undefined> {
    const [first, second] = await Promise.all([this.current?.outOfTime(totalMs), this.#hedge?.outOfTime(totalMs)])
    if (first === undefined || second === undefined) return first ?? second
    const heard = ({ failure }: Lost) => deliveries.indexOf(failure.delivery)
    return heard(second) > heard(first) ? second : first
  }

  /** What is known now of the attempt under way: of two, of the one that is less surely unsent. */
  evidence(): Evidence | undefined {
    const [first, second] = [this.current?.evidence(), this.#hedge?.evidence()]
    if (second === undefined || first?.started === true) return first
    return second.started === true || first === undefined || first.started === false ? second : first
  }

  cancel(reason: unknown): void {
    this.current?.cancel(reason)
    this.#hedge?.cancel(reason)
  }

  async #go(pass: Pass | undefined): Promise<Outcome<Answer>> {
    const { ended } = this.#context.ending
    if (ended !== undefined) return { end: 'cancelled', reason: ended.reason }
    this.#number++
    const { host, spec } = this.#context
    const hedge = host.gated ? this.origin.hedge : undefined
    const delayMs = this.#hedgeDelay()
    const startedAt = hedge === undefined ? 0 : host.clock.now()
    const outcome = this.#noted(await (delayMs === undefined ? this.#send(false) : this.#race(delayMs)))
    // A fast refusal says nothing about how long an answer takes. The time of a race is that of its first attempt too:
    // without it the slow requests would be missing, and the wait would become ever shorter.
    if (hedge !== undefined && outcome.end === 'answer' && spec.sender.status(outcome.answer) < 400)
      hedge.record(host.clock.now(), host.clock.now() - startedAt)
    const load = this.#loadOf(outcome)
    const second = this.#hedgePass
    this.#hedgePass = undefined
    const bySecond = second !== undefined && this.#wonByHedge
    this.origin.report(load, bySecond ? second : pass)
    // Two attempts and one outcome: whichever does not count hands its leave back, for a probe would be waited for.
    if (second !== undefined) this.origin.report('ignored', bySecond ? pass : second)
    this.origin.gate?.leave(load)
    return outcome
  }

  /** What an origin knows of earlier failures goes with the evidence of this one. */
  #noted(outcome: Outcome<Answer>): Outcome<Answer> {
    const { origin } = this
    const { target } = this.#context.spec
    if (outcome.end === 'answer' && origin.followsRequests) origin.answered(target())
    if (outcome.end !== 'failure') return outcome
    const { end, failure, evidence } = outcome
    return { end, failure, evidence: origin.failed(failure, evidence, target()) }
  }

  #send(hedge: boolean): Promise<Outcome<Answer>> {
    const attempt = this.#attempt()
    if (hedge) this.#hedge = attempt
    else this.current = attempt
    if (channels.attempt.heard) return this.#runObserved(attempt, hedge)
    return attempt.run(this.#context.spec.sender)
  }

  async #runObserved(attempt: Attempt<Answer>, hedge: boolean): Promise<Outcome<Answer>> {
    const { sender } = this.#context.spec
    const { clock } = this.#context.host
    const of = { ...this.#context.spec.target(), callId: this.#context.callId, number: this.#number, hedge }
    const addHeader = (name: string, value: string) => attempt.addHeader(name, value)
    channels.attempt.publish(() => ({ ...of, event: 'start', addHeader }))
    const startedAt = clock.now()
    const outcome = await attempt.run(sender)
    const durationMs = clock.now() - startedAt
    if (outcome.end === 'answer') {
      const status = sender.status(outcome.answer)
      channels.attempt.publish(() => ({ ...of, event: 'end', ...statusOf(status), durationMs, ...usedBy(attempt) }))
    } else {
      const seen = () => ({ ...failureOf(outcome), ...usedBy(attempt) })
      channels.attempt.publish(() => ({ ...of, event: 'error', durationMs, ...seen() }))
    }
    return outcome
  }

  async #race(delayMs: number): Promise<Outcome<Answer>> {
    const { host, call } = this.#context
    const { origin } = this
    const result = await hedgedTry<Answer>({
      clock: host.clock,
      delayMs,
      start: (hedge) => {
        const outcome = this.#send(hedge)
        const attempt = hedge ? this.#hedge : this.current
        return { outcome, cancel: (reason) => attempt?.cancel(reason) }
      },
      status: (answer) => this.#context.spec.sender.status(answer),
      mayHedge: () => this.#payHedge(),
      isGood: (outcome) => outcome.end === 'answer' && !call.wouldRetry(outcome),
      isRetryable: (outcome) => call.wouldRetry(outcome),
    })
    this.#wonByHedge = result.wonByHedge
    if (result.wonByHedge) this.current = this.#hedge
    if (result.wonByHedge && result.outcome.end === 'answer') origin.budget.refund(host.clock.now(), 1)
    this.#hedge = undefined
    return result.outcome
  }

  #hedgeDelay(): number | undefined {
    const { spec, host } = this.#context
    // Only a first try is hedged, and only what may be executed twice.
    if (!host.gated || !spec.hedge || this.#number > 1 || spec.requestClass === 'unsafe' || !spec.replayable())
      return undefined
    return this.origin.hedge?.hedgeDelay(host.clock.now())
  }

  #payHedge(): boolean {
    const { host, spec } = this.#context
    const now = host.clock.now()
    const { hedge } = this.origin
    // The first attempt may have failed in the very turn in which the call was ended.
    if (hedge === undefined || !spec.replayable() || this.#context.ending.ended !== undefined) return false
    const pass = this.origin.admit(true)
    if (typeof pass === 'string') return false
    if (hedge.tryHedge(now)) {
      if (this.origin.budget.withdraw(now, 1)) {
        this.#hedgePass = pass
        return true
      }
      hedge.cancel(now)
    }
    this.origin.report('ignored', pass)
    return false
  }

  #attempt(startedAt = this.#context.host.clock.now()): Attempt<Answer> {
    const { spec, host, call } = this.#context
    return new Attempt<Answer>({
      clock: host.clock,
      target: spec.dispatcher ?? host.connections,
      route: this.#route,
      ownSockets: spec.dispatcher === undefined,
      limits: spec.limits,
      holdBytes: spec.retry.bufferBytes,
      resumes: spec.resumes,
      owner: call,
      startedAt,
    })
  }

  #loadOf(outcome: Outcome<Answer>) {
    if (outcome.end === 'answer') return outcomeOfStatus(this.#context.spec.sender.status(outcome.answer))
    return outcome.end === 'failure' ? outcomeOfFailure(outcome.failure) : 'ignored'
  }
}

function failureOf(outcome: Outcome<unknown>): { failure?: Omit<Failure, 'cause'>; mechanism?: Mechanism } {
  if (outcome.end !== 'failure') return {}
  // The raw error may hold anything; listeners get its name and nothing of its text.
  const { cause: _, ...failure } = outcome.failure
  return { failure, mechanism: mechanismOf(factsOf({ ...outcome, attempts: [] })) }
}

/** The connection that an attempt was made on. */
function usedBy(attempt: Pick<Attempt<unknown>, 'evidence'>): { connection?: ConnectionFacts } {
  const { connection } = attempt.evidence()
  return connection === undefined ? {} : { connection }
}

/** This client did not let the attempt out: nothing was sent. */
function refused<Answer>(admission: Refusal | 'queue-full'): Outcome<Answer> {
  const cause = new NotLetOut(admission)
  return {
    end: 'failure',
    failure: { kind: 'not-admitted', admission, phase: 'admit', delivery: 'unsent', cause },
    evidence: { vantage: 'none', phase: 'admit' },
  }
}

class NotLetOut extends Error {
  override readonly name = 'NotLetOut'
  constructor(admission: string) {
    super(`this client did not send the request: ${admission}`)
  }
}
