// Server-sent events that go on where they were cut, by Last-Event-ID.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { fetch, isOffhookError } from 'offhook'
import { type OpenContext, redial } from 'offhook/socket'

// Sends the events after the one that the client has, and dies after every second one.
const server = createServer((request, response) => {
  const id = Number(request.headers['last-event-id'] ?? 0) + 1
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`id: ${id}\ndata: event ${id}\n\nid: ${id + 1}\ndata: event ${id + 1}\n\n`)
  setTimeout(() => response.socket?.resetAndDestroy(), 50)
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
let last = '0'
// Repetition is redial's part, at one layer alone.
const open = ({ signal }: OpenContext) =>
  fetch(url, { signal, retry: false, throwOnStatus: true, headers: { 'last-event-id': last } })

for await (const response of redial({ open, name: url })) {
  const onEvent = ({ id, data }: EventSourceMessage) => {
    last = id ?? last
    console.log(last, data)
  }
  const parser = createParser({ onEvent })
  try {
    for await (const chunk of response.body ?? []) parser.feed(new TextDecoder().decode(chunk, { stream: true }))
  } catch (error) {
    if (!isOffhookError(error)) throw error
    console.log(`${error.kind} after event ${last}`)
  }
  if (last === '4') break
}
server.close()
