import type { Controller, HeaderRecord, NewHandler, OldHandler } from './handler-shapes.js'
import { rawList } from './handler-shapes.js'

/** An old handler under a core that speaks only the new vocabulary: the fetch of Node 22 and 24 over undici 8. */
export class OldUnderNew implements NewHandler {
  readonly #next: OldHandler

  constructor(next: OldHandler) {
    this.#next = next
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#next.onConnect?.((reason) => controller.abort(reason), context)
  }

  onRequestUpgrade(controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void {
    this.#next.onUpgrade?.(status, rawList(controller.rawHeaders, headers), socket)
  }

  onBodySent(chunk: unknown): void {
    this.#next.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#next.onRequestSent?.()
  }

  onResponseStarted(): void {
    this.#next.onResponseStarted?.()
  }

  onResponseStart(controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void {
    const raw = rawList(controller.rawHeaders, headers)
    if (this.#next.onHeaders?.(status, raw, () => controller.resume(), statusText ?? '') === false) controller.pause()
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#next.onData?.(chunk) === false) controller.pause()
  }

  onResponseEnd(controller: Controller, trailers: HeaderRecord): void {
    this.#next.onComplete?.(rawList(controller.rawTrailers, trailers))
  }

  onResponseError(_controller: Controller | null | undefined, error: unknown): void {
    this.#next.onError?.(error)
  }
}
