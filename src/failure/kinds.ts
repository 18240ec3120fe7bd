/**
 * The words that every other file speaks: kind, phase, delivery, and why a call stopped trying.
 * Each list is a value as well as a type, so that tests can walk it and documentation can print it.
 */

/** Every kind of failure, in the order of the table in the README. */
export const failureKinds = [
  'reset',
  'closed',
  'refused',
  'timeout',
  'unreachable',
  'dns',
  'tls',
  'proxy',
  'protocol',
  'rejected',
  'local-resource',
  'not-admitted',
  'status',
  'unknown',
] as const

/**
 * What happened, in one word. `switch (error.kind)` narrows to the class of the same kind.
 *
 * `reset` is an RST, `closed` a FIN before the message was complete, `refused` an RST to our SYN, `rejected` a peer's
 * declaration that it did not process the request.
 */
export type FailureKind = (typeof failureKinds)[number]

/** Every phase of a call, in the order in which a call passes through them. */
export const phases = [
  'admit',
  'dns',
  'connect',
  'proxy',
  'tls',
  'send',
  'wait',
  'head',
  'body',
  'close',
  'call',
] as const

/**
 * How far the request had come. `admit`: not even dialled. `send`: the request was being written. `wait`: written,
 * not one byte of the answer seen. `head`: part of the response head seen. `body`: the head is complete.
 * `call`: the total deadline, whatever the attempt was doing.
 */
export type Phase = (typeof phases)[number]

/** Every delivery verdict, from "surely not heard" to "surely heard". */
export const deliveries = ['unsent', 'rejected', 'answered', 'unknown', 'partial'] as const

/**
 * Was the request heard?
 *
 * - `unsent`: not one byte of this request was given to a socket.
 * - `rejected`: the peer declared that it did not process it.
 * - `answered`: a complete response exists.
 * - `unknown`: bytes went out, no response byte came back.
 * - `partial`: the response began and is incomplete.
 */
export type Delivery = (typeof deliveries)[number]

/** Only `unsent` and `rejected` are proof that nothing was executed. */
export function mayHaveExecuted(delivery: Delivery): boolean {
  return delivery !== 'unsent' && delivery !== 'rejected'
}

/** Every reason for which a call stopped trying. */
export const stopReasons = [
  'attempts',
  'budget',
  'deadline',
  'unsafe',
  'body',
  'abort',
  'server-said',
  'permanent',
  'committed',
  'disabled',
  'local',
] as const

/**
 * Why there was no (further) retry.
 *
 * - `attempts`: all attempts were used. `budget`: the retry budget is empty. `deadline`: the next try would end too late.
 * - `unsafe`: the request may have been executed and repeating it could execute it twice.
 * - `body`: the request body was a stream and its beginning is gone.
 * - `abort`: the caller aborted. `server-said`: the server forbade it. `permanent`: trying again cannot help.
 * - `committed`: the response head had already been handed to the caller. `disabled`: retries are switched off.
 * - `local`: this client refused to dial (breaker, queue, closed); the request was never tried and may be tried elsewhere.
 */
export type StopReason = (typeof stopReasons)[number]

/**
 * What a request promises about being executed twice (RFC 9110 §9.2.2).
 * `idempotent`: a safe or idempotent method, or declared so. `keyed`: an unsafe method with an Idempotency-Key.
 * `unsafe`: everything else.
 */
export type RequestClass = 'idempotent' | 'keyed' | 'unsafe'

/** A failure with its name: what classification makes of a raw error and the evidence around it. */
export interface Failure {
  readonly kind: FailureKind
  readonly phase: Phase
  readonly delivery: Delivery
  /** The raw error's `code`, for example `ECONNRESET`. */
  readonly code?: string
  /** The raw error's `errno` (negative on POSIX). */
  readonly errno?: number
  /** The raw error's `syscall`, for example `connect` or `read`. */
  readonly syscall?: string
  /** The name's resolution failed for now (SERVFAIL, resolver timeout), not for good (NXDOMAIN). Kind `dns` only. */
  readonly temporary?: boolean
  /** What went wrong with TLS. Kind `tls` only. */
  readonly tls?: TlsTrouble
  /** The HTTP/2 error code by its name in RFC 9113 §7, for example `REFUSED_STREAM` or `GOAWAY`. */
  readonly http2?: string
  /** The status with which a proxy refused the CONNECT tunnel. Kind `proxy` only. */
  readonly proxyStatus?: number
  /** The status of a complete response. Kind `status` only. */
  readonly status?: number
  /** Why the client itself did not dial. Kind `not-admitted` only. */
  readonly admission?:
    | 'closed'
    | 'destroyed'
    | 'breaker'
    | 'throttled'
    | 'queue-full'
    | 'queue-timeout'
    | 'budget'
    | 'invalid'
  /** The caller aborted: not a network failure, and no class of error stands for it. */
  readonly aborted?: boolean
  /** The failure is that of an inner offhook call, which has done all the repeating that it could afford. */
  readonly advice?: 'do-not-retry'
  /** Doing the same again cannot help: invalid input, a bad certificate, a server that speaks something else. */
  readonly permanent?: boolean
  /** The raw error at the bottom of the chain, untouched. */
  readonly cause: unknown
}

/** `certificate`: identity not proven. `mismatch`: no common version or cipher, or not TLS at all. `alert`: another fatal alert. */
export type TlsTrouble = 'certificate' | 'mismatch' | 'alert' | 'handshake'
