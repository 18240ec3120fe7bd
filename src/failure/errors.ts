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

import type { Limit } from './evidence.js'
import type { Failure, FailureKind, TlsTrouble } from './kinds.js'
import { isBranded, OffhookError, type OffhookErrorDetails, setKnown } from './offhook-error.js'

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
  declare readonly limit?: Limit
  /** That limit in milliseconds. */
  declare readonly limitMs?: number

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { limit: details.evidence?.limit, limitMs: details.evidence?.limitMs })
  }
}

/**
 * There is no way there: the host, the network or an ICMP message said no. While connecting nothing was sent; on a
 * connection that stood, `delivery` tells.
 */
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
  declare readonly trouble?: TlsTrouble

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    super(details)
    setKnown(this, { trouble: details.failure.tls })
  }
}

/** The proxy did not make the tunnel (phase `proxy`, nothing was sent to the origin), or answered fetch by 407. */
export class ProxyError extends OffhookError {
  override readonly kind = 'proxy' as const
  /** The status with which the proxy answered, if it did. */
  declare readonly proxyStatus?: number

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
}

/** This host ran out of file descriptors, ports or buffers, or its own firewall said no. While connecting nothing was sent. */
export class LocalResourceError extends OffhookError {
  override readonly kind = 'local-resource' as const
}

/**
 * This side did not let the request through: the client is closed, a queue is full, a breaker is open, the input cannot
 * be sent. Nothing was dialled, unless the client was destroyed, or the body found wrong, under way: `delivery` tells.
 */
export class NotAdmittedError extends OffhookError {
  override readonly kind = 'not-admitted' as const
  /** Which gate was shut. */
  declare readonly admission?: NonNullable<Failure['admission']>

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
  declare readonly response: unknown

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
  return isBranded(value)
}
