/**
 * Hears the answer to a plain request and makes the Response of it. What only the native fetch knows how to deal with (a
 * redirect, a content coding, …) is handed over to it.
 */

import { util } from 'undici'
import { type AnyHandler, type HeaderRecord, type OldHandler, rawReader } from '../wire/handler-shapes.js'
import { type FetchedHead, fetchedResponse } from './fetched-response.js'
import { type AnswerSource, Receiver } from './receiver-handlers.js'

/** What becomes of an answer. */
export interface PlainAnswerEnds {
  resolve(response: Response | Promise<Response>): void
  reject(error: unknown): void
  /** Runs the native fetch, whose handler is to `take` the answer. */
  handOver(take: (handler: AnyHandler) => void): Promise<Response>
}

export interface PlainAnswerOptions {
  readonly method: string
  readonly url: URL
  /** A short body may be read to its end before anybody asks for it. */
  readonly readAhead: boolean
}

/** How much of a body is taken from the connection before anybody reads it. */
const aheadBytes = 64 * 1024

export class PlainAnswer implements OldHandler, AnswerSource {
  /** Until it has been told: its functions hold the Response, which must be free to go when nobody wants it. */
  #ends: PlainAnswerEnds | undefined
  readonly #options: PlainAnswerOptions
  #abort: ((reason?: unknown) => void) | undefined
  #resume: (() => void) | undefined
  #head: FetchedHead | undefined
  /** What came before there was anybody to give it to. */
  #chunks: Buffer[] = []
  #bytes = 0
  #paused = false
  #stage: 'waiting' | 'delivered' | 'handed-over' = 'waiting'
  #receiver: Receiver | undefined
  #controller: ReadableByteStreamController | undefined
  /** Holds the controller while nobody reads, so that a body that was dropped can be noticed. */
  #unread: WeakRef<ReadableByteStreamController> | undefined
  #end: { readonly error?: unknown; readonly trailers?: HeaderRecord } | undefined

  constructor(options: PlainAnswerOptions, ends: PlainAnswerEnds) {
    this.#options = options
    this.#ends = ends
  }

  onConnect(abort: (reason?: unknown) => void): void {
    this.#abort = abort
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return true
    this.#resume = resume
    const { method, url, readAhead } = this.#options
    this.#head = { url: withoutFragment(url), status, statusText, rawHeaders }
    const bodyless = method === 'HEAD' || status === 204 || status === 205 || status === 304
    if (isPlain(status, bodyless ? [] : rawHeaders)) {
      if (bodyless || !readAhead) this.#deliver(bodyless)
      // What came in the same packet is there by then; of a short body, all of it.
      else queueMicrotask(() => this.#deliver(false))
      return true
    }
    this.#handOver()
    return this.#wanted(false)
  }

  onData(chunk: Buffer): boolean {
    // As undici may end with one when it is stopped; a stream takes none.
    if (chunk.length === 0) return true
    if (this.#receiver !== undefined) {
      this.#receiver.data(chunk)
      return this.#wanted(!this.#receiver.paused)
    }
    const controller = this.#controller ?? this.#unread?.deref()
    if (controller === undefined) {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      return this.#wanted(this.#bytes < aheadBytes)
    }
    controller.enqueue(new Uint8Array(chunk))
    return this.#wanted(this.#hasRoom(controller))
  }

  onComplete(trailers: Buffer[] | string[] | null): void {
    this.#finish({ trailers: util.parseHeaders((trailers ?? []) as Buffer[]) })
  }

  onError(error: unknown): void {
    this.#finish({ error })
  }

  onUpgrade(_status: number, _headers: unknown, socket: unknown): void {
    ;(socket as { destroy(): void }).destroy()
    this.#finish({ error: new Error('the server changed to another protocol without being asked') })
  }

  /** The stream is read, and has nothing. */
  pull(controller: ReadableByteStreamController): void {
    unread.unregister(this)
    this.#unread = undefined
    this.#controller = controller
    this.resume()
  }

  cancel(reason: unknown): void {
    this.abort(reason)
  }

  get rawHeaders(): unknown {
    return this.#head?.rawHeaders
  }

  readonly rawTrailers = null

  abort(reason: unknown): void {
    this.#end ??= { error: reason }
    unread.unregister(this)
    this.#abort?.(reason)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#resume?.()
  }

  #wanted(wanted: boolean): boolean {
    if (!wanted) this.#paused = true
    return wanted
  }

  #deliver(bodyless: boolean): void {
    if (this.#stage !== 'waiting' || this.#head === undefined) return
    const error = this.#end?.error
    if (error !== undefined) return
    try {
      const response = fetchedResponse(this.#head, bodyless ? null : this.#body())
      this.#stage = 'delivered'
      this.#ends?.resolve(response)
      this.#ends = undefined
    } catch {
      // An odd head; the native fetch says what is to become of it.
      this.#handOver()
    }
  }

  /** The bytes, if that is all there will be; otherwise a stream that begins with them. */
  #body(): Uint8Array | ReadableStream {
    const chunks = this.#chunks
    if (this.#end !== undefined) return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    return new ReadableStream({
      type: 'bytes',
      start: (controller) => {
        this.#controller = controller
        for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk))
        this.#chunks = []
        this.#hasRoom(controller)
      },
      pull: (controller) => this.pull(controller),
      cancel: (reason) => this.cancel(reason),
    })
  }

  /** Whether more of the body is wanted. While it isn't, only its reader keeps it. */
  #hasRoom(controller: ReadableByteStreamController): boolean {
    const ahead = -(controller.desiredSize ?? 0)
    if (this.#options.readAhead ? ahead < aheadBytes : ahead <= 0) return true
    this.#controller = undefined
    this.#unread = new WeakRef(controller)
    unread.register(controller, this, this)
    return false
  }

  #finish(end: { readonly error?: unknown; readonly trailers?: HeaderRecord }): void {
    if (this.#end !== undefined) return
    this.#end = end
    unread.unregister(this)
    if (this.#receiver !== undefined) this.#endReceiver(this.#receiver)
    else if (this.#stage === 'delivered') this.#endStream()
    else if (this.#stage === 'waiting' && 'error' in end) this.#ends?.reject(end.error)
  }

  #endStream(): void {
    const controller = this.#controller ?? this.#unread?.deref()
    if (controller === undefined || this.#end === undefined) return
    if ('error' in this.#end) {
      controller.error(this.#end.error || new DOMException('This operation was aborted', 'AbortError'))
      return
    }
    controller.close()
    // A reader that brought its own buffer waits for it.
    controller.byobRequest?.respond(0)
  }

  #handOver(): void {
    this.#stage = 'handed-over'
    const ends = this.#ends
    const response = ends?.handOver((handler) => this.#take(handler))
    if (response === undefined) return
    this.#ends = undefined
    // If it has not even asked, nobody ever will.
    response.catch((error: unknown) => {
      if (this.#receiver === undefined) this.abort(error)
    })
    ends?.resolve(response)
  }

  #take(handler: AnyHandler): void {
    const { status = 0, statusText, rawHeaders = [] } = this.#head ?? {}
    const receiver = new Receiver(handler, (reason) => this.abort(reason))
    receiver.start()
    receiver.head(this, { statusCode: status, headers: util.parseHeaders(rawHeaders as Buffer[]), statusText })
    this.#receiver = receiver
    for (const chunk of this.#chunks) receiver.data(chunk)
    this.#chunks = []
    if (this.#end !== undefined) this.#endReceiver(receiver)
    else if (!receiver.paused) this.resume()
  }

  #endReceiver(receiver: Receiver): void {
    if (this.#end === undefined) return
    if ('error' in this.#end) receiver.fail(this.#end.error)
    else receiver.end(this.#end.trailers ?? {})
  }
}

/** A Response has the URL that was asked for, and the fragment was not. */
function withoutFragment({ href }: URL): string {
  const end = href.indexOf('#')
  return end === -1 ? href : href.slice(0, end)
}

/** Bodies that nobody reads: when nobody can any more, their connections are let go. */
const unread = new FinalizationRegistry<PlainAnswer>((answer) => answer.abort(new Dropped()))

class Dropped extends Error {
  override readonly name = 'AbortError'
  constructor() {
    super('nobody holds the body of the response any more')
  }
}

/** Redirects, and statuses upon which fetch asks anew or refuses. */
const elaborate = new Set([301, 302, 303, 307, 308, 407, 421])

function isPlain(status: number, rawHeaders: readonly Buffer[]): boolean {
  return status <= 599 && !elaborate.has(status) && rawReader(rawHeaders)('content-encoding') === undefined
}
