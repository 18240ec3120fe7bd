/**
 * The typed errors: one base, one class per kind. They extend TypeError because the Fetch standard rejects with one,
 * and existing `catch` blocks test for it.
 *
 * ```
 * OffhookError (TypeError)
 * ├── ConnectionResetError     reset           ├── ProtocolError          protocol
 * ├── ConnectionClosedError    closed          ├── RejectedError          rejected
 * ├── ConnectionRefusedError   refused         ├── LocalResourceError     local-resource
 * ├── TimeoutError             timeout         ├── NotAdmittedError       not-admitted
 * ├── UnreachableError         unreachable     ├── StatusError            status
 * ├── NameResolutionError      dns             └── UnknownNetworkError    unknown
 * ├── TlsError                 tls
 * └── ProxyError               proxy
 * ```
 */

import type { AttemptReport, ByteCounts, ConnectionFacts, Evidence, Limit, Timings } from './evidence.js'
import type { Delivery, Failure, FailureKind, Phase, StopReason, TlsTrouble } from './kinds.js'
import { redactText } from './redact.js'
import { headline, story } from './story.js'

/** Everything an error is built from. Internal: users receive errors, they don't make them. */
export interface OffhookErrorDetails {
  readonly failure: Failure
  readonly method: string
  readonly origin: string
  /** Without the query string. */
  readonly path: string
  readonly attempts: readonly AttemptReport[]
  readonly stopReason?: StopReason | undefined
  readonly retryAfterMs?: number | undefined
  readonly evidence?: Evidence | undefined
}

/** One brand for all copies of the package, so that `isOffhookError` works across two of them. */
const brand = Symbol.for('offhook.error')
/** The inspector's hook, by its registered name: this folder imports nothing, `node:util` included. */
const inspectCustom = Symbol.for('nodejs.util.inspect.custom')

/**
 * The base of every error that offhook makes. Catch it with `instanceof` or, across two copies of the package, with
 * {@link isOffhookError}; then `switch (error.kind)`.
 *
 * The message is one line for people and may change between versions; everything in it stands in a field as well.
 * Neither the message nor {@link OffhookError.toJSON} holds query strings, header values, bodies or credentials.
 *
 * @example
 * ```ts
 * import { fetch, isOffhookError } from 'offhook'
 *
 * try {
 *   await fetch('https://api.example.com/orders', { method: 'POST', body: '{}' })
 * } catch (error) {
 *   if (isOffhookError(error) && !error.mayHaveExecuted) console.log('nothing happened there, safe to try later')
 *   else throw error
 * }
 * ```
 */
export class OffhookError extends TypeError {
  /** What happened, in one word. */
  declare readonly kind: FailureKind
  /** How far the request had come. */
  readonly phase: Phase
  /** Was the request heard? The verdict of the attempt that failed last. */
  readonly delivery: Delivery
  /**
   * Whether the server may have acted on this call. False only when it is proved for every attempt that none was
   * processed (`unsent` or `rejected`).
   */
  readonly mayHaveExecuted: boolean
  /** The HTTP method, upper case. */
  readonly method: string
  /** Scheme, host and port. */
  readonly origin: string
  /** The path, query string removed. */
  readonly path: string
  /** Every attempt, oldest first: how it went, how long it took, what was decided after it. */
  readonly attempts: readonly AttemptReport[]
  /** Why there was no further attempt. */
  readonly stopReason?: StopReason
  /** Milliseconds the server asked to wait, when it asked for more than was left. */
  readonly retryAfterMs?: number
  /** The connection of the last attempt. Absent when none was opened or when it could not be seen. */
  readonly connection?: ConnectionFacts
  /** Where the time of the last attempt went, in milliseconds. */
  readonly timings?: Timings
  /** Bytes of the last attempt's request and response. */
  readonly bytes?: ByteCounts
  /** The raw error's `code`, carried over: `error.code === 'ECONNRESET'` goes on working. */
  readonly code?: string
  /** The raw error's `errno`, carried over. */
  readonly errno?: number
  /** The raw error's `syscall`, carried over. */
  readonly syscall?: string

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(headline(details), { cause: details.failure.cause })
    const { failure, evidence } = details
    this.phase = failure.phase
    this.delivery = failure.delivery
    this.mayHaveExecuted = [failure, ...details.attempts].some((attempt) => mayHaveExecuted(attempt.delivery))
    this.method = details.method
    this.origin = details.origin
    this.path = details.path
    this.attempts = details.attempts
    // What is not known is absent, so that `'connection' in error` and a log line say the truth.
    setKnown(this, {
      stopReason: details.stopReason,
      retryAfterMs: details.retryAfterMs,
      connection: evidence?.connection,
      timings: evidence?.timings,
      bytes: evidence?.bytes,
      code: failure.code,
      errno: failure.errno,
      syscall: failure.syscall,
    })
    Object.defineProperty(this, brand, { value: true })
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true })
  }

  /**
   * The error as plain data, bounded in size and safe to log: no query string, header value, body or credential.
   *
   * @example
   * ```ts
   * import { isOffhookError } from 'offhook'
   *
   * export const toLogLine = (error: unknown) => (isOffhookError(error) ? JSON.stringify(error) : String(error))
   * ```
   */
  toJSON(): Record<string, unknown> {
    return known({
      name: this.name,
      message: this.message,
      kind: this.kind,
      phase: this.phase,
      delivery: this.delivery,
      mayHaveExecuted: this.mayHaveExecuted,
      method: this.method,
      origin: this.origin,
      path: clip(this.path, 500),
      stopReason: this.stopReason,
      retryAfterMs: this.retryAfterMs,
      code: this.code,
      errno: this.errno,
      syscall: this.syscall,
      connection: this.connection,
      timings: this.timings,
      bytes: this.bytes,
      attempts: this.attempts.slice(-maxAttemptsInJson),
      attemptCount: this.attempts.length,
      cause: causeToJson(this.cause),
    })
  }

  /** @internal `console.log(error)` prints the whole story, then the stack. */
  [inspectCustom](depth: number): string {
    if (depth < 0) return `[${this.name}: ${this.message}]`
    const frames = (this.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    return [`${this.name}: ${this.message}`, ...story(this), ...frames.slice(0, 10)].join('\n')
  }
}

/** The connection was reset: an RST. The phone slammed down, in any phase from accept to the middle of a body. */
export class ConnectionResetError extends OffhookError {
  override readonly kind = 'reset' as const
}

/** The connection was closed by a FIN before the message was complete: a polite hang-up, at the wrong time. */
export class ConnectionClosedError extends OffhookError {
  override readonly kind = 'closed' as const
}

/** An RST answered our SYN: nobody listens on that port, or a firewall says so. Nothing was sent. */
export class ConnectionRefusedError extends OffhookError {
  override readonly kind = 'refused' as const
}

/** Our patience or TCP's ran out. `phase` says where, `limit` which of offhook's own limits it was, if it was one. */
export class TimeoutError extends OffhookError {
  override readonly kind = 'timeout' as const
  /** The limit of offhook's that ran out; absent when the kernel or another party gave up. */
  readonly limit?: Limit
  /** That limit in milliseconds. */
  readonly limitMs?: number

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { limit: details.evidence?.limit, limitMs: details.evidence?.limitMs })
  }
}

/** There is no way there: the host, the network or an ICMP message said no. Nothing was sent. */
export class UnreachableError extends OffhookError {
  override readonly kind = 'unreachable' as const
}

/** The name has no address. `temporary` tells a resolver that could not say (SERVFAIL) from one that said no (NXDOMAIN). */
export class NameResolutionError extends OffhookError {
  override readonly kind = 'dns' as const
  /** True when the resolver failed, false when it answered that there is no such name. */
  readonly temporary: boolean

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    this.temporary = details.failure.temporary ?? false
  }
}

/** TLS could not be agreed: a fatal alert, a certificate that proves nothing, or a peer that does not speak TLS at all. */
export class TlsError extends OffhookError {
  override readonly kind = 'tls' as const
  /** What went wrong; absent when it could not be told. */
  readonly trouble?: TlsTrouble

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { trouble: details.failure.tls })
  }
}

/** The proxy did not make the CONNECT tunnel. Nothing was sent to the origin. */
export class ProxyError extends OffhookError {
  override readonly kind = 'proxy' as const
  /** The status with which the proxy answered, if it did. */
  readonly proxyStatus?: number

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { proxyStatus: details.failure.proxyStatus })
  }
}

/** The bytes are not the HTTP they claim to be: junk, overlong headers, a wrong length, content that cannot be decoded. */
export class ProtocolError extends OffhookError {
  override readonly kind = 'protocol' as const
}

/** The peer declared that it did not process the request: REFUSED_STREAM, or GOAWAY below our stream (RFC 9113 §8.7). */
export class RejectedError extends OffhookError {
  override readonly kind = 'rejected' as const
  /** The HTTP/2 error code by its name. */
  readonly http2?: string

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { http2: details.failure.http2 })
  }
}

/** This host ran out of file descriptors, ports or buffers, or its own firewall said no. Nothing was sent. */
export class LocalResourceError extends OffhookError {
  override readonly kind = 'local-resource' as const
}

/** offhook did not even dial: the client is closed, a queue is full, a breaker is open, the input cannot be sent. */
export class NotAdmittedError extends OffhookError {
  override readonly kind = 'not-admitted' as const
  /** Which gate was shut. */
  readonly admission?: NonNullable<Failure['admission']>

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { admission: details.failure.admission })
  }
}

/** A complete response with an error status. Only where `throwOnStatus` was asked for. */
export class StatusError extends OffhookError {
  override readonly kind = 'status' as const
  /** The response's status code. */
  readonly status: number
  /** The response itself, body unread: a `Response` from `fetch`, undici's response data from `request`. */
  readonly response: unknown

  /** @internal */
  constructor(details: OffhookErrorDetails & { readonly response?: unknown }) {
    super(details)
    this.status = details.failure.status ?? 0
    // Not enumerable: a log of the error must not carry the response along.
    Object.defineProperty(this, 'response', { value: details.response })
  }
}

/** A network failure that has no name here. Everything that was seen is in `cause`, `attempts` and `code`. */
export class UnknownNetworkError extends OffhookError {
  override readonly kind = 'unknown' as const
}

/** Every error class, as a union that `switch (error.kind)` narrows. */
export type AnyOffhookError =
  | ConnectionResetError
  | ConnectionClosedError
  | ConnectionRefusedError
  | TimeoutError
  | UnreachableError
  | NameResolutionError
  | TlsError
  | ProxyError
  | ProtocolError
  | RejectedError
  | LocalResourceError
  | NotAdmittedError
  | StatusError
  | UnknownNetworkError

/** The class of each kind. */
export const errorClasses = {
  reset: ConnectionResetError,
  closed: ConnectionClosedError,
  refused: ConnectionRefusedError,
  timeout: TimeoutError,
  unreachable: UnreachableError,
  dns: NameResolutionError,
  tls: TlsError,
  proxy: ProxyError,
  protocol: ProtocolError,
  rejected: RejectedError,
  'local-resource': LocalResourceError,
  'not-admitted': NotAdmittedError,
  status: StatusError,
  unknown: UnknownNetworkError,
} as const satisfies Record<FailureKind, unknown>

/** Makes the error of the failure's kind. */
export function errorOf(details: OffhookErrorDetails & { readonly response?: unknown }): AnyOffhookError {
  return new errorClasses[details.failure.kind](details)
}

/**
 * Whether a value is an error made by offhook, by this copy of the package or another.
 *
 * @example
 * ```ts
 * import { isOffhookError } from 'offhook'
 *
 * export const isWorthAlarm = (error: unknown) => isOffhookError(error) && error.kind !== 'not-admitted'
 * ```
 */
export function isOffhookError(value: unknown): value is AnyOffhookError {
  try {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  } catch {
    // A proxy or an accessor that throws is not one of ours.
    return false
  }
}

/** Only `unsent` and `rejected` are proof that nothing was executed. */
export function mayHaveExecuted(delivery: Delivery): boolean {
  return delivery !== 'unsent' && delivery !== 'rejected'
}

const maxAttemptsInJson = 10

function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

function causeToJson(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null) return undefined
  try {
    const { name, code, errno, syscall, message } = cause as Record<string, unknown>
    return known({
      name,
      code,
      errno,
      syscall,
      message: typeof message === 'string' ? clip(redactText(message), 200) : undefined,
    })
  } catch {
    return undefined
  }
}

function known<T extends object>(fields: T): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function setKnown(target: object, fields: object): void {
  Object.assign(target, known(fields))
}
