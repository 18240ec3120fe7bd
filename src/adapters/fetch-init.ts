/** What `fetch` is called with. */

import type { CallOptions } from './call-options.js'

/** A request body for `fetch`: what the global fetch takes, or a function that makes one afresh for each attempt. */
export type FetchBody = NonNullable<RequestInit['body']> | AsyncIterable<Uint8Array> | null

/**
 * What `fetch` takes: everything that the global fetch takes, a function as `body`, and {@link CallOptions}.
 */
export interface FetchInit extends Omit<RequestInit, 'body' | 'dispatcher' | 'duplex'>, CallOptions {
  /** A function makes the body afresh for each attempt, so that a stream can be sent again. */
  body?: FetchBody | (() => FetchBody | Promise<FetchBody>) | undefined
  /** Needed by the global fetch for streams; set for you when `body` is a function. */
  duplex?: 'half' | undefined
}

/** An object whose members are its own: nothing inherited, no class of the caller's. */
export function isPlainObject(given: unknown): given is Record<string, unknown> {
  if (typeof given !== 'object' || given === null) return false
  const prototype: unknown = Object.getPrototypeOf(given)
  return prototype === Object.prototype || prototype === null
}
