/**
 * The base of the typed errors: the fields that all of them have, and how one is logged and printed. The message is
 * for people; everything in it stands in a field as well.
 */

import type { Diagnosis } from './diagnosis.js'
import { diagnosisToJson } from './diagnosis-lines.js'
import type { AttemptReport, ByteCounts, ConnectionFacts, Evidence, Timings } from './evidence.js'
import { type Delivery, type Failure, type FailureKind, mayHaveExecuted, type Phase, type StopReason } from './kinds.js'
import { read } from './property.js'
import { redactLine } from './redact.js'
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
  /** Explains a failure, when somebody asks for it. This folder judges nothing itself. */
  readonly diagnose?: Diagnose | undefined
}

/** From a failure, its evidence and the attempts of its call to who hung up. */
export type Diagnose = (
  failure: Failure,
  evidence: Evidence | undefined,
  attempts: readonly AttemptReport[],
) => Diagnosis

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
  declare readonly stopReason?: StopReason
  /**
   * `do-not-retry`: this call has already been repeated as often as it could afford. Whoever called it should not
   * repeat it once more: retries at several layers multiply. An outer offhook call heeds it.
   */
  declare readonly advice?: 'do-not-retry'
  /** Milliseconds the server asked to wait, when it asked for more than was left. */
  declare readonly retryAfterMs?: number
  /** The connection of the last attempt. Absent when none was opened or when it could not be seen. */
  declare readonly connection?: ConnectionFacts
  /** Where the time of the last attempt went, in milliseconds. */
  declare readonly timings?: Timings
  /** Bytes of the last attempt's request and response. */
  declare readonly bytes?: ByteCounts
  /** The raw error's `code`, carried over: `error.code === 'ECONNRESET'` goes on working. */
  declare readonly code?: string
  /** The raw error's `errno`, carried over. */
  declare readonly errno?: number
  /** The raw error's `syscall`, carried over. */
  declare readonly syscall?: string
  /** The HTTP/2 error code by its name in RFC 9113 §7, where HTTP/2 said one, for example `CANCEL`; or `GOAWAY`, `PING`. */
  declare readonly http2?: string

  /** What the diagnosis is made from, when it is asked for. */
  readonly #told: Pick<OffhookErrorDetails, 'failure' | 'evidence' | 'diagnose'>
  #diagnosis: Diagnosis | undefined

  /** @internal */
  constructor(details: OffhookErrorDetails) {
    nameOnce(new.target)
    super(headline(details), details.failure.cause === undefined ? undefined : { cause: details.failure.cause })
    const { failure, evidence, diagnose } = details
    this.#told = { failure, evidence, diagnose }
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
      advice: exhausted(details.stopReason) ? 'do-not-retry' : undefined,
      retryAfterMs: details.retryAfterMs,
      connection: evidence?.connection,
      timings: evidence?.timings,
      bytes: evidence?.bytes,
      code: failure.code,
      errno: failure.errno,
      syscall: failure.syscall,
      http2: failure.http2,
    })
  }

  static {
    Object.defineProperty(OffhookError.prototype, brand, { value: true })
  }

  /**
   * Who hung up: what happened on the wire, who did it with what probability, why, and what to do about it. Made when it
   * is read for the first time, from what was recorded when the call failed; an error that nobody asks costs nothing.
   * Where no story is likely enough it says so: `origin` is then `unknown`, and the headline names what cannot be told
   * apart.
   *
   * @example
   * ```ts
   * import { isOffhookError } from 'offhook'
   *
   * export function blame(error: unknown): string {
   *   if (!isOffhookError(error)) return 'nobody'
   *   const { origin, headline } = error.diagnosis ?? {}
   *   return origin === 'self' || origin === 'local' ? 'ourselves' : (headline ?? 'nobody knows')
   * }
   * ```
   */
  get diagnosis(): Diagnosis | undefined {
    const { failure, evidence, diagnose } = this.#told
    this.#diagnosis ??= diagnose?.(failure, evidence, this.attempts)
    return this.#diagnosis
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
      method: clip(this.method, 50),
      origin: clip(this.origin, 300),
      path: clip(this.path, 500),
      stopReason: this.stopReason,
      advice: this.advice,
      retryAfterMs: this.retryAfterMs,
      code: this.code,
      errno: this.errno,
      syscall: this.syscall,
      ...Object.fromEntries(fieldsOfKinds.map((name) => [name, read(this, name)])),
      connection: this.connection,
      timings: this.timings,
      bytes: this.bytes,
      attempts: this.attempts.slice(-maxAttemptsInJson),
      attemptCount: this.attempts.length,
      diagnosis: this.diagnosis && diagnosisToJson(this.diagnosis),
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

/** Whether a value carries the brand of an offhook error, of this copy of the package or another. */
export function isBranded(value: unknown): boolean {
  try {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  } catch {
    // A proxy or an accessor that throws is not one of ours.
    return false
  }
}

/** Whether the layer that stopped for this reason had done its share of repeating. */
function exhausted(stopReason: StopReason | undefined): boolean {
  return stopReason === 'budget' || stopReason === 'attempts' || stopReason === 'server-said'
}

const maxAttemptsInJson = 10

/** What only errors of some kinds have. */
const fieldsOfKinds = [
  'temporary',
  'trouble',
  'proxyStatus',
  'http2',
  'admission',
  'limit',
  'limitMs',
  'status',
] as const

function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

/** Words and numbers of the raw error, and no more: what else hangs on it may be large, circular or secret. */
function causeToJson(cause: unknown): unknown {
  const fields = { name: 80, code: 80, errno: 80, syscall: 80, message: 200 }
  const found = Object.entries(fields).map(([field, length]) => [field, plain(read(cause, field), length)] as const)
  const facts = known(Object.fromEntries(found))
  return Object.keys(facts).length === 0 ? undefined : facts
}

function plain(value: unknown, length: number): string | number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return typeof value === 'string' ? redactLine(value, length) : undefined
}

function known<T extends object>(fields: T): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Sets those fields whose value is known; the others stay absent. */
export function setKnown(target: object, fields: object): void {
  for (const name in fields) {
    const value = (fields as Record<string, unknown>)[name]
    if (value !== undefined) (target as Record<string, unknown>)[name] = value
  }
}

/** Gives a class's errors its name, before the first of them is made: the stack begins with it. */
function nameOnce(type: typeof OffhookError): void {
  if (!Object.hasOwn(type.prototype, 'name'))
    Object.defineProperty(type.prototype, 'name', { value: type.name, configurable: true, writable: true })
}
