/**
 * The fetch of Node 20 and 22 (undici 6) adds the length that it has worked out to the one that its caller has given, as
 * `5, 5`. Its own dispatcher lets that pass; those of undici 7 and 8 refuse it. Equal values are one (RFC 9110 §8.6).
 */

import * as undici from 'undici'

const contentLength = 'content-length'

/** The request with one length where it came with the same one twice. */
export function withOneLength(options: undici.Dispatcher.DispatchOptions): undici.Dispatcher.DispatchOptions {
  const { headers, body } = options
  if (body === null || body === undefined || typeof headers !== 'object' || Array.isArray(headers)) return options
  for (const name in headers) {
    if (name.length !== contentLength.length || name.toLowerCase() !== contentLength) continue
    const length = /^(\d+), \1$/.exec(String(Reflect.get(headers, name)))?.[1]
    if (length !== undefined) return { ...options, headers: { ...headers, [name]: length } as Record<string, string> }
  }
  return options
}

/**
 * Where bare fetch has not been used yet, undici puts an Agent of its own behind it when it is imported, and so does
 * whoever imports offhook. What worked there before goes on working: the Agent that undici put there takes such lengths
 * too, as does one of the same class that the application has set, which cannot be told from it. A dispatcher of another
 * kind is left alone.
 */
function keepBareFetch(): void {
  if (process.versions['undici']?.startsWith('6.') !== true) return
  const there: unknown = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'))
  if (!(there instanceof undici.Dispatcher)) return
  const maker = there.constructor
  if (maker !== undici.Agent && maker !== Reflect.get(undici, 'Dispatcher1Wrapper')) return
  const dispatch = there.dispatch
  there.dispatch = function (this: undici.Dispatcher, options, handler) {
    return dispatch.call(this, withOneLength(options), handler)
  }
}

keepBareFetch()
