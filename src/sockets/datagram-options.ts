/** The options of a datagram line and of its requests, checked before anything is opened or sent. */

import type { LookupFunction } from 'node:net'
import type { CallLimits } from '../call/spec.js'
import { longestDelayMs } from '../clock.js'
import type { AnyOffhookError } from '../failure/errors.js'
import { checkNumber, mismatch, openSection } from '../policy/option-check.js'
import { checkRetryOptions, type RetryOptions, type RetryPolicy } from '../policy/retry-options.js'
import {
  checkPolicy,
  type DialPolicy,
  type DialPolicyOptions,
  functionOption,
  originOf,
  policyNames,
  textOption,
} from './dial-options.js'

/** Whom to send datagrams to, and how. `timeout`, `retry` and `signal` are those of opening the line. */
export interface DatagramOptions extends DialPolicyOptions {
  /** A name or an IP address. Default `localhost`. */
  readonly host?: string | undefined
  /** The port, 1 to 65535. */
  readonly port: number
  /** Addresses of this family alone; 0, the default, is both, in the resolver's order. */
  readonly family?: 0 | 4 | 6 | undefined
  /** How names are looked up: a function like `dns.lookup`, the default. */
  readonly lookup?: LookupFunction | undefined
  /** The local IP address and port to send from. Default: the kernel chooses. */
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  /**
   * Tie the socket to its one peer (connect(2)): only then does the kernel say that a port is closed. `false` is for
   * peers that answer from another port, as TFTP does: whatever comes from the host's address is taken, and a refusal
   * looks like silence. Default true.
   */
  readonly connected?: boolean | undefined
  /** Most messages that wait for a reader; further ones are dropped, as the kernel would, and counted. Default 1,000. */
  readonly queue?: number | undefined
  /**
   * Told of failures that no request waits for: a port unreachable that came after a `send`. Without it they end the
   * iteration over the messages that is under way, or else begins next; the line itself stays open.
   */
  readonly onError?: ((error: AnyOffhookError) => void) | undefined
}

/** Limits of time of a request, in milliseconds. `false` takes a limit away. */
export interface DatagramTimeoutOptions {
  /** For one try. Default 1,000 where the request may be sent again; else 5,000, or as long as the total. */
  readonly attempt?: number | false | undefined
  /** For the whole request, every try and every wait. Default none. */
  readonly total?: number | false | undefined
}

/** How a request is made. */
export interface DatagramRequestOptions {
  /** Limits of time, in ms. A bare number is the total. */
  readonly timeout?: number | DatagramTimeoutOptions | undefined
  /**
   * Your word that it does no harm when the request is executed twice: what stays unanswered is then sent again.
   * Default false.
   */
  readonly idempotent?: boolean | undefined
  /** How it is sent again: `attempts` and `backoff` of {@link RetryOptions} count. `false`: not at all. */
  readonly retry?: RetryOptions | false | undefined
  /** Whether a message is the answer to this request. Default: the next message that comes is. */
  readonly match?: ((message: Buffer) => boolean) | undefined
  /** Ends the request: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** {@link DatagramOptions}, checked and complete. */
export interface DatagramPlan {
  readonly host: string
  readonly port: number
  readonly family: 0 | 4 | 6
  readonly lookup: LookupFunction | undefined
  readonly localAddress: string | undefined
  readonly localPort: number
  readonly connected: boolean
  readonly queue: number
  readonly onError: ((error: AnyOffhookError) => void) | undefined
  readonly policy: DialPolicy
  readonly origin: string
}

const lineNames: readonly (keyof DatagramOptions)[] = [
  'host',
  'port',
  'family',
  'lookup',
  'localAddress',
  'localPort',
  'connected',
  'queue',
  'onError',
]

/**
 * Checks the options of a line.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkDatagramOptions(value: unknown): DatagramPlan {
  const section = openSection('options', value, [...lineNames, ...policyNames])
  const host = textOption(section, 'host') ?? 'localhost'
  const port = section.number('port', { min: 1, max: 65_535, integer: true })
  if (port === undefined) throw mismatch('options.port', 'given', port)
  const family = section.raw('family') ?? 0
  if (family !== 0 && family !== 4 && family !== 6) throw mismatch('options.family', '0, 4 or 6', family)
  return {
    host,
    port,
    family,
    lookup: functionOption<LookupFunction>(section, 'lookup'),
    localAddress: textOption(section, 'localAddress'),
    localPort: section.number('localPort', { min: 0, max: 65_535, integer: true }) ?? 0,
    connected: section.boolean('connected') ?? true,
    queue: section.number('queue', { min: 1, max: 1_000_000, integer: true }) ?? 1_000,
    onError: functionOption<NonNullable<DatagramOptions['onError']>>(section, 'onError'),
    policy: checkPolicy(section),
    origin: originOf('udp', host, port),
  }
}

/** {@link DatagramRequestOptions}, checked and complete. */
export interface RequestPlan {
  readonly limits: CallLimits
  readonly idempotent: boolean
  readonly retry: RetryPolicy
  readonly match: (message: Buffer) => boolean
  readonly signal: AbortSignal | undefined
}

const requestNames: readonly (keyof DatagramRequestOptions)[] = ['timeout', 'idempotent', 'retry', 'match', 'signal']

/**
 * Checks the options of a request.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkRequestOptions(value: unknown = {}): RequestPlan {
  const section = openSection('request', value, requestNames)
  const idempotent = section.boolean('idempotent') ?? false
  const signal = section.raw('signal')
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw mismatch('request.signal', 'an AbortSignal', signal)
  return {
    limits: checkLimits(section.raw('timeout'), idempotent),
    idempotent,
    retry: checkRetryOptions(section.raw('retry')),
    match: functionOption<RequestPlan['match']>(section, 'match') ?? (() => true),
    signal,
  }
}

const range = { min: 1, max: longestDelayMs }

function checkLimits(value: unknown, idempotent: boolean): CallLimits {
  const none = { connect: undefined, headers: undefined, body: undefined }
  const given = typeof value === 'number' ? { total: value } : value === undefined ? {} : value
  const section = openSection('timeout', given, ['attempt', 'total'])
  const limit = (name: string, otherwise: number | undefined) => {
    const ms = section.raw(name)
    if (ms === undefined) return otherwise
    return ms === false ? undefined : checkNumber(`timeout.${name}`, ms, range)
  }
  const total = limit('total', undefined)
  const usual = idempotent ? 1_000 : total === undefined ? 5_000 : undefined
  const attempt = limit('attempt', usual === undefined ? undefined : Math.min(usual, total ?? usual))
  if (attempt !== undefined && total !== undefined && attempt > total)
    throw mismatch('timeout.attempt', `at most timeout.total, which is ${total}: an attempt is part of it`, attempt)
  return { ...none, attempt, total }
}

/** The bytes of a message. */
export function bytesOf(message: unknown): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message)
  if (message instanceof Uint8Array) return message
  throw mismatch('message', 'a string, a Buffer or another Uint8Array', message)
}
