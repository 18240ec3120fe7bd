/**
 * One try at a call: send, watch, and when it fails, name it. It always settles: by an answer, by a failure, by a
 * limit of ours, or because the call was cancelled.
 */

import type { Timer } from '../clock.js'
import { classify } from '../diagnosis/classify.js'
import { isOffhookError } from '../failure/errors.js'
import type { AttemptReport, Evidence, Limit } from '../failure/evidence.js'
import { isDecoding, listenToDecoder } from '../wire/decoder-handlers.js'
import { Exchange } from '../wire/exchange.js'
import type { AnyHandler } from '../wire/handler-shapes.js'
import { Timeline } from '../wire/timeline.js'
import { AddedHeaders } from '../wire/undici-added-headers.js'
import {
  contentLengthOf,
  type Dispatched,
  type DispatchListener,
  WatchingDispatcher,
} from '../wire/undici-dispatcher.js'
import type { AttemptHost } from './attempt-host.js'
import { AttemptOver } from './attempt-over.js'
import { refusedAnswer } from './refused-answer.js'
import type { Lost, Outcome, Sender, Sending } from './sender.js'
import { LimitReached, StageTimer } from './stage-timer.js'

export class Attempt<Answer> implements Sending, DispatchListener {
  readonly #host: AttemptHost
  readonly #timeline: Timeline
  readonly dispatcher: WatchingDispatcher
  #sender: Sender<Answer> | undefined
  #dispatched: Dispatched | undefined
  #controller: AbortController | undefined
  #settle: ((outcome: Outcome<Answer>) => void) | undefined
  #answered = false
  lost: Lost | undefined
  bodyError: unknown
  #failed: Lost | undefined
  #over = false
  #cancelled: { readonly reason: unknown } | undefined
  readonly #stage: StageTimer
  addedHeaders: AddedHeaders | undefined
  #attemptTimer: Timer | undefined

  constructor(host: AttemptHost) {
    this.#host = host
    this.#timeline = new Timeline(host.clock, host.ownSockets, host.startedAt)
    this.#stage = new StageTimer(host, this)
    this.dispatcher = new WatchingDispatcher(host, this.#timeline, this)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  run(sender: Sender<Answer>): Promise<Outcome<Answer>> {
    return new Promise((resolve) => this.start(sender, resolve))
  }

  /** @param settle told once, how it ended; must not throw */
  start(sender: Sender<Answer>, settle: (outcome: Outcome<Answer>) => void): void {
    this.#sender = sender
    this.#settle = settle
    const { attempt } = this.#host.limits
    if (attempt !== undefined)
      this.#attemptTimer = this.#host.clock.after(attempt, () => this.expire('attempt', attempt))
    let sent: Promise<Answer>
    try {
      sent = sender.send(this)
    } catch (error) {
      sent = Promise.reject(error)
    }
    sent.then(
      (answer) => this.#onAnswer(answer),
      (raw) => this.#onRejection(raw),
    )
  }

  /** The call is over, by abort or deadline: the caller is told at once, the connection let go. */
  cancel(reason: unknown): void {
    if (this.#over) return
    this.#cancelled = { reason }
    if (this.#answered) this.bodyError = reason
    this.#finish({ end: 'cancelled', reason })
    this.#stop(reason)
  }

  /** The call goes on without this attempt's answer: what still comes of it concerns nobody. */
  letGo(): void {
    this.#over = true
    this.#stage.clear()
  }

  /** The total deadline has passed: how far had this attempt come? */
  async outOfTime(totalMs: number): Promise<Lost> {
    const raw = new LimitReached('total', totalMs)
    this.#timeline.limit = { name: 'total', ms: totalMs }
    const { failure, evidence } = this.#named(raw)
    this.#timeline.exchange?.hold(raw)
    // The answer may come while the kernel is asked.
    this.#timeline.limit = undefined
    return { failure, evidence: (await this.#timeline.lookAround(raw, evidence)) ?? evidence }
  }

  /** The origin that the last request went to: another than the call's after a redirect. */
  get origin(): string | undefined {
    return this.#timeline.exchange?.origin
  }

  /** When something last moved. */
  get lastProgressAt(): number | undefined {
    return this.#timeline.exchange?.progressAt
  }

  /** Sends a header besides those of the caller. Call it before the start. */
  addHeader(name: string, value: string): void {
    this.addedHeaders ??= new AddedHeaders()
    this.addedHeaders.add(name, value)
  }

  get holdBytes(): number {
    return this.#host.holdBytes
  }

  giveUp(attempts: readonly AttemptReport[] | undefined): unknown {
    return this.lost === undefined ? undefined : this.#failBody(this.lost, attempts)
  }

  done(): void {
    this.#close()
  }

  handOver(handler: AnyHandler): void {
    const { exchange } = this.#timeline
    if (exchange?.header('content-encoding') !== undefined)
      listenToDecoder(exchange, handler, (raw) => this.#undecodable(exchange, raw))
  }

  /** What is known of the attempt now. */
  evidence(): Evidence {
    return this.#timeline.evidence()
  }

  begin(request: { readonly method: string; readonly origin: string; readonly path: string }): Exchange {
    const exchange = new Exchange(request, this.#host.clock, this)
    this.#timeline.begin(exchange)
    this.#watch(exchange)
    return exchange
  }

  onDispatch(exchange: Exchange, given: Dispatched): void {
    this.#watch(exchange)
    this.#dispatched = given
  }

  onStart(exchange: Exchange): void {
    this.#stage.started(exchange)
    if (this.#dispatched !== undefined) this.#sender?.onStart?.(contentLengthOf(this.#dispatched.options))
  }

  onHead(exchange: Exchange): void {
    this.#stage.headSeen(exchange)
    if (exchange.header('content-encoding') !== undefined && this.#dispatched !== undefined)
      listenToDecoder(exchange, this.#dispatched.handler, (raw) => this.#undecodable(exchange, raw))
  }

  onEnd(exchange: Exchange): void {
    this.#stage.clear()
    if (this.#answered && exchange === this.#timeline.exchange) this.#close()
  }

  onStop(exchange: Exchange, reason: unknown): unknown {
    this.#stage.clear()
    if (!this.#answered || exchange !== this.#timeline.exchange) return reason
    // A reader that has had enough is no failure; one that cannot decode what came is.
    if (isDecoding(reason)) return this.#failBody(this.#named(reason))
    this.#close()
    return reason
  }

  onFailure(exchange: Exchange, raw: unknown): unknown {
    this.#stage.clear()
    // What we or the caller's handler stopped comes back as an error; it is an echo.
    if (this.#over || exchange.stopped) return this.#cancelled?.reason ?? raw
    // A redirect that is being followed has said all that it had to say (fetch would give up what it has led to).
    if (exchange !== this.#timeline.exchange) return undefined
    if (this.lost !== undefined) return raw
    this.#failed = this.#named(raw)
    if (this.#answered) return this.#lose(this.#failed, raw)
    if (this.#sender?.mayRepeat !== true) this.#finish({ end: 'failure', ...this.#failed }, raw)
    return raw
  }

  #watch(exchange: Exchange): void {
    if (this.#over) exchange.abandon(this.#cancelled?.reason ?? new AttemptOver())
    else this.#stage.watch(exchange)
  }

  #undecodable(exchange: Exchange, raw: unknown): unknown {
    if (!this.#answered || exchange !== this.#timeline.exchange || !isDecoding(raw)) return raw
    return this.#failBody(this.#named(raw))
  }

  #onAnswer(answer: Answer): void {
    if (this.#settle === undefined) {
      this.#sender?.discard(answer, this.#host.clock)
      return
    }
    this.#answered = true
    this.#host.clock.cancel(this.#attemptTimer)
    const settle = this.#settle
    this.#settle = undefined
    const { exchange } = this.#timeline
    if (exchange === undefined || exchange.endedAt !== undefined || exchange.stopped) this.#close()
    settle({ end: 'answer', answer })
  }

  #onRejection(raw: unknown): void {
    if (this.#settle === undefined) return
    if (this.#timeline.exchange === undefined && this.#sender?.isMistake?.(raw) === true) {
      this.#finish({ end: 'mistake', raw })
      return
    }
    // What was seen when the exchange failed is nearer to it than the rejection, unless that is the word of an offhook.
    const failed = isOffhookError(raw) ? undefined : this.#failed
    const evidence = failed?.evidence ?? this.#timeline.evidence(raw)
    const failure = failed?.failure ?? refusedAnswer(classify(raw, evidence), this.#timeline.exchange)
    this.#finish({ end: 'failure', failure, evidence }, raw)
  }

  /** @param raw what it failed with; @param then what is to be done once nobody asks the connection any more */
  #finish(outcome: Outcome<Answer>, raw?: unknown, then?: () => void): void {
    const settle = this.#settle
    this.#settle = undefined
    this.#over = true
    this.#stage.clear()
    this.#host.clock.cancel(this.#attemptTimer)
    const settled = (told: Outcome<Answer>) => {
      settle?.(told)
      then?.()
    }
    const looked = outcome.end === 'failure' ? this.#timeline.lookAround(raw, outcome.evidence) : undefined
    if (looked === undefined || outcome.end !== 'failure') settled(outcome)
    else void looked.then((evidence) => settled({ ...outcome, evidence }))
  }

  /** What failed, and how. The reader of a body is told at once. */
  #named(raw: unknown): Lost {
    const evidence = this.#timeline.evidence(raw, this.#answered)
    return { failure: classify(raw, evidence), evidence }
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#stage.clear()
    this.#host.owner.finished()
  }

  /** The body was cut: final, unless the sender can continue it. */
  #lose(lost: Lost, raw: unknown): unknown {
    if (!this.#host.resumes) return this.#failBody(lost)
    this.lost = lost
    return raw
  }

  #failBody(lost: Lost, attempts?: readonly AttemptReport[]): unknown {
    const error = this.#host.owner.bodyFailed(lost, attempts)
    this.bodyError = error
    // fetch hands a signal's reason to the body's reader as it is, and wraps everything else in a TypeError.
    this.#controller?.abort(error)
    this.#close()
    return error
  }

  #stop(reason: unknown): void {
    this.#controller?.abort(reason)
    this.#timeline.exchange?.abandon(reason)
  }

  /** A limit of ours ran out. */
  expire(name: Limit, ms: number): void {
    if (this.#over) return
    this.#timeline.limit = { name, ms }
    const raw = new LimitReached(name, ms)
    const lost = this.#named(raw)
    const { exchange } = this.#timeline
    if (this.#answered) {
      exchange?.abandon(this.#lose(lost, raw))
      return
    }
    exchange?.hold(raw)
    this.#finish({ end: 'failure', ...lost }, raw, () => this.#stop(raw))
    exchange?.timedOut()
  }
}
