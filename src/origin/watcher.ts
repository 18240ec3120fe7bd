/** What the connections tell: published on the channel, and learned from by the origin that they lead to. */

import type { Clock } from '../clock.js'
import type { ConnectionFacts } from '../failure/evidence.js'
import type { ReuseLearner } from '../policy/reuse.js'
import { channels } from '../telemetry/channels.js'
import type { SocketRecord } from '../wire/socket-record.js'
import type { KeepAliveHint, LineWatcher, Reuse, StaleUse } from '../wire/undici-line.js'
import type { Origin } from './origin.js'

export class OriginWatcher implements LineWatcher {
  readonly #clock: Clock
  readonly #origin: string
  readonly #learner: ReuseLearner
  readonly #state: Pick<Origin, 'reuse' | 'endedIdle'>

  constructor(origin: string, state: Pick<Origin, 'reuse' | 'endedIdle'>, clock: Clock) {
    this.#clock = clock
    this.#origin = origin
    this.#state = state
    this.#learner = state.reuse
  }

  mayReuse(now: number, use: Reuse): boolean {
    return this.#learner.mayReuse(now, use)
  }

  opened(socket: SocketRecord): void {
    channels.connection.publish(() => ({ event: 'open', origin: this.#origin, connection: factsOf(socket) }))
  }

  closed(socket: SocketRecord): void {
    const { ending = 'local', requests, idleMs } = socket
    channels.connection.publish(() => ({
      event: 'close',
      origin: this.#origin,
      connection: factsOf(socket),
      ending,
      requests,
    }))
    const learner = this.#learner
    if (socket.endAnnounced) learner.connectionClose(this.#clock.now(), requests)
    // What ended in use was learned from there; what we ended ourselves says nothing about the peer.
    else if (idleMs !== undefined && ending !== 'local') {
      learner.closedWhileIdle(this.#clock.now(), { idleMs, requests, how: ending === 'fin' ? 'fin' : 'rst' })
      this.#state.endedIdle(idleMs)
    }
  }

  survived(now: number, idleMs: number, requests: number): void {
    this.#learner.survivedIdle(now, idleMs, requests)
  }

  failedOnUse(use: StaleUse): void {
    this.#learner.staleOnUse(this.#clock.now(), use)
  }

  fresh(worked: boolean): void {
    if (worked) this.#learner.freshWorked(this.#clock.now())
    else this.#learner.freshFailed()
  }

  announced(hint: KeepAliveHint): void {
    this.#learner.keepAliveHint(this.#clock.now(), hint)
  }
}

function factsOf(socket: SocketRecord): ConnectionFacts {
  return socket.facts({ requestsBefore: socket.requests, idleMs: socket.idleMs })
}
