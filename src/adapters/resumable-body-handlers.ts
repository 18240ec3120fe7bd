/** The reader's side of a body that can be continued: one body, from however many exchanges. */

import type { Dispatcher as UndiciDispatcher } from 'undici'
import type { Lost, Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import type { CallHost, CallSpec } from '../call/spec.js'
import { isOffhookError } from '../failure/errors.js'
import type { AttemptReport } from '../failure/evidence.js'
import type { AnyHandler, Controller, HeaderReader, HeaderRecord, NewHandler } from '../wire/handler-shapes.js'
import { recordReader } from '../wire/handler-shapes.js'
import { type BodyRange, continuationOf, firstRange } from './byte-range.js'
import { Continuation, type ContinuedBody, type Head } from './continuation-handlers.js'

/** What is needed to ask again: the call as it was specified, and its client. */
export interface Resumption {
  /** Its sender aside, which is another one for the rest. */
  readonly spec: Omit<CallSpec<unknown>, 'sender'>
  readonly host: CallHost
}

interface Request {
  readonly next: NewHandler
  /** Whom the body is for: `next`, or what that stands before. */
  readonly reader: AnyHandler
  readonly options: UndiciDispatcher.DispatchOptions
  readonly sending: Sending
  readonly resumption: Resumption
}

/** Stands before the reader, whichever exchange the bytes come from; to the reader it is the controller of them all. */
export class ResumableBody implements NewHandler, Controller, ContinuedBody {
  readonly #request: Request
  #source: Controller | undefined
  #range: BodyRange | undefined
  #received = 0
  #receivedBefore = 0
  #fruitless = 0
  #stopped: { readonly reason: unknown } | undefined
  #abortContinuation: AbortController | undefined
  paused = false

  constructor(request: Request) {
    this.#request = request
  }

  get rawHeaders(): unknown {
    return this.#source?.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#source?.rawTrailers
  }

  get aborted(): boolean {
    return this.#stopped !== undefined
  }

  get reason(): unknown {
    return this.#stopped?.reason ?? null
  }

  abort(reason: unknown): void {
    this.#stopped ??= { reason }
    this.#source?.abort(reason)
    this.#abortContinuation?.abort(reason)
  }

  pause(): void {
    this.paused = true
    this.#source?.pause()
  }

  resume(): void {
    this.paused = false
    this.#source?.resume()
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#source = controller
    this.#request.next.onRequestStart?.(this, context)
  }

  onRequestUpgrade(_controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void {
    this.#request.next.onRequestUpgrade?.(this, status, headers, socket)
  }

  onResponseStarted(): void {
    this.#request.next.onResponseStarted?.()
  }

  onResponseStart(_controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void {
    if (status >= 200) {
      this.#range = firstRange(status, recordReader(headers))
      this.#request.sending.handOver(this.#request.reader)
    }
    this.#request.next.onResponseStart?.(this, status, headers, statusText)
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.feed(chunk)
  }

  onResponseEnd(_controller: Controller, trailers: HeaderRecord): void {
    this.#request.next.onResponseEnd?.(this, trailers)
  }

  onResponseError(_controller: Controller | null | undefined, raw: unknown): void {
    this.cut(this.#request.sending.lost, raw)
  }

  feed(chunk: Buffer): void {
    this.#received += chunk.length
    this.#request.next.onResponseData?.(this, chunk)
  }

  /** All bytes have come, in however many pieces. */
  end(trailers: HeaderRecord): void {
    this.#request.sending.done()
    this.#request.next.onResponseEnd?.(this, trailers)
  }

  /** The answer that continues the body has begun; it must be exactly what was asked for. */
  continues(controller: Controller, status: number, header: HeaderReader): boolean {
    if (this.#range === undefined || !continuationOf(this.#range, this.#received, { status, header })) return false
    this.#source = controller
    if (this.paused) controller.pause()
    return true
  }

  /** The body was cut. */
  cut(lost: Lost | undefined, raw: unknown): void {
    // Nothing was handed over yet, or it was our own side that stopped: what was reported stands.
    if (lost === undefined || this.#stopped !== undefined) this.#request.next.onResponseError?.(this, raw)
    else if (this.#range === undefined || !this.#mayGoOn()) this.#giveUp(undefined)
    else void this.#continue(lost, this.#range)
  }

  /** Each piece must bring something; a peer that cuts every answer before its first byte is not asked for ever. */
  #mayGoOn(): boolean {
    this.#fruitless = this.#received > this.#receivedBefore ? 0 : this.#fruitless + 1
    this.#receivedBefore = this.#received
    return this.#fruitless < this.#request.resumption.spec.retry.attempts
  }

  async #continue(lost: Lost, range: BodyRange): Promise<void> {
    const { resumption, options, sending } = this.#request
    const { spec, host } = resumption
    this.#source = undefined
    this.#abortContinuation = new AbortController()
    const signal = this.#abortContinuation.signal
    const onOver = () => this.#abortContinuation?.abort(sending.signal.reason)
    sending.signal.addEventListener('abort', onOver, { once: true })
    const rest = { ...options, headers: range.ask(options.headers, this.#received) }
    const sender = new Continuation(this, rest)
    try {
      const answer = await runCall<Head>(
        {
          ...spec,
          sender,
          signal,
          requestClass: 'idempotent',
          replayable: () => true,
          throwOnStatus: false,
          resumes: true,
        },
        host,
        { end: 'failure', ...lost },
      )
      if (answer.good) answer.take()
      else this.#giveUp(undefined)
    } catch (error) {
      if (this.#stopped === undefined && !sending.signal.aborted)
        this.#giveUp(isOffhookError(error) ? error.attempts : undefined)
      else this.#request.next.onResponseError?.(this, this.#stopped?.reason ?? sending.signal.reason)
    } finally {
      sending.signal.removeEventListener('abort', onOver)
    }
  }

  #giveUp(attempts: readonly AttemptReport[] | undefined): void {
    this.#request.next.onResponseError?.(this, this.#request.sending.giveUp(attempts))
  }
}
