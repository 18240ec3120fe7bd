/** The story of an error for a person: what happened, whether the request was heard, what is not known, what to do. */

import { diagnosisLines } from '../failure/diagnosis-lines.js'
import type { Evidence } from '../failure/evidence.js'
import { type Delivery, type Failure, type FailureKind, failureKinds, type Phase } from '../failure/kinds.js'
import { isBranded, type OffhookError } from '../failure/offhook-error.js'
import { read } from '../failure/property.js'
import { redactLine } from '../failure/redact.js'
import { causeLine, inPhase, story, whatHappened } from '../failure/story.js'
import { classify } from './classify.js'
import { byShape } from './diagnose.js'
import { readError } from './error-chain.js'
import { evidenceByShape } from './shape.js'

const advice: Record<FailureKind, string> = {
  reset: 'look for restarts, crashes and idle timeouts on the way: server, load balancer, NAT, firewall',
  closed: 'compare the idle timeouts of server and client; if it was in the middle of a body, look for crashes',
  refused: 'check the port, whether the server is up, and whether a firewall rejects',
  timeout: 'find out whether the server is slow or the way is silent; then raise the limit or lower the load',
  unreachable: 'check the address, routes, VPN and firewalls',
  dns: 'check the name; if the resolver failed, check the resolver',
  tls: 'check certificates, host name and TLS versions, and that the port speaks TLS',
  proxy: 'check the proxy: its address, its credentials, what it allows',
  protocol: 'see with a raw client what the server sends; check that it is the right port',
  rejected: 'send it again; if that goes on, the server is draining or overloaded',
  'local-resource': 'look at this host: open files, local ports, memory, firewall rules',
  'not-admitted': 'look at the client: its state, its limits, and the input',
  status: 'read the answer: the server says why',
  unknown: 'read the raw error below; it may not come from the network at all',
}

const proves: Record<Delivery, string> = {
  unsent: 'no: the error proves that this request was not sent. It may be sent again, whatever its method',
  rejected: 'no: the server declared that it did not process it. It may be sent again, whatever its method',
  answered: 'yes, as far as one can know: the server had answered',
  unknown: 'maybe: the error does not prove that it was not. Send it again only if it may be executed twice',
  partial: 'maybe, and probably: the server had begun to answer. Send it again only if it may be executed twice',
}

/**
 * The whole story of an error, on a dozen lines or a few more, for people. For an error of offhook's: every attempt, the
 * connection, the times, who hung up and why, why there was no other try. For anything else: what its shape says of
 * that, what it proves about whether the request was executed, and what cannot be known without having watched the
 * connection.
 *
 * The text may change between versions. It holds no query string, header value, body or credential. Never throws.
 *
 * @param error anything
 *
 * @example
 * ```ts
 * import { explain } from 'offhook'
 *
 * try {
 *   await globalThis.fetch('http://127.0.0.1:1')
 * } catch (error) {
 *   console.error(explain(error))
 * }
 * ```
 */
export function explain(error: unknown): string {
  const lines = isBranded(error) ? ourStory(error) : undefined
  return (lines ?? foreignStory(error)).join('\n')
}

/** `undefined` when it only carries the brand: made by something else, or by a version that tells it otherwise. */
function ourStory(error: unknown): string[] | undefined {
  try {
    const ours = error as OffhookError
    if (!failureKinds.includes(ours.kind)) return undefined
    return [`${redactLine(ours.name, 80)}: ${redactLine(ours.message, 1000)}`, ...story(ours)]
  } catch {
    return undefined
  }
}

function foreignStory(error: unknown): string[] {
  const failure = classify(error)
  if (failure.aborted === true) {
    return [
      `${titleOf(error)}: the caller aborted. That is no failure of the network.`,
      '  executed? maybe: a request that was under way may have been heard',
      ...causeOf(error, failure),
    ]
  }
  const { kind, delivery } = failure
  const evidence = evidenceByShape(error, failure)
  const unseen = evidence.circumstances?.showsResets === false
  // What has no name may have happened anywhere.
  const where = kind === 'unknown' || kind === 'not-admitted' ? '' : ` ${inPhase(failure.phase)}`
  return [
    `${titleOf(error)}: ${unseen ? 'the connection was no more' : whatHappened(failure)}${where}.`,
    `  kind ${kind}, phase ${failure.phase}, delivery ${delivery}: judged by the error alone`,
    `  executed? ${proves[delivery]}`,
    ...(delivery === 'unsent'
      ? ['  unless it followed a redirect: an earlier request may have been executed then']
      : []),
    ...(hasCulprit.includes(kind) ? whoLines(error, failure) : [`  what to do: ${advice[kind]}`]),
    ...(failure.permanent === true ? ['  trying again cannot help'] : []),
    `  not known: ${unseen ? 'how it ended (a FIN, a reset, or this program itself), ' : ''}${unknownOf(evidence)}: nobody watched the connection`,
    ...causeOf(error, failure),
    ...addressesOf(error),
  ]
}

/** Kinds of which somebody else than the caller can be the cause. */
const hasCulprit: readonly FailureKind[] = failureKinds.filter((kind) => kind !== 'unknown' && kind !== 'not-admitted')
/** A connection that was not made had neither been used nor been idle. */
const dials: readonly Phase[] = ['dns', 'connect', 'proxy', 'tls']
/** A story that is less likely is no ground for advice. */
const advisedFrom = 0.4

/** Who it may have been, by the shape alone; and advice for all such failures, where that says little. */
function whoLines(error: unknown, { kind }: Failure): string[] {
  const diagnosis = byShape(error)
  const lines = diagnosisLines(diagnosis)
  const likely = (diagnosis.hypotheses[0]?.probability ?? 0) >= advisedFrom
  return likely ? lines : [...lines.slice(0, -1), `  what to do: ${advice[kind]}`]
}

function unknownOf({ connection, timings, phase }: Evidence): string {
  const others = 'what became of other connections'
  if (dials.includes(phase)) return `${timings === undefined ? 'the times, ' : ''}${others}`
  const use = connection?.reused === undefined ? 'whether it had been used before' : undefined
  const idle = connection?.reused === false ? undefined : 'for how long it had been idle'
  const times = timings === undefined ? 'the times, the bytes' : 'the bytes'
  return [use, idle, times, others].filter((part) => part !== undefined).join(', ')
}

/** What it is: its name, or its type where it is no error. */
function titleOf(error: unknown): string {
  const name = read(error, 'name')
  if (typeof name === 'string' && name !== '') return redactLine(name, 80)
  return error === null ? 'null' : typeof error
}

/** The error that decided, and the one that was given where it is another. */
function causeOf(error: unknown, { cause }: Failure): string[] {
  const given = causeLine(error) ?? (typeof error === 'string' ? redactLine(error, 160) : undefined)
  const decided = cause === error ? undefined : causeLine(cause)
  return [
    ...(given === undefined ? [] : [`  error: ${given}`]),
    ...(decided === undefined ? [] : [`  cause: ${decided}`]),
  ]
}

/** Of several addresses that were tried, what each of them said. */
function addressesOf(error: unknown): string[] {
  let facts = readError(error)
  while (facts.members.length === 0 && facts.cause !== undefined) facts = facts.cause
  const said = facts.members.slice(0, 4).map(({ value, code, name }) => {
    const address = read(value, 'address')
    const port = read(value, 'port')
    const where =
      typeof address === 'string' ? ` ${redactLine(address, 60)}${typeof port === 'number' ? `:${port}` : ''}` : ''
    return `${code ?? name ?? 'unnamed'}${where}`
  })
  const more = facts.members.length > said.length ? `, and ${facts.members.length - said.length} more` : ''
  return said.length === 0 ? [] : [`  tried: ${said.join(', ')}${more}`]
}
