/**
 * Did a TLS connection end with a close_notify, or was it cut beneath? Node does not say, but it counts: encrypted
 * bytes on the TCP socket, plaintext on the TLS socket. Every record adds the same overhead, and the close_notify
 * alert is a record with two bytes of its own, so the overhead modulo that of one record is 2 when the notice came and
 * 0 when it did not. Any other remainder is a record that was cut in its middle.
 *
 * Session tickets disturb the count: they are records without plaintext, and come whenever the server likes, often with
 * the first answer. Behind a ticket the count begins anew, at two moments: a part of a record may lie about at one of
 * them. Only what both say is believed, and then a remainder other than 0 and 2 says nothing.
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

interface Count {
  readonly encrypted: number
  readonly plain: number
}

export class TlsLedger {
  readonly #socket: Socket
  readonly #raw: Socket
  readonly #overhead: number | undefined
  #since: Count[]
  #ticket: 'none' | 'seen' | 'counted out' = 'none'

  constructor(socket: Socket, raw: Socket, clock: Clock) {
    this.#socket = socket
    this.#raw = raw
    const secure = socket as TLSSocket
    this.#overhead = recordOverhead(secure.getProtocol?.() ?? null, secure.getCipher?.()?.name ?? '')
    this.#since = [this.#count()]
    socket.on('session', () => {
      this.#ticket = 'seen'
      // A turn later, what came in the same read has been decrypted as well.
      clock.nextTurn(() => {
        if (socket.destroyed || socket.readableEnded) return
        this.#ticket = 'counted out'
        this.#since = [this.#count()]
        clock.nextTurn(() => {
          if (!socket.destroyed && !socket.readableEnded) this.#since.push(this.#count())
        })
      })
    })
  }

  #count(): Count {
    return { encrypted: this.#raw.bytesRead, plain: this.#socket.bytesRead }
  }

  /** `true` when the count proves that no close_notify came, `false` when it came, `undefined` when the count cannot tell. */
  endedWithoutNotice(): boolean | undefined {
    const one = this.#overhead
    if (one === undefined || this.#ticket === 'seen') return undefined
    const now = this.#count()
    const remainders = this.#since.map(
      ({ encrypted, plain }) => (now.encrypted - encrypted - (now.plain - plain)) % one,
    )
    if (remainders.includes(2)) return false
    return remainders.every((remainder) => remainder === 0) || this.#ticket === 'none' ? true : undefined
  }
}
