import type { Socket } from 'node:net'

/** Bytes taken from the kernel ahead of need, at most: what is not read stays in the kernel and closes the window. */
const READ_AHEAD = 64 * 1024

/**
 * The bytes of one socket, to be pulled: it reads nothing before somebody asks, and it can stop. So a script decides how much
 * of a request the server has read, whatever the segments on the wire were.
 */
export class ByteSource {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #length = 0
  #wanted = 0
  #ended = false
  #deaf = false
  readonly #listeners = new Set<() => void>()

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
    // A 'data' listener sets a stream flowing; ours flows on demand.
    socket.pause()
  }

  /** Bytes that are here and not yet taken. */
  get length(): number {
    return this.#length
  }

  /** Whether the client has ended (FIN, close_notify) or the connection is gone; bytes may still be here. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether everything is thrown away; see {@link goDeaf}. */
  get deaf(): boolean {
    return this.#deaf
  }

  /** Waits until at least `count` bytes are here; false if the client ended before. */
  async fill(count: number): Promise<boolean> {
    this.#wanted = count
    while (this.#length < count && !this.#ended) {
      this.#socket.resume()
      await this.changed()
    }
    return this.#length >= count
  }

  /** Reads ahead, within bounds, so that the end of the client is seen. */
  watch(): void {
    if (this.#length < READ_AHEAD) this.#socket.resume()
  }

  /** Stops reading: what comes now stays in the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  /** From now on everything is thrown away unseen. */
  goDeaf(): void {
    this.#deaf = true
    this.#drop()
    this.#socket.resume()
  }

  /** Takes at most `count` bytes of those that are here. */
  take(count: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const taken = all.subarray(0, count)
    this.#drop()
    this.giveBack(all.subarray(taken.length))
    return taken
  }

  /** Puts bytes back to the front. */
  giveBack(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#chunks.unshift(bytes)
    this.#length += bytes.length
  }

  /** Calls back at each change (bytes came, the client ended) until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves at the next change. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      const off = this.onChange(() => {
        off()
        resolve()
      })
    })
  }

  /** Lets go of the socket, handing back what was read ahead, so that TLS can take over. */
  detach(): void {
    this.#socket.pause()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('close', this.#onEnd)
    if (this.#length > 0 && !this.#ended) this.#socket.unshift(this.take(this.#length))
  }

  #drop(): void {
    this.#chunks = []
    this.#length = 0
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#deaf) return
    this.#chunks.push(bytes)
    this.#length += bytes.length
    if (this.#length >= Math.max(READ_AHEAD, this.#wanted)) this.#socket.pause()
    this.#tell()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#tell()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
