/** A client on a bare socket, which leaves when and how it is told. */

import { once } from 'node:events'
import * as http2 from 'node:http2'
import * as net from 'node:net'
import * as tls from 'node:tls'
import type { Protocol } from './watched.js'

/** How a client leaves. `half`: it only says that it has nothing more to send. */
export type Leave = 'fin' | 'rst' | 'half' | 'cancel' | 'goodbye'

export class LeavingClient {
  readonly #raw: net.Socket
  readonly #top: net.Socket
  /** What the server said. */
  heard = ''
  #http2: http2.ClientHttp2Session | undefined
  #stream: http2.ClientHttp2Stream | undefined

  private constructor(raw: net.Socket, top: net.Socket) {
    this.#raw = raw
    this.#top = top
    for (const socket of [raw, top]) socket.on('error', () => {})
  }

  static async to(protocol: Protocol, port: number): Promise<LeavingClient> {
    const raw = net.connect(port, '127.0.0.1')
    await once(raw, 'connect')
    const secure = protocol === 'https' || protocol === 'h2' || protocol === 'tls'
    const alpn = protocol === 'h2' ? { ALPNProtocols: ['h2'] } : {}
    const top = secure ? tls.connect({ socket: raw, rejectUnauthorized: false, ...alpn }) : raw
    if (secure) {
      // Until the session ticket has been read: bytes that lie unread when a socket is closed turn its FIN into an RST.
      const ticket = once(top, 'session')
      await once(top, 'secureConnect')
      await ticket
      // Not from within the reading of it.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const client = new LeavingClient(raw, top)
    if (protocol === 'h2' || protocol === 'h2c') {
      client.#http2 = http2.connect('http://127.0.0.1', { createConnection: () => top })
      client.#http2.on('error', () => {})
      await Promise.all([once(client.#http2, 'remoteSettings'), once(client.#http2, 'localSettings')])
    }
    return client
  }

  /** Sends bytes as they are, and reads what comes. */
  say(bytes: string): void {
    this.#top.on('data', (data) => {
      this.heard += String(data)
    })
    this.#top.write(bytes)
  }

  /** Sends bytes, and reads nothing. */
  sayDeaf(bytes: string): void {
    this.#top.pause()
    this.#top.write(bytes)
  }

  /** Opens a stream over HTTP/2. `body` is sent and left open. */
  ask(
    path: string,
    { method = 'GET', body, deaf = false }: { method?: string; body?: string; deaf?: boolean } = {},
  ): void {
    const stream = this.#http2?.request({ ':path': path, ':method': method }, { endStream: body === undefined })
    if (stream === undefined) throw new Error('this client does not speak HTTP/2')
    this.#stream = stream
    stream
      .on('error', () => {})
      .on('response', ({ ':status': status }) => {
        this.heard += `${status} `
      })
    if (body !== undefined) stream.write(body)
    if (deaf) stream.pause()
    else
      stream.on('data', (data) => {
        this.heard += String(data)
      })
  }

  endBody(): void {
    this.#stream?.end()
  }

  leave(how: Leave): void {
    if (how === 'fin') this.#raw.destroy()
    else if (how === 'rst') this.#raw.resetAndDestroy()
    else if (how === 'half') this.#top.end()
    else if (how === 'cancel') this.#stream?.close(http2.constants.NGHTTP2_CANCEL)
    else this.#http2?.destroy()
  }

  /** Whatever is left of it goes. */
  close(): void {
    this.#http2?.destroy()
    this.#raw.destroy()
  }
}

/** Waits for something that others do, turn by turn. */
export async function until(true_: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!true_()) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
