/** What the connections tell: published on the channel, and learned from by the origin that they lead to. */

import { channels } from '../telemetry/channels.js'
import type { SocketRecord } from '../wire/socket-record.js'
import type { ConnectionsWatcher, Reuse } from '../wire/undici-connections.js'
import type { Origin } from './origin.js'

export class OriginsWatcher implements ConnectionsWatcher {
  readonly #origin: (name: string) => Origin

  constructor(origin: (name: string) => Origin) {
    this.#origin = origin
  }

  mayReuse(origin: string, use: Reuse): boolean {
    return this.#origin(origin).reuse?.mayReuse(use) ?? true
  }

  opened(origin: string, socket: SocketRecord): void {
    channels.connection.publish(() => ({ event: 'open', origin, connection: unused(socket) }))
  }

  closed(origin: string, socket: SocketRecord, idleMs: number | undefined): void {
    const { ending = 'local', requests } = socket
    channels.connection.publish(() => ({ event: 'close', origin, connection: unused(socket), ending, requests }))
    // What we closed ourselves says nothing about the peer.
    if (idleMs === undefined || ending === 'local') return
    this.#origin(origin).reuse?.closedWhileIdle({ idleMs, requests, how: ending === 'fin' ? 'fin' : 'rst' })
  }

  survived(origin: string, idleMs: number): void {
    this.#origin(origin).reuse?.survivedIdle(idleMs)
  }

  failedOnUse(origin: string, idleMs: number): void {
    this.#origin(origin).reuse?.staleOnUse({ idleMs })
  }

  announced(origin: string, hint: { timeoutMs?: number; max?: number; closeAfter?: number }): void {
    const { reuse } = this.#origin(origin)
    if (hint.closeAfter !== undefined) reuse?.connectionClose(hint.closeAfter)
    else reuse?.keepAliveHint(hint)
  }
}

function unused(socket: SocketRecord) {
  return socket.facts({ requestsBefore: socket.requests, idleMs: socket.idleMs })
}
