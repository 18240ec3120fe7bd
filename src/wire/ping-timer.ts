/**
 * Finds out that the peer of an HTTP/2 connection is gone. A connection whose peer has forgotten it takes every new
 * stream and answers none; over HTTP/1.1 the first request to time out takes its connection with it.
 */

import type { Clock, Timer } from '../clock.js'

/** When a connection is asked whether anybody is there. Milliseconds. */
export interface PingSettings {
  /** After so long without one byte, while requests are under way. */
  readonly afterMs: number
  /** How long the answer may take. */
  readonly timeoutMs: number
}

/** The connection, as far as its silence is concerned. */
export interface Pinged {
  /** Bytes received so far, whatever they were. */
  read(): number
  /** False where it cannot be asked. */
  ping(): boolean
  /** It did not answer. */
  dead(): void
}

export class PingTimer {
  readonly #clock: Clock
  readonly #settings: PingSettings
  readonly #connection: Pinged
  #timer: Timer | undefined

  constructor(settings: PingSettings, connection: Pinged, clock: Clock) {
    this.#settings = settings
    this.#connection = connection
    this.#clock = clock
  }

  /** Requests are under way. */
  start(): void {
    if (this.#timer !== undefined) return
    const before = this.#connection.read()
    this.#timer = this.#clock.after(this.#settings.afterMs, () => {
      this.#timer = undefined
      if (this.#connection.read() === before) this.#ask(before)
      else this.start()
    })
  }

  /** No request is. */
  stop(): void {
    this.#clock.cancel(this.#timer)
    this.#timer = undefined
  }

  #ask(before: number): void {
    if (!this.#connection.ping()) return
    this.#timer = this.#clock.after(this.#settings.timeoutMs, () => {
      // After a stall of the event loop the timer comes before what has long arrived: look at the socket first.
      this.#clock.nextTurn(() => {
        if (this.#timer === undefined) return
        this.#timer = undefined
        // Whatever came, an answer or another frame: somebody is there.
        if (this.#connection.read() === before) this.#connection.dead()
        else this.start()
      })
    })
  }
}

/** A PING was not answered in time. */
export class PingTimeout extends Error {
  readonly code = 'ERR_HTTP2_PING_TIMEOUT'
  override readonly name = 'PingTimeout'
  constructor(timeoutMs: number) {
    super(`the peer did not answer a PING within ${timeoutMs} ms`)
  }
}
