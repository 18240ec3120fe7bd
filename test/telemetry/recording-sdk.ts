/** The real SDK of OpenTelemetry, which keeps in memory what it is told. */

import { type Context, context, propagation, type TextMapPropagator, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

/** The header of W3C Trace Context, which no package of the API itself knows. */
class TraceParent implements TextMapPropagator {
  inject(from: Context, carrier: unknown, setter: { set(carrier: unknown, key: string, value: string): void }): void {
    const told = trace.getSpanContext(from)
    if (told !== undefined) setter.set(carrier, 'traceparent', `00-${told.traceId}-${told.spanId}-01`)
  }

  extract(into: Context): Context {
    return into
  }

  fields(): string[] {
    return ['traceparent']
  }
}

/** Collects when it is asked. */
class AskedReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** One series of a metric. */
export interface Series {
  readonly attributes: Record<string, unknown>
  /** Of a histogram, how many. */
  readonly count: number
  readonly sum: number
}

export class RecordingSdk {
  readonly exporter = new InMemorySpanExporter()
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] })
  readonly #reader = new AskedReader()
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] })

  /** As the one of this process. */
  register(): void {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new TraceParent())
    trace.setGlobalTracerProvider(this.tracerProvider)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    trace.disable()
    context.disable()
    propagation.disable()
    await Promise.all([this.tracerProvider.shutdown(), this.meterProvider.shutdown()])
  }

  get spans(): ReadableSpan[] {
    return this.exporter.getFinishedSpans()
  }

  /** The spans of this name, in the order in which they began. */
  named(name: string): ReadableSpan[] {
    const at = ({ startTime: [seconds, nanos] }: ReadableSpan) => seconds * 1e9 + nanos
    return this.spans.filter((span) => span.name === name).sort((left, right) => at(left) - at(right))
  }

  /** Every series of a metric. */
  async series(name: string): Promise<Series[]> {
    const { resourceMetrics } = await this.#reader.collect()
    const found = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    return found
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as DataPoint<number | Histogram>[])
      .map(({ attributes, value }) =>
        typeof value === 'number'
          ? { attributes, count: value, sum: value }
          : { attributes, count: value.count, sum: value.sum ?? 0 },
      )
  }

  /** Everything that was told, as text. */
  async everything(): Promise<string> {
    const spans = this.spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
    const { resourceMetrics } = await this.#reader.collect()
    return JSON.stringify([spans, resourceMetrics])
  }
}
