/**
 * What was observed about an attempt. Facts only: nothing here judges. What was not observed is absent,
 * never zero or empty, so that a reader can tell "no idle time" from "nobody looked".
 */

import type { Circumstances } from './circumstances.js'
import type { Delivery, FailureKind, Phase, StopReason } from './kinds.js'

/** The connection that a request used, or tried to get. */
export interface ConnectionFacts {
  /** Counts the connections of this process, from 1. */
  readonly id: number
  readonly protocol?: 'http/1.1' | 'h2'
  readonly localAddress?: string
  readonly localPort?: number
  readonly remoteAddress?: string
  readonly remotePort?: number
  /** The path of the Unix socket, where it is one; then there are no addresses. */
  readonly socketPath?: string
  /** The proxy that the connection leads to or through, without credentials. The remote address is then the proxy's. */
  readonly proxy?: string
  /** True when an earlier request had used the connection. */
  readonly reused: boolean
  /** Milliseconds since the connection was established. */
  readonly ageMs?: number
  /** Milliseconds for which the connection had been idle when this request took it. Absent on a fresh one. */
  readonly idleMs?: number
  /** Requests that the connection had carried before this one. */
  readonly requestsBefore: number
}

/** Milliseconds spent in each phase. A phase that did not take place in this attempt is absent. */
export interface Timings {
  /** Waiting for a connection that was free. */
  readonly queue?: number
  readonly dns?: number
  readonly connect?: number
  /** From the connection to the proxy until its tunnel stood. */
  readonly proxy?: number
  readonly tls?: number
  /** From the first write of the request to the last. Absent where the client cannot tell. */
  readonly send?: number
  /** From the first write of the request to the response head. */
  readonly wait?: number
  readonly total: number
}

/**
 * Bytes of this request alone, as counted on the socket. `sent` counts what was queued for sending: an upper bound. Over
 * HTTP/2 the frames of the connection itself count too, and where other requests were under way nothing is known.
 */
export interface ByteCounts {
  readonly sent?: number
  readonly received?: number
}

/** How a socket ended, in the order in which it was seen. */
export type SocketEnding = 'rst' | 'fin' | 'fin-then-rst' | 'local'

/** The limits of our own whose end can end an attempt. */
export type Limit = 'connect' | 'attempt' | 'headers' | 'body' | 'total' | 'heartbeat'

/** One request on one connection. A redirect makes several of them in one attempt. */
export interface ExchangeFacts {
  readonly method: string
  readonly origin: string
  /** Without the query string. */
  readonly path: string
  readonly delivery: Delivery
  readonly status?: number
}

/** What HTTP/2 said about the stream of an exchange, and about its connection. Codes are those of RFC 9113 §7. */
export interface Http2Facts {
  /** The number of the stream; absent when it was never opened. */
  readonly stream?: number
  /** The code with which the stream was reset, on a connection that stood; 0 is NO_ERROR. */
  readonly reset?: number
  /** The last GOAWAY of the connection. */
  readonly goaway?: { readonly code: number; readonly lastStream: number }
}

/** What the wire recorded about one attempt, closed at the moment of its end. */
export interface Evidence {
  /**
   * Where the observer stood. `socket`: offhook's own connections. `dispatcher`: outside a foreign dispatcher, where
   * the socket cannot be seen. `none`: the host's fetch never came to our dispatcher (msw, another runtime).
   */
  readonly vantage: 'socket' | 'dispatcher' | 'none'
  /** The phase that the marks say the last exchange was in. */
  readonly phase: Phase
  /** Whether the last exchange's request was handed to a socket. Absent where nobody could see. */
  readonly started?: boolean
  /** The status of the last exchange, once its head was complete. */
  readonly status?: number
  /** Response body bytes of the last exchange. */
  readonly bodyBytes?: number
  /** The last exchange's response was complete. */
  readonly complete?: boolean
  /** The end of the body is marked by the end of the connection alone (RFC 9112 §6.3, rule 8). */
  readonly closeDelimited?: boolean
  /** How the socket ended, if it did. */
  readonly ending?: SocketEnding
  /** Which of our own limits ran out, if one did. */
  readonly limit?: Limit
  /** That limit in milliseconds. */
  readonly limitMs?: number
  readonly connection?: ConnectionFacts
  /**
   * Addresses of the same name, other than the one dialled, that have not failed of late. Absent when the request was
   * started, and where the dial could not be seen.
   */
  readonly otherAddresses?: number
  readonly timings?: Timings
  readonly bytes?: ByteCounts
  /** What HTTP/2 said about the last exchange. Absent on HTTP/1.1, and where it could not be heard. */
  readonly http2?: Http2Facts
  /**
   * Exchanges of this attempt before the last one, oldest first: redirects, and requests that undici itself put on the
   * wire once more.
   */
  readonly earlier?: readonly ExchangeFacts[]
  /** What was seen around a failure, for its diagnosis. */
  readonly circumstances?: Circumstances
}

/** What was decided after an attempt, and why. */
export interface Decision {
  readonly retry: boolean
  /** One sentence, for people. */
  readonly because: string
  /** The row of the decision table that decided. */
  readonly row?: number
  /** Milliseconds waited before the next attempt. */
  readonly waitMs?: number
  /** The next attempt was paid for from the retry budget. */
  readonly charged?: boolean
  /** Set when there is no further attempt. */
  readonly stopReason?: StopReason
  /** An opt-in behaviour that made this retry possible, by the name of its option. */
  readonly optIn?: string
}

/** One try at a call: how it went and what was decided after it. */
export interface AttemptReport {
  /** From 1. */
  readonly number: number
  readonly kind: FailureKind
  readonly phase: Phase
  readonly delivery: Delivery
  readonly code?: string
  readonly status?: number
  /** Milliseconds waited before this attempt. */
  readonly waitedMs: number
  readonly connection?: ConnectionFacts
  readonly timings?: Timings
  readonly bytes?: ByteCounts
  readonly decision: Decision
}
