/** The words between an attempt, the adapter that sends it, and the call that owns it. */

import type { Clock } from '../clock.js'
import type { AttemptReport, Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import type { Exchange } from '../wire/exchange.js'
import type { AnyHandler, HeaderReader } from '../wire/handler-shapes.js'
import type { WatchingDispatcher } from '../wire/undici-dispatcher.js'

/** How an adapter sends one try by its host's API, and how its answers are read. */
export interface Sender<Answer> {
  send(attempt: Sending): Promise<Answer>
  /** 0 where an answer is no response and has none. */
  status(answer: Answer): number
  header(answer: Answer): HeaderReader
  /** Nobody will read this answer: free its connection, within bounds. */
  discard(answer: Answer, clock: Clock): void
  /** The body is about to be read; its length, where that is known. */
  onStart?(contentLength: number | undefined): void
  /** The host's API may send a failed request again by itself, so that only its rejection is the end of the attempt. */
  readonly mayRepeat?: boolean
  /** Whether a rejection that no connection had part in is the caller's mistake, to be passed on as it is. */
  isMistake?(raw: unknown): boolean
}

/** What a sender gets to send with. */
export interface Sending {
  readonly dispatcher: WatchingDispatcher
  /** For a sender that makes its connection itself: the exchange to write down on what becomes of it. */
  begin(request: { readonly method: string; readonly origin: string; readonly path: string }): Exchange
  /** What is known of the attempt now. */
  evidence(): Evidence
  /** Aborts when the attempt is over before its time. Made when first read, since it costs something. */
  readonly signal: AbortSignal
  /** The error of a body that failed after its head had been handed over. */
  readonly bodyError: unknown
  /** For a sender that can continue a body: how it was cut, once it was. */
  readonly lost: Lost | undefined
  /** The body cannot be continued; returns the error for its reader. `attempts` tells of the attempts to continue it. */
  giveUp(attempts: readonly AttemptReport[] | undefined): unknown
  /** The answer is passed on to this handler, with whatever else comes of it. */
  handOver(handler: AnyHandler): void
  /** The body is complete, however it came. */
  done(): void
}

export type { Route } from '../wire/undici-connections.js'

/** How a body was cut after its head had been handed over. */
export interface Lost {
  readonly failure: Failure
  readonly evidence: Evidence
}

/** How an attempt ended. */
export type Outcome<Answer> =
  | { readonly end: 'answer'; readonly answer: Answer }
  | { readonly end: 'failure'; readonly failure: Failure; readonly evidence: Evidence }
  | { readonly end: 'cancelled'; readonly reason: unknown }
  | { readonly end: 'mistake'; readonly raw: unknown }

/** Who is told of what happens after the answer was handed over. */
export interface AttemptOwner {
  /** The body failed after the head was handed over; returns the error that its reader will see. */
  bodyFailed(lost: Lost, attempts?: readonly AttemptReport[]): unknown
  /** Nothing more will happen: the body is complete, dropped, or failed. */
  finished(): void
}
