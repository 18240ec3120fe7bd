/**
 * The diagnostics channels (`node:diagnostics_channel`): what a client does, for whoever listens; free when nobody
 * does. Every start is paired with an end or an error.
 *
 * ```
 * offhook:call        start ─┬───────────────────────────────────── end | error
 * offhook:attempt            start ── end | error   start ── end | error
 * offhook:decision                                 ▲ after every attempt that was not fine
 * offhook:connection  open ─────────────────────────────────────── close
 * offhook:redial      up ── down   up ── down      each with an offhook:call before it
 * offhook:datagram    open   error   drop   close
 * offhook:hangup      one by one, from a server that is watched
 * ```
 *
 * A call ends when its response head is handed over. A body that fails after that is an `error` of the channel
 * `offhook:call` with `afterEnd: true`.
 *
 * Payloads hold no query string, header value, body or credential.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { CallEvent } from 'offhook'
 *
 * subscribe('offhook:call', (message) => {
 *   const event = message as CallEvent
 *   if (event.event === 'end') console.log(event.method, event.origin, event.status, event.durationMs)
 * })
 * ```
 */

import { type Channel, channel } from 'node:diagnostics_channel'
import type { Mechanism } from '../failure/diagnosis.js'
import type { ConnectionFacts, Decision, SocketEnding } from '../failure/evidence.js'
import type { Hangup } from '../failure/hangup.js'
import type { Failure } from '../failure/kinds.js'

/** What every event of a call carries. */
interface OfCall {
  /** Counts the calls of this process. */
  readonly callId: number
  readonly method: string
  readonly origin: string
  /** Without the query string. */
  readonly path: string
}

/** Payload of the channel `offhook:call`. */
export type CallEvent =
  | (OfCall & { readonly event: 'start' })
  | (OfCall & {
      readonly event: 'end'
      /** Absent for what is not HTTP: a dial has none. */
      readonly status?: number
      readonly attempts: number
      readonly durationMs: number
    })
  | (OfCall & {
      readonly event: 'error'
      readonly error: unknown
      readonly attempts: number
      readonly durationMs: number
      /** The body failed after the head had been handed over. */
      readonly afterEnd: boolean
    })

/** Payload of the channel `offhook:attempt`. */
export type AttemptEvent =
  | (OfCall & {
      readonly event: 'start'
      readonly number: number
      readonly hedge: boolean
      /**
       * Sends a header with the requests of this attempt, `traceparent` for instance. One that the caller has set stays
       * as it is, and no other origin (after a redirect) is sent it. What is not HTTP has no headers.
       */
      readonly addHeader: (name: string, value: string) => void
    })
  | (OfCall & {
      readonly event: 'end'
      readonly number: number
      readonly hedge: boolean
      readonly status?: number
      readonly durationMs: number
      /** Absent where it could not be seen. */
      readonly connection?: ConnectionFacts
    })
  | (OfCall & {
      readonly event: 'error'
      readonly number: number
      readonly hedge: boolean
      /** Absent when the attempt was cancelled: by the caller, by a deadline, or because another one had won. */
      readonly failure?: Omit<Failure, 'cause'>
      /** What happened on the wire; absent with `failure`. */
      readonly mechanism?: Mechanism
      readonly durationMs: number
      /** Absent where it could not be seen. */
      readonly connection?: ConnectionFacts
    })

/** Payload of the channel `offhook:decision`: what was decided after an attempt that was not fine, and why. */
export type DecisionEvent = OfCall & { readonly number: number; readonly decision: Decision }

/** Payload of the channel `offhook:connection`. Foreign dispatchers' connections are not seen. */
export type ConnectionEvent =
  | { readonly event: 'open'; readonly origin: string; readonly connection: ConnectionFacts }
  | {
      readonly event: 'close'
      readonly origin: string
      readonly connection: ConnectionFacts
      /** How it ended: by whose hand, and how politely. */
      readonly ending: SocketEnding
      /** Requests that it carried. */
      readonly requests: number
    }

/** Payload of the channel `offhook:redial`: what `redial` has made, and what became of it. */
export type RedialEvent =
  | {
      readonly event: 'up'
      readonly origin: string
      /** Counts the connections of one `redial`, from 1. */
      readonly turn: number
    }
  | {
      readonly event: 'down'
      readonly origin: string
      readonly turn: number
      readonly livedMs: number
      /** It had lived long enough for the backoff to begin anew. */
      readonly proved: boolean
      /** Absent when our own side ended it. */
      readonly failure?: Omit<Failure, 'cause'>
    }

/** Payload of the channel `offhook:datagram`. */
export type DatagramEvent =
  | { readonly event: 'open' | 'close'; readonly origin: string }
  | {
      readonly event: 'error'
      readonly origin: string
      readonly failure: Omit<Failure, 'cause'>
      /** Whether a request was waiting that the error was told to. */
      readonly heard: boolean
    }
  /** The queue was full: a message was dropped. */
  | { readonly event: 'drop'; readonly origin: string; readonly dropped: number }

/** Payload of the channel `offhook:hangup`: a client of a watched server hung up. */
export type HangupEvent = Hangup

/** The names of the channels. */
export const channelNames = {
  call: 'offhook:call',
  attempt: 'offhook:attempt',
  decision: 'offhook:decision',
  connection: 'offhook:connection',
  redial: 'offhook:redial',
  datagram: 'offhook:datagram',
  hangup: 'offhook:hangup',
} as const

/** A channel with a typed payload, which is made only when somebody listens. */
class TypedChannel<Payload> {
  readonly #channel: Channel
  constructor(name: string) {
    this.#channel = channel(name)
  }

  get heard(): boolean {
    return this.#channel.hasSubscribers
  }

  publish(make: () => Payload): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(make())
  }
}

/** Where the house publishes. */
export const channels = {
  call: new TypedChannel<CallEvent>(channelNames.call),
  attempt: new TypedChannel<AttemptEvent>(channelNames.attempt),
  decision: new TypedChannel<DecisionEvent>(channelNames.decision),
  connection: new TypedChannel<ConnectionEvent>(channelNames.connection),
  redial: new TypedChannel<RedialEvent>(channelNames.redial),
  datagram: new TypedChannel<DatagramEvent>(channelNames.datagram),
  hangup: new TypedChannel<HangupEvent>(channelNames.hangup),
}
