/** Handlers that let an exchange see everything, in both of undici's vocabularies. */

import type { Exchange } from './exchange.js'
import {
  type AnyHandler,
  type Controller,
  type HeaderRecord,
  type NewHandler,
  type OldHandler,
  rawReader,
  recordReader,
  speaksNew,
} from './handler-shapes.js'
import { OldUnderNew } from './old-under-new-handlers.js'
import { asStop } from './stop-reason.js'

/** A watched handler: undici's on one side, and able to be refused before undici ever had it. */
export type Watch = (OldHandler | NewHandler) & { readonly exchange: Exchange; refuse(reason: unknown): void }

/**
 * Wraps the caller's handler so that `exchange` sees everything.
 *
 * @param core what the dispatcher behind speaks: `old` is undici 7 and before, `new` is 8; `any` is a foreign one,
 *   which gets a handler that speaks both
 */
export function watchHandler(exchange: Exchange, handler: AnyHandler, core: 'old' | 'new' | 'any'): Watch {
  if (speaksNew(handler)) return new NewWatch(exchange, handler, core === 'new')
  if (core === 'old') return new OldWatch(exchange, handler)
  if (core === 'new') return new NewWatch(exchange, new OldUnderNew(handler), true)
  return new BilingualWatch(exchange, handler)
}

class OldWatch implements OldHandler {
  readonly exchange: Exchange
  readonly #next: OldHandler

  constructor(exchange: Exchange, next: OldHandler) {
    this.exchange = exchange
    this.#next = next
  }

  onConnect(abort: (reason?: unknown) => void, context: unknown): void {
    this.exchange.tellsSent = true
    this.exchange.started(abort)
    this.#next.onConnect?.((reason) => abort(asStop(this.exchange.stop(reason), this.exchange.socket)), context)
  }

  onBodySent(chunk: unknown): void {
    this.exchange.moved()
    this.#next.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.exchange.sent()
    this.#next.onRequestSent?.()
  }

  onResponseStarted(): void {
    this.exchange.responded()
    this.#next.onResponseStarted?.()
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    this.exchange.head(status, rawReader(headers))
    const resumed = () => {
      this.exchange.resumed()
      resume()
    }
    return this.#flow(this.#next.onHeaders?.(status, headers, resumed, statusText))
  }

  onUpgrade(status: number, headers: Buffer[] | string[] | null, socket: unknown): void {
    this.exchange.head(status, rawReader(headers ?? []))
    this.exchange.ended()
    this.#next.onUpgrade?.(status, headers, socket)
  }

  onData(chunk: Buffer): boolean {
    this.exchange.data(chunk.length)
    return this.#flow(this.#next.onData?.(chunk))
  }

  onComplete(trailers: Buffer[] | string[] | null): void {
    const hidden = this.exchange.ended()
    if (hidden === undefined) this.#next.onComplete?.(trailers)
    else this.#next.onError?.(hidden)
  }

  onError(raw: unknown): void {
    const told = this.exchange.failure(raw)
    if (told === undefined) this.#next.onComplete?.([])
    else this.#next.onError?.(told)
  }

  refuse(reason: unknown): void {
    this.onError(reason)
  }

  #flow(wanted: boolean | undefined): boolean {
    if (wanted === false) this.exchange.paused = true
    return wanted ?? true
  }
}

/** undici's controller, with an ear on `abort`. */
class WatchedController implements Controller {
  readonly exchange: Exchange
  readonly #inner: Controller & { readonly aborted?: boolean; readonly paused?: boolean; readonly reason?: unknown }

  constructor(exchange: Exchange, inner: Controller) {
    this.exchange = exchange
    this.#inner = inner
  }

  abort(reason: unknown): void {
    this.#inner.abort(asStop(this.exchange.stop(reason), this.exchange.socket))
  }

  pause(): void {
    this.exchange.paused = true
    this.#inner.pause()
  }

  resume(): void {
    this.exchange.resumed()
    this.#inner.resume()
  }

  get rawHeaders(): unknown {
    return this.#inner.rawHeaders
  }

  get rawTrailers(): unknown {
    return this.#inner.rawTrailers
  }

  get aborted(): boolean {
    return this.#inner.aborted ?? false
  }

  get paused(): boolean {
    return this.#inner.paused ?? false
  }

  get reason(): unknown {
    return this.#inner.reason ?? null
  }
}

class NewWatch implements NewHandler {
  readonly exchange: Exchange
  readonly #next: NewHandler
  #controller: WatchedController | undefined

  constructor(exchange: Exchange, next: NewHandler, tellsSent: boolean) {
    this.exchange = exchange
    this.#next = next
    if (tellsSent) exchange.tellsSent = true
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.exchange.started((reason) => controller.abort(reason))
    this.#controller = new WatchedController(this.exchange, controller)
    this.#next.onRequestStart?.(this.#controller, context)
  }

  onRequestUpgrade(controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void {
    this.exchange.head(status, recordReader(headers))
    this.exchange.ended()
    this.#next.onRequestUpgrade?.(this.#controller ?? controller, status, headers, socket)
  }

  onBodySent(chunk: unknown): void {
    this.exchange.moved()
    this.#next.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.exchange.sent()
    this.#next.onRequestSent?.()
  }

  onResponseStarted(): void {
    this.exchange.responded()
    this.#next.onResponseStarted?.()
  }

  onResponseStart(controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void {
    this.exchange.head(status, recordReader(headers))
    this.#next.onResponseStart?.(this.#controller ?? controller, status, headers, statusText)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.exchange.data(chunk.length)
    this.#next.onResponseData?.(this.#controller ?? controller, chunk)
  }

  onResponseEnd(controller: Controller, trailers: HeaderRecord): void {
    const hidden = this.exchange.ended()
    if (hidden === undefined) this.#next.onResponseEnd?.(this.#controller ?? controller, trailers)
    else this.#next.onResponseError?.(this.#controller ?? controller, hidden)
  }

  onResponseError(controller: Controller | null | undefined, raw: unknown): void {
    const told = this.exchange.failure(raw)
    const own = this.#controller ?? controller
    if (told === undefined && own != null) this.#next.onResponseEnd?.(own, {})
    else this.#next.onResponseError?.(own, told)
  }

  refuse(reason: unknown): void {
    this.onResponseError(undefined, reason)
  }
}

/** Speaks both, for a dispatcher of another copy: undici 6 takes the old names, 7 and 8 find the new ones. */
class BilingualWatch extends OldWatch implements NewHandler {
  readonly #new: NewWatch

  constructor(exchange: Exchange, next: OldHandler) {
    super(exchange, next)
    this.#new = new NewWatch(exchange, new OldUnderNew(next), false)
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#new.onRequestStart(controller, context)
  }

  onRequestUpgrade(controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void {
    this.#new.onRequestUpgrade(controller, status, headers, socket)
  }

  onResponseStart(controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void {
    this.#new.onResponseStart(controller, status, headers, statusText)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#new.onResponseData(controller, chunk)
  }

  onResponseEnd(controller: Controller, trailers: HeaderRecord): void {
    this.#new.onResponseEnd(controller, trailers)
  }

  onResponseError(controller: Controller | null | undefined, raw: unknown): void {
    this.#new.onResponseError(controller, raw)
  }
}
