/**
 * Did a TLS connection end with a close_notify, or was it cut beneath? Node does not say, but it counts: encrypted
 * bytes on the TCP socket, plaintext on the TLS socket. Every record adds the same overhead, and the close_notify
 * alert is a record with two bytes of its own, so the overhead modulo that of one record is 2 when the notice came and
 * 0 when it did not. Any other remainder (a session ticket in between, a cipher of another build) decides nothing.
 */

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../clock.js'

/** Bytes that one record adds to its plaintext, by cipher (RFC 8446 §5.2, RFC 5288 §3, RFC 7905 §2). */
function recordOverhead(protocol: string | null, cipher: string): number | undefined {
  if (protocol === 'TLSv1.3') return 22
  if (/GCM/.test(cipher)) return 29
  if (/CHACHA20/.test(cipher)) return 21
  return undefined
}

export class TlsLedger {
  readonly #socket: Socket
  readonly #raw: Socket
  readonly #overhead: number | undefined
  #encrypted: number
  #plain: number

  constructor(socket: Socket, raw: Socket, clock: Clock) {
    this.#socket = socket
    this.#raw = raw
    const secure = socket as TLSSocket
    this.#overhead = recordOverhead(secure.getProtocol?.() ?? null, secure.getCipher?.()?.name ?? '')
    this.#encrypted = raw.bytesRead
    this.#plain = socket.bytesRead
    // A ticket is a record without plaintext. Begin to count anew behind it, a turn later, when the data that came
    // in the same read has been decrypted as well.
    socket.on('session', () => clock.nextTurn(() => this.#mark()))
  }

  #mark(): void {
    if (this.#socket.destroyed || this.#socket.readableEnded) return
    this.#encrypted = this.#raw.bytesRead
    this.#plain = this.#socket.bytesRead
  }

  /** `true` when the count proves that no close_notify came, `false` when it came, `undefined` when the count cannot tell. */
  endedWithoutNotice(): boolean | undefined {
    if (this.#overhead === undefined) return undefined
    const overhead = this.#raw.bytesRead - this.#encrypted - (this.#socket.bytesRead - this.#plain)
    if (overhead < 0) return undefined
    const remainder = overhead % this.#overhead
    if (remainder === 2) return false
    return remainder === 0 ? true : undefined
  }
}
