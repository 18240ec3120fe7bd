/**
 * Holds an answer back until its body is complete, so that one that is cut was never handed over and can be asked for
 * again. A body longer than the bound is let go as a stream.
 */

import type { AnyHandler, Controller, HeaderRecord, NewHandler, OldHandler } from './handler-shapes.js'
import { speaksNew } from './handler-shapes.js'

/** Wraps a handler so that it sees an answer only when it is whole, or longer than `limit` bytes. */
export function holdBody(handler: AnyHandler, limit: number): AnyHandler {
  return speaksNew(handler) ? new NewHeld(handler, limit) : new OldHeld(handler, limit)
}

/** What is held back: the head, as the call that will announce it, and the chunks so far. */
class Held {
  readonly #limit: number
  #announce: (() => void) | undefined
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get holding(): boolean {
    return this.#announce !== undefined
  }

  hold(announce: () => void): void {
    this.#announce = announce
  }

  /** True when the chunk was kept; false when it is too much, and everything must be let go before it. */
  keep(chunk: Buffer): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > this.#limit) return false
    this.#chunks.push(chunk)
    return true
  }

  release(give: (chunk: Buffer) => void): void {
    const chunks = this.#chunks
    this.#chunks = []
    const announce = this.#announce
    this.#announce = undefined
    announce?.()
    for (const chunk of chunks) give(chunk)
  }

  drop(): void {
    this.#announce = undefined
    this.#chunks = []
  }
}

class OldHeld implements OldHandler {
  readonly #next: OldHandler
  readonly #held: Held

  constructor(next: OldHandler, limit: number) {
    this.#next = next
    this.#held = new Held(limit)
  }

  onConnect(abort: (reason?: unknown) => void, context?: unknown): void {
    this.#next.onConnect?.(abort, context)
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

  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return this.#next.onHeaders?.(status, headers, resume, statusText) ?? true
    this.#held.hold(() => this.#next.onHeaders?.(status, headers, resume, statusText))
    return true
  }

  onUpgrade(status: number, headers: Buffer[] | string[] | null, socket: unknown): void {
    this.#next.onUpgrade?.(status, headers, socket)
  }

  onData(chunk: Buffer): boolean {
    if (this.#held.holding) {
      if (this.#held.keep(chunk)) return true
      this.#release()
    }
    return this.#next.onData?.(chunk) ?? true
  }

  onComplete(trailers: Buffer[] | string[] | null): void {
    this.#release()
    this.#next.onComplete?.(trailers)
  }

  onError(error: unknown): void {
    this.#held.drop()
    this.#next.onError?.(error)
  }

  #release(): void {
    this.#held.release((chunk) => this.#next.onData?.(chunk))
  }
}

class NewHeld implements NewHandler {
  readonly #next: NewHandler
  readonly #held: Held

  constructor(next: NewHandler, limit: number) {
    this.#next = next
    this.#held = new Held(limit)
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#next.onRequestStart?.(controller, context)
  }

  onRequestUpgrade(controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void {
    this.#next.onRequestUpgrade?.(controller, status, headers, socket)
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
    if (status < 200) this.#next.onResponseStart?.(controller, status, headers, statusText)
    else this.#held.hold(() => this.#next.onResponseStart?.(controller, status, headers, statusText))
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#held.holding) {
      if (this.#held.keep(chunk)) return
      this.#release(controller)
    }
    this.#next.onResponseData?.(controller, chunk)
  }

  onResponseEnd(controller: Controller, trailers: HeaderRecord): void {
    this.#release(controller)
    this.#next.onResponseEnd?.(controller, trailers)
  }

  onResponseError(controller: Controller | null | undefined, error: unknown): void {
    this.#held.drop()
    this.#next.onResponseError?.(controller, error)
  }

  #release(controller: Controller): void {
    this.#held.release((chunk) => this.#next.onResponseData?.(controller, chunk))
  }
}
