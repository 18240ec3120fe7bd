/** One connection that asks HEAD, again and again: no body in either direction, so nothing is spent and nothing is framed. */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import { isOffhookError } from '../index.js'
import type { IdleEnd } from '../knowledge/idle-timeouts.js'

/** The head of an answer. */
export interface Head {
  readonly status: number
  /** By lower-case name; repeated ones are joined by commas. */
  readonly headers: ReadonlyMap<string, string>
  /** From the last byte of the question to the last of the head, in milliseconds. */
  readonly tookMs: number
}

/** For an answer, in milliseconds. */
export const patienceMs = 5_000

/** How a connection ended, or did not. */
export type LineState = 'open' | 'closed' | 'reset' | 'failed'

/** A longer head is not read. */
const mostHeadBytes = 64 * 1024

export class HeadLine {
  readonly #socket: Socket
  readonly #question: string
  readonly #clock: Clock
  #received = ''
  /** How it ended, and when. */
  state: LineState = 'open'
  endedAt: number | undefined
  error: unknown
  /** Settles when it ends. */
  readonly ended: Promise<void>
  /** Settles when it ends, or has something to say. Made afresh for whoever waits now. */
  get over(): Promise<unknown> {
    return Promise.race([this.ended, once(this.#socket, 'heard').catch(() => {})])
  }

  constructor(socket: Socket, url: URL, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.#question =
      `HEAD ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: offhook-doctor\r\n` +
      'Accept: */*\r\nConnection: keep-alive\r\n\r\n'
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      if (this.#received.length < mostHeadBytes) this.#received += text
      socket.emit('heard')
    })
    socket.once('end', () => this.#over('closed'))
    socket.once('error', (error) => {
      this.error = error
      this.#over(isOffhookError(error) && error.kind === 'reset' ? 'reset' : 'failed')
    })
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over('closed')
        resolve()
      })
    })
  }

  /** The word for how it ended, where no answer came; the name of its error is the word of the client. */
  get end(): IdleEnd {
    if (this.state === 'closed') return 'closed'
    return this.state === 'open' ? 'silent' : 'reset'
  }

  /** What came without being asked for. */
  get unasked(): boolean {
    return this.#received !== ''
  }

  /**
   * Asks, and waits for the head.
   *
   * @returns `undefined` when the connection ends first, or nothing has come after so long
   */
  async ask(patienceMs: number): Promise<Head | undefined> {
    this.#received = ''
    const askedAt = this.#clock.now()
    const patience = new AbortController()
    const timer = this.#clock.after(patienceMs, () => patience.abort())
    try {
      this.#socket.write(this.#question)
      while (this.state === 'open') {
        const head = this.#take()
        if (head !== undefined) return { ...head, tookMs: this.#clock.now() - askedAt }
        await Promise.race([once(this.#socket, 'heard', { signal: patience.signal }), this.ended])
      }
      return undefined
    } catch {
      // The patience ran out: what the connection has to say of its end stands in its state.
      return undefined
    } finally {
      this.#clock.cancel(timer)
      patience.abort()
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** A head that is whole, an interim one (1xx) passed over. */
  #take(): Omit<Head, 'tookMs'> | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = parseHead(this.#received.slice(0, end))
    this.#received = this.#received.slice(end + 4)
    return head.status >= 100 && head.status < 200 ? this.#take() : head
  }

  #over(state: LineState): void {
    if (this.state !== 'open') return
    this.state = state
    this.endedAt = this.#clock.now()
  }
}

function parseHead(text: string): Omit<Head, 'tookMs'> {
  const [first = '', ...lines] = text.split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon > 0) headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers }
}

/** The server announces that it will close. */
export function isLast(headers: ReadonlyMap<string, string>): boolean {
  return /\bclose\b/i.test(headers.get('connection') ?? '')
}
