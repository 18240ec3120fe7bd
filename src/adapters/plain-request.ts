/**
 * A request of fetch that is as plain as most are: a URL, a usual method, headers in a plain object, a body in memory.
 * What the native fetch would send for it can be said without running it, which spares three quarters of its cost.
 */

import { checkedKey } from './call-options.js'
import { type FetchInit, isPlainObject } from './fetch-init.js'
import { type Habits, nativeHabits } from './native-fetch.js'
import { originOf, pathOf } from './url-parts.js'

export interface PlainRequest {
  readonly url: URL
  readonly origin: string
  readonly path: string
  readonly method: string
  /** All headers, in the native order. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  /** The body as it was given. */
  readonly given: FetchInit['body']
  /** Whether the native fetch adds this header of the request by itself. */
  readonly habitual: (name: string) => boolean
}

/** The members of `init` that a plain request may have. */
const plainMembers = new Set([
  ...['method', 'headers', 'body', 'signal', 'redirect', 'duplex', 'dispatcher'],
  ...['timeout', 'retry', 'idempotent', 'idempotencyKey', 'hedge', 'throwOnStatus'],
])

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const bodyless = new Set(['GET', 'HEAD'])

/**
 * The request, or `undefined` where something about it is not plain, or not right: then the native fetch must be asked.
 */
export function plainRequest(input: unknown, init: FetchInit): PlainRequest | undefined {
  const url = plainUrl(input)
  if (url === undefined || !isPlainInit(init)) return undefined
  const habits = nativeHabits(url)
  const method = init.method ?? 'GET'
  if (habits === undefined || !methods.has(method)) return undefined
  const content = contentOf(init.body)
  if (content === undefined || (content.body !== null && bodyless.has(method))) return undefined
  const { body } = content
  const key = checkedKey(init)
  const hasLength = body !== null || method === 'POST' || method === 'PUT'
  const place = { url, origin: originOf(url), path: pathOf(url), method, body, given: init.body }
  if (init.headers === undefined && key === undefined && !hasLength)
    return { ...place, headers: habits.bare, habitual: (name) => name in habits.bare }
  const names = namesOf(init.headers)
  if (names === undefined) return undefined
  const length = hasLength ? String(body?.length ?? 0) : undefined
  return {
    ...place,
    headers: headersOf({ habits, own: init.headers, names, type: content.type, length, key }),
    habitual: (name) => name === 'content-length' || (name in habits.bare && !names.has(name)),
  }
}

function plainUrl(input: unknown): URL | undefined {
  if (typeof input !== 'string' && !(input instanceof URL)) return undefined
  const url = URL.parse === undefined ? parse(String(input)) : URL.parse(String(input))
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  return url.username === '' && url.password === '' ? url : undefined
}

function parse(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function isPlainInit(init: FetchInit): boolean {
  const { method, redirect, duplex } = init
  if (method !== undefined && typeof method !== 'string') return false
  if (redirect !== undefined && redirect !== 'follow') return false
  if (duplex !== undefined && duplex !== 'half') return false
  for (const name of Object.keys(init))
    if (!plainMembers.has(name) && Reflect.get(init, name) !== undefined) return false
  return true
}

interface Content {
  readonly body: Uint8Array | null
  readonly type: string | undefined
}

const nothing: Content = { body: null, type: undefined }

/** The bytes of a body that is in memory, as they are now. */
function contentOf(body: unknown): Content | undefined {
  if (body === undefined || body === null) return nothing
  if (typeof body === 'string') return { body: Buffer.from(body), type: 'text/plain;charset=UTF-8' }
  if (body instanceof URLSearchParams)
    return { body: Buffer.from(body.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (body instanceof Uint8Array && !isShared(body.buffer)) return { body: new Uint8Array(body), type: undefined }
  return undefined
}

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer
}

const noNames: ReadonlySet<string> = new Set()
const token = /^[!#$%&'*+\-.^_`|~\w]+$/
/** RFC 9110 §5.5, without space around it. */
const fieldValue = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/
/** Where one of these is given, fetch does more than to pass it on, or undici refuses it. */
const special =
  /^(?:range|if-.*|sec-.*|content-length|host|connection|keep-alive|transfer-encoding|upgrade|expect|te|trailer|proxy-.*|__proto__)$/

/** The names of the caller's own headers in lower case; `undefined` where something about them is not plain. */
function namesOf(own: unknown): ReadonlySet<string> | undefined {
  if (own === undefined) return noNames
  if (!isPlainObject(own) || Symbol.iterator in own) return undefined
  const names = new Set<string>()
  for (const name of Object.keys(own)) {
    const value = own[name]
    const lower = name.toLowerCase()
    if (typeof value !== 'string' || !token.test(name) || !fieldValue.test(value)) return undefined
    if (names.has(lower) || special.test(lower)) return undefined
    names.add(lower)
  }
  return names
}

interface HeaderParts {
  readonly habits: Habits
  readonly own: FetchInit['headers']
  /** The caller's own, in lower case. */
  readonly names: ReadonlySet<string>
  readonly type: string | undefined
  readonly length: string | undefined
  readonly key: string | undefined
}

function headersOf({ habits, own, names, type, length, key }: HeaderParts): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  // The key that was given as an option goes before one among the headers.
  for (const [name, value] of Object.entries((own ?? {}) as Record<string, string>))
    if (key === undefined || name.toLowerCase() !== 'idempotency-key') headers[name] = value
  if (key !== undefined) headers['idempotency-key'] = key
  if (type !== undefined && !names.has('content-type')) headers['content-type'] = type
  for (const name in habits.before) if (!names.has(name)) headers[name] = habits.before[name] as string
  if (length !== undefined) headers['content-length'] = length
  for (const name in habits.after) if (!names.has(name)) headers[name] = habits.after[name] as string
  return headers
}
