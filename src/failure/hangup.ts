/**
 * The words for the other end of the line: a client that hung up on a server, what was seen of it, and why it may have
 * left. Facts and verdict apart: {@link HangupFacts} judges nothing, {@link HangupVerdict} is made of it alone.
 */

import type { Reason } from './diagnosis.js'
import type { FailureKind, Phase } from './kinds.js'

/**
 * How the line ended, in the words of the errors. `reset`: an RST, or over HTTP/2 a RST_STREAM. `closed`: a FIN before
 * the answer was complete. `timeout`, `unreachable`: no word from the client at all; TCP gave up.
 */
export type HangupKind = Extract<FailureKind, 'reset' | 'closed' | 'timeout' | 'unreachable'>

/**
 * How far it had come, seen from the server. `connect`: not a byte of a request. `send`: the client was still sending its request. `wait`: not one byte of the answer had been written. `body`: the answer had
 * begun. `close`: the answer had been handed to the kernel, and was never acknowledged.
 */
export type HangupPhase = Extract<Phase, 'connect' | 'send' | 'wait' | 'body' | 'close'>

/** What was seen to end the line. `silence`: nothing came, TCP gave up. `local`: this server ended it. */
export type HangupEnding = 'fin' | 'rst' | 'stream-reset' | 'silence' | 'local'

/** What the request says of who sent it. `none`: no request was read. */
export type AgentClass = 'browser' | 'program' | 'probe' | 'none'

/** How long answers of one route take: from the complete request head to the last byte handed to the kernel. */
export interface UsualTimes {
  /** Answers that this rests on; the older ones count less and less. */
  readonly answers: number
  /** Milliseconds, within 5 %. */
  readonly p50Ms: number
  /** Milliseconds, within 5 %. */
  readonly p95Ms: number
}

/** What became of the same client's other connections and requests: same address, same User-Agent. */
export interface SiblingsOfClient {
  /** Its connections that stood when this one ended, this one included. */
  readonly stood: number
  /** Of those, ended by the client within 100 ms of this one, this one included. */
  readonly ended: number
  /** Its requests that were lost within 100 ms of this one, this one included. */
  readonly lost: number
  /** The ages of those requests lie within a few milliseconds of each other. Absent when there is only one. */
  readonly lostAtSameAge?: boolean
  /** Milliseconds until it sent another request, where it did while the hang-up was looked into. */
  readonly backAfterMs?: number
  /** That request was for the same route. */
  readonly backForSame?: boolean
}

/**
 * Other hang-ups of late, at other moments or of other clients, and how many came at the age of this one: those from the
 * same address where there are some, else all.
 */
export interface SameAge {
  readonly others: number
  readonly near: number
  /** They came from the same address. */
  readonly sameAddress: boolean
  /** Different users among those near, this one included, as far as addresses and User-Agents tell. */
  readonly users: number
}

/** How often clients leave requests of this age, against younger ones: hang-ups for each second of waiting. */
export interface Hazard {
  readonly perSecond: number
  readonly perSecondBefore: number
  /** Hang-ups that this rests on. */
  readonly hangups: number
}

/** What was seen of one hang-up. What was not seen is absent, never zero or empty. */
export interface HangupFacts {
  readonly kind: HangupKind
  readonly ending: HangupEnding
  readonly phase: HangupPhase
  readonly protocol: 'http/1.1' | 'h2' | 'raw'
  readonly secure: boolean
  /** Milliseconds since 1970. */
  readonly at: number
  /** Milliseconds since the request's head was complete; without one, since the connection stood. */
  readonly afterMs: number
  /** The raw error's `code`, or the limit of the server that ended it, for example `ERR_HTTP_REQUEST_TIMEOUT`. */
  readonly code?: string
  /** The code of the RST_STREAM by its name in RFC 9113 §7. */
  readonly http2?: string
  /** The client said goodbye before: GOAWAY without an error. */
  readonly goodbye?: true
  readonly method?: string
  /** Without the query string. */
  readonly path?: string
  /** The name under which the request is counted. */
  readonly route: string
  /**
   * Bytes of this request and its answer; `sent` were taken by the kernel, `unsent` still waited here. Over HTTP/2 only
   * `unsent` is known.
   */
  readonly bytes: { readonly received?: number; readonly sent?: number; readonly unsent?: number }
  /** Requests under way on this server, this one included. */
  readonly inFlight: number
  /** Requests that are usually under way. */
  readonly usuallyInFlight: number
  /** The longest that the event loop was late in the second before, in milliseconds. */
  readonly loopDelayMs: number
  /** How late the event loop was when the request was read, in milliseconds: it may have waited so long before. */
  readonly startedLateMs: number
  /** How long answers of this route usually take; absent before the first. */
  readonly usual?: UsualTimes
  readonly connection: {
    readonly remoteAddress?: string
    readonly remotePort?: number
    readonly ageMs: number
    /** Requests that it had carried before this one. */
    readonly requestsBefore: number
  }
  readonly agent: AgentClass
  /** Headers that a proxy or load balancer sets were on the request: the client of this connection is one. */
  readonly proxied: boolean
  readonly siblings?: SiblingsOfClient
  readonly sameAge?: SameAge
  readonly hazard?: Hazard
}

/** Every reason that a client may have had, likeliest first in nobody's order. */
export const hangupStories = [
  'client-timeout',
  'proxy-timeout',
  'impatient',
  'user-cancelled',
  'network-lost',
  'client-died',
  'probe',
  'ours',
] as const

/**
 * Why the line ended. `client-timeout`: a timer of the client ran out. `proxy-timeout`: one of a proxy between.
 * `impatient`: somebody was tired of waiting, without a timer. `user-cancelled`: stop, reload, another page.
 * `network-lost`: the way to the client broke. `client-died`: its process ended. `probe`: a scanner or health check.
 * `ours`: this server ended it.
 */
export type HangupStory = (typeof hangupStories)[number]

/** Stories with one meaning for the server: the first three are `gave-up-waiting`; `unclear` where none reaches 0.6. */
export type HangupReason = 'gave-up-waiting' | Exclude<HangupStory, 'client-timeout' | 'proxy-timeout' | 'impatient'>

/** One story and what speaks for and against it. */
export interface HangupHypothesis {
  readonly story: HangupStory
  readonly says: string
  /** 0 to 1; those of one verdict sum to 1. */
  readonly probability: number
  /** What was observed, the weightiest first; `weight` is by how much it moves the log odds of this story. */
  readonly because: readonly Reason[]
}

/** Why a client hung up, as far as can be told from here. */
export interface HangupVerdict {
  readonly is: HangupReason | 'unclear'
  /** The probability of `is`; of the likeliest reason where it is `unclear`. */
  readonly probability: number
  /** The finer story, where one reaches 0.6. */
  readonly story?: HangupStory
  /** One sentence. */
  readonly headline: string
  /** All stories, the likeliest first. */
  readonly hypotheses: readonly HangupHypothesis[]
}

/** One client that hung up: what was seen, and why it may have left. Holds no query string and no header value. */
export interface Hangup extends HangupFacts {
  /** Who ended it: the client (or what stands between), or this server. */
  readonly by: 'client' | 'server'
  readonly verdict: HangupVerdict
}
