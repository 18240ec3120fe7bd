/** The dispatcher of one attempt: passes its requests on to the connections and lets the timeline watch. */

import * as undici from 'undici'
import { Exchange, type ExchangeListener } from './exchange.js'
import { type Watch, watchHandler } from './exchange-handlers.js'
import { type AnyHandler, speaksNew } from './handler-shapes.js'
import { holdBody } from './held-body-handlers.js'
import type { Timeline } from './timeline.js'
import type { AddedHeaders } from './undici-added-headers.js'
import { Connections, type Route } from './undici-connections.js'
import { exchangeKey, type WithExchange } from './undici-line.js'
import { withOneLength } from './undici-one-length.js'

/** undici 8 speaks only its new handlers; 7 speaks the old ones inside and translates. */
const coreSpeaksOld = !('Dispatcher1Wrapper' in undici)

/** Whom an attempt's dispatcher serves. */
export interface DispatchListener extends ExchangeListener {
  /** Answers are held back until they are complete, up to so many bytes; 0: they are not. */
  readonly holdBytes: number
  /** Sent besides what the caller's API gives. */
  readonly addedHeaders: AddedHeaders | undefined
  /** A request is about to go to the connections. */
  onDispatch(exchange: Exchange, given: Dispatched): void
}

/** What the caller's API gave to be sent, and the handler that it gave with it. */
export interface Dispatched {
  readonly options: undici.Dispatcher.DispatchOptions
  readonly handler: AnyHandler
}

/**
 * undici 8 refuses options that name a dispatcher, an inherited one as well: where somebody has polluted
 * `Object.prototype`, no request would ever be sent. This one is on its way already.
 */
function onOwnWay(options: undici.Dispatcher.DispatchOptions): undici.Dispatcher.DispatchOptions {
  if ((options as { dispatcher?: unknown }).dispatcher === undefined) return options
  return { ...options, dispatcher: undefined } as undici.Dispatcher.DispatchOptions
}

/**
 * The dispatcher of one attempt: passes requests on to the connections and lets the timeline watch. A Dispatcher in every
 * respect, `request` and `compose` included, but for its constructor: an attempt must not pay for an event emitter on
 * which nothing is ever emitted.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: its prototype is given undici's below
export class WatchingDispatcher {
  readonly #target: undici.Dispatcher
  readonly #own: Connections | undefined
  readonly #timeline: Timeline
  readonly #listener: DispatchListener

  constructor(
    way: { target: Connections | undici.Dispatcher; route: Route },
    timeline: Timeline,
    listener: DispatchListener,
  ) {
    const { target, route } = way
    this.#own = target instanceof Connections ? target : undefined
    this.#target = target instanceof Connections ? target.by(route) : target
    this.#timeline = timeline
    this.#listener = listener
  }

  dispatch(given: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    const sized = withOneLength(onOwnWay(given))
    const options = this.#listener.addedHeaders?.on(sized) ?? sized
    const { clock } = this.#timeline
    // A foreign Pool or Client need not be told the origin that it serves.
    const origin = options.origin === undefined ? '' : String(options.origin)
    const exchange = new Exchange({ method: options.method, origin, path: options.path }, clock, this.#listener)
    this.#timeline.begin(exchange)
    const watch = watchHandler(
      exchange,
      held(handler as AnyHandler, this.#listener.holdBytes),
      this.#own === undefined ? 'any' : coreSpeaksOld ? 'old' : 'new',
    )
    this.#listener.onDispatch(exchange, { options, handler: handler as AnyHandler })
    // undici 7 wraps a handler that speaks the new words, and what is on it would not reach the Client.
    const watched: WithExchange = coreSpeaksOld && speaksNew(watch) ? { ...options, [exchangeKey]: exchange } : options
    if (this.#own?.needsLook(origin, options.method, exchange.dispatchedAt) !== true) return this.#send(watched, watch)
    // undici looks at an idle socket for one turn of the loop, which from a poll-phase callback sees nothing of what
    // already waits in the kernel. One turn before that, a FIN is seen in time, and a RST before anything was written:
    // proved unsent, and so sent again at once.
    clock.nextTurn(() => {
      try {
        this.#send(watched, watch)
      } catch (error) {
        this.#refuse(watch, error)
      }
    })
    return true
  }

  #send(options: WithExchange, watch: Watch): boolean {
    const { abandoned } = watch.exchange
    if (abandoned !== undefined) return this.#refuse(watch, abandoned.reason)
    return this.#target.dispatch(options, watch as undici.Dispatcher.DispatchHandler)
  }

  #refuse(watch: Watch, reason: unknown): false {
    watch.refuse(reason)
    return false
  }
}

Object.setPrototypeOf(WatchingDispatcher.prototype, undici.Dispatcher.prototype)
export interface WatchingDispatcher extends Pick<undici.Dispatcher, keyof undici.Dispatcher> {}

function held(handler: AnyHandler, limit: number): AnyHandler {
  return limit > 0 ? holdBody(handler, limit) : handler
}

const contentLength = 'content-length'

/** What `content-length` the host's API has worked out; absent where it does not know. */
export function contentLengthOf({ headers, body }: undici.Dispatcher.DispatchOptions): number | undefined {
  if (body === null || body === undefined) return 0
  const length =
    typeof headers === 'object' && headers !== null && !Array.isArray(headers)
      ? Number(Reflect.get(headers, contentLength) ?? Number.NaN)
      : Number.NaN
  return Number.isNaN(length) ? undefined : length
}
