/** Asks at intervals whether the other side is still there, and gives the connection up when it is not. */

import type { Clock, Timer } from '../clock.js'
import type { HeldLine } from './lifeline.js'
import type { RedialPlan } from './redial-options.js'

/** Beats until it is stopped. */
export class Heart<Connection> {
  readonly #line: HeldLine<Connection>
  readonly #beat: NonNullable<RedialPlan<Connection>['heartbeat']>
  readonly #clock: Clock
  #timer: Timer | undefined
  #underway: AbortController | undefined
  #stopped = false

  constructor(line: HeldLine<Connection>, beat: NonNullable<RedialPlan<Connection>['heartbeat']>, clock: Clock) {
    this.#line = line
    this.#beat = beat
    this.#clock = clock
    this.#wait()
    void line.ended.then(() => this.stop())
  }

  stop(): void {
    this.#stopped = true
    this.#clock.cancel(this.#timer)
    this.#underway?.abort()
    this.#underway = undefined
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.#beat.every, () => void this.#once())
  }

  async #once(): Promise<void> {
    const { beat, timeout } = this.#beat
    const underway = new AbortController()
    this.#underway = underway
    this.#timer = this.#clock.after(timeout, () => {
      // After a stall of the event loop the timer comes before an answer that has long arrived.
      this.#clock.nextTurn(() => {
        if (this.#underway !== underway) return
        this.#line.timeOut('heartbeat', timeout)
        this.stop()
      })
    })
    try {
      await beat(this.#line.connection, underway.signal)
    } catch (error) {
      if (this.#underway !== underway) return
      this.stop()
      this.#line.fail(error instanceof Error ? error : new Error('the heartbeat failed', { cause: error }))
      return
    }
    if (this.#stopped || this.#underway !== underway) return
    this.#underway = undefined
    this.#clock.cancel(this.#timer)
    this.#wait()
  }
}
