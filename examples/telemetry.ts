// Spans for OpenTelemetry: the SDK is set up as ever, and offhook is told to use it. Here the spans are printed.

import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createClient } from 'offhook'
import { instrument } from 'offhook/opentelemetry'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const telemetry = instrument({ tracerProvider })

await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })
await using client = createClient()
await (await client.fetch(`${server.url}/orders?token=hush`)).text()
telemetry.stop()

for (const { name, attributes, events } of exporter.getFinishedSpans()) {
  const end = attributes['error.type'] ?? attributes['http.response.status_code']
  console.log(name, end, attributes['url.full'] === `${server.url}/orders`, ...events.map((event) => event.name))
}
