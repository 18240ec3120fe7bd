/** What an error says by its own shape: which one of a chain or of an aggregate decides, and what it proves. */

import { type Delivery, deliveries, type Failure, type FailureKind, type Phase, phases } from '../failure/kinds.js'
import { has, read } from '../failure/property.js'
import { clientTextRows } from '../knowledge/client-texts.js'
import type { CodeFact } from '../knowledge/code-row.js'
import { factOf } from '../knowledge/error-codes.js'
import { badRedirect, fetchFailed, http2Says, opensslCode, proxySays, textRows } from '../knowledge/error-texts.js'
import { runtimeTextRows } from '../knowledge/runtime-texts.js'
import type { ErrorFacts } from './error-chain.js'
import { failureOfOurs } from './our-errors.js'

/** The error that decided, and what it says. */
export interface Reading {
  readonly facts: ErrorFacts
  readonly says: CodeFact
  /** It is one of offhook's, and has its name already. */
  readonly ours?: Failure
}

/** The reading of an error, its causes and members; `undefined` when none of them says anything. */
export function readingOf(facts: ErrorFacts): Reading | undefined {
  const ours = failureOfOurs(facts)
  if (ours !== undefined) return { facts, says: { kind: ours.kind, phase: ours.phase, delivery: ours.delivery }, ours }
  const says = ownSays(facts)
  const own = says === undefined ? undefined : { facts, says }
  const inner = mostTelling(facts) ?? (facts.cause === undefined ? undefined : readingOf(facts.cause))
  if (inner?.facts.code === 'ERR_INVALID_URL' && fetchFailed.test(facts.message)) return { ...inner, says: badRedirect }
  if (own === undefined || inner === undefined) return own ?? inner
  return join(own, inner)
}

/** An error and the one that it wraps: the inner one is nearer to the wire, unless the outer one knows who it was. */
function join(own: Reading, inner: Reading): Reading {
  if (inner.ours !== undefined) return inner
  const { says } = own
  // An abort whose reason is that the time was up.
  if (says.aborted === true && inner.says.kind === 'timeout') return inner
  if (says.outranksCause === true) return own
  if (inner.says.aborted === true && says.kind !== 'unknown' && says.mute !== true) return own
  // A wrapper without a name of its own still tells how far the request had come.
  const { phase, delivery } = says
  if (says.kind !== 'unknown' || inner.says.delivery === 'answered') return inner
  return { ...inner, says: { ...inner.says, ...(phase && { phase }), ...(delivery && { delivery }) } }
}

/** What the error says itself, without its causes. */
function ownSays(facts: ErrorFacts): CodeFact | undefined {
  const { code, syscall } = facts
  const told = saysByText(facts)
  if (told !== undefined) return told
  if (code === undefined) return saysByName(facts)
  return saysByFields(facts, code) ?? factOf(code, syscall) ?? saysByName(facts)
}

const rows = [...textRows, ...clientTextRows, ...runtimeTextRows]

function saysByText(facts: ErrorFacts): CodeFact | undefined {
  const { code, name, message } = facts
  // undici 8 says in a field what the text says.
  const http2 = code === 'ERR_HTTP2_STREAM_ERROR' ? read(facts.value, 'http2ErrorCode') : undefined
  if (typeof http2 === 'number') return http2Says(http2)
  for (const row of rows) {
    if (row.codes === undefined ? code !== undefined : code === undefined || !row.codes.includes(code)) continue
    if (row.name !== undefined && row.name !== name) continue
    const found = row.text.exec(message)
    if (found === null) continue
    const says = typeof row.says === 'function' ? row.says(found.slice(1)) : row.says
    if (says !== undefined) return says
  }
  return undefined
}

/** What stands in other fields than code and system call. */
function saysByFields({ value, errno, syscall, message }: ErrorFacts, code: string): CodeFact | undefined {
  switch (code) {
    case 'ECONNRESET':
      if (syscall !== undefined) return undefined
      if (errno !== undefined) return { kind: 'reset', mute: true }
      // Node's word for a FIN. With the local address on it, whatever that is, it came in the middle of a handshake.
      return has(value, 'localAddress') ? { kind: 'closed', phase: 'tls', delivery: 'unsent', mute: true } : undefined
    case 'EPROTO': {
      const ssl = opensslCode(message)
      return ssl === undefined ? undefined : factOf(ssl)
    }
    case 'ERR_PROXY_TUNNEL': {
      const status = read(value, 'statusCode')
      return typeof status === 'number' ? proxySays(status) : undefined
    }
    case 'UND_ERR_RESPONSE':
    case 'UND_ERR_REQ_RETRY':
      // RetryHandler without an error status: what it was to continue was not to be had.
      return statusSays(read(value, 'statusCode'))
    case 'ERR_BAD_RESPONSE':
    case 'ERR_BAD_REQUEST':
    case 'ERR_NON_2XX_3XX_RESPONSE': {
      // axios and got: the answer hangs on the error.
      const response = read(value, 'response')
      return statusSays(read(response, 'status') ?? read(response, 'statusCode'))
    }
    default:
      return undefined
  }
}

function statusSays(status: unknown): CodeFact | undefined {
  if (typeof status !== 'number' || status < 400) return undefined
  return { kind: 'status', phase: 'body', delivery: 'answered', status }
}

function saysByName({ name, value }: ErrorFacts): CodeFact | undefined {
  switch (name) {
    case 'HTTPParserError':
      // undici 7 and 8 leave it without a code; `data` is what could not be parsed.
      return has(value, 'data') ? factOf('HPE_UNKNOWN') : undefined
    case 'AbortError':
      return { kind: 'unknown', aborted: true, outranksCause: true }
    case 'TimeoutError':
      return { kind: 'timeout', phase: 'call' }
    default:
      // An exception of the AWS SDK is named after the service's error; what it carries says what was answered.
      return typeof read(value, '$fault') === 'string'
        ? statusSays(read(read(value, '$metadata'), 'httpStatusCode'))
        : undefined
  }
}

/** From the least telling to the most, for errors that came equally far. */
const telling: readonly FailureKind[] = [
  'unknown',
  'not-admitted',
  'dns',
  'local-resource',
  'unreachable',
  'timeout',
  'refused',
  'closed',
  'reset',
  'proxy',
  'tls',
  'protocol',
  'rejected',
  'status',
]

/**
 * Of an aggregate's members the one that came furthest, for it knows most of the other side. The delivery is that of
 * the worst: an aggregate of several calls is not unsent because one of them is.
 */
function mostTelling({ members, cut }: ErrorFacts): Reading | undefined {
  const readings = members.map(readingOf)
  const named = readings.filter((one) => one !== undefined)
  const best = named.reduce<Reading | undefined>((a, b) => (a === undefined || reach(b) > reach(a) ? b : a), undefined)
  if (best === undefined || (named.length === 1 && readings.length === 1 && !cut)) return best
  const all = readings.map((one): Delivery => one?.says.delivery ?? 'unknown')
  const delivery = worstOf(cut ? [...all, 'unknown'] : all)
  return {
    ...best,
    says: { ...best.says, delivery },
    ...(best.ours !== undefined && { ours: { ...best.ours, delivery } }),
  }
}

function reach({ says: { kind, phase } }: Reading): number {
  return phases.indexOf(phase ?? defaultPhase(kind)) * telling.length + telling.indexOf(kind)
}

/** Where a failure of this kind comes up, unless it says otherwise. */
export function defaultPhase(kind: FailureKind): Phase {
  switch (kind) {
    case 'not-admitted':
      return 'admit'
    case 'refused':
    case 'unreachable':
    case 'local-resource':
      return 'connect'
    case 'tls':
      return 'tls'
    case 'protocol':
      return 'head'
    default:
      return 'wait'
  }
}

/** The verdict nearest to "surely heard"; `unsent` of none at all. */
export function worstOf(all: readonly Delivery[]): Delivery {
  return all.reduce<Delivery>((a, b) => (deliveries.indexOf(b) > deliveries.indexOf(a) ? b : a), 'unsent')
}
