/**
 * Connections that somebody else's code has opened: whatever has an event for its end. How it ended is told by the error
 * it speaks of, or, where it keeps that to itself (a WebSocket does), by what was seen of the socket beneath.
 */

import type { Sending } from '../attempt/sender.js'
import { LimitReached } from '../attempt/stage-timer.js'
import type { Clock } from '../clock.js'
import { classify } from '../diagnosis/classify.js'
import type { Evidence, Limit } from '../failure/evidence.js'
import { UnseenReset } from '../wire/socket-ends.js'
import { EndedHere, type HeldLine, type LineEnd, PeerClosed } from './lifeline.js'

/** What a connection may have, of which none has all. */
interface AnyConnection {
  readonly readyState?: unknown
  readonly connecting?: unknown
  readonly destroyed?: unknown
  on?(event: string, listener: (value?: unknown) => void): unknown
  off?(event: string, listener: (value?: unknown) => void): unknown
  addEventListener?(event: string, listener: (event: unknown) => void): void
  removeEventListener?(event: string, listener: (event: unknown) => void): void
  destroy?(error?: Error): unknown
  terminate?(): unknown
  close?(): unknown
  end?(): unknown
  cancel?(): unknown
  readonly body?: { cancel?(): unknown } | null
}

/**
 * Holds a connection; one that is still connecting is waited for, and what goes wrong then rejects.
 */
export async function hold<Connection>(
  connection: Connection,
  about: { readonly sending: Sending; readonly clock: Clock },
): Promise<HeldLine<Connection>> {
  const line = new HeldConnection(connection, about)
  await line.opened()
  return line
}

class HeldConnection<Connection> implements HeldLine<Connection> {
  readonly connection: Connection
  readonly ended: Promise<LineEnd>
  readonly #any: AnyConnection
  readonly #sending: Sending
  readonly #clock: Clock
  #openedAt: number
  #limit: { readonly name: Limit; readonly ms: number } | undefined
  #resolve: (end: LineEnd) => void = () => {}
  #over = false

  constructor(connection: Connection, about: { readonly sending: Sending; readonly clock: Clock }) {
    this.connection = connection
    this.#any = (connection ?? {}) as AnyConnection
    this.#sending = about.sending
    this.#clock = about.clock
    this.#openedAt = about.clock.now()
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
    let error: unknown
    this.#listen('error', (event) => {
      error = errorOfEvent(event)
      // An EventSource would begin to dial by itself now, and nothing else follows its error.
      if (isEventSource(this.#any)) this.#end(error, false)
    })
    this.#listen('close', () => this.#end(error ?? new PeerClosed(), false))
    // A client that is no stream says so when it has ended.
    if (typeof this.#any.destroy !== 'function') this.#listen('end', () => this.#end(error ?? new PeerClosed(), false))
  }

  /** Resolves when it is ready to be used. */
  async opened(): Promise<void> {
    const { readyState, connecting } = this.#any
    // It may have failed before anybody could listen.
    if (isOver(this.#any)) this.#end(new Error('the connection had ended when it was handed over'), false)
    else if (readyState !== 0 && connecting !== true) return
    const { signal } = this.#sending
    const giveUp = () => this.close()
    signal.addEventListener('abort', giveUp)
    try {
      const opened = new Promise<undefined>((resolve) => {
        const secured = (this.#any as { readonly encrypted?: unknown }).encrypted === true
        for (const event of secured ? ['secureConnect'] : ['open', 'connect'])
          this.#listen(event, () => resolve(undefined))
      })
      const end = await Promise.race([opened, this.ended])
      if (end !== undefined) throw new NotOpened(end)
      this.#openedAt = this.#clock.now()
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  close(reason?: unknown): void {
    const raw = this.#watched ? new EndedHere() : (this.#sending.bodyError ?? new PeerClosed())
    this.#end(raw, this.#watched, reason)
  }

  timeOut(name: Limit, ms: number): void {
    this.#limit = { name, ms }
    this.#end(new LimitReached(name, ms), false)
  }

  fail(error: Error): void {
    this.#end(error, false)
  }

  /** Whether it has an event that tells of its end. Otherwise whoever uses it sees the end, and leaves. */
  get #watched(): boolean {
    return typeof this.#any.on === 'function' || typeof this.#any.addEventListener === 'function'
  }

  #listen(event: string, listener: (value?: unknown) => void): void {
    // An error that nobody listens to ends the process; the listener stays.
    if (typeof this.#any.on === 'function') this.#any.on(event, listener)
    else this.#any.addEventListener?.(event, listener)
  }

  #end(raw: unknown, wanted: boolean, reason?: unknown): void {
    if (this.#over) return
    this.#over = true
    const livedMs = this.#clock.now() - this.#openedAt
    const evidence = this.#evidence()
    this.#resolve({ failure: classify(this.#told(raw, evidence), evidence), evidence, wanted, livedMs })
    this.#shut(raw instanceof LimitReached ? raw : reason)
  }

  /** An error without a name says only that something broke off; what was seen of its body, or of the socket, says more. */
  #told(raw: unknown, { ending }: Evidence): unknown {
    if (classify(raw).kind !== 'unknown') return raw
    if (this.#sending.bodyError !== undefined) return this.#sending.bodyError
    if (ending === 'rst') return new UnseenReset()
    // A response that was complete ended as it should; an EventSource takes that for an error too.
    const complete = this.#sending.evidence().complete === true
    return ending === 'fin' || ending === 'fin-then-rst' || complete ? new PeerClosed() : raw
  }

  #shut(reason: unknown): void {
    const { destroy, terminate, close, end, cancel, body } = this.#any
    const shut = terminate ?? close ?? end ?? cancel
    try {
      if (typeof destroy === 'function') destroy.call(this.#any, reason instanceof Error ? reason : undefined)
      else void Promise.resolve(shut === undefined ? body?.cancel?.() : shut.call(this.#any)).catch(() => {})
    } catch {
      // Whatever refuses to be closed is closed.
    }
  }

  #evidence(): Evidence {
    const limit = this.#limit === undefined ? {} : { limit: this.#limit.name, limitMs: this.#limit.ms }
    const { vantage, ending, connection, timings, bytes } = this.#sending.evidence()
    if (vantage === 'none') return { vantage, phase: 'wait', ...limit }
    return {
      vantage,
      phase: 'wait',
      started: true,
      ...limit,
      ...(ending !== undefined && { ending }),
      ...(connection !== undefined && { connection }),
      ...(timings !== undefined && { timings }),
      ...(bytes !== undefined && { bytes }),
    }
  }
}

/** It ended before it was open. Its cause names what happened, where that is known. */
export class NotOpened extends Error {
  override readonly name = 'NotOpened'
  constructor({ failure }: LineEnd) {
    super('the connection ended before it was open', { cause: failure.cause })
  }
}

/** By the states of WebSocket and EventSource, and the word of a stream. */
function isOver({ readyState, destroyed }: AnyConnection): boolean {
  return readyState === 2 || readyState === 3 || destroyed === true
}

/** The only one that speaks of its end by nothing but an error. */
function isEventSource(connection: AnyConnection): boolean {
  return (
    typeof connection.addEventListener === 'function' && typeof connection.on !== 'function' && !('send' in connection)
  )
}

/** Events carry their error; emitters hand it over. */
function errorOfEvent(event: unknown): unknown {
  if (event instanceof Error) return event
  const error = (event as { readonly error?: unknown } | undefined)?.error
  return error ?? new Error('the connection failed and did not say why')
}
