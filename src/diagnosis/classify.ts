/**
 * Names a failure: raw error and evidence in, kind, phase and delivery out. What our own wire has seen outranks the
 * shape of the error; where it saw nothing, the error's class, code and system call decide, and prove no more than they
 * can. The order: our own limits, the caller's abort, how the socket ended, the phase that the marks say, the error.
 */

import type { Evidence } from '../failure/evidence.js'
import type { Delivery, Failure, FailureKind, Phase } from '../failure/kinds.js'
import type { CodeFact } from '../knowledge/code-row.js'
import { type ErrorFacts, readError } from './error-chain.js'
import { saysByStream } from './http2-stream.js'
import { defaultPhase, readingOf, worstOf } from './reading.js'

/**
 * Names any error: one of offhook's, of Node's, of undici's, of fetch's, or of a library that wraps them. Never throws,
 * whatever it is given, and never changes it.
 *
 * Without the evidence that offhook's own wire records, it says what the error's shape proves and no more: an
 * `ECONNREFUSED` was surely not sent, a `read ECONNRESET` may have been executed. It speaks of the request that failed;
 * a fetch that follows redirects may have made others before it.
 *
 * @param error anything
 * @param evidence what offhook's wire recorded; leave it out for errors that offhook did not make
 * @returns the failure; `cause` is the error that decided, untouched. An error of offhook's keeps its name.
 *
 * @example
 * ```ts
 * import { classify } from 'offhook'
 *
 * try {
 *   await globalThis.fetch('http://127.0.0.1:1')
 * } catch (error) {
 *   const { kind, delivery } = classify(error)
 *   console.log(kind, delivery) // refused unsent
 * }
 * ```
 */
export function classify(error: unknown, evidence?: Evidence): Failure {
  const facts = readError(error)
  const reading = readingOf(facts)
  const earlier = (evidence?.earlier ?? []).map((exchange) => exchange.delivery)
  if (reading?.ours !== undefined) {
    return { ...reading.ours, delivery: worstOf([reading.ours.delivery, ...earlier]) }
  }
  const says = saysByStream(reading?.says ?? unnamed(error, evidence), evidence)
  const decisive = reading?.facts ?? bottomOf(facts)
  const kind = kindOf(says, evidence)
  const phase = phaseOf({ says, kind, syscall: decisive.syscall }, evidence)
  const delivery = worstOf([deliveryOf(says, phase, evidence), ...earlier])
  const overtaken = evidence?.limit !== undefined && says.aborted === true
  const carried = names(decisive, overtaken)
  return { kind, phase, delivery, cause: decisive.value, ...carried, ...details(says, kind, evidence) }
}

/** No error at all, but a complete answer with an error status; otherwise nothing is known by name. */
function unnamed(error: unknown, evidence: Evidence | undefined): CodeFact {
  const refused = error === undefined && evidence?.complete === true && (evidence.status ?? 0) >= 400
  return refused ? { kind: 'status', phase: 'body', delivery: 'answered' } : { kind: 'unknown' }
}

function bottomOf(facts: ErrorFacts): ErrorFacts {
  return facts.cause === undefined ? facts : bottomOf(facts.cause)
}

function kindOf(says: CodeFact, evidence: Evidence | undefined): FailureKind {
  if (evidence?.limit !== undefined) return 'timeout'
  if (says.aborted === true || evidence === undefined) return says.kind
  const kind = says.mute === true || says.kind === 'unknown' ? kindByEnding(says, evidence) : says.kind
  // The tunnel is not there yet: whatever broke off, the origin had no part in it.
  if (evidence.phase === 'proxy' && ['reset', 'closed', 'protocol', 'unknown'].includes(kind)) return 'proxy'
  return isBadRedirect(kind, says, evidence) ? 'protocol' : kind
}

function kindByEnding(says: CodeFact, evidence: Evidence): FailureKind {
  // A coding that stops in the middle shows that a body which only the end of the connection delimits was cut after all.
  const complete = evidence.complete === true && !(evidence.closeDelimited === true && says.mute === true)
  if (complete) return says.kind
  if (evidence.ending === 'rst') return 'reset'
  return evidence.ending === 'fin' || evidence.ending === 'fin-then-rst' ? 'closed' : says.kind
}

/** The answer pointed to what cannot be fetched: the input was right, and the request was answered. */
function isBadRedirect(kind: FailureKind, says: CodeFact, { status = 0 }: Evidence): boolean {
  return status >= 300 && status < 400 && (says.admission === 'invalid' || kind === 'unknown')
}

const phasesOfDial: readonly Phase[] = ['dns', 'connect', 'proxy', 'tls']

interface Named {
  readonly says: CodeFact
  readonly kind: FailureKind
  readonly syscall: string | undefined
}

function phaseOf({ says, kind, syscall }: Named, evidence: Evidence | undefined): Phase {
  if (evidence?.limit !== undefined) return phaseOfLimit(evidence)
  if (kind === 'dns' || kind === 'proxy') return kind
  if (kind === 'timeout' && says.phase === 'call') return 'call'
  const shape = says.phase ?? defaultPhase(kind)
  if (evidence === undefined || evidence.vantage === 'none') return shape
  const { phase, vantage, started } = evidence
  if (started === false) {
    if (kind === 'not-admitted') return 'admit'
    if (vantage === 'socket' && phase !== 'admit') return phase
    if (phasesOfDial.includes(shape)) return shape
    // From outside a foreign dispatcher all that can be seen before the start is that there was none.
    return vantage === 'dispatcher' && kind !== 'unknown' ? 'connect' : phase
  }
  const writing = says.phase === 'send' && (syscall !== undefined || kind === 'reset' || kind === 'closed')
  return writing && phase === 'wait' ? 'send' : phase
}

function phaseOfLimit({ limit, phase, vantage, started }: Evidence): Phase {
  if (limit === 'total') return 'call'
  if (limit === 'body') return 'body'
  if (limit === 'connect') return phasesOfDial.includes(phase) ? phase : 'connect'
  // Where nobody could see the dial, `admit` is only the absence of marks: all that is known is that it was waited for.
  if (vantage === 'none' && phase === 'admit') return 'wait'
  return vantage === 'dispatcher' && started === false && phase === 'admit' ? 'connect' : phase
}

function deliveryOf(says: CodeFact, phase: Phase, evidence: Evidence | undefined): Delivery {
  const shape = says.delivery ?? 'unknown'
  if (evidence === undefined) return shape
  const { vantage, started, status, complete } = evidence
  if (complete === true || (shape === 'answered' && status !== undefined)) return 'answered'
  if (vantage === 'none') {
    if (status !== undefined) return 'partial'
    // Nobody saw whether there were redirects before: that the last request was not sent proves nothing for the others.
    return shape === 'unsent' || shape === 'rejected' ? 'unknown' : shape
  }
  if (started === false) return 'unsent'
  if (status !== undefined || phase === 'head' || phase === 'body') return 'partial'
  if (shape === 'rejected') return shape
  if (hasAnswerBytes(evidence)) return 'partial'
  return started === true ? 'unknown' : shape
}

/** Over HTTP/2 the bytes of a connection are those of all its streams, and frames that answer nothing. */
function hasAnswerBytes({ bytes, connection }: Evidence): boolean {
  return connection?.protocol !== 'h2' && (bytes?.received ?? 0) > 0
}

/** The fields that only some kinds have. */
function details(says: CodeFact, kind: FailureKind, evidence: Evidence | undefined): Partial<Failure> {
  if (evidence?.limit !== undefined) return {}
  const { temporary, tls, http2, proxyStatus, admission, permanent, aborted } = says
  const status = says.status ?? evidence?.status
  const redirected = kind === 'protocol' && admission === 'invalid'
  const sameKind = kind === says.kind || redirected
  return {
    ...(kind === 'dns' && temporary !== undefined && { temporary }),
    ...(kind === 'tls' && tls !== undefined && { tls }),
    ...(http2 !== undefined && { http2 }),
    ...(kind === 'proxy' && proxyStatus !== undefined && { proxyStatus }),
    ...(kind === 'status' && status !== undefined && { status }),
    ...(kind === 'not-admitted' && admission !== undefined && { admission }),
    ...(sameKind && permanent !== undefined && { permanent }),
    ...(aborted === true && { aborted }),
  }
}

/** The words of the raw error, carried over; those of an abort that a limit of ours caused would name the wrong thing. */
function names({ code, errno, syscall }: ErrorFacts, overtaken: boolean): Partial<Failure> {
  if (overtaken) return {}
  return {
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
  }
}
