/**
 * OpenTelemetry for offhook: spans and metrics made of its diagnostics channels. Needs `@opentelemetry/api`, which is an
 * optional peer dependency of this path alone.
 *
 * @packageDocumentation
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { diag, type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { mismatch, openSection } from '../policy/option-check.js'
import {
  type AttemptEvent,
  type CallEvent,
  type ConnectionEvent,
  channelNames,
  type DecisionEvent,
} from './channels.js'
import { MetricWriter } from './opentelemetry-metrics.js'
import { SpanWriter } from './opentelemetry-spans.js'

/** What `instrument` takes. All optional. */
export interface InstrumentOptions {
  /** Make spans. Default true. */
  readonly spans?: boolean | undefined
  /** Make metrics. Default true. */
  readonly metrics?: boolean | undefined
  /**
   * Send the context with each attempt (`traceparent`, and whatever else the registered propagator has), so that the
   * server's span stands beneath that of its attempt. Default false: a trace id told to a stranger, and baggage even
   * more, may be more than he should know. `true` tells every origin, a function those that it says yes to. A header that
   * the caller has set stays as it is, and none follows a redirect to another origin. Needs `spans`.
   */
  readonly propagate?: boolean | ((origin: string) => boolean) | undefined
  /** Default: the registered one, whenever it is registered. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Default: the registered one. Register it before, since OpenTelemetry takes the one of that moment. */
  readonly meterProvider?: MeterProvider | undefined
}

/** What `instrument` has begun. `using` ends it as well. */
export interface Instrumentation extends Disposable {
  /** Listens no more; spans that are open end. Calling it again does nothing. */
  stop(): void
}

/**
 * Makes spans and metrics of everything that every offhook client of this process does, until it is stopped.
 *
 * Each call is a span `offhook GET` (kind internal) beneath the span that was active when it was made; each attempt one
 * beneath it, `GET` (kind client), with the attributes of the semantic conventions for HTTP clients:
 * `http.request.method`, `server.address`, `server.port`, `url.full` (no query, no credentials), `http.response.status_code`,
 * `error.type` (the `kind` of the error, or the status), `http.request.resend_count`, `network.peer.address`,
 * `network.peer.port`, `network.protocol.version`. What offhook alone knows is below `offhook.`: `delivery`, `phase`,
 * `may_have_executed`, `stop_reason`, `because`, `mechanism`, `hung_up_by`, `diagnosis`; each decision is an event
 * `offhook.decision`. Spans end with the head of the answer; a body that fails later is a span `offhook GET body`.
 *
 * Metrics: the histograms `http.client.request.duration` (an attempt) and `offhook.call.duration` in seconds; the
 * counters `offhook.retries` (by `offhook.because`), `offhook.failures` (by `error.type`, `offhook.delivery`,
 * `offhook.phase`), `offhook.hangups` (failed attempts, by `offhook.mechanism`), `offhook.budget.exhausted` and
 * `offhook.connections.closed` (by `offhook.ending`). No path is an attribute of a metric.
 *
 * An instrumentation of undici or of the global fetch would tell of the same requests once more: leave it out.
 *
 * @throws TypeError for options that are unknown, of the wrong type, or do not fit together
 *
 * @example
 * ```ts
 * import { instrument } from 'offhook/opentelemetry'
 *
 * // After the SDK has started:
 * const telemetry = instrument({ propagate: (origin) => origin.endsWith('.internal.example.com') })
 * process.once('SIGTERM', () => telemetry.stop())
 * ```
 */
export function instrument(options?: InstrumentOptions): Instrumentation {
  const settings = checked(options)
  const spans = settings.spans ? new SpanWriter(tracerOf(settings), settings.propagate) : undefined
  const measures = settings.metrics ? new MetricWriter(meterOf(settings)) : undefined
  const ears = [
    ear<CallEvent>(channelNames.call, (event) => {
      spans?.onCall(event)
      measures?.onCall(event)
    }),
    ear<AttemptEvent>(channelNames.attempt, (event) => {
      spans?.onAttempt(event)
      measures?.onAttempt(event)
    }),
    ear<DecisionEvent>(channelNames.decision, (event) => {
      spans?.onDecision(event)
      measures?.onDecision(event)
    }),
    ear<ConnectionEvent>(channelNames.connection, (event) => measures?.onConnection(event)),
  ]
  if (!settings.spans && !settings.metrics) ears.length = 0
  for (const { name, hear } of ears) subscribe(name, hear)
  const stop = () => {
    for (const { name, hear } of ears.splice(0)) unsubscribe(name, hear)
    spans?.stop()
  }
  return { stop, [Symbol.dispose]: stop }
}

const scope = 'offhook'

type Settings = Required<Pick<InstrumentOptions, 'spans' | 'metrics'>> & {
  readonly propagate: (origin: string) => boolean
  readonly tracerProvider: TracerProvider | undefined
  readonly meterProvider: MeterProvider | undefined
}

function tracerOf({ tracerProvider }: Settings) {
  return (tracerProvider ?? trace).getTracer(scope)
}

function meterOf({ meterProvider }: Settings) {
  return (meterProvider ?? metrics).getMeter(scope)
}

/** A listener that throws would end the process, by way of `uncaughtException`. */
function ear<Event>(name: string, tell: (event: Event) => void) {
  const hear = (message: unknown) => {
    try {
      tell(message as Event)
    } catch (error) {
      diag.error('offhook: an event could not be told', error)
    }
  }
  return { name, hear }
}

const names = ['spans', 'metrics', 'propagate', 'tracerProvider', 'meterProvider']

function checked(options: unknown = {}): Settings {
  const section = openSection('options', options, names)
  const spans = section.boolean('spans') ?? true
  const propagate = section.raw('propagate') ?? false
  if (typeof propagate !== 'boolean' && typeof propagate !== 'function')
    throw mismatch('options.propagate', 'true, false, or a function that is given an origin', propagate)
  if (propagate !== false && !spans)
    throw mismatch('options.propagate', 'false where spans is false: there is no context to send', propagate)
  const provider = (name: string, method: string) => {
    const given = section.raw(name)
    if (given === undefined || typeof Reflect.get(Object(given), method) === 'function') return given
    throw mismatch(`options.${name}`, `an object with a method ${method}`, given)
  }
  return {
    spans,
    metrics: section.boolean('metrics') ?? true,
    propagate: typeof propagate === 'function' ? (origin) => propagate(origin) === true : () => propagate,
    tracerProvider: provider('tracerProvider', 'getTracer') as TracerProvider | undefined,
    meterProvider: provider('meterProvider', 'getMeter') as MeterProvider | undefined,
  }
}
