/**
 * Continues the body of a GET that was cut while it was being read: asks for the rest with `Range`, and with `If-Range`
 * and the strong ETag of the first answer, so that two versions are never mixed (RFC 9110 §13.1.5, §14). The reader sees
 * one body. Whether, when and at whose cost it is asked again is decided where every retry is.
 */

import { Dispatcher as UndiciDispatcher } from 'undici'
import type { Sending } from '../attempt/sender.js'
import type { RetryPolicy } from '../policy/retry-options.js'
import { type AnyHandler, type NewHandler, speaksNew } from '../wire/handler-shapes.js'
import { OldUnderNew } from '../wire/old-under-new-handlers.js'
import { ResumableBody, type Resumption } from './resumable-body-handlers.js'

export type { Resumption } from './resumable-body-handlers.js'

/** Whether a body that is cut may be continued: for a GET, where the options ask for it. */
export function mayResume(method: string, settings: { readonly retry: RetryPolicy }): boolean {
  return method === 'GET' && settings.retry.optIns.has('resume')
}

/** What an attempt is sent by. */
export function dispatcherOf(sending: Sending, resumption: Resumption | undefined): UndiciDispatcher {
  return resumption === undefined ? sending.dispatcher : new ResumingDispatcher(sending, resumption)
}

/** A dispatcher for one attempt whose GETs are continued when their bodies are cut. */
class ResumingDispatcher extends UndiciDispatcher {
  readonly #sending: Sending
  readonly #resumption: Resumption

  constructor(sending: Sending, resumption: Resumption) {
    super()
    this.#sending = sending
    this.#resumption = resumption
  }

  override dispatch(options: UndiciDispatcher.DispatchOptions, handler: UndiciDispatcher.DispatchHandler): boolean {
    const { dispatcher } = this.#sending
    if (options.method !== 'GET') return dispatcher.dispatch(options, handler)
    const reader = handler as AnyHandler
    const next = speaksNew(reader) ? (reader as NewHandler) : new OldUnderNew(reader)
    const body = new ResumableBody({ next, reader, options, sending: this.#sending, resumption: this.#resumption })
    return dispatcher.dispatch(options, body as UndiciDispatcher.DispatchHandler)
  }
}
