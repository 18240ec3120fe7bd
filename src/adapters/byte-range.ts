/** Which bytes of which version a body consists of, and whether another answer continues them (RFC 9110 §14). */

import type { HeaderReader } from '../wire/handler-shapes.js'
import { headerPairs } from './undici-headers.js'

/** The bytes that an answer promised, with the strong ETag that names their version. */
export interface BodyRange {
  readonly etag: string
  /** The first byte of the representation that the body began with. */
  readonly start: number
  /** The last byte, where it is known. */
  readonly end: number | undefined
  /** The length of the whole representation, where it is known. */
  readonly total: number | undefined
  /** Headers that ask for what is left after so many bytes. */
  ask(headers: unknown, received: number): Record<string, string | string[]>
}

interface Head {
  readonly status: number
  readonly header: HeaderReader
}

/**
 * What a first answer promises. `undefined` when its rest cannot be asked for: no strong ETag, or no plain range of bytes.
 */
export function firstRange(status: number, header: HeaderReader): BodyRange | undefined {
  if (status !== 200 && status !== 206) return undefined
  const etag = header('etag')
  if (etag === undefined || !strong.test(etag) || /\bnone\b/i.test(header('accept-ranges') ?? '')) return undefined
  const range = status === 206 ? parseContentRange(header('content-range')) : whole(header)
  if (range === undefined) return undefined
  const { start, end } = range
  return {
    etag,
    ...range,
    ask: (headers, received) => ({
      ...withoutRange(headers),
      range: `bytes=${start + received}-${end ?? ''}`,
      'if-range': etag,
    }),
  }
}

/** Whether an answer is exactly the rest after so many bytes: same version, right place, right end. */
export function continuationOf(range: BodyRange, received: number, { status, header }: Head): boolean {
  if (status !== 206) return false
  const part = parseContentRange(header('content-range'))
  if (part === undefined || part.start !== range.start + received) return false
  const etag = header('etag')
  // A 206 must repeat the ETag that it would have sent with a 200 (RFC 9110 §15.3.7).
  if (etag !== undefined && etag !== range.etag) return false
  if (range.total !== undefined && part.total !== undefined && part.total !== range.total) return false
  const end = range.end ?? (range.total === undefined ? undefined : range.total - 1)
  return end === undefined ? part.total === undefined || part.end === part.total - 1 : part.end === end
}

const strong = /^"[\x21\x23-\x7e\x80-\xff]*"$/

interface Span {
  readonly start: number
  readonly end: number | undefined
  readonly total: number | undefined
}

function whole(header: HeaderReader): Span {
  const length = header('content-length')
  const total = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
  return { start: 0, end: total === undefined ? undefined : total - 1, total }
}

function parseContentRange(
  value: string | undefined,
): { start: number; end: number; total: number | undefined } | undefined {
  const match = value?.match(/^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i)
  if (match === null || match === undefined) return undefined
  const [start, end] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? undefined : Number(match[3])
  if (start > end || (total !== undefined && end >= total)) return undefined
  return { start, end, total }
}

/** What the continuation sets itself, and conditions that were about the first answer. */
const replaced = new Set(['range', 'if-range', 'if-none-match', 'if-modified-since'])

function withoutRange(headers: unknown): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {}
  for (const [name, value] of headerPairs(headers)) {
    const key = name.toLowerCase()
    if (value !== undefined && !replaced.has(key)) record[key] = value
  }
  return record
}
