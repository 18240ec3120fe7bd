/** The request for the rest of a body that was cut, as a sender of its own. */

import type { Dispatcher as UndiciDispatcher } from 'undici'
import type { Lost, Sender, Sending } from '../attempt/sender.js'
import type { Controller, HeaderReader, HeaderRecord, NewHandler } from '../wire/handler-shapes.js'
import { recordReader } from '../wire/handler-shapes.js'

/** The body that is continued. */
export interface ContinuedBody {
  /** The answer has begun: is it exactly what was asked for? Then the body's bytes come from it. */
  continues(controller: Controller, status: number, header: HeaderReader): boolean
  feed(chunk: Buffer): void
  end(trailers: HeaderRecord): void
  /** This one was cut as well. */
  cut(lost: Lost | undefined, raw: unknown): void
}

/** The head of an answer to a request for the rest. */
export interface Head {
  readonly status: number
  readonly header: HeaderReader
  readonly good: boolean
  readonly controller: Controller
  /** The attempt has ended in this answer: the body's reader gets what has come, and what comes. */
  take(): void
}

export class Continuation implements Sender<Head> {
  readonly #body: ContinuedBody
  readonly #options: UndiciDispatcher.DispatchOptions

  constructor(body: ContinuedBody, options: UndiciDispatcher.DispatchOptions) {
    this.#body = body
    this.#options = options
  }

  send(sending: Sending): Promise<Head> {
    return new Promise((resolve, reject) => {
      const handler = new ContinuationHandler(this.#body, sending, { resolve, reject })
      sending.dispatcher.dispatch(this.#options, handler as UndiciDispatcher.DispatchHandler)
    })
  }

  status(head: Head): number {
    return head.status
  }

  header(head: Head): HeaderReader {
    return head.header
  }

  discard(head: Head): void {
    head.controller.abort(new NotTheRest())
  }
}

/** What of an answer came before it was taken. */
type Held = (body: ContinuedBody) => void

class ContinuationHandler implements NewHandler {
  readonly #body: ContinuedBody
  readonly #sending: Sending
  readonly #settle: { resolve(head: Head): void; reject(error: unknown): void }
  #good = false
  #begun = false
  #taken = false
  // Head, bytes and end may come in one turn of the loop, before the attempt is known to have ended in this answer. If it
  // fails instead, the next one asks from where the reader stands: none of these bytes may have reached him.
  readonly #held: Held[] = []

  constructor(
    body: ContinuedBody,
    sending: Sending,
    settle: { resolve(head: Head): void; reject(error: unknown): void },
  ) {
    this.#body = body
    this.#sending = sending
    this.#settle = settle
  }

  onRequestStart(): void {}

  onResponseStart(controller: Controller, status: number, headers: HeaderRecord): void {
    if (status < 200) return
    this.#begun = true
    const header = recordReader(headers)
    this.#good = this.#body.continues(controller, status, header)
    const take = () => {
      this.#taken = true
      for (const tell of this.#held.splice(0)) tell(this.#body)
    }
    this.#settle.resolve({ status, header, good: this.#good, controller, take })
    // Another version, or not the piece that was asked for: not one byte of it may reach the reader.
    if (!this.#good && status < 400) controller.abort(new NotTheRest())
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#tell((body) => body.feed(chunk))
  }

  onResponseEnd(_controller: Controller, trailers: HeaderRecord): void {
    this.#tell((body) => body.end(trailers))
  }

  onResponseError(_controller: Controller | null | undefined, raw: unknown): void {
    if (!this.#begun) this.#settle.reject(raw)
    else
      this.#tell((body) => {
        const { lost } = this.#sending
        this.#sending.done()
        body.cut(lost, raw)
      })
  }

  #tell(what: Held): void {
    if (!this.#good) return
    if (this.#taken) what(this.#body)
    else this.#held.push(what)
  }
}

class NotTheRest extends Error {
  override readonly name = 'NotTheRest'
  constructor() {
    super('the answer is not the rest of the body that was asked for')
  }
}
