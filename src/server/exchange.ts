/** One request and its answer, from the complete head to the end: finished, or lost. */

import type { HangupEnding, HangupKind, HangupPhase } from '../failure/hangup.js'
import type { Carried, ClientConnection } from './client-connection.js'
import { GoneSignal } from './gone-signal.js'
import type { Requester } from './requester.js'

/** What the protocol knows of the request and its answer, asked when it ends. */
export interface ExchangeView {
  /** The whole request has come. */
  requestComplete(): boolean
  /** The head of the answer has been written. */
  answerBegun(): boolean
  /** The whole answer has been taken by the kernel, or by the HTTP/2 session. */
  answered(): boolean
  /** Bytes of the answer that still wait here; `undefined` where only the connection knows. */
  unsent(): number | undefined
}

/** A request whose head is complete. */
export interface ExchangeStart {
  readonly protocol: 'http/1.1' | 'h2' | 'raw'
  readonly connection: ClientConnection
  readonly startedAt: number
  readonly route: string
  readonly method?: string
  /** Without the query string. */
  readonly path?: string
  readonly requester: Requester
  readonly view: ExchangeView
  /** How late the event loop was when it was read. */
  readonly startedLateMs: number
  /** Requests that the connection had carried before. */
  readonly requestsBefore: number
}

/** How it was lost, where that was not by the end of the connection. */
export interface Loss {
  readonly ending: HangupEnding
  readonly kind: HangupKind
  readonly code?: string
  readonly http2?: string
}

/** Told once how it ended. */
export interface ExchangeOwner {
  finished(exchange: Exchange): void
  lost(exchange: Exchange, loss: Loss): void
}

export class Exchange implements Carried {
  readonly start: ExchangeStart
  readonly gone = new GoneSignal()
  readonly #owner: ExchangeOwner
  readonly #release: () => void
  #open = true

  /** @param release takes the listeners off that the exchange was followed with */
  constructor(start: ExchangeStart, owner: ExchangeOwner, release: () => void) {
    this.start = start
    this.#owner = owner
    this.#release = release
    start.connection.carries.add(this)
  }

  get open(): boolean {
    return this.#open
  }

  finish(): void {
    if (!this.#close()) return
    this.start.connection.settle(this.start.view.requestComplete())
    this.#owner.finished(this)
  }

  lose(loss: Loss): void {
    // The owner looks at the connection as it was: it is left afterwards.
    if (!this.#open) return
    this.#open = false
    this.#release()
    this.#owner.lost(this, loss)
    // On a connection that is gone they stay in order: which of them was being answered is still asked.
    if (!this.start.connection.closed) this.start.connection.carries.delete(this)
  }

  /** Lost by the end of the connection. */
  connectionClosed(): void {
    const { connection, view } = this.start
    if (view.answered() && !connection.cut) this.finish()
    else this.lose(lossOf(connection))
  }

  /** Nobody watches any more. */
  abandon(): void {
    this.#close()
  }

  /** How far it had come. */
  get phase(): HangupPhase {
    const { connection, view, protocol } = this.start
    // Of pipelined answers only the first is being written; those behind it wait, whatever their heads say.
    const turn = protocol === 'h2' || connection.carries.values().next().value === this
    if (turn && view.answerBegun()) return 'body'
    return view.requestComplete() ? 'wait' : 'send'
  }

  #close(): boolean {
    if (!this.#open) return false
    this.#open = false
    this.#release()
    this.start.connection.carries.delete(this)
    return true
  }
}

/** How a connection ended, as the loss of what was on it. */
export function lossOf(connection: ClientConnection): Loss {
  const { ending = 'local', kind, code } = connection
  return { ending, kind, ...(code !== undefined && { code }) }
}
