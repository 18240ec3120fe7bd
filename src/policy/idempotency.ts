/** What a request promises about being executed twice (RFC 9110 §9.2.2; draft-ietf-httpapi-idempotency-key-header). */

import type { RequestClass } from '../failure/kinds.js'

/** The header that carries the key, and the name it had before it was standardised. Lower case. */
export const idempotencyKeyHeaders = ['idempotency-key', 'x-idempotency-key'] as const

/** What the class of a request is read from. */
export interface ClassifiedRequest {
  readonly method: string
  /** The caller's own word: it wins over the method and the key, both ways. */
  readonly idempotent?: boolean | undefined
  /** The key that offhook will send, if the caller gave one as an option. */
  readonly idempotencyKey?: string | undefined
  /** Looks a request header up, whatever the case of its name; asked with lower-case names, and only for unsafe methods. */
  readonly header?: ((name: string) => string | null | undefined) | undefined
}

/**
 * Whether the method is idempotent by its definition: GET, HEAD, OPTIONS, TRACE, QUERY, PUT and DELETE. Methods are
 * case-sensitive (RFC 9110 §9.1); those that fetch writes in upper case are known in any case.
 */
export function isIdempotentMethod(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
    case 'QUERY':
      return true
    case 'POST':
    case 'PATCH':
      return false
    default:
      return /^(?:get|head|put|delete|options)$/i.test(method)
  }
}

/**
 * The class of a request: the caller's explicit word first, then the method, then an Idempotency-Key. An empty key is
 * none. Runs on every call, so it makes nothing: no object, no string.
 *
 * @example
 * ```ts
 * requestClass({ method: 'PUT' }) // 'idempotent'
 * requestClass({ method: 'POST', idempotencyKey: 'order-7' }) // 'keyed'
 * requestClass({ method: 'GET', idempotent: false }) // 'unsafe'
 * ```
 */
export function requestClass(request: ClassifiedRequest): RequestClass {
  const { idempotent } = request
  if (idempotent !== undefined) return idempotent ? 'idempotent' : 'unsafe'
  if (isIdempotentMethod(request.method)) return 'idempotent'
  return hasKey(request) ? 'keyed' : 'unsafe'
}

function hasKey(request: ClassifiedRequest): boolean {
  if (request.idempotencyKey) return true
  const { header } = request
  if (header === undefined) return false
  return Boolean(header(idempotencyKeyHeaders[0])) || Boolean(header(idempotencyKeyHeaders[1]))
}
