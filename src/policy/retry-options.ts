/** The options of the `retry` section: what they are, what they default to, what they risk. */

import type { BackoffPolicy } from './backoff.js'
import { longestWaitMs } from './backoff.js'
import { refuseIdleSwitches } from './idle-switches.js'
import { checkNumber, mismatch, type OptionSection, openSection } from './option-check.js'
import type { SignalHeaders } from './server-signals.js'

/**
 * How failed attempts are repeated. `retry: false` switches all repetition off, the free kind included; `attempts: 1`
 * leaves only the free kind, for requests that were proved not to have been processed.
 *
 * The options that are `false` by default are each named for what they risk. A retry that only such an option made
 * possible says so: `attempts[n].decision.optIn` in the error is its name.
 */
export interface RetryOptions {
  /** Attempts in all, the first one included; free repetitions do not count. 1 to 100. Default 3. */
  readonly attempts?: number | undefined
  /** The waits between attempts: full jitter below a ceiling that doubles. */
  readonly backoff?: BackoffOptions | undefined
  /**
   * Statuses after which idempotent and keyed requests are repeated. Default 408, 425, 429, 500, 502, 503, 504.
   * 421 and, for a request with an Idempotency-Key, 409 are always repeated, since HTTP defines what they mean.
   */
  readonly statuses?: readonly number[] | undefined
  /**
   * The longest wait, in milliseconds, that a server may ask for. Above it the call fails at once, with
   * `retryAfterMs` on the error; the wait is never shortened. `Infinity`: only the deadline counts. Default 60,000.
   */
  readonly maxRetryAfter?: number | undefined
  /** A response header in which your servers say how many milliseconds to wait; negative: not again. Default: none. */
  readonly pushbackHeader?: string | undefined
  /**
   * A response header by which servers that you trust declare that they did not process the request, for example
   * `finagle-http-nack`. With it a 503 is repeated whatever the method. Risk: a server that says so and has acted.
   * Default: none.
   */
  readonly nackHeader?: string | undefined
  /** A response header by which your servers forbid another try, for example `finagle-http-nonretryable-nack`. Default: none. */
  readonly stopHeader?: string | undefined
  /**
   * `'buffer'`: hand an answer over only when its body is complete, so that an idempotent request whose answer is cut
   * can be repeated as a whole. A body longer than `bufferLimit` is handed over as a stream after all. Default `'stream'`.
   */
  readonly body?: 'stream' | 'buffer' | undefined
  /** Most bytes of one body that `body: 'buffer'` holds back. Default 1,048,576 (1 MiB). */
  readonly bufferLimit?: number | undefined
  /**
   * Repeat any method when a connection that had been used before ended without one byte of an answer, as curl and
   * Chromium do. Most often the server had closed it while it was idle. Risk: it may have executed the request first.
   */
  readonly unsafeOnStaleConnection?: boolean | undefined
  /** Repeat any method after 429. Risk: no standard says that a request answered by 429 was not executed. */
  readonly unsafeOn429?: boolean | undefined
  /** Repeat any method after 503. Risk: no standard says that a request answered by 503 was not executed. */
  readonly unsafeOn503?: boolean | undefined
  /** Repeat any method over HTTP/1.1 when the server asks for that on HTTP/2. Risk: HTTP/2 does not say that it was not executed. */
  readonly unsafeOnHttp11Required?: boolean | undefined
  /**
   * Believe `Proxy-Status` (RFC 9209): after a 502, 503 or 504 whose gateway says that it never reached the origin, repeat
   * any method. Risk: whoever can write that header can have a request executed twice.
   */
  readonly trustProxyStatus?: boolean | undefined
  /** Repeat idempotent requests after an answer that is not valid HTTP. Risk: more load on something that is broken for good. */
  readonly idempotentOnInvalidResponse?: boolean | undefined
  /** Repeat keyed requests whose answer was cut in its body. Risk: a server that does not replay the first result. */
  readonly keyedAfterCutBody?: boolean | undefined
  /**
   * Continue the body of a GET that was cut while you read it, by `Range` and `If-Range` with a strong ETag. Risk: a
   * server whose ETag does not change when its content does.
   */
  readonly resume?: boolean | undefined
}

/** The waits before charged retries, in milliseconds. */
export interface BackoffOptions {
  /** Ceiling of the first wait. Default 50. */
  readonly base?: number | undefined
  /** Ceiling of the first wait after a sign of overload, here or there. Default 1,000. */
  readonly throttledBase?: number | undefined
  /** No ceiling is higher. Default 20,000. */
  readonly cap?: number | undefined
}

/** Behaviour that must be asked for, by the names of its options. */
export const optInNames = [
  'unsafeOnStaleConnection',
  'unsafeOn429',
  'unsafeOn503',
  'unsafeOnHttp11Required',
  'trustProxyStatus',
  'idempotentOnInvalidResponse',
  'keyedAfterCutBody',
  'resume',
  'nackHeader',
] as const

/** The name of an option that allows what the table does not allow by itself. */
export type OptIn = (typeof optInNames)[number]

/** The `retry` section, checked and complete. */
export interface RetryPolicy {
  /** Retries are switched off, all of them. */
  readonly disabled?: true
  readonly attempts: number
  readonly backoff: BackoffPolicy
  readonly statuses: readonly number[]
  readonly maxRetryAfterMs?: number
  readonly signalHeaders: SignalHeaders
  /** Bodies up to so many bytes are held back until they are complete; 0: none. */
  readonly bufferBytes: number
  readonly optIns: ReadonlySet<OptIn>
}

/** What a client does that says nothing about `retry`. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  attempts: 3,
  backoff: Object.freeze({ baseMs: 50, throttledBaseMs: 1000, capMs: 20_000 }),
  statuses: Object.freeze([408, 425, 429, 500, 502, 503, 504]),
  maxRetryAfterMs: 60_000,
  signalHeaders: Object.freeze({}),
  bufferBytes: 0,
  optIns: new Set<OptIn>(),
})

const switches = optInNames.filter((name) => name !== 'nackHeader')

const optionNames: readonly (keyof RetryOptions)[] = [
  'attempts',
  'backoff',
  'statuses',
  'maxRetryAfter',
  'pushbackHeader',
  'nackHeader',
  'stopHeader',
  'body',
  'bufferLimit',
  ...switches,
]

/**
 * Checks the `retry` section and fills in the defaults.
 *
 * @param value `undefined` for the defaults, `false` to switch retries off, or {@link RetryOptions}
 * @param path the section's name in messages
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkRetryOptions(value: unknown, path = 'retry'): RetryPolicy {
  if (value === undefined) return defaultRetryPolicy
  if (value === false) return Object.freeze({ ...defaultRetryPolicy, disabled: true as const })
  if (typeof value !== 'object') throw mismatch(path, 'a plain object, or false to switch it off', value)
  const section = openSection(path, value, optionNames)
  const nack = section.headerName('nackHeader')
  const optIns = new Set<OptIn>(switches.filter((name) => section.boolean(name) === true))
  if (nack !== undefined) optIns.add('nackHeader')
  const maxRetryAfterMs =
    section.number('maxRetryAfter', { min: 0, max: Number.POSITIVE_INFINITY }) ?? defaultRetryPolicy.maxRetryAfterMs
  const policy: RetryPolicy = Object.freeze({
    attempts: section.number('attempts', { min: 1, max: 100, integer: true }) ?? defaultRetryPolicy.attempts,
    backoff: checkBackoff(`${path}.backoff`, section.raw('backoff')),
    statuses: checkStatuses(`${path}.statuses`, section.raw('statuses')),
    ...(maxRetryAfterMs === undefined ? undefined : { maxRetryAfterMs }),
    signalHeaders: Object.freeze({
      ...present('pushback', section.headerName('pushbackHeader')),
      ...present('nack', nack),
      ...present('stop', section.headerName('stopHeader')),
    }),
    bufferBytes: checkBuffer(path, section),
    optIns,
  })
  refuseIdleSwitches(policy, path)
  return policy
}

function checkBackoff(path: string, value: unknown): BackoffPolicy {
  const defaults = defaultRetryPolicy.backoff
  if (value === undefined) return defaults
  const section = openSection(path, value, ['base', 'throttledBase', 'cap'])
  const wait = (name: string) => section.number(name, { min: 0, max: longestWaitMs })
  const capMs = wait('cap') ?? defaults.capMs
  for (const name of ['base', 'throttledBase']) {
    const base = wait(name)
    // Only what was asked for can contradict itself: a default above a small cap is simply capped.
    if (base !== undefined && base > capMs)
      throw mismatch(`${path}.${name}`, `at most ${path}.cap, which is ${capMs}`, base)
  }
  return Object.freeze({
    baseMs: wait('base') ?? defaults.baseMs,
    throttledBaseMs: wait('throttledBase') ?? defaults.throttledBaseMs,
    capMs,
  })
}

function checkBuffer(path: string, section: OptionSection): number {
  const body = section.raw('body') ?? 'stream'
  if (body !== 'stream' && body !== 'buffer') throw mismatch(`${path}.body`, "'stream' or 'buffer'", body)
  const limit = section.number('bufferLimit', { min: 1, max: 2 ** 30, integer: true })
  if (limit !== undefined && body === 'stream')
    throw mismatch(`${path}.bufferLimit`, `only with ${path}.body 'buffer'`, limit)
  return body === 'stream' ? 0 : (limit ?? 1_048_576)
}

function checkStatuses(path: string, value: unknown): readonly number[] {
  if (value === undefined) return defaultRetryPolicy.statuses
  if (!Array.isArray(value)) throw mismatch(path, 'an array of statuses', value)
  const range = { min: 400, max: 599, integer: true }
  return Object.freeze([
    ...new Set(Array.from(value, (status: unknown, at) => checkNumber(`${path}[${at}]`, status, range))),
  ])
}

function present<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string }
}
