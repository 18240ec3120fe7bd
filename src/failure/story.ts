/** The words for people: a headline of one line, and the whole story on a dozen. The text is not an API. */

import type { Diagnosis } from './diagnosis.js'
import { diagnosisLines, endOf } from './diagnosis-lines.js'
import type { AttemptReport, ConnectionFacts, Decision, Evidence, Timings } from './evidence.js'
import {
  type Delivery,
  type Failure,
  type FailureKind,
  mayHaveExecuted,
  type Phase,
  type StopReason,
  type TlsTrouble,
} from './kinds.js'
import { lineWords } from './line-words.js'
import { read } from './property.js'
import { redactLine } from './redact.js'

/** What a story is told from. Errors have this shape, and so have the details they are built from. */
interface Teller {
  readonly kind: FailureKind
  readonly phase: Phase
  readonly delivery: Delivery
  readonly mayHaveExecuted: boolean
  readonly attempts: readonly AttemptReport[]
  readonly stopReason?: StopReason
  readonly retryAfterMs?: number
  readonly connection?: ConnectionFacts
  readonly timings?: Timings
  readonly cause?: unknown
  readonly diagnosis?: Diagnosis | undefined
}

const happened: Record<FailureKind, string> = {
  reset: 'the connection was reset (RST)',
  closed: 'the other side closed the connection (FIN)',
  refused: 'the connection was refused',
  timeout: 'time ran out',
  unreachable: 'the host is unreachable',
  dns: 'the name could not be resolved',
  tls: 'TLS could not be agreed',
  proxy: 'the proxy did not let the request through',
  protocol: 'the answer is not valid HTTP',
  rejected: 'the server declared that it did not process the request',
  'local-resource': 'this host could not open a connection',
  'not-admitted': 'the request was not sent',
  status: 'the server answered with an error status',
  unknown: 'the request failed for a reason that has no name here',
}

/** Where the kind alone would say less, or too much: a gate that shut, a stream that ended on a connection that stands. */
const shut: Record<NonNullable<Failure['admission']>, string> = {
  closed: 'the client is closed',
  destroyed: 'the client was destroyed',
  breaker: 'the circuit breaker is open',
  throttled: 'the client holds back, because the server turns too much away',
  'queue-full': 'the queue is full',
  'queue-timeout': 'no connection was free in time',
  budget: 'the budget is empty',
  invalid: 'the request cannot be sent as it is',
}

const ofTls: Record<TlsTrouble, string> = {
  certificate: 'a certificate was not accepted',
  mismatch: 'the two sides have no TLS in common',
  alert: 'the other side broke TLS off with an alert',
  handshake: happened.tls,
}

/** What happened, in a clause; the same failure is always told in the same words. */
export function whatHappened(failure: Pick<Failure, 'kind' | 'admission' | 'tls' | 'http2'>): string {
  const { kind, admission, tls, http2 } = failure
  if (kind === 'not-admitted' && admission !== undefined) return shut[admission] ?? happened[kind]
  if (kind === 'tls' && tls !== undefined) return ofTls[tls] ?? happened[kind]
  if (http2 === undefined || (kind !== 'reset' && kind !== 'closed')) return happened[kind]
  return http2 === 'GOAWAY' ? 'the server closed the HTTP/2 connection' : 'the server ended the HTTP/2 stream'
}

/** In which phase, as the end of a clause. */
export function inPhase(phase: Phase): string {
  return during[phase]
}

const during: Record<Phase, string> = {
  admit: 'before dialling',
  dns: 'while resolving the name',
  connect: 'while connecting',
  proxy: 'while asking the proxy for a tunnel',
  tls: 'in the TLS handshake',
  send: 'while sending the request',
  wait: 'while waiting for the response',
  head: 'in the middle of the response head',
  body: 'in the middle of the response body',
  close: 'while closing',
  call: 'at the total deadline of the call',
}

const heard: Record<Delivery, string> = {
  unsent: 'The request was never sent',
  rejected: 'It was not processed',
  unknown: 'It may have been executed',
  partial: 'The server had begun to answer',
  answered: 'The server had answered',
}

const stopped: Record<StopReason, string> = {
  attempts: 'all attempts were used',
  budget: 'the retry budget is empty',
  deadline: 'no time is left for another try',
  unsafe: 'not sent again, because it could be executed twice',
  body: 'not sent again, because the body was a stream and its beginning is gone',
  abort: 'the caller aborted',
  'server-said': 'the server forbade another try',
  permanent: 'trying again cannot help',
  committed: 'the response had already been handed over',
  disabled: 'retries are switched off',
  local: 'it can safely be tried elsewhere or later',
}

/** One line: method, origin and path; what happened, in which phase; whether it may have been executed; what was done. */
export function headline(details: {
  readonly failure: Failure
  readonly method: string
  readonly origin: string
  readonly path: string
  readonly attempts: readonly AttemptReport[]
  readonly stopReason?: StopReason | undefined
  readonly evidence?: Evidence | undefined
}): string {
  const { failure, method, origin, path, attempts, stopReason, evidence } = details
  const target = `${method} ${origin}${path.length > 200 ? `${path.slice(0, 200)}…` : path}`
  const words = lineWords(method)
  const phase = words?.during[failure.phase] ?? during[failure.phase]
  const where = failure.phase === 'admit' && failure.kind === 'not-admitted' ? undefined : phase
  const what = [words?.happened[failure.kind] ?? whatHappened(failure), qualifier(failure, evidence), where]
    .filter(Boolean)
    .join(' ')
  const tries = attempts.length > 1 ? `${attempts.length} attempts` : undefined
  const end = stopReason === undefined ? undefined : stopped[stopReason]
  const done = [tries, end].filter(Boolean).join('; ')
  const outcome = words?.remark?.[failure.kind] ?? words?.heard[failure.delivery] ?? heard[failure.delivery]
  // Of the last attempt alone it would sound as if nothing could have happened.
  const earlier = !mayHaveExecuted(failure.delivery) && attempts.some(({ delivery }) => mayHaveExecuted(delivery))
  const but = words === undefined && earlier ? ', but an attempt before it may have been executed' : ''
  return `${target}: ${what}. ${outcome}${but}${done === '' ? '.' : `; ${done}.`}`
}

function qualifier(failure: Failure, evidence: Evidence | undefined): string | undefined {
  if (evidence?.limit !== undefined) return `(${evidence.limit} limit of ${ms(evidence.limitMs)})`
  if (failure.status !== undefined) return `(${failure.status})`
  if (failure.proxyStatus !== undefined) return `(it answered ${failure.proxyStatus})`
  if (failure.http2 !== undefined) return `(${failure.http2})`
  if (failure.kind === 'dns') return failure.temporary === true ? '(the resolver failed)' : '(there is no such name)'
  if (failure.kind === 'tls' && failure.code !== undefined) return `(${failure.code})`
  const idle = evidence?.connection?.idleMs
  if (idle !== undefined) return `after ${ms(idle)} idle`
  return undefined
}

/** How many attempts a story tells one by one: the first two, and the last. */
const attemptsTold = 5

/**
 * The story below the headline: who hung up and why (six lines at most), one line an attempt, the connection, the times,
 * the raw cause (eleven at most).
 */
export function story(error: Teller): string[] {
  const { diagnosis } = error
  const lines = [...(diagnosis === undefined ? [] : diagnosisLines(diagnosis)), ...attemptLines(error.attempts)]
  if (error.connection !== undefined) lines.push(`  connection: ${connectionLine(error.connection)}`)
  if (error.timings !== undefined) lines.push(`  time: ${timingsLine(error.timings, diagnosis)}`)
  lines.push(
    `  executed? ${error.mayHaveExecuted ? `maybe (delivery ${error.delivery})` : `no, proved (delivery ${error.delivery})`}`,
  )
  if (error.stopReason !== undefined) lines.push(`  stopped: ${stopped[error.stopReason]} (${error.stopReason})`)
  if (error.retryAfterMs !== undefined) lines.push(`  the server asked to wait ${ms(error.retryAfterMs)}`)
  const cause = causeLine(error.cause)
  if (cause !== undefined) lines.push(`  cause: ${cause}`)
  return lines
}

function attemptLines(attempts: readonly AttemptReport[]): string[] {
  if (attempts.length <= attemptsTold) return attempts.map(attemptLine)
  const last = attempts.slice(-(attemptsTold - 3)).map(attemptLine)
  const more = `  … ${attempts.length - attemptsTold + 1} more attempts`
  return [...attempts.slice(0, 2).map(attemptLine), more, ...last]
}

function attemptLine(attempt: AttemptReport): string {
  const waited = attempt.waitedMs > 0 ? ` (after waiting ${ms(attempt.waitedMs)})` : ''
  const what = [attempt.kind, attempt.status, attempt.code].filter((part) => part !== undefined).join(' ')
  const address = attempt.connection?.remoteAddress
  const where = address === undefined ? '' : ` ${address}:${attempt.connection?.remotePort}`
  return `  attempt ${attempt.number}${waited}: ${what} in phase ${attempt.phase}, ${attempt.delivery}${where} → ${decisionText(attempt.decision)}`
}

function decisionText(decision: Decision): string {
  if (!decision.retry) return `stop: ${decision.because}`
  const how = [decision.charged === true ? 'charged' : 'free', decision.optIn].filter(Boolean).join(', ')
  return `again in ${ms(decision.waitMs ?? 0)} (${how}): ${decision.because}`
}

function connectionLine(connection: ConnectionFacts): string {
  const { id, localAddress, localPort, remoteAddress, remotePort, protocol, reused, ageMs, idleMs, requestsBefore } =
    connection
  const through = connection.proxy === undefined ? '' : `, by way of ${connection.proxy}`
  const far = remoteAddress === undefined ? connection.socketPath : `${remoteAddress}:${remotePort}`
  const near = localAddress === undefined ? '' : `${localAddress}:${localPort} `
  const ends = far === undefined ? '' : `, ${near}→ ${far}${through}`
  // A connection without a protocol carries no requests, and age is all that can be said of it.
  const raw = protocol === undefined && ageMs !== undefined
  const use = reused ? `, reused, request ${requestsBefore + 1} on it` : raw ? '' : ', fresh'
  const age = ageMs === undefined ? '' : `, ${ms(ageMs)} old`
  const idle = idleMs === undefined ? '' : `, idle for ${ms(idleMs)} before`
  return `#${id}${ends}${protocol === undefined ? '' : `, ${protocol}`}${use}${age}${idle}`
}

function timingsLine({ total, ...steps }: Timings, diagnosis: Diagnosis | undefined): string {
  const end = diagnosis === undefined ? undefined : endOf(diagnosis)
  const told = Object.entries(steps).map(([name, value]) => `${name} ${ms(value as number)}`)
  return [...told, ...(end === undefined ? [] : [end]), ...(total === undefined ? [] : [`total ${ms(total)}`])].join(
    ', ',
  )
}

/** A raw error in a few words: its name, code and system call, and its message where that says more. */
export function causeLine(cause: unknown): string | undefined {
  const words = ['name', 'code', 'syscall']
    .map((field) => read(cause, field))
    .filter((word) => typeof word === 'string')
  const message = read(cause, 'message')
  const said = typeof message === 'string' && message !== '' ? `: ${redactLine(message, 160)}` : ''
  const line = `${words.map((word) => redactLine(word, 80)).join(' ')}${said}`
  return line === '' ? undefined : line
}

/** Milliseconds as a person reads them: `0.4 ms`, `210 ms`, `1.5 s`. */
export function ms(value: number | undefined): string {
  if (value === undefined) return 'unknown time'
  if (value >= 1000) return `${Math.round(value / 100) / 10} s`
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ms`
}
