/** What an examination is made with, and what it must not leave behind. */

import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Clock } from '../clock.js'

export interface WardOptions {
  readonly url: URL
  readonly clock: Clock
  /** Ends the examination: what is known by then is reported. */
  readonly signal: AbortSignal
  /** Trusted besides, for tests. */
  readonly tls?: ConnectionOptions | undefined
}

export class Ward {
  readonly url: URL
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly tls: ConnectionOptions | undefined
  readonly #sockets = new Set<Socket>()

  constructor({ url, clock, signal, tls }: WardOptions) {
    this.url = url
    this.clock = clock
    this.signal = signal
    this.tls = tls
    signal.addEventListener('abort', () => this.close(), { once: true })
  }

  /** Keeps hold of a connection until it ends. */
  holds(socket: Socket): void {
    this.#sockets.add(socket)
    // Its end is told elsewhere; an error that nobody hears must not end the process.
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.signal.aborted) socket.destroy()
  }

  /** Waits, unless the examination ends or one of these comes first. */
  async wait(ms: number, ...orUntil: Promise<unknown>[]): Promise<void> {
    if (this.signal.aborted) return
    let timer: unknown
    let onAbort: (() => void) | undefined
    const time = new Promise<void>((resolve) => {
      timer = this.clock.after(ms, resolve)
      onAbort = resolve
      this.signal.addEventListener('abort', onAbort, { once: true })
    })
    await Promise.race([time, ...orUntil])
    this.clock.cancel(timer)
    if (onAbort !== undefined) this.signal.removeEventListener('abort', onAbort)
  }

  /** Lets go of every connection. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
