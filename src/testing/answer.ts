import { Buffer } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import type { Answer, HeaderValues } from './script.js'

/** An answer as bytes: what to write, in which pieces, and what is to happen then. */
export interface ComposedAnswer {
  /** To be written one after the other, `everyMs` apart. */
  readonly pieces: readonly Buffer[]
  readonly everyMs: number
  /** Whether the message goes out whole. */
  readonly complete: boolean
  /** Whether the connection is to be closed after it. */
  readonly close: boolean
}

/** What of the request shapes its answer. */
export interface AnsweredRequest {
  /** Absent for an answer that nobody asked for. */
  readonly method?: string
  /** The client said that it wants no other request on this connection. */
  readonly close?: boolean
}

/** Turns an answer into the bytes that go out. */
export function composeAnswer(answer: Answer, request: AnsweredRequest): ComposedAnswer {
  const status = answer.status ?? 200
  const framing = answer.framing ?? 'length'
  const lengthless = status === 204 || status === 304 || status < 200
  const bodiless = lengthless || request.method === 'HEAD'
  const close = answer.close ?? (framing === 'close' || request.close === true)
  const body = bodyBytes(answer.body)
  const head = headBytes(answer, { status, close, framing: lengthless ? {} : framingHeader(framing, body) })
  if (answer.cut && 'head' in answer.cut) {
    return { pieces: [head.subarray(0, answer.cut.head)], everyMs: 0, complete: false, close: false }
  }
  const cutAt = answer.cut?.body
  const pieces = bodiless ? [] : bodyPieces(body, { chunked: framing === 'chunked', size: answer.drip?.bytes, cutAt })
  const everyMs = answer.drip?.everyMs ?? 0
  // One write for the whole message where nothing asks for more: as a well-behaved server does it.
  const writes = answer.drip ? [head, ...pieces] : [Buffer.concat([head, ...pieces])]
  return { pieces: writes, everyMs, complete: cutAt === undefined, close: cutAt === undefined && close }
}

/** An informational response. */
export function composeInform(status: number, headers: HeaderValues = {}): Buffer {
  return composeHead(status, STATUS_CODES[status] ?? '', headers)
}

function composeHead(status: number, reason: string, headers: HeaderValues): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}\r\n`),
  )
  return Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`, 'latin1')
}

function headBytes(answer: Answer, own: { status: number; close: boolean; framing: HeaderValues }): Buffer {
  const headers: Record<string, string | number | readonly string[]> = { ...own.framing }
  if (own.close) headers['connection'] = 'close'
  if (answer.retryAfter !== undefined) headers['retry-after'] = retryAfter(answer.retryAfter)
  const given = answer.headers ?? {}
  for (const name of Object.keys(given)) {
    // Whoever gives a length or an encoding means to tell it instead of ours, not beside it.
    const told = name.toLowerCase()
    delete headers[told]
    if (told === 'content-length') delete headers['transfer-encoding']
    if (told === 'transfer-encoding') delete headers['content-length']
  }
  const reason = answer.reason ?? STATUS_CODES[own.status] ?? 'Unknown'
  return composeHead(own.status, reason, { ...headers, ...given })
}

function framingHeader(framing: Answer['framing'], body: Buffer): HeaderValues {
  if (framing === 'chunked') return { 'transfer-encoding': 'chunked' }
  return framing === 'close' ? {} : { 'content-length': body.length }
}

function retryAfter(value: NonNullable<Answer['retryAfter']>): string {
  if (value instanceof Date) return value.toUTCString()
  if (typeof value === 'object') return new Date(Date.now() + value.dateInSeconds * 1000).toUTCString()
  return String(value)
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'

function bodyBytes(body: Answer['body']): Buffer {
  if (typeof body === 'object') return Buffer.alloc(body.bytes, ALPHABET)
  return Buffer.from(body ?? '', 'utf8')
}

function bodyPieces(
  body: Buffer,
  { chunked, size = body.length, cutAt }: { chunked: boolean; size?: number | undefined; cutAt?: number | undefined },
): Buffer[] {
  const end = Math.min(cutAt ?? body.length, body.length)
  const pieces: Buffer[] = []
  for (let at = 0; at < end; at += size) {
    const whole = body.subarray(at, at + size)
    const sent = body.subarray(at, Math.min(at + size, end))
    if (!chunked) pieces.push(sent)
    else {
      // A chunk that is cut still says its whole size: that is what makes it cut.
      const parts = [Buffer.from(`${whole.length.toString(16)}\r\n`), sent]
      if (sent.length === whole.length) parts.push(Buffer.from('\r\n'))
      pieces.push(Buffer.concat(parts))
    }
  }
  if (chunked && cutAt === undefined) pieces.push(Buffer.from('0\r\n\r\n'))
  return pieces
}
