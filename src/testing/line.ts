import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import { ByteSource } from './byte-source.js'

/**
 * Bytes that Node's own stream may hold. A paused stream goes on reading until that is full, so with one byte it stops after
 * the first chunk (at most 64 KiB): as near to "reads no more" as can be had without Node's private handles.
 */
export const STREAM_BUFFER = 1

/** Thrown through a script, and caught by its connection, when the connection has ended; never seen from outside. */
export class HungUp extends Error {
  constructor() {
    super('the connection has ended')
    this.name = 'HungUp'
  }
}

/**
 * One accepted connection: the TCP socket, and once it is secured the TLS socket on top of it. It knows how to write, and
 * every way to end. It judges nothing and knows no HTTP.
 */
export class Line {
  readonly #raw: Socket
  #socket: Socket
  #source: ByteSource
  readonly #gone = new AbortController()

  constructor(raw: Socket) {
    this.#raw = raw
    this.#socket = raw
    this.#source = new ByteSource(raw)
    // A connection that breaks is the daily bread of this server: every wait hears of it through `gone`.
    raw.on('error', ignore)
    raw.once('close', () => this.#gone.abort())
  }

  /** What the client sends, decrypted. */
  get source(): ByteSource {
    return this.#source
  }

  /** Aborted when the connection is gone, whoever ended it. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Resolves when the connection is gone. */
  get ended(): Promise<void> {
    if (this.gone.aborted) return Promise.resolve()
    return new Promise((resolve) => this.gone.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** Whether everything that was written has been handed to the kernel. */
  get flushed(): boolean {
    return this.#socket.writableLength === 0
  }

  /** Speaks TLS from here on; resolves after the handshake. */
  async secure(secureContext: SecureContext): Promise<void> {
    this.#source.detach()
    if (this.gone.aborted) throw new HungUp()
    const settings = { isServer: true, secureContext, ALPNProtocols: ['http/1.1'], highWaterMark: STREAM_BUFFER }
    const socket = new TLSSocket(this.#raw, settings)
    socket.on('error', ignore)
    this.#socket = socket
    const giveUp = () => this.close()
    await this.#until((done) => {
      socket.once('secure', done)
      // A handshake fails with 'close' (an alert, garbage, RST) or with 'end' (the client hung up, and the socket is half-open).
      socket.once('close', giveUp).once('end', giveUp)
      return () => socket.off('end', giveUp)
    })
    this.#source = new ByteSource(socket)
  }

  /** Resolves when the bytes were handed to the kernel. */
  async write(bytes: Buffer): Promise<void> {
    if (!this.#socket.writable) throw new HungUp()
    await this.#until((done, fail) => this.#socket.write(bytes, (error) => (error ? fail(new HungUp()) : done())))
  }

  /** Waits; throws when the connection goes. With `orBytes` it ends early when bytes come or the client ends. */
  async wait(ms: number, orBytes = false): Promise<void> {
    const source = this.#source
    const interrupted = () => orBytes && (source.length > 0 || source.ended)
    if (interrupted()) return
    await this.#until((done) => {
      // One turn of the loop more than the timer: where client and server share a busy process, the timer may be so late that
      // the client has had no chance yet to read what was written before the wait.
      const timer = setTimeout(() => setImmediate(() => setImmediate(done)), ms)
      const off = source.onChange(() => interrupted() && done())
      return () => {
        clearTimeout(timer)
        off()
      }
    })
  }

  /** RST, now. */
  rst(): void {
    // resetAndDestroy refuses a TLS socket; the TCP socket underneath can be reset, and takes the TLS one with it.
    this.#raw.resetAndDestroy()
  }

  /** close(2), now. */
  close(): void {
    this.#raw.destroy()
  }

  /** Flush, close_notify on TLS, FIN, close(2). */
  async fin(): Promise<void> {
    await this.halfClose()
    this.close()
  }

  /** Flush, FIN without close_notify, close(2). */
  async bareFin(): Promise<void> {
    await this.#end(this.#raw)
    this.close()
  }

  /** Flush, close_notify on TLS, FIN; reading goes on. */
  async halfClose(): Promise<void> {
    await this.#end(this.#socket)
  }

  /** FIN, then close when the client has closed too: what a server does that wants its last answer to arrive. */
  async lingeringClose(): Promise<void> {
    await this.halfClose()
    this.#source.goDeaf()
    await this.untilClientLeaves()
    this.close()
  }

  /** Resolves when the client has ended or the connection is gone. */
  async untilClientLeaves(): Promise<void> {
    while (!this.#source.ended && !this.gone.aborted) await this.#source.changed()
  }

  async #end(socket: Socket): Promise<void> {
    if (socket.writableFinished) return
    await this.#until((done) => socket.end(done))
  }

  /** Runs `start` and waits for its outcome, or throws when the connection goes first; then what it returned tidies up. */
  async #until(start: (done: () => void, fail: (error: Error) => void) => unknown): Promise<void> {
    if (this.gone.aborted) throw new HungUp()
    let onGone = ignore
    let tidy: unknown
    try {
      await new Promise<void>((resolve, reject) => {
        onGone = () => reject(new HungUp())
        this.gone.addEventListener('abort', onGone)
        tidy = start(resolve, reject)
      })
    } finally {
      this.gone.removeEventListener('abort', onGone)
      if (typeof tidy === 'function') tidy()
    }
  }
}

function ignore(): void {}
