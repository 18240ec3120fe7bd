/**
 * The other end of the line: servers whose clients hang up. Watches a server from outside, by public events, and changes
 * nothing about what it does.
 *
 * @module
 */

import type { EventEmitter } from 'node:events'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { type Server as NetServer, Server as NetServerClass, type Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Hangup, HangupKind, HangupReason } from '../failure/hangup.js'
import { channels } from '../telemetry/channels.js'
import { type Handshakes, hearConnections } from './connections.js'
import type { Exchange } from './exchange.js'
import { HangupDesk } from './hangup-desk.js'
import { hearHttp1 } from './http1-requests.js'
import { hearHttp2 } from './http2-requests.js'
import { httpIdleEnd, rawIdleEnd } from './idle-ends.js'
import { RouteBook, type RouteStats } from './route-book.js'
import { checkWatchOptions, type WatchClientsOptions } from './watch-options.js'
import { ClientWatcher } from './watcher.js'

export type {
  AgentClass,
  Hangup,
  HangupEnding,
  HangupFacts,
  HangupHypothesis,
  HangupKind,
  HangupPhase,
  HangupReason,
  HangupStory,
  HangupVerdict,
  Hazard,
  SameAge,
  SiblingsOfClient,
  UsualTimes,
} from '../failure/hangup.js'
export { ClientGoneError } from './client-gone-error.js'
export type { RouteStats } from './route-book.js'
export type { WaitingRow } from './waiting-table.js'
export type { WatchClientsOptions } from './watch-options.js'
export type { RouteRequest } from './watcher.js'

/** What was counted since the watch began. */
export interface ClientWatchStats {
  /** Connections that stand. */
  readonly connections: number
  /** Requests under way. */
  readonly inFlight: number
  /** Requests that have ended, one way or the other. */
  readonly requests: number
  /** Hang-ups by clients, or by what stands between. */
  readonly hangups: number
  /** Requests that this server cut itself. */
  readonly cutByServer: number
  /** Hang-ups that follow slowness: later than their route's p95, or judged as `gave-up-waiting`. */
  readonly afterSlowness: number
  /** `afterSlowness` / `hangups`; absent without hang-ups. */
  readonly slownessShare?: number
  /** Hang-ups by clients, by how they did it. */
  readonly kinds: Readonly<Partial<Record<HangupKind, number>>>
  /** Judged hang-ups by verdict. */
  readonly verdicts: Readonly<Partial<Record<HangupReason | 'unclear', number>>>
  /** Connections that clients ended without having asked anything: `silent` without a byte, `handshakes` within TLS's. */
  readonly probes: { readonly silent: number; readonly handshakes: number }
  /** The longest that the event loop was late in the last second, in milliseconds. */
  readonly loopDelayMs: number
  /** The same by route. */
  readonly routes: Readonly<Record<string, RouteStats>>
}

/** A server that is watched. Give it back with `stop()`, or `using`. */
export interface ClientWatch extends Disposable {
  /**
   * A signal that fires when the client of this request has gone and nobody waits for the answer any more; its reason is
   * a {@link ClientGoneError}. It never fires once the answer is complete.
   *
   * @param subject the request or the response of `node:http` or `node:http2`, an HTTP/2 stream, or a socket (whose
   *   signal fires when the connection has closed). What is not watched, such as a request that a test injects, gets a
   *   signal that never fires.
   */
  signalOf(subject: object): AbortSignal
  /**
   * For servers of other protocols, whose requests cannot be seen from outside: a request begins on this socket. A client
   * that ends the connection before the request is done has hung up.
   *
   * @param socket a connection of the server
   * @param route the name under which it is counted, for example `GET key`; default `(request)`
   * @returns to be called when the answer has been written
   */
  begin(socket: Socket, route?: string): () => void
  /** What was counted so far. */
  stats(): ClientWatchStats
  /** Stops watching: judges what lies waiting, takes every listener off, ends every timer. */
  stop(): void
}

/**
 * Watches the clients of a server: `node:http`, `https`, `http2`, or plain `net` and `tls`, and so whatever stands on
 * them (Express, Fastify, Hono, Koa). Each client that hangs up before it has its answer is told to `onHangup` and on the
 * diagnostics channel `offhook:hangup`: how, how far the answer was, after how long, and why it may have left.
 *
 * No alarm for connections that close while idle, half-closes that the server bears with, answers without a body,
 * upgrades, or a body that the handler did not read.
 *
 * @param server a server, listening or not yet
 * @throws TypeError when it is no server, or an option is not what it may be
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { watchClients } from 'offhook/server'
 *
 * const server = createServer(async (request, response) => {
 *   const answer = await fetch('https://example.com/slow', { signal: clients.signalOf(request) })
 *   response.end(await answer.text())
 * })
 * const clients = watchClients(server, {
 *   onHangup: (hangup) => console.log(hangup.route, hangup.verdict.headline),
 * })
 * server.listen(3000)
 * ```
 */
export function watchClients(server: NetServer | EventEmitter, options: WatchClientsOptions = {}): ClientWatch {
  const checked = checkWatchOptions(options)
  if (!(server instanceof NetServerClass))
    throw new TypeError('watchClients: server is no node:net server, nor made of one')
  return new Watch(server, checked)
}

class Watch implements ClientWatch {
  readonly #routes: RouteBook
  readonly #desk: HangupDesk
  readonly #watcher: ClientWatcher
  readonly #handshakes: Handshakes = { silent: 0, cut: 0 }
  readonly #kinds: Partial<Record<HangupKind, number>> = {}
  readonly #stops: (() => void)[] = []

  constructor(
    server: NetServer,
    { clock, route, maxRoutes, settleMs, probes, onHangup }: ReturnType<typeof checkWatchOptions>,
  ) {
    const http2 = typeof (server as { updateSettings?: unknown }).updateSettings === 'function'
    const http = http2 || server instanceof HttpServer || server instanceof HttpsServer
    const secure = server instanceof TlsServer
    this.#routes = new RouteBook(maxRoutes)
    this.#desk = new HangupDesk(clock, settleMs, (hangup) => this.#tell(hangup, onHangup))
    this.#watcher = new ClientWatcher({
      clock,
      secure,
      probes,
      routes: this.#routes,
      desk: this.#desk,
      nameRoute: route,
      idleEnd: http ? httpIdleEnd : rawIdleEnd,
    })
    this.#stops.push(hearConnections(server, this.#watcher, secure ? this.#handshakes : undefined))
    if (http) this.#stops.push(hearHttp1(server, this.#watcher))
    if (http2) this.#stops.push(hearHttp2(server, this.#watcher))
  }

  signalOf(subject: object): AbortSignal {
    // The compatible API of HTTP/2 has a request and a response around the stream.
    const stream = (subject as { stream?: unknown }).stream
    const known = typeof stream === 'object' && stream !== null && 'rstCode' in stream
    return this.#watcher.signalOf(known ? stream : subject)
  }

  begin(socket: Socket, route = '(request)'): () => void {
    const connection = this.#watcher.connectionOf(socket)
    const exchange: Exchange = this.#watcher.begin(
      {
        protocol: 'raw',
        connection,
        route,
        method: '',
        url: '',
        headers: {},
        view: {
          requestComplete: () => true,
          answerBegun: () => connection.bytesSent + connection.unsent > connection.settledSent,
          answered: () => false,
          unsent: () => undefined,
        },
      },
      () => {},
    )
    return () => exchange.finish()
  }

  stats(): ClientWatchStats {
    const routes = this.#routes.stats()
    const sum = (name: 'requests' | 'hangups' | 'cutByServer' | 'afterSlowness') =>
      Object.values(routes).reduce((total, one) => total + one[name], 0)
    const verdicts: Partial<Record<HangupReason | 'unclear', number>> = {}
    for (const { verdicts: some } of Object.values(routes)) {
      for (const [name, count] of Object.entries(some) as [HangupReason | 'unclear', number][]) {
        verdicts[name] = (verdicts[name] ?? 0) + count
      }
    }
    const [hangups, afterSlowness] = [sum('hangups'), sum('afterSlowness')]
    return {
      connections: this.#watcher.connections.size,
      inFlight: this.#watcher.inFlight,
      requests: sum('requests'),
      hangups,
      cutByServer: sum('cutByServer'),
      afterSlowness,
      ...(hangups > 0 && { slownessShare: afterSlowness / hangups }),
      kinds: { ...this.#kinds },
      verdicts,
      probes: {
        silent: this.#handshakes.silent + this.#watcher.silentConnections,
        handshakes: this.#handshakes.cut,
      },
      loopDelayMs: this.#watcher.loopDelayMs,
      routes,
    }
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#watcher.stop()
    this.#desk.clear()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #tell(hangup: Hangup, onHangup: ((hangup: Hangup) => void) | undefined): void {
    this.#routes.of(hangup.route).judged(hangup)
    if (hangup.by === 'client') this.#kinds[hangup.kind] = (this.#kinds[hangup.kind] ?? 0) + 1
    channels.hangup.publish(() => hangup)
    onHangup?.(hangup)
  }
}
