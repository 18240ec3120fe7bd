/**
 * The options of a client: each policy's options joined, checked once, frozen. Whatever does not fit is refused here,
 * when the client is made, and not at 3 a.m. when the first call fails.
 */

import type { LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { CallLimits } from './call/spec.js'
import { type Clock, longestDelayMs, systemClock } from './clock.js'
import type { OriginSettings } from './origin/origin.js'
import { type BreakerOptions, checkBreakerOptions } from './policy/breaker.js'
import { type BudgetOptions, type BudgetPreset, checkBudgetOptions } from './policy/budget-options.js'
import { type ConcurrencyOptions, checkConcurrencyOptions } from './policy/concurrency.js'
import { checkDiagnosisOptions, type DiagnosisOptions, type DiagnosisSettings } from './policy/diagnosis-options.js'
import { checkHedgeOptions, type HedgeOptions } from './policy/hedge.js'
import { checkNumber, mismatch, openSection } from './policy/option-check.js'
import { refuseIncoherence } from './policy/option-coherence.js'
import type { ProxyOptions } from './policy/proxy-options.js'
import { checkRetryOptions, type RetryOptions, type RetryPolicy } from './policy/retry-options.js'
import { reuseSettings } from './policy/reuse.js'
import { checkThrottleOptions, type ThrottleOptions } from './policy/throttle.js'
import { checkWayOptions } from './policy/way-options.js'
import type { ConnectionsOptions, Dispatcher } from './wire/undici-connections.js'
import type { ViaOf } from './wire/via.js'

/** Limits of time, in milliseconds. `false` takes a limit away. */
export interface TimeoutOptions {
  /** To establish a connection, name look-up and TLS included. Default 10,000. */
  readonly connect?: number | false | undefined
  /** For one try, from its start to the response head. Default none. */
  readonly attempt?: number | false | undefined
  /** From the last byte of the request that could be sent to the response head. Default 300,000. */
  readonly headers?: number | false | undefined
  /** Between two pieces of the response body, while somebody reads it. Default 300,000. */
  readonly body?: number | false | undefined
  /** For the whole call: every attempt, every wait, the body to its end. Default none. */
  readonly total?: number | false | undefined
}

/**
 * HTTP/2, section `http2` of `createClient`. A connection whose peer is gone without a word takes every new request and
 * answers none, so a silent one is asked whether anybody is there. Milliseconds.
 */
export interface Http2Options {
  /** A PING is sent when nothing came for so long while requests were under way. Default 60,000; `false`: never. */
  readonly pingAfter?: number | false | undefined
  /** When that is not answered within this time the connection is given up, with all that is on it. Default 15,000. */
  readonly pingTimeout?: number | undefined
}

/**
 * What `createClient` takes. Every option can be left out.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({
 *   timeout: { connect: 2_000, headers: 5_000, total: 15_000 },
 *   retry: { attempts: 4 },
 * })
 * await client.fetch('https://api.example.com/health')
 * ```
 */
export interface ClientOptions {
  /** Limits of time, in ms. A bare number is the total. */
  readonly timeout?: number | TimeoutOptions | undefined
  /** How failed attempts are repeated; `false` switches repetition off. */
  readonly retry?: RetryOptions | false | undefined
  /**
   * What retries may cost in all, per origin: a preset, or numbers of your own. Default `hybrid10`, 10 % of the recent
   * successes and a small reserve. `false` is no limit.
   */
  readonly budget?: BudgetPreset | BudgetOptions | false | undefined
  /**
   * Hedging: a request that may be executed twice and takes longer than most is sent a second time, and the faster
   * answer wins. `true` for the defaults. Default `false`.
   */
  readonly hedge?: HedgeOptions | boolean | undefined
  /** A circuit breaker per origin. `true` for the defaults, which stop retries and let first tries through. Default `false`. */
  readonly breaker?: BreakerOptions | boolean | undefined
  /** Adaptive throttling per origin: drops a share of the retries to a server that refuses many. Default `false`. */
  readonly throttle?: ThrottleOptions | boolean | undefined
  /** A limit of concurrent attempts per origin that adapts itself, with a bounded queue before it. Default `false`. */
  readonly concurrency?: ConcurrencyOptions | boolean | undefined
  /** Most connections to one origin; further requests wait. Default: no limit, as with the global fetch. */
  readonly connections?: number | undefined
  /** How long an idle connection is kept for reuse, in ms. Default 4,000; a server's `Keep-Alive` hint is heeded. */
  readonly keepAlive?: number | undefined
  /** Offer HTTP/2 to TLS servers; `true` for the defaults of {@link Http2Options}. Default false. */
  readonly http2?: Http2Options | boolean | undefined
  /** Options of `node:tls` for every connection: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, … */
  readonly tls?: ConnectionOptions | undefined
  /** Longest response head in bytes. Default: Node's `--max-http-header-size`, 16 KiB. */
  readonly maxHeaderSize?: number | undefined
  /** The local IP address to connect from. */
  readonly localAddress?: string | undefined
  /**
   * How names are looked up: a function like `dns.lookup` of `node:dns`, which is the default. It is asked for all
   * addresses of a name; one that failed to connect in the last 30 s is tried last.
   */
  readonly lookup?: LookupFunction | undefined
  /**
   * The proxy: a URL, {@link ProxyOptions}, or `'env'` for `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as
   * curl reads them, at this moment. Default none, whatever the environment says.
   */
  readonly proxy?: 'env' | string | URL | (ProxyOptions & { readonly tls?: ConnectionOptions }) | false | undefined
  /**
   * The path of a Unix socket (or Windows pipe) to send everything to, or one path for each of some origins:
   * `{ 'http://docker': '/var/run/docker.sock' }`. The URL's host is then a mere name. Goes before `proxy`.
   */
  readonly socketPath?: string | Readonly<Record<string, string>> | undefined
  /** What may be done to find out who hung up, beyond looking on. */
  readonly diagnosis?: DiagnosisOptions | undefined
  /** Reject with a `StatusError` when the final answer is 400 or above. Default false. */
  readonly throwOnStatus?: boolean | undefined
  /** Any undici Dispatcher to send everything by. Its sockets cannot be seen, so errors know less, and say so. */
  readonly dispatcher?: Dispatcher | undefined
  /** The fetch that `client.fetch` drives. Default: the global one of the moment. */
  readonly fetch?: ((input: string | URL | Request, init?: object) => Promise<Response>) | undefined
  /** Where the time is read and timers are set: for tests. Default: this machine's. */
  readonly clock?: Clock | undefined
  /** Dice in [0, 1), for the jitter: for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** {@link ClientOptions}, checked and complete. */
export interface ClientSettings {
  readonly limits: CallLimits
  readonly retry: RetryPolicy
  readonly origin: OriginSettings
  readonly connections: ConnectionsOptions
  readonly lookup: LookupFunction | undefined
  readonly diagnosis: DiagnosisSettings
  readonly throwOnStatus: boolean
  readonly dispatcher: Dispatcher | undefined
  readonly fetch: NonNullable<ClientOptions['fetch']> | undefined
  readonly clock: Clock
  readonly random: () => number
}

const names: readonly (keyof ClientOptions)[] = [
  'timeout',
  'retry',
  'budget',
  'hedge',
  'breaker',
  'throttle',
  'concurrency',
  'connections',
  'keepAlive',
  'http2',
  'tls',
  'maxHeaderSize',
  'localAddress',
  'lookup',
  'diagnosis',
  'proxy',
  'socketPath',
  'throwOnStatus',
  'dispatcher',
  'fetch',
  'clock',
  'random',
]

const defaultLimits: CallLimits = Object.freeze({
  attempt: undefined,
  connect: 10_000,
  headers: 300_000,
  body: 300_000,
  total: undefined,
})

/**
 * Checks a client's options and fills in the defaults.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkClientOptions(value: unknown = {}): ClientSettings {
  const section = openSection('options', value, names)
  const limits = checkTimeouts(section.raw('timeout'), defaultLimits)
  const retry = checkRetryOptions(section.raw('retry'))
  const localAddress = section.raw('localAddress')
  if (localAddress !== undefined && typeof localAddress !== 'string')
    throw mismatch('options.localAddress', 'an IP address', localAddress)
  const tls = section.raw('tls')
  if (tls !== undefined && (typeof tls !== 'object' || tls === null))
    throw mismatch('options.tls', 'options of node:tls', tls)
  const maxHeaderSize = section.number('maxHeaderSize', { min: 1, max: 2 ** 30, integer: true })
  const keepAliveMs = section.number('keepAlive', { min: 1, max: 600_000 }) ?? 4_000
  const way = checkWayOptions({ proxy: section.raw('proxy'), socketPath: section.raw('socketPath') }, process.env)
  const connections = section.number('connections', { min: 1, max: Number.POSITIVE_INFINITY })
  const hedge = checkHedgeOptions(section.raw('hedge'))
  const breaker = checkBreakerOptions(section.raw('breaker'))
  const throttle = checkThrottleOptions(section.raw('throttle'))
  if (section.raw('dispatcher') !== undefined) refuseOwnConnections(section)
  refuseIncoherence({ timeout: limits, retry, hedge, breaker, throttle, connections })
  return Object.freeze({
    limits,
    retry,
    origin: Object.freeze({
      budget: checkBudgetOptions(section.raw('budget')),
      reuse: reuseSettings(keepAliveMs),
      hedge,
      breaker,
      throttle,
      concurrency: checkConcurrencyOptions(section.raw('concurrency')),
    }),
    connections: Object.freeze({
      connections: connections === Number.POSITIVE_INFINITY ? undefined : connections,
      keepAliveMs,
      ...checkHttp2(section.raw('http2')),
      ...(tls !== undefined && { tls: tls as ConnectionOptions }),
      ...(maxHeaderSize !== undefined && { maxHeaderSize }),
      ...(localAddress !== undefined && { localAddress }),
      ...(way !== undefined && { via: way as ViaOf }),
    }),
    diagnosis: checkDiagnosisOptions(section.raw('diagnosis')),
    lookup: functionOf<LookupFunction>('options.lookup', section.raw('lookup')),
    throwOnStatus: section.boolean('throwOnStatus') ?? false,
    dispatcher: withMethod<Dispatcher>('options.dispatcher', section.raw('dispatcher'), 'dispatch'),
    fetch: functionOf<NonNullable<ClientOptions['fetch']>>('options.fetch', section.raw('fetch')),
    clock: withMethod<Clock>('options.clock', section.raw('clock'), 'now') ?? systemClock,
    random: functionOf<() => number>('options.random', section.raw('random')) ?? Math.random,
  })
}

/**
 * Checks the `timeout` option of a client or a call.
 *
 * @param base what holds where the option is silent
 */
export function checkTimeouts(value: unknown, base: CallLimits): CallLimits {
  if (value === undefined) return base
  const range = { min: 1, max: longestDelayMs }
  if (typeof value === 'number') return Object.freeze({ ...base, total: checkNumber('timeout', value, range) })
  const section = openSection('timeout', value, ['connect', 'attempt', 'headers', 'body', 'total'])
  const limit = (name: keyof CallLimits) => {
    const given = section.raw(name)
    if (given === undefined) return base[name]
    return given === false ? undefined : checkNumber(`timeout.${name}`, given, range)
  }
  const limits = {
    connect: limit('connect'),
    attempt: limit('attempt'),
    headers: limit('headers'),
    body: limit('body'),
    total: limit('total'),
  }
  refuseLongAttempt(section.raw('attempt'), section.raw('total'))
  return Object.freeze(limits)
}

function checkHttp2(value: unknown): Pick<ConnectionsOptions, 'http2'> {
  if (value === undefined || value === false) return {}
  const section = openSection('http2', value === true ? {} : value, ['pingAfter', 'pingTimeout'])
  const range = { min: 1, max: longestDelayMs }
  const timeoutMs = section.number('pingTimeout', range) ?? 15_000
  const after = section.raw('pingAfter')
  if (after === false) return { http2: { ping: undefined } }
  return { http2: { ping: { afterMs: section.number('pingAfter', range) ?? 60_000, timeoutMs } } }
}

/** Options of our own connections, by which nothing goes where a dispatcher is given. */
const ofOwnConnections = ['proxy', 'socketPath', 'lookup', 'localAddress', 'tls', 'http2', 'connections'] as const

function refuseOwnConnections(section: { raw(name: string): unknown }): void {
  const idle = ofOwnConnections.find((name) => section.raw(name) !== undefined && section.raw(name) !== false)
  if (idle === undefined) return
  throw new TypeError(
    `options.${idle} has no effect: everything is sent by options.dispatcher, which has its own connections`,
  )
}

/** Only what is said in one place can contradict itself: a call may have less time than its client gives an attempt. */
function refuseLongAttempt(attempt: unknown, total: unknown): void {
  if (typeof attempt !== 'number' || typeof total !== 'number' || attempt < total) return
  throw mismatch('timeout.attempt', `below timeout.total, which is ${total}: an attempt is part of the call`, attempt)
}

function withMethod<T>(path: string, value: unknown, method: string): T | undefined {
  if (value === undefined) return undefined
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[method] : undefined
  if (typeof found !== 'function') throw mismatch(path, `an object with a method ${method}()`, value)
  return value as T
}

function functionOf<T>(path: string, value: unknown): T | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'function') throw mismatch(path, 'a function', value)
  return value as T
}
