/**
 * One try at a call: send, watch, and when it fails, name it. It always settles: by an answer, by a failure, by a
 * limit of ours, or because the call was cancelled.
 */

import type { Clock, Timer } from '../clock.js'
import { classify } from '../diagnosis/classify.js'
import type { Evidence, Limit } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import type { Exchange } from '../wire/exchange.js'
import type { HeaderReader } from '../wire/handler-shapes.js'
import { Timeline } from '../wire/timeline.js'
import type { Connections, Dispatcher, Route } from '../wire/undici-connections.js'
import { type DispatchFacts, type DispatchListener, WatchingDispatcher } from '../wire/undici-dispatcher.js'
import { type AttemptLimits, LimitReached, StageTimer } from './stage-timer.js'

/** How an adapter sends one try by its host's API, and how its answers are read. */
export interface Sender<Answer> {
  send(attempt: Sending): Promise<Answer>
  status(answer: Answer): number
  header(answer: Answer): HeaderReader
  /** Nobody will read this answer: free its connection, within bounds. */
  discard(answer: Answer, clock: Clock): void
  /** The body is about to be read, and what is known of its length. */
  onStart?(facts: DispatchFacts): void
  /** Whether a rejection that no connection had part in is the caller's mistake, to be passed on as it is. */
  isMistake?(raw: unknown): boolean
}

/** What a sender gets to send with. */
export interface Sending {
  readonly dispatcher: WatchingDispatcher
  /** Aborts when the attempt is over before its time. Made when first read, since it costs something. */
  readonly signal: AbortSignal
}

export type { Route } from '../wire/undici-connections.js'

/** How an attempt ended. */
export type Outcome<Answer> =
  | { readonly end: 'answer'; readonly answer: Answer }
  | { readonly end: 'failure'; readonly failure: Failure; readonly evidence: Evidence }
  | { readonly end: 'cancelled'; readonly reason: unknown }
  | { readonly end: 'mistake'; readonly raw: unknown }

/** Who is told of what happens after the answer was handed over. */
export interface AttemptOwner {
  /** The body failed after the head was handed over; returns the error that its reader will see. */
  bodyFailed(failure: Failure, evidence: Evidence): unknown
  /** Nothing more will happen: the body is complete, dropped, or failed. */
  finished(): void
}

/** What an attempt is sent by: connections of our own, or a dispatcher of the caller's. */
export type AttemptTarget = Connections | Dispatcher

export interface AttemptHost {
  readonly clock: Clock
  readonly target: AttemptTarget
  /** Which of our own connections to take. */
  readonly route: Route
  readonly ownSockets: boolean
  readonly limits: AttemptLimits
  readonly owner: AttemptOwner
}

export class Attempt<Answer> implements Sending, DispatchListener {
  readonly #host: AttemptHost
  readonly #timeline: Timeline
  readonly dispatcher: WatchingDispatcher
  #sender: Sender<Answer> | undefined
  #facts: DispatchFacts | undefined
  #controller: AbortController | undefined
  #settle: ((outcome: Outcome<Answer>) => void) | undefined
  #answered = false
  #over = false
  #cancelled: { readonly reason: unknown } | undefined
  readonly #stage: StageTimer
  #attemptTimer: Timer | undefined

  constructor(host: AttemptHost) {
    this.#host = host
    this.#timeline = new Timeline(host.clock, host.ownSockets)
    this.#stage = new StageTimer(host, (name, ms) => this.#expire(name, ms))
    this.dispatcher = new WatchingDispatcher(host, this.#timeline, this)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  run(sender: Sender<Answer>): Promise<Outcome<Answer>> {
    this.#sender = sender
    return new Promise((resolve) => {
      this.#settle = resolve
      const { attempt } = this.#host.limits
      if (attempt !== undefined)
        this.#attemptTimer = this.#host.clock.after(attempt, () => this.#expire('attempt', attempt))
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
    })
  }

  /** The call is over, by abort or deadline: the caller is told at once, the connection let go. */
  cancel(reason: unknown): void {
    if (this.#over) return
    this.#cancelled = { reason }
    this.#finish({ end: 'cancelled', reason })
    this.#stop(reason)
  }

  /** The call goes on without this attempt's answer: what still comes of it concerns nobody. */
  letGo(): void {
    this.#over = true
    this.#stage.clear()
  }

  /** The total deadline has passed: how far had this attempt come? */
  outOfTime(totalMs: number): { failure: Failure; evidence: Evidence } {
    this.#timeline.limit = { name: 'total', ms: totalMs }
    const evidence = this.#timeline.evidence()
    return { failure: classify(new LimitReached('total', totalMs), evidence), evidence }
  }

  /** The origin that the last request went to: another than the call's after a redirect. */
  get origin(): string | undefined {
    return this.#timeline.exchange?.origin
  }

  /** What is known of the attempt now. */
  evidence(): Evidence {
    return this.#timeline.evidence()
  }

  onDispatch(exchange: Exchange, facts: DispatchFacts): void {
    if (this.#over) exchange.abandon(this.#cancelled?.reason ?? new AttemptOver())
    else this.#stage.watch(exchange)
    this.#facts = facts
  }

  onStart(): void {
    if (this.#facts !== undefined) this.#sender?.onStart?.(this.#facts)
  }

  onHead(exchange: Exchange): void {
    this.#stage.headSeen(exchange)
  }

  onEnd(exchange: Exchange): void {
    this.#stage.clear()
    if (this.#answered && exchange === this.#timeline.exchange) this.#close()
  }

  onStop(exchange: Exchange, reason: unknown): unknown {
    this.#stage.clear()
    if (!this.#answered || exchange !== this.#timeline.exchange) return reason
    // A reader that has had enough is no failure; one that cannot decode what came is.
    const evidence = this.#timeline.evidence()
    const failure = reason instanceof Error && isDecoding(reason) ? classify(reason, evidence) : undefined
    if (failure !== undefined) return this.#failBody(failure, evidence)
    this.#close()
    return reason
  }

  onFailure(exchange: Exchange, raw: unknown): unknown {
    this.#stage.clear()
    // What we or the caller's handler stopped comes back as an error; it is an echo.
    if (this.#over || exchange.stopped || exchange !== this.#timeline.exchange) return this.#cancelled?.reason ?? raw
    const evidence = this.#timeline.evidence()
    const failure = classify(raw, evidence)
    if (this.#answered) return this.#failBody(failure, evidence)
    this.#finish({ end: 'failure', failure, evidence })
    return raw
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
    const evidence = this.#timeline.evidence()
    this.#finish({ end: 'failure', failure: classify(raw, evidence), evidence })
  }

  #finish(outcome: Outcome<Answer>): void {
    const settle = this.#settle
    this.#settle = undefined
    this.#over = true
    this.#stage.clear()
    this.#host.clock.cancel(this.#attemptTimer)
    settle?.(outcome)
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#stage.clear()
    this.#host.owner.finished()
  }

  #failBody(failure: Failure, evidence: Evidence): unknown {
    const error = this.#host.owner.bodyFailed(failure, evidence)
    // fetch hands a signal's reason to the body's reader as it is, and wraps everything else in a TypeError.
    this.#controller?.abort(error)
    this.#close()
    return error
  }

  #stop(reason: unknown): void {
    this.#controller?.abort(reason)
    this.#timeline.exchange?.abandon(reason)
  }

  #expire(name: Limit, ms: number): void {
    if (this.#over) return
    this.#timeline.limit = { name, ms }
    const raw = new LimitReached(name, ms)
    const evidence = this.#timeline.evidence()
    const failure = classify(raw, evidence)
    const { exchange } = this.#timeline
    if (this.#answered) {
      exchange?.abandon(this.#failBody(failure, evidence))
      return
    }
    this.#finish({ end: 'failure', failure, evidence })
    this.#stop(raw)
    // A dial that has taken too long would go on in the background, and its connection be handed to the next request.
    if (exchange?.startedAt === undefined) exchange?.line?.socket?.abandonDial(raw)
  }
}

/** Reason for a request that a host's fetch makes (a redirect) after its attempt is over. */
class AttemptOver extends Error {
  override readonly name = 'AttemptOver'
  constructor() {
    super('the attempt was over before this request was sent')
  }
}

/** zlib's errors: the only ones that the reader's side of an exchange adds to it. */
function isDecoding(reason: Error): boolean {
  const { code } = reason as NodeJS.ErrnoException
  return typeof code === 'string' && /^(?:Z_|ERR_BROTLI|ERR_ZSTD|ERR_?_ERROR_FORMAT|ERR__|ZSTD_)/.test(code)
}
