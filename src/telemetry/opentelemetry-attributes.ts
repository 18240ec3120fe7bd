/**
 * What is known of a call, an attempt and a failure, in the words of OpenTelemetry: those of its semantic conventions for
 * HTTP clients where they have one, `offhook.*` where they have none. Nothing here is a query string, a header, a body or
 * a credential.
 */

import type { Attributes } from '@opentelemetry/api'
import { type AnyOffhookError, isOffhookError } from '../failure/errors.js'
import type { ConnectionFacts, Decision } from '../failure/evidence.js'
import type { AttemptEvent, CallEvent } from './channels.js'

/** Whom a call is made to. */
type Target = Pick<CallEvent, 'method' | 'origin' | 'path'>

/** The methods that are told by name; any text can be one, and would be a series of its own in every metric. */
const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/** A dial and a datagram are calls too, to origins of other schemes. An interceptor may not know its origin. */
export function isHttp({ origin }: Target): boolean {
  return origin === '' || /^https?:/.test(origin)
}

/** The name of a call's method as spans and metrics bear it. */
export function methodName({ method, ...target }: Target): string {
  if (!isHttp({ method, ...target })) return method
  return knownMethods.has(method) ? method : 'HTTP'
}

/** What metrics of a call are told apart by: few values, however many paths there are. */
export function seriesOf(target: Target): Attributes {
  const server = serverOf(target.origin)
  if (!isHttp(target)) return { 'offhook.operation': target.method, ...server }
  const known = knownMethods.has(target.method)
  return { 'http.request.method': known ? target.method : '_OTHER', ...server }
}

/** What spans of a call have besides. */
export function targetOf(target: Target): Attributes {
  if (!isHttp(target)) return seriesOf(target)
  const { method, origin, path } = target
  return {
    ...seriesOf(target),
    ...(!knownMethods.has(method) && { 'http.request.method_original': method.slice(0, 50) }),
    'url.full': `${origin}${path}`,
  }
}

/** The server of an origin; nothing for what has none. */
export function serverOf(origin: string): Attributes {
  if (!URL.canParse(origin)) return {}
  const { hostname, port, protocol } = new URL(origin)
  if (hostname === '') return {}
  const usual = { 'http:': 80, 'https:': 443 }[protocol]
  const number = port === '' ? usual : Number(port)
  return { 'server.address': hostname.replace(/^\[|\]$/g, ''), ...(number !== undefined && { 'server.port': number }) }
}

/** The status of an answer; one from 400 on is the type of an error as well. */
export function statusAttributes(status: number | undefined): Attributes {
  if (status === undefined) return {}
  return { 'http.response.status_code': status, ...(status >= 400 && { 'error.type': String(status) }) }
}

/** The connection of an attempt. */
export function connectionAttributes(connection: ConnectionFacts | undefined): Attributes {
  if (connection === undefined) return {}
  const { remoteAddress, remotePort, socketPath, idleMs, reused } = connection
  return {
    ...(remoteAddress !== undefined && { 'network.peer.address': remoteAddress }),
    ...(remotePort !== undefined && { 'network.peer.port': remotePort }),
    ...(socketPath !== undefined && { 'network.peer.address': socketPath, 'network.transport': 'unix' }),
    ...protocolAttributes(connection),
    'offhook.connection.reused': reused,
    ...(idleMs !== undefined && { 'offhook.connection.idle_ms': idleMs }),
  }
}

/** The protocol of an attempt's connection. */
export function protocolAttributes(connection: ConnectionFacts | undefined): Attributes {
  if (connection?.protocol === undefined) return {}
  return { 'network.protocol.name': 'http', 'network.protocol.version': versions[connection.protocol] }
}

const versions = { 'http/1.1': '1.1', h2: '2' } as const

/** How an attempt failed. */
export function attemptFailure({ failure, mechanism }: AttemptEvent & { readonly event: 'error' }): Attributes {
  if (failure === undefined) return { 'error.type': 'cancelled' }
  return {
    'error.type': failure.kind,
    'offhook.phase': failure.phase,
    'offhook.delivery': failure.delivery,
    ...(mechanism !== undefined && { 'offhook.mechanism': mechanism }),
  }
}

/** What was decided after an attempt that was not fine. */
export function decisionAttributes({ retry, because, row, waitMs, charged, stopReason, optIn }: Decision): Attributes {
  return {
    'offhook.retry': retry,
    'offhook.because': because,
    ...(row !== undefined && { 'offhook.row': row }),
    ...(waitMs !== undefined && { 'offhook.wait_ms': waitMs }),
    ...(charged !== undefined && { 'offhook.charged': charged }),
    ...(stopReason !== undefined && { 'offhook.stop_reason': stopReason }),
    ...(optIn !== undefined && { 'offhook.opt_in': optIn }),
  }
}

/** What the error of a call is told apart by. */
export function failureSeries(error: unknown): Attributes {
  if (!isOffhookError(error)) return { 'error.type': nameOf(error) }
  return { 'error.type': typeOf(error), 'offhook.phase': error.phase, 'offhook.delivery': error.delivery }
}

/** What a span of a failed call has besides. */
export function failureAttributes(error: unknown): Attributes {
  if (!isOffhookError(error)) return failureSeries(error)
  const { mayHaveExecuted, stopReason, retryAfterMs, attempts } = error
  const because = attempts.at(-1)?.decision.because
  return {
    ...failureSeries(error),
    'offhook.may_have_executed': mayHaveExecuted,
    ...(error.kind === 'status' && { 'http.response.status_code': error.status }),
    ...(stopReason !== undefined && { 'offhook.stop_reason': stopReason }),
    ...(because !== undefined && { 'offhook.because': because }),
    ...(retryAfterMs !== undefined && { 'offhook.retry_after_ms': retryAfterMs }),
    ...diagnosisAttributes(error),
  }
}

function diagnosisAttributes({ diagnosis }: AnyOffhookError): Attributes {
  if (diagnosis === undefined) return {}
  const { mechanism, origin, party, headline } = diagnosis
  return {
    'offhook.mechanism': mechanism,
    'offhook.hung_up_by': party ?? origin,
    'offhook.diagnosis': headline,
  }
}

function typeOf(error: AnyOffhookError): string {
  return error.kind === 'status' ? String(error.status) : error.kind
}

/** An error that is not ours: the caller's reason for an abort, or what the host's fetch said of its input. */
function nameOf(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  // A name is a class; what does not look like one may be anything.
  return /^[A-Z][A-Za-z]{0,40}$/.test(name) ? name : '_OTHER'
}
