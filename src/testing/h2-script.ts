import type { H2Code } from './h2-frames.js'
import type { HeaderValues } from './script.js'

/**
 * An act that needs no argument.
 *
 * | act | what goes over the wire |
 * |---|---|
 * | `'execute'` | Nothing: the request is executed now, with the bytes that have been read; the ledger counts it. |
 * | `'stall'` | This stream stops here for ever; the connection goes on. |
 * | `'heard'` | A PING, and nothing more until the client has answered it: whatever was sent before has been read. |
 * | `'mute'` | From now on not one byte goes out on this connection: no answer, no PING or SETTINGS acknowledged, no end. |
 * | `'ignore-pings'` | From now on PINGs are not acknowledged; everything else is. |
 * | `'rst'` | RST of the TCP connection, with whatever streams are open on it. |
 * | `'fin'` | close_notify and FIN, without a GOAWAY. |
 */
export type H2Act = 'execute' | 'stall' | 'heard' | 'mute' | 'ignore-pings' | 'rst' | 'fin'

/** Writes a response, or part of one. */
export interface H2RespondStep {
  readonly respond: H2Answer
}

/** Ends the stream with RST_STREAM. Nothing is sent on it afterwards, and the script goes on. */
export interface H2ResetStep {
  readonly reset: H2Code
}

/**
 * Sends GOAWAY. `last` is the last stream that the server says it processed, or might have: none at all (0), the one before this
 * one, this one, the highest one that was executed, or any that there will be (2³¹ − 1, how a graceful shutdown begins). Only
 * `'executed'` and `'any'` are true whatever else goes on at the same connection. What is refused so is not executed afterwards.
 * The connection stays open.
 */
export interface H2GoawayStep {
  readonly goaway: H2Code
  readonly last: 'none' | 'before' | 'this' | 'executed' | 'any'
}

/** Does nothing for so many milliseconds. */
export interface H2WaitStep {
  readonly wait: number
}

/** One thing that the server does. Steps are done in order, each after the one before it has ended. */
export type H2Step = H2Act | H2RespondStep | H2ResetStep | H2GoawayStep | H2WaitStep

/** A response, whole unless `cut` says otherwise. */
export interface H2Answer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: HeaderValues
  /** Text (sent as UTF-8), or so many filler bytes; default none. */
  readonly body?: string | { readonly bytes: number }
  /** Whether content-length is announced; default true. */
  readonly length?: boolean
  /** Stops after so many bytes of the body, and leaves the stream open for the next step. */
  readonly cut?: number
  /** With `cut`: ends the stream there with END_STREAM, as if that were all. */
  readonly end?: boolean
}

/**
 * What the server does, as plain data. A bare array of steps is short for `{ request: steps }`.
 *
 * @example
 * ```ts
 * import type { H2Script } from 'offhook/testing'
 *
 * const rollout: H2Script = {
 *   says: 'takes no more streams, answers those that it has, and leaves',
 *   request: [{ goaway: 'NO_ERROR', last: 'this' }, { respond: { body: 'the last one' } }, 'fin'],
 * }
 * ```
 */
export interface H2Script {
  /** One line for people: what this server does. */
  readonly says?: string
  /** When the TLS handshake has chosen HTTP/2, before the first request. */
  readonly open?: readonly H2Step[]
  /**
   * When the head of a request has come. `respond` and `execute` first read the whole request. Steps that neither answer nor end
   * the stream are followed by the default answer, 200 and `ok`. Without an `execute` step the request is executed right before
   * an answer of 2xx or 303.
   */
  readonly request?: readonly H2Step[]
}

/**
 * Several scripts, one turn each; the last one goes on for ever. `per` says what has turns of its own: each request id (with its
 * method and path; without the header method and path alone), each connection (it keeps its turn), or the server as a whole, request by request.
 */
export interface H2Turns {
  readonly turns: readonly (H2Script | readonly H2Step[])[]
  readonly per: 'request-id' | 'connection' | 'server'
}

/** Whatever tells a rude HTTP/2 server what to do. */
export type H2Behaviour = H2Script | readonly H2Step[] | H2Turns
