/** A fetch whose request is plain goes straight to our dispatcher: the same end, at half the cost of the native fetch. */

import type { Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import type { CallHost } from '../call/spec.js'
import type { ClientSettings } from '../options.js'
import type { AnyHandler } from '../wire/handler-shapes.js'
import { callSettings } from './call-options.js'
import { type Asked, callSpec } from './call-spec.js'
import type { FetchInit } from './fetch-init.js'
import { obedientFetch } from './native-fetch.js'
import { PlainAnswer } from './plain-answer-handlers.js'
import type { PlainRequest } from './plain-request.js'
import { ResponseSender } from './response-sender.js'
import { dispatcherOf, type Resumption } from './resume.js'
import { withTypedBody } from './typed-body.js'
import { headerOf } from './undici-headers.js'

/** Runs one call whose request is plain. */
export function plainFetch(
  request: PlainRequest,
  init: FetchInit,
  way: { readonly host: CallHost; readonly client: ClientSettings },
): Promise<Response> {
  return new PlainCall(request, init.signal).run(init, way)
}

class PlainCall extends ResponseSender {
  readonly #request: PlainRequest
  readonly #signal: AbortSignal | null | undefined
  #resumption: Resumption | undefined

  constructor(request: PlainRequest, signal: AbortSignal | null | undefined) {
    super()
    this.#request = request
    this.#signal = signal
  }

  run(init: FetchInit, { host, client }: { host: CallHost; client: ClientSettings }): Promise<Response> {
    const { method, url, origin, headers } = this.#request
    const settings = callSettings(init, client)
    const asked: Asked<Response> = {
      sender: this,
      method,
      target: () => ({ method, origin, path: url.pathname }),
      signal: this.#signal,
      replayable: always,
      header: (name) => headerOf(headers, name),
    }
    const spec = callSpec(asked, init, settings)
    if (spec.resumes) this.#resumption = { spec, host }
    return runCall(spec, host)
  }

  send(sending: Sending): Promise<Response> {
    const { url, origin, path, method, headers, body } = this.#request
    const dispatcher = dispatcherOf(sending, this.#resumption)
    return new Promise((resolve, reject) => {
      const answer = new PlainAnswer(
        // The signal of a call ends what is not read, too, so that nothing must be read before it is asked for.
        { method, url, readAhead: !this.#heedsSignal },
        { resolve, reject, handOver: (take) => this.#handOver(take, sending) },
      )
      dispatcher.dispatch({ origin, path, method, headers, body } as never, answer as never)
    })
  }

  get #heedsSignal(): boolean {
    return this.#signal !== undefined && this.#signal !== null
  }

  /** The native fetch runs on the answer that is there; whatever else it sends goes out by the same attempt. */
  #handOver(take: (handler: AnyHandler) => void, sending: Sending): Promise<Response> {
    const { url, method, given } = this.#request
    const next = dispatcherOf(sending, this.#resumption)
    let taken = false
    const dispatcher = {
      dispatch: (options: { readonly body?: unknown }, handler: AnyHandler): boolean => {
        if (taken) return next.dispatch(options as never, handler as never)
        taken = true
        // It has been sent. fetch can send it anew only when it believes so too.
        const over = () => {
          sending.handOver(handler)
          take(handler)
        }
        void readAway(options.body).then(over, over)
        return true
      },
    }
    const init = { method, body: given, headers: this.#ownHeaders(), dispatcher }
    if (this.#heedsSignal) return (obedientFetch as typeof fetch)(url, { ...init, signal: sending.signal } as never)
    return (obedientFetch as typeof fetch)(url, init as never).then((response) => withTypedBody(response, sending))
  }

  /** What the caller has given, or what follows from the body. The native fetch adds the rest by itself. */
  #ownHeaders(): Record<string, string> {
    const { headers, habitual } = this.#request
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !habitual(name)))
  }
}

async function readAway(body: unknown): Promise<void> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return
  for await (const _ of body as AsyncIterable<unknown>);
}

function always(): boolean {
  return true
}
