/**
 * Requests over HTTP/1. Heard on Node's own diagnostics channel, which tells of each before any handler runs, whether it
 * comes as `request`, `checkContinue` or `checkExpectation`: a listener on those events would change what the server does.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ExchangeView } from './exchange.js'
import type { ClientWatcher } from './watcher.js'

const started = 'http.server.request.start'

/** What Node publishes (documented under "Built-in channels" of `node:diagnostics_channel`). */
interface Started {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly server: unknown
}

/** Listens to one server's requests. @returns stops listening */
export function hearHttp1(server: EventEmitter, watcher: ClientWatcher): () => void {
  const hear = (message: unknown): void => {
    const event = message as Started
    if (event.server === server) follow(event, watcher)
  }
  subscribe(started, hear)
  const stopUpgrades = hearUpgrades(server, watcher)
  return () => {
    unsubscribe(started, hear)
    stopUpgrades()
  }
}

function follow({ request, response, socket }: Started, watcher: ClientWatcher): void {
  const connection = watcher.connectionOf(socket)
  const view: ExchangeView = {
    requestComplete: () => request.complete,
    // A head that has been made is not yet written; an interim answer is written without a head.
    answerBegun: () => response.headersSent && connection.bytesSent + connection.unsent > connection.settledSent,
    // Whatever Node says later: the answer was complete when `finish` came, or was not.
    answered: () => false,
    unsent: () => undefined,
  }
  const exchange = watcher.begin(
    {
      protocol: 'http/1.1',
      connection,
      view,
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
    },
    () => response.off('finish', finished),
  )
  // `finish` also comes when the last piece was waiting for a kernel that had just said RST.
  const finished = (): void => {
    if (!connection.cut) exchange.finish()
  }
  response.on('finish', finished)
  watcher.knowAs(exchange, request, response)
}

/**
 * A connection that is handed over is no longer ours to judge. A server that nobody listens to for `upgrade` answers
 * such requests as any other, so ours must be there only while somebody else's is.
 */
function hearUpgrades(server: EventEmitter, watcher: ClientWatcher): () => void {
  const events = ['upgrade', 'connect'] as const
  const handedOver = (_request: IncomingMessage, socket: Socket): void => {
    const connection = watcher.connections.get(socket)
    if (connection !== undefined) connection.handedOver = true
  }
  const ours = (event: string | symbol) => (server.listeners(event).includes(handedOver) ? 1 : 0)
  const added = (event: string | symbol, listener: unknown): void => {
    if (!isOne(event) || listener === handedOver || ours(event) === 1) return
    server.prependListener(event, handedOver)
  }
  const removed = (event: string | symbol): void => {
    if (isOne(event) && ours(event) === 1 && server.listenerCount(event) === 1) server.off(event, handedOver)
  }
  const isOne = (event: string | symbol) => (events as readonly unknown[]).includes(event)
  for (const event of events) if (server.listenerCount(event) > 0) server.prependListener(event, handedOver)
  server.on('newListener', added)
  server.on('removeListener', removed)
  return () => {
    server.off('newListener', added)
    server.off('removeListener', removed)
    for (const event of events) server.off(event, handedOver)
  }
}
