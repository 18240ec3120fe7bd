/**
 * One connection of a client, from accept to its end: who ended it, how politely, and what was still unsent. Public
 * events only, and none that changes what the server does: errors are heard by `errorMonitor`, data is not listened to.
 */

import { type EventEmitter, errorMonitor } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import type { HangupEnding, HangupKind } from '../failure/hangup.js'

/** What TCP says when no word has come from the other side for too long. */
const silences: Readonly<Record<string, HangupKind>> = {
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
}

/** A request under way on a connection. */
export interface Carried {
  /** The connection is gone; how it ended stands in it. */
  connectionClosed(): void
}

/** Told when the connection is gone, after the requests that were on it. */
export interface ConnectionListener {
  closed(connection: ClientConnection): void
}

export class ClientConnection {
  readonly socket: Socket
  readonly openedAt: number
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** Requests that were begun on it. */
  requests = 0
  /** Whoever took it over by `upgrade` or CONNECT speaks a language of its own: nothing is judged any more. */
  handedOver = false
  /** Requests under way on it, in the order in which they came. */
  readonly carries = new Set<Carried>()
  /** Bytes either way up to the end of the last answer. */
  settledSent = 0
  settledReceived = 0
  /** What came after the last answer may be the rest of its request. */
  requestLeftOver = false
  /** The client it belongs to, once a request has said so. */
  clientKey: string | undefined
  /** It speaks HTTP/2: bytes come and go that belong to no request. */
  http2 = false
  /** The client said that it would close: GOAWAY without an error. */
  goodbye = false
  /** How it ended, once that was seen; `local` when nothing of the client's came before the close. */
  ending: Exclude<HangupEnding, 'stream-reset'> | undefined
  kind: HangupKind = 'closed'
  code: string | undefined
  endedAt: number | undefined
  /** Bytes that the kernel had not taken when the end was seen. */
  unsent = 0
  /** Bytes that the kernel had taken by then. */
  sent = 0
  received = 0
  closed = false
  /** After its end an error came: what was unsent did not go out. */
  #failed = false
  readonly #clock: Clock
  readonly #listener: ConnectionListener

  constructor(socket: Socket, clock: Clock, listener: ConnectionListener) {
    this.socket = socket
    this.#clock = clock
    this.#listener = listener
    this.openedAt = clock.now()
    this.remoteAddress = socket.remoteAddress
    this.remotePort = socket.remotePort
    const emitter: EventEmitter = socket
    emitter.on(errorMonitor, this.#onError).on('end', this.#onEnd).on('close', this.#onClose)
  }

  /** Bytes taken by the kernel, by now or by the end. */
  get bytesSent(): number {
    if (this.ending !== undefined) return this.sent
    return (this.socket.bytesWritten ?? 0) - (this.socket.writableLength ?? 0)
  }

  get bytesReceived(): number {
    return this.ending === undefined ? (this.socket.bytesRead ?? 0) : this.received
  }

  /**
   * Part of what was written can no longer go out. Node calls an answer finished all the same when its last piece was
   * waiting for the kernel at that moment, `finish` and `writableFinished` included.
   */
  get cut(): boolean {
    return this.#failed && this.unsent > 0
  }

  /** An answer is complete: what comes now belongs to the next request. */
  settle(requestComplete: boolean): void {
    this.settledSent = this.bytesSent
    this.settledReceived = this.bytesReceived
    this.requestLeftOver = !requestComplete
  }

  /** Hears nothing any more. */
  release(): void {
    const emitter: EventEmitter = this.socket
    emitter.off(errorMonitor, this.#onError).off('end', this.#onEnd).off('close', this.#onClose)
  }

  #sign(ending: Exclude<HangupEnding, 'stream-reset'>): void {
    if (this.ending !== undefined) return
    // Before the ending is set: afterwards these counts are what is asked for.
    this.unsent = this.socket.writableLength ?? 0
    this.sent = this.bytesSent
    this.received = this.socket.bytesRead ?? 0
    this.ending = ending
    this.endedAt = this.#clock.now()
  }

  readonly #onEnd = (): void => {
    this.#sign('fin')
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const { code = '', syscall } = error
    this.#failed = true
    if (this.ending !== undefined) return
    if (syscall !== undefined && (code === 'ECONNRESET' || code === 'EPIPE')) {
      this.#sign('rst')
      this.kind = 'reset'
    } else if (syscall !== undefined && silences[code] !== undefined) {
      this.#sign('silence')
      this.kind = silences[code]
    } else {
      // What the parser finds, limits of the server, errors that the handler destroyed it with: all ours.
      this.#sign('local')
    }
    this.code = error.code
  }

  readonly #onClose = (): void => {
    this.closed = true
    this.#sign('local')
    this.release()
    for (const carried of [...this.carries]) carried.connectionClosed()
    this.#listener.closed(this)
  }
}
