/** The options that `fetch` and `request` take on top of their host's own, joined with the client's. */

import type { CallLimits } from '../call/spec.js'
import type { ClientSettings, TimeoutOptions } from '../options.js'
import { checkTimeouts } from '../options.js'
import { isGiven } from '../policy/option-check.js'
import { checkRetryOptions, type RetryOptions, type RetryPolicy } from '../policy/retry-options.js'
import type { Dispatcher } from '../wire/undici-connections.js'

/** What `fetch` and `request` take in addition to what they take anyway. All optional; each overrides the client's. */
export interface CallOptions {
  /** Milliseconds: a number is the total, an object sets each limit; one that is `false` is taken away. */
  readonly timeout?: number | TimeoutOptions | undefined
  /** How failed attempts are repeated; `false` switches it off for this call. */
  readonly retry?: RetryOptions | false | undefined
  /** Your word on whether the request may be executed twice. It wins over the method and the key, both ways. */
  readonly idempotent?: boolean | undefined
  /**
   * Sent as `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), the same on every attempt. Makes a POST or
   * PATCH repeatable, if your server honours the key.
   */
  readonly idempotencyKey?: string | undefined
  /** `false`: do not hedge this call, where the client hedges. */
  readonly hedge?: boolean | undefined
  /** Reject with a `StatusError` when the final answer is 400 or above. Default false. */
  readonly throwOnStatus?: boolean | undefined
  /** Any undici Dispatcher to send this call by (ProxyAgent, MockAgent, …). Its sockets cannot be seen, and errors say so. */
  readonly dispatcher?: Dispatcher | undefined
}

/** The options of one call, checked. */
export interface CallSettings {
  readonly limits: CallLimits
  readonly retry: RetryPolicy
  readonly hedge: boolean
  readonly throwOnStatus: boolean
  readonly dispatcher: Dispatcher | undefined
}

/** Joins a call's own options with its client's. Costs next to nothing where a call brings none. */
export function callSettings(options: CallOptions | undefined, client: ClientSettings): CallSettings {
  const timeout = given(options, 'timeout', options?.timeout)
  const retry = given(options, 'retry', options?.retry)
  return {
    limits: timeout === undefined ? client.limits : checkTimeouts(timeout, client.limits),
    retry: retry === undefined ? client.retry : checkRetryOptions(retry),
    hedge: given(options, 'hedge', options?.hedge) ?? true,
    throwOnStatus: given(options, 'throwOnStatus', options?.throwOnStatus) ?? client.throwOnStatus,
    dispatcher: given(options, 'dispatcher', options?.dispatcher) ?? client.dispatcher,
  }
}

/**
 * The value of an option as the caller gave it. It is read where it stands in the code, by its name: that costs nothing,
 * and here it is asked for only when there is one.
 */
export function given<T>(options: object | undefined, name: string, value: T): T | undefined {
  return value === undefined || isGiven(options as object, name) ? value : undefined
}

/** The key of a call, checked: it goes into a header. */
export function checkedKey(options: CallOptions | undefined): string | undefined {
  const key = given(options, 'idempotencyKey', options?.idempotencyKey)
  if (key === undefined) return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come into a header (RFC 9110 §5.5)
  if (typeof key !== 'string' || key === '' || /[\0-\x1f\x7f]|[^\0-\xff]/.test(key)) {
    // What came is not said: it is the value of a header.
    throw new TypeError('idempotencyKey must be a string that fits into a header and is not empty')
  }
  return key
}
