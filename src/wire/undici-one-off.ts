/** Connections of their own, one for each request: what is sent here meets nothing that others left behind. */

import * as undici from 'undici'
import type { Exchange } from './exchange.js'

/** A request that waits until another is done. */
interface Waiting {
  readonly options: undici.Dispatcher.DispatchOptions
  readonly handler: undici.Dispatcher.DispatchHandler
}

/** What there is for one origin. */
class Desk {
  open = 0
  readonly waiting: Waiting[] = []
}

/**
 * Makes a Client for each request and closes it behind the last byte. A pool with pipelining 0 does that over HTTP/1.1;
 * over HTTP/2 it would keep the connection, and put the next request on it.
 */
export class OneOffClients extends undici.Dispatcher {
  readonly #make: (origin: string) => undici.Client
  readonly #most: number
  readonly #desks = new Map<string, Desk>()
  readonly #clients = new Set<undici.Client>()

  /** @param most connections at a time to one origin; further requests wait */
  constructor(make: (origin: string) => undici.Client, most: number) {
    super()
    this.#make = make
    this.#most = most
  }

  override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
    const origin = String(options.origin)
    const desk = this.#desks.get(origin) ?? new Desk()
    this.#desks.set(origin, desk)
    desk.waiting.push({ options, handler })
    this.#serve(origin, desk)
    return true
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => (client.destroyed ? undefined : client.close())))
  }

  override async destroy(): Promise<void> {
    this.#desks.clear()
    await Promise.all([...this.#clients].map((client) => client.destroy()))
  }

  #serve(origin: string, desk: Desk): void {
    while (desk.open < this.#most) {
      const next = desk.waiting.shift()
      if (next === undefined) break
      // Whoever has given up need not be dialled for.
      if ((next.handler as { exchange?: Exchange }).exchange?.abandoned !== undefined) continue
      this.#send(origin, desk, next)
    }
    if (desk.open === 0 && desk.waiting.length === 0) this.#desks.delete(origin)
  }

  #send(origin: string, desk: Desk, { options, handler }: Waiting): void {
    const client = this.#make(origin)
    this.#clients.add(client)
    desk.open++
    client.dispatch(options, handler)
    // Closing waits for the request.
    client.close(() => {
      this.#clients.delete(client)
      desk.open--
      this.#serve(origin, desk)
    })
  }
}
