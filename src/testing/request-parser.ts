import { Buffer } from 'node:buffer'

/** The head of a request, as it came. */
export interface RequestHead {
  readonly method: string
  readonly path: string
  readonly minorVersion: 0 | 1
  /** Lower-case names; values of repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** What content-length announced; absent without one, and for a chunked body. */
  readonly announcedBytes?: number
}

/** What a request may cost, in bytes. */
export interface RequestLimits {
  readonly headBytes: number
  readonly bodyBytes: number
}

/** The client sent what is no request, or too much of one. `status` is how an HTTP server says so (400, 413, 431). */
export class UnreadableRequest extends Error {
  readonly status: 400 | 413 | 431

  constructor(status: 400 | 413 | 431, message: string) {
    super(message)
    this.name = 'UnreadableRequest'
    this.status = status
  }
}

type State = 'head' | 'counted' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'complete'

/**
 * Reads one HTTP/1 request from bytes that are pushed in, in whatever pieces, and stops exactly at its end: what follows
 * belongs to the next request. It keeps nothing of the body, but tells of each piece.
 */
export class RequestParser {
  readonly #limits: RequestLimits
  readonly #onBody: (bytes: Buffer) => void
  #state: State = 'head'
  #line: Buffer = Buffer.alloc(0)
  #remaining = 0
  #bodyBytes = 0
  #head: RequestHead | undefined

  constructor(limits: RequestLimits, onBody: (bytes: Buffer) => void) {
    this.#limits = limits
    this.#onBody = onBody
  }

  /** The head, once it has been read. */
  get head(): RequestHead | undefined {
    return this.#head
  }

  get complete(): boolean {
    return this.#state === 'complete'
  }

  /** Takes bytes up to the end of the head or of the request, and returns how many: call again for the rest. */
  push(bytes: Buffer): number {
    if (this.#state === 'head') return this.#pushHead(bytes)
    let used = 0
    while (used < bytes.length && this.#state !== 'complete') used += this.#pushBody(bytes.subarray(used))
    return used
  }

  #pushHead(bytes: Buffer): number {
    // Only the last three bytes of what came before can be part of the blank line.
    const before = this.#line.length
    this.#line = before === 0 ? bytes : Buffer.concat([this.#line, bytes])
    const end = this.#line.indexOf('\r\n\r\n', Math.max(0, before - 3))
    const length = end === -1 ? this.#line.length : end + 4
    if (length > this.#limits.headBytes)
      throw new UnreadableRequest(431, `head of more than ${this.#limits.headBytes} bytes`)
    if (end === -1) return bytes.length
    this.#head = parseHead(this.#line.toString('latin1', 0, end))
    this.#line = Buffer.alloc(0)
    this.#startBody(this.#head)
    return length - before
  }

  #startBody(head: RequestHead): void {
    if (isChunked(head)) this.#state = 'chunk-size'
    else if (head.announcedBytes) {
      this.#state = 'counted'
      this.#remaining = head.announcedBytes
      if (head.announcedBytes > this.#limits.bodyBytes) throw this.#tooLong()
    } else this.#state = 'complete'
  }

  #pushBody(bytes: Buffer): number {
    if (this.#state === 'counted' || this.#state === 'chunk') return this.#pushPayload(bytes)
    const end = bytes.indexOf('\n')
    const used = end === -1 ? bytes.length : end + 1
    this.#line = Buffer.concat([this.#line, bytes.subarray(0, used)])
    if (this.#line.length > this.#limits.headBytes) throw new UnreadableRequest(431, 'overlong line in a chunked body')
    if (end !== -1) {
      const line = this.#line.toString('latin1').trim()
      this.#line = Buffer.alloc(0)
      this.#endLine(line)
    }
    return used
  }

  #pushPayload(bytes: Buffer): number {
    const payload = bytes.subarray(0, this.#remaining)
    this.#remaining -= payload.length
    this.#bodyBytes += payload.length
    if (this.#bodyBytes > this.#limits.bodyBytes) throw this.#tooLong()
    this.#onBody(payload)
    if (this.#remaining === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'complete'
    return payload.length
  }

  #endLine(line: string): void {
    if (this.#state === 'chunk-size') {
      const size = /^([0-9a-f]{1,12})\s*(?:;.*)?$/i.exec(line)?.[1]
      if (size === undefined) throw new UnreadableRequest(400, 'bad chunk size')
      this.#remaining = Number.parseInt(size, 16)
      this.#state = this.#remaining === 0 ? 'trailer' : 'chunk'
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw new UnreadableRequest(400, 'a chunk is longer than it says')
      this.#state = 'chunk-size'
    } else if (line === '') this.#state = 'complete'
  }

  #tooLong(): UnreadableRequest {
    return new UnreadableRequest(413, `body of more than ${this.#limits.bodyBytes} bytes`)
  }
}

/** Whether the body comes in chunks (which wins over a content-length, RFC 9112 §6.3). */
function isChunked(head: RequestHead): boolean {
  return /\bchunked\s*$/i.test(head.headers['transfer-encoding'] ?? '')
}

function parseHead(text: string): RequestHead {
  // Empty lines before a request are allowed (RFC 9112 §2.2).
  const [start = '', ...lines] = text.replace(/^(?:\r\n)+/, '').split('\r\n')
  const match = /^([!#$%&'*+\-.^_`|~\w]+) (\S+) HTTP\/1\.([01])$/.exec(start)
  if (!match) throw new UnreadableRequest(400, 'this is no HTTP/1 request line')
  const [, method = '', path = '', minor] = match
  const headers = parseHeaders(lines)
  const head = { method, path, minorVersion: minor === '0' ? 0 : 1, headers } as const
  const length = headers['content-length']
  if (length === undefined || isChunked(head)) return head
  if (!/^\d{1,15}$/.test(length)) throw new UnreadableRequest(400, 'bad content-length')
  return { ...head, announcedBytes: Number(length) }
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  // No prototype: a header may be called __proto__ or constructor.
  const headers: Record<string, string> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UnreadableRequest(400, 'a header line without a name')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return headers
}
