/**
 * The life of a socket after it was handed over: its failures get their names before anybody hears of them, and its end
 * is written down.
 *
 * Every error of a socket comes to its listeners by way of `destroy(error)`: what the kernel said to a read or a write,
 * what TLS found wrong, what a library gives up for. So that method of this one socket is where names are given, and
 * the `'error'` event, `socket.errored`, pipelines, iterators and the callbacks of writes that wait all tell the same.
 */

import type { Socket } from 'node:net'
import { LimitReached } from '../attempt/stage-timer.js'
import { explainedError } from '../call/explained-error.js'
import { type Clock, roundMs } from '../clock.js'
import { classify } from '../diagnosis/classify.js'
import { isOffhookError } from '../failure/errors.js'
import type { Evidence, Limit, SocketEnding } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import { channels } from '../telemetry/channels.js'
import { circumstancesOf, neighbourhood } from '../wire/circumstances.js'
import type { Exchange } from '../wire/exchange.js'
import { CutBeneathTls } from '../wire/hidden-cut.js'
import { UnseenReset } from '../wire/socket-ends.js'
import type { SocketRecord } from '../wire/socket-record.js'
import type { Opened } from './opening.js'

/** How a connection ended. */
export interface LineEnd {
  readonly failure: Failure
  readonly evidence: Evidence
  /** By our side, on purpose: nothing failed. */
  readonly wanted: boolean
  /** Milliseconds from the moment it was made. */
  readonly livedMs: number
}

/** A connection that somebody holds, of whatever sort. */
export interface HeldLine<Connection> {
  readonly connection: Connection
  readonly ended: Promise<LineEnd>
  /** Ends it by our own hand, if it has not ended; whoever still reads from it is told the reason. */
  close(reason?: unknown): void
  /** Ends it because it was silent for so long. */
  timeOut(limit: Limit, ms: number): void
  /** Ends it because of this error. */
  fail(error: Error): void
}

export class Lifeline implements HeldLine<Socket> {
  readonly connection: Socket
  readonly ended: Promise<LineEnd>
  readonly #record: SocketRecord
  readonly #origin: string
  readonly #clock: Clock
  readonly #openedAt: number
  readonly #dial: Exchange
  #limit: { readonly name: Limit; readonly ms: number } | undefined
  #lost: { readonly failure: Failure; readonly evidence: Evidence } | undefined
  #endedByUs = false
  /** What comes now was given by our own side, and is handed on as it is. */
  #given = false

  constructor({ socket, record, exchange }: Opened, about: { readonly origin: string; readonly clock: Clock }) {
    this.connection = socket
    this.#record = record
    this.#dial = exchange
    this.#origin = about.origin
    this.#clock = about.clock
    this.#openedAt = about.clock.now()
    this.#intercept()
    // Node itself answers an end with an end, before any listener that is added now.
    socket.prependOnceListener('end', () => {
      this.#endedByUs = socket.writableEnded
    })
    socket.once('end', () => this.#onEnd())
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve(this.#end()))
    })
    channels.connection.publish(() => ({ event: 'open', origin: about.origin, connection: this.#facts() }))
  }

  close(reason?: unknown): void {
    this.#given = true
    this.connection.destroy(reason instanceof Error ? reason : undefined)
  }

  timeOut(name: Limit, ms: number): void {
    this.#limit = { name, ms }
    this.connection.destroy(new LimitReached(name, ms))
  }

  fail(error: Error): void {
    this.connection.destroy(error)
  }

  #intercept(): void {
    const { connection } = this
    const { destroy } = connection
    const named = (error: Error | undefined) => (error && !connection.destroyed ? this.#named(error) : error)
    Object.defineProperty(connection, 'destroy', {
      configurable: true,
      writable: true,
      value: (error?: Error, ...rest: []) => destroy.call(connection, named(error), ...rest),
    })
  }

  /** The typed error for what the network did; everything else (a caller's own reason, a mistake in code) as it came. */
  #named(raw: Error): Error {
    if (this.#given || isOffhookError(raw)) return raw
    const limit = this.#limit
    if (limit === undefined) this.#record.failed(raw)
    const evidence = this.#evidence(raw)
    const failure = classify(raw, evidence)
    if (failure.aborted === true || failure.kind === 'unknown' || failure.kind === 'not-admitted') return raw
    this.#lost = { failure, evidence }
    return explainedError({ method: 'socket', origin: this.#origin, path: '', failure, evidence, attempts: [] })
  }

  /** An end that is none: a reset that libuv shows as one, or a TLS connection that was cut beneath. */
  #onEnd(): void {
    const { ending, error, cutBeneathTls } = this.#record
    if (ending === 'rst' && error !== undefined) this.connection.destroy(error)
    // A reset has followed the end already: what had been sent last was refused.
    else if (ending === 'fin-then-rst' && this.connection.bytesWritten > 0) this.connection.destroy(new UnseenReset())
    else if (cutBeneathTls && !this.#endedByUs) this.connection.destroy(new CutBeneathTls())
  }

  #end(): LineEnd {
    const { ending = 'local' } = this.#record
    channels.connection.publish(() => ({
      event: 'close',
      origin: this.#origin,
      connection: this.#facts(),
      ending,
      requests: 0,
    }))
    const livedMs = this.#clock.now() - this.#openedAt
    const unforced = ending === 'local' && this.#lost === undefined && !this.connection.errored
    return { ...(this.#lost ?? this.#unsaid(ending)), wanted: this.#given || unforced, livedMs }
  }

  /** It ended without an error: by a FIN, or by our own side. */
  #unsaid(ending: SocketEnding): { failure: Failure; evidence: Evidence } {
    const raw = this.connection.errored ?? (ending === 'local' ? new EndedHere() : new PeerClosed())
    const evidence = this.#evidence(raw)
    return { failure: classify(raw, evidence), evidence }
  }

  #evidence(raw: unknown): Evidence {
    const { connection } = this
    const sight = {
      exchange: this.#dial,
      raw,
      startedAt: this.#openedAt,
      at: this.#clock.now(),
      limitMs: this.#limit?.ms,
    }
    const { startedAt, dnsMs, connectMs, tlsMs, ending } = this.#record
    const { bytesWritten: sent, bytesRead: received } = connection
    return {
      vantage: 'socket',
      phase: connection.writableLength > 0 ? 'send' : 'wait',
      started: sent > 0,
      ...(ending !== undefined && { ending }),
      ...(this.#limit !== undefined && { limit: this.#limit.name, limitMs: this.#limit.ms }),
      connection: this.#facts(),
      timings: {
        ...(dnsMs !== undefined && { dns: roundMs(dnsMs) }),
        ...(connectMs !== undefined && { connect: roundMs(connectMs) }),
        ...(tlsMs !== undefined && { tls: roundMs(tlsMs) }),
        total: roundMs(this.#clock.now() - startedAt),
      },
      bytes: { sent, received },
      circumstances: { ...circumstancesOf(sight), ...neighbourhood(sight) },
    }
  }

  /** What is spoken on it is not ours to know. */
  #facts() {
    const { protocol: _, ...facts } = this.#record.facts({ requestsBefore: 0, idleMs: undefined })
    return facts
  }
}

/** The other side's FIN, which is no error to a socket. The code is libuv's own for it. */
export class PeerClosed extends Error {
  override readonly name = 'PeerClosed'
  readonly code = 'EOF'
  readonly syscall = 'read'
  constructor() {
    super('the other side closed the connection')
  }
}

/** Whoever held the connection ended it. */
export class EndedHere extends Error {
  override readonly name = 'EndedHere'
  constructor() {
    super('the connection was ended on this side')
  }
}
