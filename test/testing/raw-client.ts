import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { RudeServer } from '../../src/testing/rude-server.js'

/** How the far side let go, as the TCP socket saw it first. */
export type Goodbye = 'fin' | 'rst'

/**
 * A client that does nothing by itself: it sends bytes, keeps what comes, and tells how the connection ended. Over TLS it watches
 * the TCP socket underneath, so that RST and FIN are told as they arrive, and keeps the TLS records that came.
 */
export class RawClient {
  readonly tcp: Socket
  readonly tls: TLSSocket | undefined
  /** The error of the TCP socket. */
  tcpError: NodeJS.ErrnoException | undefined
  goodbye: Goodbye | undefined
  #text = ''
  #cipherText = Buffer.alloc(0)
  #watchers = new Set<() => void>()

  constructor(server: RudeServer, options: ConnectionOptions = {}) {
    this.tcp = connect({ port: server.port, host: server.host, allowHalfOpen: true })
    this.tcp.on('error', (error) => this.#part('rst', error))
    this.tcp.on('end', () => this.#part('fin'))
    this.tcp.on('close', this.#tell)
    if (server.url.startsWith('https:')) {
      // TLS 1.2 shows the type of each record in the clear, so that a close_notify can be seen.
      const socket = new Tap(this.tcp)
      this.tls = connectTls({ socket, ca: server.ca, servername: 'localhost', maxVersion: 'TLSv1.2', ...options })
      // How the connection ended is told by the TCP socket.
      this.tls.on('error', () => {})
      this.tcp.on('data', (bytes) => {
        this.#cipherText = Buffer.concat([this.#cipherText, bytes])
      })
    }
    this.#top.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1')
      this.#tell()
    })
  }

  /** Connects, with the handshake. */
  static async connect(server: RudeServer, options?: ConnectionOptions): Promise<RawClient> {
    const client = new RawClient(server, options)
    await once(client.#top, client.tls ? 'secureConnect' : 'connect')
    return client
  }

  /** What came, one character per byte. */
  get text(): string {
    return this.#text
  }

  /** The type of the last TLS record that came: 21 is an alert, 23 is data. */
  get lastRecord(): number | undefined {
    let type: number | undefined
    for (let at = 0; at + 5 <= this.#cipherText.length; at += 5 + this.#cipherText.readUInt16BE(at + 3)) {
      type = this.#cipherText[at]
    }
    return type
  }

  send(text: string): void {
    this.#top.write(Buffer.from(text, 'latin1'))
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.#top.writableLength + this.tcp.writableLength
  }

  /** Sends FIN; goes on reading. */
  end(): void {
    this.#top.end()
  }

  destroy(): void {
    this.tls?.destroy()
    this.tcp.destroy()
  }

  [Symbol.dispose](): void {
    this.destroy()
  }

  /** Resolves when the text has come. */
  async reads(part: string): Promise<void> {
    await this.#until(() => this.#text.includes(part), `'${part}'`)
  }

  /** Resolves when the far side has let go. */
  async parted(): Promise<Goodbye> {
    await this.#until(() => this.goodbye !== undefined, 'a FIN or RST')
    return this.goodbye as Goodbye
  }

  get #top(): Socket {
    return this.tls ?? this.tcp
  }

  #part(goodbye: Goodbye, error?: NodeJS.ErrnoException): void {
    this.tcpError ??= error
    this.goodbye ??= goodbye
    this.#tell()
  }

  readonly #tell = (): void => {
    for (const look of [...this.#watchers]) look()
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return
    let timer: NodeJS.Timeout | undefined
    let look = () => {}
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => condition() && resolve()
        this.#watchers.add(look)
        const story = () => `${what} did not come; the connection: ${this.goodbye ?? 'open'}, the text: '${this.#text}'`
        timer = setTimeout(() => reject(new Error(story())), 5000)
      })
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }
}

/** Hands the bytes of a TCP socket to TLS and back, and leaves its events to be seen. */
class Tap extends Duplex {
  readonly #tcp: Socket

  constructor(tcp: Socket) {
    super({ allowHalfOpen: true })
    this.#tcp = tcp
    tcp.on('data', (bytes) => {
      if (!this.push(bytes)) tcp.pause()
    })
    tcp.on('end', () => this.push(null))
    tcp.on('error', (error) => this.destroy(error))
    tcp.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#tcp.resume()
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    // What cannot be written any more is no news here: how the connection ended is told by the socket's own events.
    if (!this.#tcp.writable) done()
    else this.#tcp.write(bytes, () => done())
  }

  override _final(done: () => void): void {
    this.#tcp.end(() => done())
  }
}

/** A request in bytes. */
export function request(method: string, path: string, id: string, body?: string): string {
  const length = body === undefined ? '' : `content-length: ${body.length}\r\n`
  return `${method} ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: ${id}\r\n${length}\r\n${body ?? ''}`
}
