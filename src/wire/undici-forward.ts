/**
 * Requests for a proxy that passes them on itself (RFC 9112 §3.2.2): the target is the whole URL, and the headers that
 * are meant for the proxy go with it.
 */

import type * as undici from 'undici'
import type { ProxySettings } from './via.js'

type Options = undici.Dispatcher.DispatchOptions

/** Makes such requests of those to an origin. */
export function forwarding(origin: string, { headers }: ProxySettings): (options: Options) => Options {
  return (options) => ({ ...options, path: `${origin}${options.path}`, headers: joined(options.headers, headers) })
}

/** undici takes headers as an object, as a flat list, or as pairs. */
function joined(own: Options['headers'], more: ProxySettings['headers']): NonNullable<Options['headers']> {
  if (own === null || own === undefined) return more.flat()
  if (Array.isArray(own)) return [...own, ...more.flat()]
  if (Symbol.iterator in own)
    return [...own, ...more].flatMap(([name, value]) => (value === undefined ? [] : spread(name, value)))
  return { ...own, ...Object.fromEntries(more) }
}

/** One line for each value. */
function spread(name: string, value: string | readonly string[]): string[] {
  return (typeof value === 'string' ? [value] : value).flatMap((one) => [name, one])
}
