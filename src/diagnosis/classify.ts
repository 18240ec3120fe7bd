/**
 * Names a failure: raw error and evidence in, kind, phase and delivery out. What our own wire has seen outranks the
 * shape of the error; where it saw nothing, the error's class, code and syscall decide, and prove no more than they can.
 */

import type { Evidence } from '../failure/evidence.js'
import { type Delivery, deliveries, type Failure, type FailureKind, type Phase } from '../failure/kinds.js'
import { isBranded } from '../failure/offhook-error.js'
import { type CodeFact, factOf, http2Codes } from '../knowledge/error-codes.js'
import { type ErrorFacts, errorChain, read } from './error-chain.js'
import { proxyAnswer, streamCode, unexpectedRedirect } from './texts.js'

/**
 * Names any error: one of offhook's, of Node's, of undici's, of fetch's, or of a library that wraps them. Never throws,
 * whatever it is given, and never changes it.
 *
 * Without the evidence that offhook's own wire records, it says what the error's shape proves and no more: an
 * `ECONNREFUSED` was surely not sent, a `read ECONNRESET` may have been executed.
 *
 * @param error anything
 * @param evidence what offhook's wire recorded; leave it out for errors that offhook did not make
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
  const chain = errorChain(error)
  const inner = chain.find(({ value }) => isBranded(value))
  if (inner !== undefined) return failureOfOurs(inner)
  const decisive = chain.map(recognise).find((recognised) => recognised !== undefined)
  const facts = decisive?.facts ?? chain.at(-1)
  const says = decisive?.says ?? unknownFact
  const kind = kindOf(says, facts, evidence)
  const phase = phaseOf(says, facts, evidence)
  const delivery = deliveryOf({ ...says, kind }, phase, evidence)
  const { code, errno, syscall } = facts ?? {}
  return {
    kind,
    phase,
    delivery,
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...(kind === 'dns' && says.temporary !== undefined && { temporary: says.temporary }),
    ...(kind === 'tls' && says.tls !== undefined && { tls: says.tls }),
    ...(says.http2 !== undefined && { http2: says.http2 }),
    ...(says.proxyStatus !== undefined && { proxyStatus: says.proxyStatus }),
    ...(says.admission !== undefined && { admission: says.admission }),
    ...(says.aborted === true && { aborted: true }),
    ...(says.permanent === true && kind === says.kind && { permanent: true }),
    cause: facts === undefined ? error : facts.value,
  }
}

/** What an error says by itself: by its code, and by the little that stands beside it. */
type Fact = CodeFact & { readonly http2?: string; readonly proxyStatus?: number }

const unknownFact: Fact = { kind: 'unknown' }

interface Recognised {
  readonly facts: ErrorFacts
  readonly says: Fact
}

function recognise(facts: ErrorFacts): Recognised | undefined {
  const says = factByShape(facts) ?? (facts.code === undefined ? undefined : factOf(facts.code)) ?? factByName(facts)
  if (says !== undefined) return { facts, says }
  return mostTelling(facts.members)
}

/** Shapes that a code alone does not tell. */
function factByShape(facts: ErrorFacts): Fact | undefined {
  const { code, errno, syscall, value } = facts
  if (code === 'ECONNRESET' && errno === undefined && syscall === undefined) {
    // Node's own word for an early FIN. With the address of the peer on it, it came in the middle of a TLS handshake.
    const handshake = read(value, 'host') !== undefined || read(value, 'localAddress') !== undefined
    return handshake ? { kind: 'closed', phase: 'tls', delivery: 'unsent' } : { kind: 'closed' }
  }
  if (
    syscall === 'connect' &&
    (code === 'ECONNRESET' || code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
  ) {
    return { ...factOf(code), kind: factOf(code)?.kind ?? 'unknown', phase: 'connect', delivery: 'unsent' }
  }
  if ((syscall === 'write' || syscall === 'writev') && code !== undefined) {
    const fact = factOf(code)
    return fact === undefined ? undefined : { ...fact, phase: 'send' }
  }
  if (syscall?.startsWith('getaddrinfo') === true || syscall?.startsWith('query') === true) {
    const temporary = code === undefined ? true : (factOf(code)?.temporary ?? true)
    return { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary }
  }
  const status = proxyAnswer(facts)
  if (status !== undefined) return { kind: 'proxy', phase: 'proxy', delivery: 'unsent', proxyStatus: status }
  const stream = streamCode(facts, http2Codes)
  return stream === undefined ? undefined : factOfStream(stream, facts)
}

function factOfStream(http2: string, { code }: ErrorFacts): Fact {
  if (http2 === 'REFUSED_STREAM') return { kind: 'rejected', delivery: 'rejected', http2 }
  // undici 8 fails only streams above the last one that the peer processed; 7 fails them all, with another code.
  if (http2 === 'GOAWAY')
    return code === 'UND_ERR_INFO' ? { kind: 'rejected', delivery: 'rejected', http2 } : { kind: 'closed', http2 }
  if (
    http2 === 'PROTOCOL_ERROR' ||
    http2 === 'FRAME_SIZE_ERROR' ||
    http2 === 'COMPRESSION_ERROR' ||
    http2 === 'FLOW_CONTROL_ERROR'
  ) {
    return { kind: 'protocol', http2 }
  }
  return { kind: 'reset', http2 }
}

function factByName(facts: ErrorFacts): Fact | undefined {
  switch (facts.name) {
    case 'HTTPParserError':
      // The body's end is the parser's affair too, and then the socket knows better.
      return { kind: 'protocol', permanent: true, mute: true }
    case 'AbortError':
      return { kind: 'unknown', aborted: true }
    case 'TimeoutError':
      return { kind: 'timeout', phase: 'call' }
    default:
      return unexpectedRedirect(facts) ? { kind: 'protocol', delivery: 'answered', permanent: true } : undefined
  }
}

/** Of several addresses that failed: what they agree on, else the one that came furthest. */
function mostTelling(members: readonly ErrorFacts[]): Recognised | undefined {
  const recognised = members.map(recognise).filter((one) => one !== undefined)
  return recognised.sort((a, b) => reach(b.says) - reach(a.says))[0]
}

function reach({ kind }: Fact): number {
  const order: readonly FailureKind[] = [
    'dns',
    'local-resource',
    'unreachable',
    'timeout',
    'refused',
    'reset',
    'closed',
    'tls',
    'protocol',
  ]
  return order.indexOf(kind)
}

function kindOf(says: Fact, facts: ErrorFacts | undefined, evidence: Evidence | undefined): FailureKind {
  if (evidence === undefined) return says.kind
  if (evidence.limit !== undefined) return 'timeout'
  const { ending, vantage } = evidence
  if (says.kind !== 'unknown' && says.mute !== true) return says.kind
  if (ending === 'rst') return 'reset'
  if (ending === 'fin' || ending === 'fin-then-rst') return 'closed'
  // undici itself ended a healthy connection: what came on it was no answer.
  if (facts?.code === 'UND_ERR_SOCKET' && vantage === 'socket' && says.http2 === undefined) return 'protocol'
  return says.kind
}

function phaseOf(says: Fact, facts: ErrorFacts | undefined, evidence: Evidence | undefined): Phase {
  if (evidence?.limit === 'total') return 'call'
  if (evidence === undefined || evidence.vantage === 'none') return says.phase ?? defaultPhase(says)
  const { phase, vantage, started } = evidence
  // From outside a foreign dispatcher all that can be seen before the start is that there was none.
  if (started === false && vantage === 'dispatcher')
    return beforeStart(says.phase ?? (says.kind === 'not-admitted' ? 'admit' : 'connect'))
  if (started === false && phase === 'admit') return beforeStart(says.phase ?? 'admit')
  const writing = facts?.syscall === 'write' || facts?.syscall === 'writev' || facts?.code === 'EPIPE'
  return writing && phase === 'wait' ? 'send' : phase
}

const phasesBeforeStart: readonly Phase[] = ['admit', 'dns', 'connect', 'proxy', 'tls']

function beforeStart(phase: Phase): Phase {
  return phasesBeforeStart.includes(phase) ? phase : 'connect'
}

function defaultPhase({ kind }: Fact): Phase {
  if (kind === 'not-admitted') return 'admit'
  if (kind === 'unreachable' || kind === 'local-resource') return 'connect'
  return kind === 'protocol' ? 'head' : 'wait'
}

function deliveryOf(says: Fact, phase: Phase, evidence: Evidence | undefined): Delivery {
  if (evidence === undefined || evidence.vantage === 'none') return says.delivery ?? deliveryByPhase(says, phase)
  const earlier = (evidence.earlier ?? []).map((exchange) => exchange.delivery)
  return worst([lastDelivery(says, evidence), ...earlier])
}

function lastDelivery({ delivery }: Fact, { started, phase, complete, status }: Evidence): Delivery {
  if (started !== true) return 'unsent'
  if (complete === true || (delivery === 'answered' && status !== undefined)) return 'answered'
  if (phase === 'head' || phase === 'body') return 'partial'
  return delivery === 'rejected' ? 'rejected' : 'unknown'
}

function deliveryByPhase({ kind, admission }: Fact, phase: Phase): Delivery {
  if (phasesBeforeStart.includes(phase) && admission !== 'destroyed') return 'unsent'
  if (phase === 'head' || phase === 'body') return 'partial'
  return kind === 'unreachable' || kind === 'local-resource' ? 'unsent' : 'unknown'
}

/** A redirect makes several exchanges in one attempt; the one that was heard best decides. */
function worst(all: readonly Delivery[]): Delivery {
  return all.reduce((a, b) => (deliveries.indexOf(b) > deliveries.indexOf(a) ? b : a))
}

/** An error of ours has its name already. */
function failureOfOurs({ value, code, errno, syscall }: ErrorFacts): Failure {
  const error = value as Partial<Failure> & { advice?: 'do-not-retry'; cause?: unknown }
  const optional = ['temporary', 'http2', 'proxyStatus', 'status', 'admission', 'advice'] as const
  const known = optional.map((name) => [name, read(value, name)] as const).filter(([, found]) => found !== undefined)
  const trouble = read(value, 'trouble')
  return {
    kind: error.kind ?? 'unknown',
    phase: error.phase ?? 'wait',
    delivery: error.delivery ?? 'unknown',
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...Object.fromEntries(known),
    ...(typeof trouble === 'string' && { tls: trouble as NonNullable<Failure['tls']> }),
    ...(read(value, 'stopReason') === 'permanent' && { permanent: true }),
    cause: read(value, 'cause'),
  }
}
