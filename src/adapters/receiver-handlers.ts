/** The handler that an interceptor was given, and the one controller by which it steers however many attempts. */

import { errors } from 'undici'
import type { AnyHandler, Controller, HeaderRecord, NewHandler } from '../wire/handler-shapes.js'
import { speaksNew } from '../wire/handler-shapes.js'
import { OldUnderNew } from '../wire/old-under-new-handlers.js'

/** Where the answer that the receiver was given comes from. */
export interface AnswerSource {
  readonly rawHeaders: unknown
  readonly rawTrailers: unknown
  abort(reason: unknown): void
  pause(): void
  resume(): void
}

/** The handler in the new vocabulary, whichever it speaks. */
export function inNewWords(handler: AnyHandler): NewHandler {
  return speaksNew(handler) ? handler : new OldUnderNew(handler)
}

/**
 * What speaks both is undici 7's own wrapper around a handler of the old vocabulary (`compose` makes it), and in the new
 * one it mangles headers that come more than once: the Set-Cookies of a fetch become one.
 */
function inItsOwnWords(handler: AnyHandler): NewHandler {
  return 'onHeaders' in handler && typeof handler.onHeaders === 'function'
    ? new OldUnderNew(handler)
    : inNewWords(handler)
}

/**
 * Tells the handler one story, however many attempts there are: it starts once, before anything was sent, so that it
 * can abort in every phase; it gets one head; and it ends once.
 */
export class Receiver implements Controller {
  readonly #next: NewHandler
  readonly #onAbort: (reason: unknown) => void
  readonly #context: object = {}
  #source: AnswerSource | undefined
  paused = false
  aborted = false
  reason: unknown = null
  /** The handler was told the end. */
  over = false

  /** @param onAbort the handler wants no more, and has no answer yet */
  constructor(handler: AnyHandler, onAbort: (reason: unknown) => void) {
    this.#next = inItsOwnWords(handler)
    this.#onAbort = onAbort
  }

  get rawHeaders(): unknown {
    return this.#source?.rawHeaders ?? null
  }

  get rawTrailers(): unknown {
    return this.#source?.rawTrailers ?? null
  }

  abort(reason: unknown): void {
    if (this.aborted || this.over) return
    this.aborted = true
    this.reason = reason ?? new errors.RequestAbortedError()
    if (this.#source === undefined) {
      this.#onAbort(this.reason)
      return
    }
    this.#source.abort(this.reason)
    // A dispatcher may keep the echo to itself; the handler is owed an end.
    this.fail(this.reason)
  }

  pause(): void {
    this.paused = true
    this.#source?.pause()
  }

  resume(): void {
    this.paused = false
    this.#source?.resume()
  }

  start(): void {
    this.#guard(() => this.#next.onRequestStart?.(this, this.#context))
  }

  /** An attempt has started; what interceptors below have to tell (`history`) is told to the handler too. */
  started(context: unknown): void {
    if (typeof context === 'object') Object.assign(this.#context, context)
  }

  bodySent(chunk: unknown): void {
    this.#guard(() => this.#next.onBodySent?.(chunk))
  }

  requestSent(): void {
    this.#guard(() => this.#next.onRequestSent?.())
  }

  responseStarted(): void {
    this.#guard(() => this.#next.onResponseStarted?.())
  }

  /** A 1xx is passed on as it comes, of whichever attempt it is. */
  inform(status: number, headers: HeaderRecord, statusText: string | undefined): void {
    if (this.#source === undefined) this.#guard(() => this.#next.onResponseStart?.(this, status, headers, statusText))
  }

  /** The answer of the call. Whatever comes next comes from its source. */
  head(
    source: AnswerSource,
    head: { statusCode: number; headers: HeaderRecord; statusText: string | undefined },
  ): void {
    if (this.aborted) {
      source.abort(this.reason)
      this.fail(this.reason)
      return
    }
    this.#source = source
    const { statusCode, headers, statusText } = head
    this.#guard(() => this.#next.onResponseStart?.(this, statusCode, headers, statusText))
  }

  data(chunk: Buffer): void {
    this.#guard(() => this.#next.onResponseData?.(this, chunk))
  }

  end(trailers: HeaderRecord): void {
    if (this.over) return
    this.over = true
    try {
      this.#next.onResponseEnd?.(this, trailers)
    } catch (error) {
      this.#next.onResponseError?.(this, error)
    }
  }

  fail(error: unknown): void {
    if (this.over) return
    this.over = true
    this.#next.onResponseError?.(this, error)
  }

  /** As undici has it: a handler that throws has aborted, for this reason. */
  #guard(tell: () => void): void {
    if (this.over) return
    try {
      tell()
    } catch (error) {
      this.abort(error)
    }
  }
}
