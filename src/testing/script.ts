import type { CertificateName } from './certificates.js'

/**
 * An act that needs no argument.
 *
 * | act | what goes over the wire |
 * |---|---|
 * | `'rst'` | RST at once (`SO_LINGER` 0); unsent bytes are dropped. On TLS the TCP socket underneath is reset. |
 * | `'fin'` | A polite hang-up: what was written is flushed, close_notify on TLS, FIN, then close(2): later bytes of the client meet a RST. |
 * | `'bare-fin'` | As `'fin'`, without close_notify on TLS: what a truncation attack, or a killed process, looks like. |
 * | `'half-close'` | FIN (on TLS close_notify and FIN), but the server goes on reading, and the script goes on. |
 * | `'close'` | close(2) as it stands: FIN, but RST if the kernel holds bytes that were not read. On TLS no close_notify. |
 * | `'pause'` | Stops reading: one more piece (64 KiB) at most is taken from the kernel, whose window then closes. The next `read` step starts again. |
 * | `'stall'` | The script stops here for ever. The connection is closed when the client gives up. |
 * | `'deaf'` | From now on whatever arrives is thrown away unseen and nothing is sent: a flow that a middlebox forgot. |
 * | `'execute'` | The request is executed now, with the bytes that have been read: the ledger counts it. |
 */
export type Act = 'rst' | 'fin' | 'bare-fin' | 'half-close' | 'close' | 'pause' | 'stall' | 'deaf' | 'execute'

/**
 * Reads from the request that is arriving: up to its n-th byte (of the wire, counted from the first byte of its head, and
 * no further than its end), its head, or the whole of it. What was read already counts, so a step never reads twice.
 */
export interface ReadStep {
  readonly read: number | 'head' | 'request'
}

/** Writes a response, or part of one. */
export interface RespondStep {
  readonly respond: Answer
}

/** Writes an informational response (100, 102 or 103) once the head of the request was read. */
export interface InformStep {
  readonly inform: 100 | 102 | 103
  readonly headers?: HeaderValues
}

/** Writes bytes as they stand, one per character (latin1): `'\x16\x03'` is two bytes. `times` repeats them (default 1). */
export interface WriteStep {
  readonly write: string
  readonly times?: number
  /** Milliseconds between the repetitions; default 0. */
  readonly everyMs?: number
}

/** Does nothing for so many milliseconds. */
export interface WaitStep {
  readonly wait: number
}

/** Goes on only if this connection has answered at least so many requests; otherwise the rest of the stage is skipped. */
export interface ServedStep {
  readonly served: number
}

/** Sends a fatal TLS alert in the clear, as a server does that refuses a ClientHello. Only in the stage `clientHello`. */
export interface AlertStep {
  readonly alert: AlertName
}

/** The alerts (RFC 8446 §6) that a server may refuse a ClientHello with, and their numbers. */
export const ALERTS = {
  handshake_failure: 40,
  illegal_parameter: 47,
  access_denied: 49,
  decode_error: 50,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  unrecognized_name: 112,
  no_application_protocol: 120,
} as const

/** Name of a TLS alert, as RFC 8446 spells it. */
export type AlertName = keyof typeof ALERTS

/** One thing that the server does. Steps are done in order, each after the one before it has ended. */
export type Step = Act | ReadStep | RespondStep | InformStep | WriteStep | WaitStep | ServedStep | AlertStep

/** Headers to send: a name with a list of values is sent once per value. */
export type HeaderValues = Readonly<Record<string, string | number | readonly string[]>>

/**
 * A response, whole unless `cut` says otherwise.
 *
 * @example
 * ```ts
 * import type { Answer } from 'offhook/testing'
 *
 * export const busy: Answer = { status: 503, retryAfter: 2, body: 'come back later' }
 * export const cutInHalf: Answer = { framing: 'chunked', body: { bytes: 1000 }, cut: { body: 500 } }
 * ```
 */
export interface Answer {
  /** Default 200. */
  readonly status?: number
  /** Reason phrase; default the usual one for the status. */
  readonly reason?: string
  /** What you give wins over what would be sent by itself: `{ 'content-length': 5 }` may lie. */
  readonly headers?: HeaderValues
  /** Text (sent as UTF-8), or so many filler bytes, `abc…zabc…`; default none. Not sent to HEAD, nor with 204 and 304. */
  readonly body?: string | { readonly bytes: number }
  /** How the end of the body is told: `content-length`, chunked, or by closing the connection. Default `'length'`. */
  readonly framing?: 'length' | 'chunked' | 'close'
  /**
   * The Retry-After header: a number of seconds; a Date, or `{ dateInSeconds }` from the moment of the answer, for the date
   * form; a text goes out as it is, sense or nonsense.
   */
  readonly retryAfter?: number | string | Date | { readonly dateInSeconds: number }
  /** Says `connection: close` and hangs up politely after the answer. Default: only with `framing: 'close'`, or if the client asks. */
  readonly close?: boolean
  /**
   * Stops after so many bytes of the head, or after the whole head and so many bytes of the body (in a chunked body:
   * payload bytes; with all of them, everything but the last chunk is sent). The connection is then left open and silent,
   * unless a later step does something to it.
   */
  readonly cut?: { readonly head: number } | { readonly body: number }
  /** Sends the body in pieces of so many bytes (each a chunk of its own if chunked), with so many milliseconds between them. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number }
}

/**
 * What the server does, as plain data: for each moment in the life of a connection, the steps to do there.
 *
 * ```text
 * accept ─ clientHello ─ (handshake) ─ open ─┬─ request ─ idle ─┐
 *          TLS only      TLS only            └──────────────────┘ for each request
 * ```
 *
 * A stage that is not given does nothing out of the way. A bare array of steps is short for `{ request: steps }`.
 *
 * @example
 * ```ts
 * import type { Script } from 'offhook/testing'
 *
 * export const lostAnswer: Script = {
 *   says: 'executes the request, then the process is killed',
 *   request: [{ read: 'request' }, 'execute', 'rst'],
 * }
 * export const shortTempered: Script = { idle: [{ wait: 200 }, 'fin'] }
 * ```
 */
export interface Script {
  /** One line for people: what this server does. */
  readonly says?: string
  /** TLS only: which of the built-in certificates it shows; default: the server's own. */
  readonly certificate?: CertificateName
  /** When a TCP connection was accepted: nothing was read, and no TLS spoken. `write` here speaks plain text on a TLS port. */
  readonly accept?: readonly Step[]
  /** TLS only: when the ClientHello was read whole and not one byte answered. */
  readonly clientHello?: readonly Step[]
  /** When the connection is ready (on TLS: after the handshake), before a request is read. */
  readonly open?: readonly Step[]
  /**
   * When the first byte of a request has come (if the script was chosen by a route or a function: when its head was read).
   * `respond`, `write` and `execute` first read the whole request, unless a `read` step stands before them. Steps that write
   * nothing and leave the connection open are followed by the default answer, 200. Without an `execute` step the
   * request is executed right before the answer, if it was read whole and the status is 2xx or 303, or a `write` step speaks.
   */
  readonly request?: readonly Step[]
  /**
   * When a request was answered and the connection is kept. A `wait` here ends early when the next request begins to
   * arrive, and the rest of the stage is skipped.
   */
  readonly idle?: readonly Step[]
}

/** The name of a stage of a {@link Script}. */
export type StageName = 'accept' | 'clientHello' | 'open' | 'request' | 'idle'

/**
 * Several scripts, one turn each; the last one goes on for ever. `per` says what has turns of its own: each request id (with
 * its method and path; requests without the header are told apart by method and path alone), each path, or the server as a whole (`'server'`: each request takes the next turn;
 * `'connection'`: each connection does, and keeps it). Made by `inTurn` and `failTimes`.
 */
export interface Turns {
  readonly turns: readonly Script[]
  readonly per: 'request-id' | 'path' | 'server' | 'connection'
}

/** A request whose head the server has read. */
export interface SeenRequest {
  /** From the id header (`x-request-id` by default), else made up: `generated-1`. */
  readonly id: string
  /** Whether it came with the id header. */
  readonly identified: boolean
  readonly method: string
  /** The request target as it came, query string included. */
  readonly path: string
  /** Lower-case names; values of repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Which connection of this server, from 1. */
  readonly connection: number
  /** The how-many-th request on that connection, from 1. */
  readonly requestOnConnection: number
  /** How often a request with this id, method and path has come, this one included. */
  readonly attempt: number
}

/** Whatever tells a rude server what to do: a script, its steps alone, scripts in turn, or a function that is asked per request. */
export type Behaviour = Script | readonly Step[] | Turns | ((request: SeenRequest) => Script | readonly Step[])
