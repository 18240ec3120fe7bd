/**
 * A Response as fetch gives it: made by the global class, with what only fetch can give it (its URL, its type, headers
 * that cannot be changed) on a prototype below.
 */

import { latin1 } from '../wire/handler-shapes.js'

/** The classes of this process before anybody replaced them. */
const NativeResponse: typeof Response = globalThis.Response
const NativeHeaders: typeof Headers = globalThis.Headers

/** The head of an answer. */
export interface FetchedHead {
  readonly url: string
  readonly status: number
  readonly statusText: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly (Buffer | string)[]
}

/** Where a response keeps its URL: a symbol, as undici keeps its own state; a WeakMap would cost the collector more. */
const urlKey = Symbol('offhook.url')

class FetchedResponse extends NativeResponse {
  [urlKey] = ''
}

class FixedHeaders extends NativeHeaders {}

/**
 * Makes the Response of an answer.
 *
 * @param body what there is of it: bytes, a stream, or `null` where there can be none
 * @throws TypeError or RangeError for a head that the class does not take
 */
export function fetchedResponse(head: FetchedHead, body: Uint8Array | ReadableStream | null): Response {
  const { url, status, statusText, rawHeaders } = head
  const response = new FetchedResponse(body as Uint8Array<ArrayBuffer> | null, { status, statusText })
  response[urlKey] = url
  const headers = ownHeaders(response)
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    headers.append(latin1(rawHeaders[index]).toLowerCase(), latin1(rawHeaders[index + 1]))
  return response
}

function ownHeaders(response: Response): Headers {
  return Reflect.get(NativeResponse.prototype, 'headers', response) as Headers
}

function immutable(): never {
  throw new TypeError('immutable')
}

function shows(prototype: object, name: string, get: (response: FetchedResponse) => unknown): void {
  const asked = function (this: FetchedResponse) {
    return get(this)
  }
  Object.defineProperty(prototype, name, { get: asked, configurable: true, enumerable: true })
}

function does(prototype: object, name: string, value: (this: never, ...args: unknown[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(prototype, name, { value, configurable: true, enumerable: true, writable: true })
}

for (const name of ['append', 'delete', 'set']) does(FixedHeaders.prototype, name, immutable)
Object.defineProperty(FixedHeaders.prototype, 'constructor', { value: NativeHeaders })

const below = FetchedResponse.prototype
// Whoever asks an object for its class is told the one that it is of.
Object.defineProperty(below, 'constructor', { value: NativeResponse })
shows(below, 'url', (response) => response[urlKey])
shows(below, 'type', () => 'basic')
shows(below, 'headers', (response) => {
  const headers = ownHeaders(response)
  if (Object.getPrototypeOf(headers) === NativeHeaders.prototype) Object.setPrototypeOf(headers, FixedHeaders.prototype)
  return headers
})
does(below, 'clone', function (this: FetchedResponse) {
  const clone = NativeResponse.prototype.clone.call(this) as FetchedResponse
  Object.setPrototypeOf(clone, below)
  clone[urlKey] = this[urlKey]
  return clone
})
