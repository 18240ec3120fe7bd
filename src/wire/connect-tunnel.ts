/**
 * The CONNECT method (RFC 9110 §9.3.6): one request that is written, one response head that is read, and no byte more.
 * The proxy may be anything: what it answers is bounded, and what is no answer is refused at its first byte.
 */

import type { Socket } from 'node:net'

/** What is asked of the proxy. */
export interface TunnelRequest {
  /** Host and port of the target, in the form of an authority: `example.com:443`, `[::1]:443`. */
  readonly authority: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** The longest response head of a proxy that is read, in bytes, interim responses included. */
const longestHead = 16_384

/**
 * Asks for a tunnel. Afterwards nothing of ours is left on the socket.
 *
 * @param done called once; without an error the socket is the tunnel. The socket's own `error` is left to the caller.
 */
export function openTunnel(socket: Socket, request: TunnelRequest, done: (error?: Error) => void): void {
  let head = ''
  const finish = (error?: Error) => {
    socket.off('readable', read)
    socket.off('end', ended)
    done(error)
  }
  const read = () => {
    for (;;) {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      head += chunk.toString('latin1')
      const answer = readAnswer(head)
      if (answer !== undefined) return finish(answer.made ? undefined : answer.error)
    }
  }
  const ended = () => finish(new TunnelError('the proxy closed the connection before it had answered'))
  socket.on('readable', read)
  socket.on('end', ended)
  const { authority, headers } = request
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...headers.map((header) => header.join(': '))]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

type Answer = { readonly made: true } | { readonly made: false; readonly error: Error }

/** `undefined` as long as it is not complete, and may still become an answer. */
function readAnswer(text: string): Answer | undefined {
  const refuse = (message: string, statusCode?: number): Answer => {
    return { made: false, error: new TunnelError(message, { statusCode }) }
  }
  if (text.length > longestHead) return refuse('the head of the answer of the proxy is too long')
  let rest = text
  for (;;) {
    if (!beginsLikeHttp(rest)) return refuse('what the proxy answered is not HTTP')
    const end = /\r?\n\r?\n/.exec(rest)
    if (end === null) return undefined
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?=[ \r\n])/.exec(rest)?.[1])
    if (Number.isNaN(status)) return refuse('what the proxy answered is not HTTP')
    rest = rest.slice(end.index + end[0].length)
    if (status >= 200 && status < 300) {
      // The origin speaks second, in HTTP and in TLS alike.
      return rest === '' ? { made: true } : refuse('the proxy sent bytes before the tunnel was used')
    }
    if (status < 100 || status === 101 || status >= 200)
      return refuse(`the proxy answered CONNECT by ${status}`, status)
    // An interim response; the final one follows, or will.
    if (rest === '') return undefined
  }
}

const version = 'HTTP/1.'

function beginsLikeHttp(text: string): boolean {
  return text.startsWith(version) || version.startsWith(text)
}

/** The tunnel was not made. The code and the field are those of Node's own proxy support. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError'
  readonly code: string
  /** The status with which an HTTP proxy answered, if it did. */
  declare readonly statusCode?: number
  constructor(message: string, details: { readonly code?: string; readonly statusCode?: number | undefined } = {}) {
    super(message)
    const { code = 'ERR_PROXY_TUNNEL', statusCode } = details
    this.code = code
    if (statusCode !== undefined) this.statusCode = statusCode
  }
}
