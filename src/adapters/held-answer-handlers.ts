/**
 * The answer of one attempt through a dispatcher of somebody else's: its head is held back until the call has decided
 * whether this answer counts, and its body with it.
 */

import type { Clock } from '../clock.js'
import type { Controller, HeaderRecord, NewHandler } from '../wire/handler-shapes.js'
import { DrainBounds } from './drain.js'
import type { AnswerSource, Receiver } from './receiver-handlers.js'

/** The head of an answer, as plain data. The rest of it is out of sight. */
export class AnswerHead {
  readonly statusCode: number
  readonly headers: HeaderRecord
  readonly statusText: string | undefined
  readonly #held: HeldAnswer

  constructor(held: HeldAnswer, head: { status: number; headers: HeaderRecord; statusText: string | undefined }) {
    this.statusCode = head.status
    this.headers = head.headers
    this.statusText = head.statusText
    this.#held = held
  }

  /** The answer that a head belongs to. */
  static held(head: AnswerHead): HeldAnswer {
    return head.#held
  }
}

/** Who waits for the head of an answer. */
export interface HeadWaiter {
  resolve(head: AnswerHead): void
  reject(raw: unknown): void
}

/** Reason for ending an answer that another attempt is made in place of, and that is too long to be read to its end. */
class AnswerDropped extends Error {
  override readonly name = 'AnswerDropped'
  constructor() {
    super('the answer was dropped: the request is sent again')
  }
}

export class HeldAnswer implements NewHandler, AnswerSource {
  readonly #receiver: Receiver
  readonly #waiter: HeadWaiter
  #controller: Controller | undefined
  #fate: 'open' | 'delivered' | 'dropped' = 'open'
  /** What has come and cannot be passed on yet. A dispatcher that heeds `pause()` leaves next to nothing here. */
  #chunks: Buffer[] = []
  #end: { readonly trailers: HeaderRecord } | { readonly error: unknown } | undefined
  #drain: DrainBounds | undefined

  constructor(receiver: Receiver, waiter: HeadWaiter) {
    this.#receiver = receiver
    this.#waiter = waiter
  }

  get rawHeaders(): unknown {
    return this.#controller?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#controller?.rawTrailers
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller = controller
    this.#receiver.started(context)
  }

  onBodySent(chunk: unknown): void {
    this.#receiver.bodySent(chunk)
  }

  onRequestSent(): void {
    this.#receiver.requestSent()
  }

  onResponseStarted(): void {
    this.#receiver.responseStarted()
  }

  onResponseStart(controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void {
    if (status < 200) {
      this.#receiver.inform(status, headers, statusText)
      return
    }
    this.#controller = controller
    controller.pause()
    this.#waiter.resolve(new AnswerHead(this, { status, headers, statusText }))
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.#fate === 'dropped') this.#drain?.saw(chunk.length)
    else if (this.#fate === 'delivered' && this.#chunks.length === 0 && !this.#receiver.paused)
      this.#receiver.data(chunk)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(_controller: Controller, trailers: HeaderRecord): void {
    this.#over({ trailers })
  }

  onResponseError(_controller: Controller | null | undefined, error: unknown): void {
    this.#waiter.reject(error)
    this.#over({ error })
  }

  /** This is the answer of the call. */
  deliver(head: AnswerHead): void {
    this.#fate = 'delivered'
    this.#receiver.head(this, head)
    this.#flow()
  }

  /** Nobody will read this answer. */
  discard(clock: Clock): void {
    if (this.#fate !== 'open') return
    this.#fate = 'dropped'
    const chunks = this.#chunks
    this.#chunks = []
    if (this.#end !== undefined) return
    const drain = new DrainBounds(clock, () => this.#controller?.abort(new AnswerDropped()))
    this.#drain = drain
    if (chunks.every((chunk) => drain.saw(chunk.length))) this.#controller?.resume()
  }

  abort(reason: unknown): void {
    this.#controller?.abort(reason)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#flow()
  }

  #over(end: { readonly trailers: HeaderRecord } | { readonly error: unknown }): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#drain?.over()
    if (this.#fate === 'delivered') this.#flow()
  }

  /** Passes on what has come, as far as the receiver wants it, and asks for more. */
  #flow(): void {
    const receiver = this.#receiver
    while (!receiver.paused && !receiver.over) {
      const chunk = this.#chunks.shift()
      if (chunk === undefined) break
      receiver.data(chunk)
    }
    const end = this.#end
    // An error does not wait for a reader that is behind.
    if (end === undefined) {
      if (!receiver.paused && !receiver.over) this.#controller?.resume()
    } else if ('error' in end) receiver.fail(end.error)
    else if (this.#chunks.length === 0) receiver.end(end.trailers)
  }
}
