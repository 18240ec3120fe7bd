/** What can be asked of a connection's sockets when something has failed, and what its answers said before. */

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { SocketRowFacts } from '../failure/circumstances.js'
import type { HeaderReader } from './handler-shapes.js'
import type { Lookout } from './lookout.js'
import type { Ends } from './proc-net.js'

export class SocketSight {
  /** Who looks around when something fails here. */
  lookout: Lookout | undefined
  /** The TCP socket. */
  raw: Socket | undefined
  /** The socket that requests are written on: the same, or the one that stands over it. */
  top: Socket | undefined
  /** When TLS with the origin began: its first words are written at once. */
  greetedAt: number | undefined
  /** The TLS session of an earlier connection was taken up. */
  resumed: boolean | undefined
  /** The headers of the last answer, and when they came. */
  header: HeaderReader | undefined
  answeredAt: number | undefined
  /** What the kernel knew of it when the peer had been asked whether it lives, and after which silence that was. */
  probed: { readonly at: number; readonly row: SocketRowFacts } | undefined
  /** When a limit of ours last ran out here. */
  silentAt: number | undefined
  /** The least that a good answer took, in milliseconds. */
  fastestMs = Number.POSITIVE_INFINITY
  #heldAtEnd: boolean | undefined

  /** The connection stands. Once it has ended, a TLS socket does not know any more how it began. */
  stands(socket: Socket): void {
    this.top = socket
    this.resumed = (socket as Partial<TLSSocket>).isSessionReused?.()
  }

  /** The head of an answer is complete. */
  answered(header: HeaderReader, now: number, tookMs: number): void {
    this.header = header
    this.answeredAt = now
    if (tookMs < this.fastestMs) this.fastestMs = tookMs
  }

  /** A limit of ours has run out here. */
  unanswered(now: number): void {
    this.silentAt = now
  }

  /** Bytes of the whole connection; of a dial those of the TCP socket. Sent are those given to the socket. */
  get bytes(): { sent: number; received: number } | undefined {
    const socket = this.top ?? this.raw
    return socket === undefined ? undefined : { sent: socket.bytesWritten, received: socket.bytesRead }
  }

  /** It has failed: soon the sockets will not know any more what they held. */
  ended(): void {
    this.#heldAtEnd ??= this.holdsUnwritten
  }

  /** Something that was written waits in this process still: the kernel has not taken it. */
  get holdsUnwritten(): boolean {
    return this.#heldAtEnd ?? ((this.top?.writableLength ?? 0) > 0 || (this.raw?.writableLength ?? 0) > 0)
  }

  /** The peer has sent bytes on the TCP connection. */
  get heard(): boolean {
    return (this.raw?.bytesRead ?? 0) > 0
  }

  /** The ends of the TCP connection, while it stands or is being made; the kernel lists it by them. */
  ends(remoteAddress: string | undefined, remotePort: number | undefined): Ends | undefined {
    const { raw } = this
    if (raw === undefined || raw.destroyed || remoteAddress === undefined || remotePort === undefined) return undefined
    const { localPort } = raw
    return localPort === undefined || localPort === 0 ? undefined : { localPort, remoteAddress, remotePort }
  }
}
