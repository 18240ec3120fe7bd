/** The name under which requests are counted: method and path, with the parts that name one thing folded together. */

import { redactPath } from '../failure/redact.js'

const longestPart = 40
const mostParts = 6

/** What a part of a path looks like that names one thing and not a kind of things. */
const ids: readonly RegExp[] = [
  /^[+-]?\d+(?:[._,-]\d+)*$/,
  /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i,
  /^(?=.*\d)[\da-f]{8,}$/i,
  // Longer words with digits among the letters: keys, hashes, tokens, dated names.
  /^(?=(?:.*\d){2})[\w~.=+-]{16,}$/,
  /@/,
  /%[\da-f]{2}/i,
]

/** `GET /orders/8271/lines/3?x=1` becomes `GET /orders/:id/lines/:id`. */
export function routeKey(method: string, path: string): string {
  const parts = redactPath(path).split('/', mostParts + 2)
  const folded = parts.slice(0, mostParts + 1).map(fold)
  const more = parts.length > mostParts + 1 ? '/…' : ''
  return `${method} ${folded.join('/') || '/'}${more}`
}

/** No part without one of these names a single thing. */
const telling = /[\d@%]/

function fold(part: string): string {
  if (part.length <= longestPart && !telling.test(part)) return part
  if (ids.some((id) => id.test(part))) return ':id'
  return part.length > longestPart ? ':long' : part
}
