/** Spans: one for each call, and beneath it one for each attempt, as the conventions for HTTP clients want it. */

import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { isOffhookError } from '../failure/errors.js'
import type { AttemptEvent, CallEvent, DecisionEvent } from './channels.js'
import {
  attemptFailure,
  connectionAttributes,
  decisionAttributes,
  failureAttributes,
  isHttp,
  methodName,
  statusAttributes,
  targetOf,
} from './opentelemetry-attributes.js'

interface OpenCall {
  readonly span: Span
  /** With the span in it: the parent of what belongs to the call. */
  readonly context: Context
  readonly attempts: Map<string, Span>
}

/** Ended calls whose body may still fail are remembered, so many of them. */
const mostEnded = 1_000

export class SpanWriter {
  readonly #tracer: Tracer
  readonly #propagate: (origin: string) => boolean
  readonly #calls = new Map<number, OpenCall>()
  readonly #ended = new Map<number, Context>()

  constructor(tracer: Tracer, propagate: (origin: string) => boolean) {
    this.#tracer = tracer
    this.#propagate = propagate
  }

  onCall(event: CallEvent): void {
    if (event.event === 'start') this.#start(event)
    else if (event.event === 'error' && event.afterEnd) this.#failBody(event)
    else this.#end(event)
  }

  #end(event: Exclude<CallEvent, { readonly event: 'start' }>): void {
    const call = this.#calls.get(event.callId)
    // One that began before anybody listened.
    if (call === undefined) return
    this.#calls.delete(event.callId)
    call.span.setAttribute('offhook.attempts', event.attempts)
    if (event.event === 'end') {
      close(call.span, statusAttributes(event.status))
      this.#remember(event.callId, call.context)
    } else {
      fail(call.span, event.error)
    }
  }

  onAttempt(event: AttemptEvent): void {
    const call = this.#calls.get(event.callId)
    if (call === undefined) return
    const key = `${event.number}${event.hedge ? ' hedge' : ''}`
    if (event.event === 'start') {
      call.attempts.set(key, this.#startAttempt(event, call.context))
      return
    }
    const span = call.attempts.get(key)
    if (span === undefined) return
    call.attempts.delete(key)
    span.setAttributes(connectionAttributes(event.connection))
    if (event.event === 'end') close(span, statusAttributes(event.status))
    // One that was cancelled is no failure: another was faster, or nobody wanted it any more.
    else close(span, attemptFailure(event), event.failure !== undefined)
  }

  onDecision({ callId, number, decision }: DecisionEvent): void {
    const attributes = { 'offhook.attempt': number, ...decisionAttributes(decision) }
    this.#calls.get(callId)?.span.addEvent('offhook.decision', attributes)
  }

  /** Ends what is open, and forgets. */
  stop(): void {
    for (const { span, attempts } of this.#calls.values()) {
      for (const attempt of attempts.values()) attempt.end()
      span.end()
    }
    this.#calls.clear()
    this.#ended.clear()
  }

  #start(event: CallEvent): void {
    const parent = context.active()
    // Not CLIENT: that is what its attempts are, and each request is to be counted once.
    const options = { kind: SpanKind.INTERNAL, attributes: targetOf(event) }
    const span = this.#tracer.startSpan(`offhook ${methodName(event)}`, options, parent)
    this.#calls.set(event.callId, { span, context: trace.setSpan(parent, span), attempts: new Map() })
  }

  #startAttempt(event: AttemptEvent & { readonly event: 'start' }, parent: Context): Span {
    const { number, hedge, origin } = event
    const attributes: Attributes = {
      ...targetOf(event),
      ...(number > 1 && { 'http.request.resend_count': number - 1 }),
      ...(hedge && { 'offhook.hedge': true }),
    }
    const span = this.#tracer.startSpan(methodName(event), { kind: SpanKind.CLIENT, attributes }, parent)
    if (isHttp(event) && this.#propagate(origin)) {
      propagation.inject(trace.setSpan(parent, span), event, {
        set: ({ addHeader }, name, value) => addHeader(name, value),
      })
    }
    return span
  }

  /** The span of the call has ended with the head of its answer; what became of the body is told by one of its own. */
  #failBody(event: CallEvent & { readonly event: 'error' }): void {
    const parent = this.#ended.get(event.callId) ?? context.active()
    this.#ended.delete(event.callId)
    const options = { kind: SpanKind.INTERNAL, attributes: targetOf(event) }
    fail(this.#tracer.startSpan(`offhook ${methodName(event)} body`, options, parent), event.error)
  }

  #remember(callId: number, of: Context): void {
    this.#ended.set(callId, of)
    if (this.#ended.size <= mostEnded) return
    const [oldest] = this.#ended.keys()
    if (oldest !== undefined) this.#ended.delete(oldest)
  }
}

function close(span: Span, attributes: Attributes, failed = 'error.type' in attributes): void {
  span.setAttributes(attributes)
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

function fail(span: Span, error: unknown): void {
  // Nobody keeps what is not recording, and a diagnosis is made when it is read.
  if (span.isRecording()) span.setAttributes(failureAttributes(error))
  // What is not ours may have any text.
  span.setStatus({ code: SpanStatusCode.ERROR, ...(isOffhookError(error) && { message: error.message }) })
  span.end()
}
