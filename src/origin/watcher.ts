/** What the connections tell: published on the channel, and learned from by the origin that they lead to. */

import type { Clock } from '../clock.js'
import type { ConnectionFacts } from '../failure/evidence.js'
import type { ReuseLearner } from '../policy/reuse.js'
import { channels } from '../telemetry/channels.js'
import type { SocketRecord } from '../wire/socket-record.js'
import type { ConnectionsWatcher, KeepAliveHint, Reuse, StaleUse } from '../wire/undici-line.js'

export class OriginsWatcher implements ConnectionsWatcher {
  readonly #clock: Clock
  readonly #learner: (origin: string) => ReuseLearner

  constructor(clock: Clock, learner: (origin: string) => ReuseLearner) {
    this.#clock = clock
    this.#learner = learner
  }

  mayReuse(origin: string, use: Reuse): boolean {
    return this.#learner(origin).mayReuse(this.#clock.now(), use)
  }

  opened(origin: string, socket: SocketRecord): void {
    channels.connection.publish(() => ({ event: 'open', origin, connection: factsOf(socket) }))
  }

  closed(origin: string, socket: SocketRecord): void {
    const { ending = 'local', requests, idleMs } = socket
    channels.connection.publish(() => ({ event: 'close', origin, connection: factsOf(socket), ending, requests }))
    const learner = this.#learner(origin)
    if (socket.endAnnounced) learner.connectionClose(this.#clock.now(), requests)
    // What ended in use was learned from there; what we ended ourselves says nothing about the peer.
    else if (idleMs !== undefined && ending !== 'local') {
      learner.closedWhileIdle(this.#clock.now(), { idleMs, requests, how: ending === 'fin' ? 'fin' : 'rst' })
    }
  }

  survived(origin: string, idleMs: number, requests: number): void {
    this.#learner(origin).survivedIdle(this.#clock.now(), idleMs, requests)
  }

  failedOnUse(origin: string, use: StaleUse): void {
    this.#learner(origin).staleOnUse(this.#clock.now(), use)
  }

  fresh(origin: string, worked: boolean): void {
    if (worked) this.#learner(origin).freshWorked(this.#clock.now())
    else this.#learner(origin).freshFailed()
  }

  announced(origin: string, hint: KeepAliveHint): void {
    this.#learner(origin).keepAliveHint(this.#clock.now(), hint)
  }
}

function factsOf(socket: SocketRecord): ConnectionFacts {
  return socket.facts({ requestsBefore: socket.requests, idleMs: socket.idleMs })
}
