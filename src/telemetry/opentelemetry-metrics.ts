/** Metrics: how long requests and calls took, what was repeated and why, what failed and how. */

import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import type { AttemptEvent, CallEvent, ConnectionEvent, DecisionEvent } from './channels.js'
import {
  attemptFailure,
  failureSeries,
  isHttp,
  protocolAttributes,
  seriesOf,
  serverOf,
  statusAttributes,
} from './opentelemetry-attributes.js'

/** Seconds; those of the semantic conventions for HTTP. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

export class MetricWriter {
  readonly #requests: Histogram
  readonly #calls: Histogram
  readonly #retries: Counter
  readonly #failures: Counter
  readonly #hangups: Counter
  readonly #emptied: Counter
  readonly #closed: Counter

  constructor(meter: Meter) {
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: buckets } }
    this.#requests = meter.createHistogram('http.client.request.duration', {
      description: 'Duration of HTTP client requests, each attempt by itself, to the head of the answer.',
      ...seconds,
    })
    this.#calls = meter.createHistogram('offhook.call.duration', {
      description: 'Duration of whole calls, with all attempts and waits, to the head of the answer.',
      ...seconds,
    })
    const counter = (name: string, unit: string, description: string) =>
      meter.createCounter(name, { unit, description })
    this.#retries = counter('offhook.retries', '{retry}', 'Attempts that were followed by another, by the reason.')
    this.#failures = counter('offhook.failures', '{call}', 'Calls that failed, by kind, phase and delivery.')
    this.#hangups = counter('offhook.hangups', '{attempt}', 'Attempts that failed, by what happened on the wire.')
    this.#emptied = counter('offhook.budget.exhausted', '{call}', 'Retries that were denied: the budget was empty.')
    this.#closed = counter('offhook.connections.closed', '{connection}', 'Connections that ended, by how.')
  }

  onCall(event: CallEvent): void {
    if (event.event === 'start') return
    const series = seriesOf(event)
    if (event.event === 'error') this.#failures.add(1, { ...series, ...failureSeries(event.error) })
    if (event.event === 'error' && event.afterEnd) return
    this.#calls.record(event.durationMs / 1000, { ...series, ...endOf(event) })
  }

  onAttempt(event: AttemptEvent): void {
    if (event.event === 'start') return
    const series = { ...seriesOf(event), ...protocolAttributes(event.connection) }
    const failed = event.event === 'error' ? attemptFailure(event) : undefined
    if (isHttp(event)) {
      const end =
        failed === undefined ? statusAttributes(event.event === 'end' ? event.status : undefined) : typeOf(failed)
      this.#requests.record(event.durationMs / 1000, { ...series, ...schemeOf(event.origin), ...end })
    }
    if (event.event === 'error' && event.mechanism !== undefined) {
      this.#hangups.add(1, { ...seriesOf(event), ...typeOf(failed), 'offhook.mechanism': event.mechanism })
    }
  }

  onDecision(event: DecisionEvent): void {
    const { retry, because, row, stopReason } = event.decision
    const series = seriesOf(event)
    if (stopReason === 'budget') this.#emptied.add(1, series)
    if (retry)
      this.#retries.add(1, { ...series, 'offhook.because': because, ...(row !== undefined && { 'offhook.row': row }) })
  }

  onConnection(event: ConnectionEvent): void {
    if (event.event !== 'close') return
    this.#closed.add(1, { ...serverOf(event.origin), 'offhook.ending': event.ending })
  }
}

function typeOf(attributes: Attributes | undefined): Attributes {
  const type = attributes?.['error.type']
  return type === undefined ? {} : { 'error.type': type }
}

function endOf(event: CallEvent): Attributes {
  if (event.event === 'end') return statusAttributes(event.status)
  return event.event === 'error' ? typeOf(failureSeries(event.error)) : {}
}

function schemeOf(origin: string): Attributes {
  return origin === '' ? {} : { 'url.scheme': origin.slice(0, origin.indexOf(':')) }
}
