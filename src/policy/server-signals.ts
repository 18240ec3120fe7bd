/**
 * What a server says about trying again, read from the headers of its answer. A header that is not well formed is as
 * if it were not there: a guess about what was meant could bring a client back too early.
 */

import { boundWait } from './backoff.js'
import { parseHttpDate } from './http-date.js'
import { type ProxyStatusEntry, parseProxyStatus } from './proxy-status.js'
import { type Item, parseDictionary, parseList } from './structured-fields.js'

/** What was heard. What was not said is absent. All waits are milliseconds from the moment of the answer. */
export interface ServerSignals {
  /** `Retry-After`, in seconds or as a date. 0 is "now". */
  readonly retryAfterMs?: number
  /** `RateLimit` or its older forms, when nothing is left: until the quota is renewed. */
  readonly rateLimitMs?: number
  /** The push-back header, when it is not negative. */
  readonly pushbackMs?: number
  /** The server forbids another try: a negative push-back, the stop header, or the mark of an inner layer. */
  readonly stop?: true
  /** The nack header: the server declares that it did not process the request. */
  readonly nack?: true
  /** `Proxy-Status` (RFC 9209): the intermediaries, the one closest to the origin first. */
  readonly proxyStatus?: readonly ProxyStatusEntry[]
}

/** Names of headers that carry signals without a standard name, in lower case. An absent one is not listened to. */
export interface SignalHeaders {
  readonly pushback?: string
  readonly nack?: string
  readonly stop?: string
}

/**
 * Reads all signals from the headers of an answer.
 *
 * @param header looks a response header up by its lower-case name; lines of the same name joined by commas
 * @param nowEpochMs milliseconds since 1970, for a date without a `Date` header beside it
 * @param names where the signals without a standard name are found
 */
export function readSignals(
  header: (name: string) => string | null | undefined,
  nowEpochMs: number,
  names: SignalHeaders = {},
): ServerSignals {
  const named = (name: string | undefined) => (name === undefined ? undefined : (header(name) ?? undefined))
  const pushback = readPushback(named(names.pushback))
  const proxyStatus = parseProxyStatus(header('proxy-status') ?? undefined)
  return known({
    retryAfterMs: readRetryAfter(header('retry-after') ?? undefined, header('date') ?? undefined, nowEpochMs),
    rateLimitMs: readRateLimit(header),
    pushbackMs: pushback === 'stop' ? undefined : pushback,
    stop: pushback === 'stop' || isSaid(named(names.stop)) ? true : undefined,
    nack: isSaid(named(names.nack)) ? true : undefined,
    proxyStatus,
  })
}

/**
 * How long the server wants us to stay away, in milliseconds; `undefined` when it did not say. The push-back is the
 * plainest word, then `Retry-After`, which RateLimit's draft puts before its own fields.
 */
export function serverDelayMs(signals: ServerSignals | undefined): number | undefined {
  return signals?.pushbackMs ?? signals?.retryAfterMs ?? signals?.rateLimitMs
}

/**
 * `Retry-After` (RFC 9110 §10.2.3): whole seconds, or a date in one of three forms. A date is measured from the
 * server's own `Date`, so that two clocks that differ do no harm; a date that is over is 0.
 */
export function readRetryAfter(
  value: string | undefined,
  date: string | undefined,
  nowEpochMs: number,
): number | undefined {
  const text = value?.trim()
  if (text === undefined || text === '') return undefined
  if (/^[0-9]+$/.test(text)) return seconds(Number(text))
  const until = parseHttpDate(text, nowEpochMs)
  if (until === undefined) return undefined
  const from = date === undefined ? undefined : parseHttpDate(date.trim(), nowEpochMs)
  return boundWait(until - (from ?? nowEpochMs))
}

/**
 * The rate limit, when it is used up: the longest time until one of the quotas is renewed. Three generations of
 * draft-ietf-httpapi-ratelimit-headers are in use and are read, the newest one first:
 *
 * - `RateLimit: "default";r=0;t=30`; without `t`, the window `w` of the policy of that name in `RateLimit-Policy`;
 * - `RateLimit: limit=100, remaining=0, reset=30` (draft 7);
 * - `RateLimit-Remaining: 0` with `RateLimit-Reset: 30` (up to draft 6), in seconds.
 *
 * `X-RateLimit-Reset` is not read: some servers mean seconds by it and others a date.
 */
function readRateLimit(header: (name: string) => string | null | undefined): number | undefined {
  const field = header('ratelimit')
  if (field !== null && field !== undefined) {
    const quotas = parseList(field)
    if (quotas !== undefined) return longestRenewal(quotas, header('ratelimit-policy') ?? undefined)
    const draft7 = parseDictionary(field)
    return whenNothingLeft(integer(draft7?.get('remaining')), integer(draft7?.get('reset')))
  }
  return whenNothingLeft(plainInteger(header('ratelimit-remaining')), plainInteger(header('ratelimit-reset')))
}

function longestRenewal(quotas: readonly Item[], policyField: string | undefined): number | undefined {
  let longest: number | undefined
  for (const quota of quotas) {
    if (integer(quota.parameters.get('r')) !== 0) continue
    const renewal = integer(quota.parameters.get('t')) ?? windowOf(quota, policyField)
    if (renewal !== undefined) longest = Math.max(longest ?? 0, seconds(renewal))
  }
  return longest
}

function windowOf(quota: Item, policyField: string | undefined): number | undefined {
  const policies = policyField === undefined ? undefined : parseList(policyField)
  return integer(policies?.find((policy) => policy.value === quota.value)?.parameters.get('w'))
}

function whenNothingLeft(remaining: number | undefined, reset: number | undefined): number | undefined {
  return remaining === 0 && reset !== undefined ? seconds(reset) : undefined
}

function integer(item: { readonly type: string; readonly value: unknown } | undefined): number | undefined {
  const value = item?.type === 'number' ? item.value : undefined
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

function plainInteger(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim()
  return trimmed !== undefined && /^[0-9]{1,15}$/.test(trimmed) ? Number(trimmed) : undefined
}

/**
 * The push-back header: milliseconds, negative for "not again". As in gRPC (proposal A6), what cannot be read is a
 * "not again" too: the header was configured, so somebody meant to say something with it.
 */
function readPushback(value: string | undefined): number | 'stop' | undefined {
  if (value === undefined) return undefined
  return /^[0-9]+$/.test(value.trim()) ? boundWait(Number(value.trim())) : 'stop'
}

/** A mark is set by being there, unless it says no. */
function isSaid(value: string | undefined): boolean {
  return value !== undefined && !/^\s*(?:|0|\?0|false|no)\s*$/i.test(value)
}

/** Any number of digits is a number, if an endless one: the bound makes a wait of it. */
function seconds(value: number): number {
  return boundWait(value * 1000)
}

function known(signals: { [Name in keyof ServerSignals]: ServerSignals[Name] | undefined }): ServerSignals {
  return Object.fromEntries(Object.entries(signals).filter(([, value]) => value !== undefined))
}
