/** The form of the tables of error codes: what a row holds, and what it may claim. */

import type { Delivery, Failure, FailureKind, Phase, TlsTrouble } from '../failure/kinds.js'

/**
 * What an error says by itself. Each field is a claim that must hold wherever the error comes from; what it cannot
 * prove is absent. Above all `delivery`: a request whose error carries the code may be sent again on the strength of it.
 */
export interface CodeFact {
  readonly kind: FailureKind
  /** Where the request most likely was; evidence knows better. */
  readonly phase?: Phase
  /** What became of the request, if the error proves it. Absent: it may have been heard. */
  readonly delivery?: Delivery
  /** Doing the same again meets the same. `false` where the kind makes one expect it, but it need not be so. */
  readonly permanent?: boolean
  /** Kind `dns` only: the resolver failed, which is not the same as "there is no such name". */
  readonly temporary?: boolean
  readonly tls?: TlsTrouble
  readonly admission?: NonNullable<Failure['admission']>
  /** The HTTP/2 error code by its name, or the frame that told of the end (GOAWAY, PING). */
  readonly http2?: string
  readonly proxyStatus?: number
  /** The status of a complete answer. */
  readonly status?: number
  /** The caller stopped it. */
  readonly aborted?: true
  /** The error only says that something broke off: how the socket ended, where that was seen, says what. */
  readonly mute?: true
  /** This error says more than the one that it wraps: who it was that failed, or that somebody wanted it so. */
  readonly outranksCause?: true
}

/** The system call that failed, by what it was for. `elsewhere`: no network call, such as `open`. */
export type Step = 'resolve' | 'connect' | 'read' | 'write' | 'datagram' | 'elsewhere'

/** A row: the codes, what they say, and where that stands. */
export interface CodeRow {
  /** Codes, or families of codes with `*` for what differs. An exact code is asked before any family. */
  readonly codes: readonly string[]
  /** The steps for which the row holds. Absent: for all but `elsewhere`, and where no system call is named. */
  readonly at?: readonly Step[]
  readonly says: CodeFact
  readonly source: string
}

/** The connection was being made: nothing of a request can have been written to it. */
export const dialling = { phase: 'connect', delivery: 'unsent' } as const

/** The name was being looked up. */
export const resolving = { kind: 'dns', phase: 'dns', delivery: 'unsent' } as const

/** The input cannot be sent. Refused before anything was dialled. */
export const invalid = {
  kind: 'not-admitted',
  admission: 'invalid',
  phase: 'admit',
  delivery: 'unsent',
  permanent: true,
} as const

const steps: readonly (readonly [RegExp, Step])[] = [
  [/^(?:getaddrinfo|getnameinfo|getHostBy.*|query.*)$/, 'resolve'],
  [/^(?:connect|bind|socket)$/, 'connect'],
  [/^(?:readv?)$/, 'read'],
  [/^(?:writev?|shutdown)$/, 'write'],
  // libuv names the system call for datagrams alone: a stream's are always `read` and `write`.
  [/^(?:recv|send)(?:to|from|msg|mmsg)?$/, 'datagram'],
]

/** What a system call, by the name that Node gives it on errors, was for. */
export function stepOf(syscall: string): Step {
  return steps.find(([pattern]) => pattern.test(syscall))?.[1] ?? 'elsewhere'
}
