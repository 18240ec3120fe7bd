/** The options of a dial: what they are, what they default to, checked before anything is dialled. */

import { isIP, type LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { CallLimits } from '../call/spec.js'
import { type Clock, longestDelayMs, systemClock } from '../clock.js'
import { checkNumber, mismatch, type OptionSection, openSection } from '../policy/option-check.js'
import { refuseIncoherence } from '../policy/option-coherence.js'
import { checkRetryOptions, type RetryOptions, type RetryPolicy } from '../policy/retry-options.js'

/** Limits of time of a dial, in milliseconds. `false` takes a limit away. */
export interface DialTimeoutOptions {
  /** For one try: name look-up, every address, TLS. Default 10,000. */
  readonly connect?: number | false | undefined
  /** For the whole dial: every try and every wait between them. Default none. */
  readonly total?: number | false | undefined
}

/** What governs the tries of a dial, whatever it is that is dialled. Every option can be left out. */
export interface DialPolicyOptions {
  /** Limits of time, in ms. A bare number is the total. */
  readonly timeout?: number | DialTimeoutOptions | undefined
  /**
   * How failed dials are repeated: `attempts` and `backoff` of {@link RetryOptions} count, the rest speaks of HTTP.
   * `false`: not at all.
   */
  readonly retry?: RetryOptions | false | undefined
  /** Ends the dial: it rejects with the signal's reason. A socket that was handed over is its owner's, and left alone. */
  readonly signal?: AbortSignal | undefined
  /** Where the time is read and timers are set: for tests. Default: this machine's. */
  readonly clock?: Clock | undefined
  /** Dice in [0, 1), for the jitter: for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Where to dial, and how. Either `port` or `path` must be given, everything else can be left out. */
export interface DialOptions extends DialPolicyOptions {
  /** A name or an IP address. Default `localhost`. */
  readonly host?: string | undefined
  /** The port, 1 to 65535. */
  readonly port?: number | undefined
  /** A Unix domain socket, or a named pipe of Windows, in place of host and port. */
  readonly path?: string | undefined
  /** TLS: `true`, or options of `tls.connect` (`ca`, `cert`, `key`, `servername`, `ALPNProtocols`, …). Default false. */
  readonly tls?: boolean | ConnectionOptions | undefined
  /** How names are looked up: a function like `dns.lookup`, the default. Asked for all addresses of a name. */
  readonly lookup?: LookupFunction | undefined
  /** Addresses of this family alone; 0, the default, is both, tried in turn (RFC 8305). */
  readonly family?: 0 | 4 | 6 | undefined
  /** The local IP address to connect from. */
  readonly localAddress?: string | undefined
  /**
   * How long a line is silent before the kernel asks whether the peer is still there, in ms; on Linux a peer that is
   * gone is then noticed 10 s later. `false`: never, and a line whose peer vanished stays open for ever. Default 60,000.
   */
  readonly keepAlive?: number | false | undefined
  /** Send small writes at once (`TCP_NODELAY`). Default true. */
  readonly noDelay?: boolean | undefined
  /** Keep the writable side open when the peer ends its own. Default false. */
  readonly allowHalfOpen?: boolean | undefined
}

/** {@link DialPolicyOptions}, checked and complete. */
export interface DialPolicy {
  readonly limits: CallLimits
  readonly retry: RetryPolicy
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  readonly random: () => number
  /** Clock or dice are those of a test, so that nothing is shared with dials that have others. */
  readonly apart: boolean
}

/** Where to dial, checked and complete. */
export interface DialTarget {
  readonly host: string
  /** 0 with a path. */
  readonly port: number
  readonly path: string | undefined
  readonly tls: ConnectionOptions | undefined
  readonly lookup: LookupFunction | undefined
  readonly family: 0 | 4 | 6
  readonly localAddress: string | undefined
  readonly keepAliveMs: number | undefined
  readonly noDelay: boolean
  readonly allowHalfOpen: boolean
  /** As errors and events name it: `tcp://host:port`, `tls://host:port`, `unix:/path`. */
  readonly origin: string
}

export const policyNames: readonly (keyof DialPolicyOptions)[] = ['timeout', 'retry', 'signal', 'clock', 'random']
export const targetNames: readonly Exclude<keyof DialOptions, keyof DialPolicyOptions>[] = [
  'host',
  'port',
  'path',
  'tls',
  'lookup',
  'family',
  'localAddress',
  'keepAlive',
  'noDelay',
  'allowHalfOpen',
]

/**
 * Checks what governs the tries.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkPolicy(section: OptionSection): DialPolicy {
  const signal = section.raw('signal')
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw mismatch(`${section.path}.signal`, 'an AbortSignal', signal)
  const clock = section.raw('clock')
  if (clock !== undefined && typeof (clock as Clock | null)?.now !== 'function')
    throw mismatch(`${section.path}.clock`, 'an object with a method now()', clock)
  const random = functionOption<() => number>(section, 'random')
  const limits = { attempt: undefined, headers: undefined, body: undefined, ...checkTimeout(section.raw('timeout')) }
  const retry = checkRetryOptions(section.raw('retry'))
  refuseIncoherence({ timeout: limits, retry })
  return {
    limits,
    retry,
    signal,
    clock: (clock as Clock | undefined) ?? systemClock,
    random: random ?? Math.random,
    apart: clock !== undefined || random !== undefined,
  }
}

/**
 * Checks where to dial.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkTarget(section: OptionSection): DialTarget {
  const path = textOption(section, 'path')
  const host = textOption(section, 'host') ?? 'localhost'
  const port = section.number('port', { min: 1, max: 65_535, integer: true })
  if (path === undefined && port === undefined)
    throw mismatch(`${section.path}.port`, `given, unless ${section.path}.path is`, port)
  for (const name of ['host', 'port'])
    if (path !== undefined && section.raw(name) !== undefined)
      throw mismatch(`${section.path}.${name}`, `left out, since ${section.path}.path is given`, section.raw(name))
  const tls = checkTls(section)
  const family = section.raw('family') ?? 0
  if (family !== 0 && family !== 4 && family !== 6) throw mismatch(`${section.path}.family`, '0, 4 or 6', family)
  const keepAlive = section.raw('keepAlive')
  const keepAliveMs =
    keepAlive === false ? undefined : (section.number('keepAlive', { min: 1, max: longestDelayMs }) ?? 60_000)
  return {
    host,
    port: port ?? 0,
    path,
    tls,
    lookup: functionOption<LookupFunction>(section, 'lookup'),
    family,
    localAddress: textOption(section, 'localAddress'),
    keepAliveMs,
    noDelay: section.boolean('noDelay') ?? true,
    allowHalfOpen: section.boolean('allowHalfOpen') ?? false,
    origin: path === undefined ? originOf(tls === undefined ? 'tcp' : 'tls', host, port) : `unix:${path}`,
  }
}

/** Checks the options of {@link DialOptions} alone. */
export function checkDialOptions(value: unknown): { readonly target: DialTarget; readonly policy: DialPolicy } {
  const section = openSection('options', value, [...targetNames, ...policyNames])
  return { target: checkTarget(section), policy: checkPolicy(section) }
}

/** Scheme, host and port, as errors and events name whom was dialled. */
export function originOf(scheme: string, host: string, port: number | undefined): string {
  return `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** A string that is not empty. */
export function textOption(section: OptionSection, name: string): string | undefined {
  const value = section.raw(name)
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw mismatch(`${section.path}.${name}`, 'a string that is not empty', value)
  return value
}

/** A function, whatever it takes. */
export function functionOption<T>(section: OptionSection, name: string): T | undefined {
  const value = section.raw(name)
  if (value !== undefined && typeof value !== 'function') throw mismatch(`${section.path}.${name}`, 'a function', value)
  return value as T | undefined
}

function checkTls(section: OptionSection): ConnectionOptions | undefined {
  const value = section.raw('tls')
  if (value === undefined || value === false) return undefined
  if (value === true) return {}
  if (typeof value !== 'object' || value === null)
    throw mismatch(`${section.path}.tls`, 'true, false or options of node:tls', value)
  return value
}

function checkTimeout(value: unknown): Pick<CallLimits, 'connect' | 'total'> {
  const range = { min: 1, max: longestDelayMs }
  const connect = 10_000
  if (value === undefined) return { connect, total: undefined }
  if (typeof value === 'number') return { connect, total: checkNumber('timeout', value, range) }
  const section = openSection('timeout', value, ['connect', 'total'])
  const limit = (name: string, otherwise: number | undefined) =>
    section.raw(name) === false ? undefined : (section.number(name, range) ?? otherwise)
  return { connect: limit('connect', connect), total: limit('total', undefined) }
}
