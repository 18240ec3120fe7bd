/** Where hang-ups lie until it is known what else happened, are judged, and are told. */

import type { Clock, Timer } from '../clock.js'
import { judgeHangup } from '../diagnosis/hangup-verdict.js'
import type { Hangup, HangupFacts, SiblingsOfClient } from '../failure/hangup.js'
import { unref } from './loop-delay.js'

/** When so many lie here, the next one is judged by what is known at once. */
const mostWaiting = 1000

interface Waiting {
  readonly facts: HangupFacts
  readonly around: () => SiblingsOfClient
  readonly timer: Timer
}

export class HangupDesk {
  readonly #clock: Clock
  readonly #settleMs: number
  readonly #tell: (hangup: Hangup) => void
  readonly #waiting = new Set<Waiting>()

  /** @param tell told of each, once it is judged */
  constructor(clock: Clock, settleMs: number, tell: (hangup: Hangup) => void) {
    this.#clock = clock
    this.#settleMs = settleMs
    this.#tell = tell
  }

  /** Judges it when what the client does next has been seen. */
  take(facts: HangupFacts, around: () => SiblingsOfClient): void {
    if (this.#settleMs === 0 || this.#waiting.size >= mostWaiting) {
      this.judge({ ...facts, siblings: around() })
      return
    }
    const waiting: Waiting = {
      facts,
      around,
      timer: this.#clock.after(this.#settleMs, () => this.#settle(waiting)),
    }
    unref(waiting.timer)
    this.#waiting.add(waiting)
  }

  /** Judges it by what is known. */
  judge(facts: HangupFacts): void {
    this.#tell({ ...facts, by: facts.ending === 'local' ? 'server' : 'client', verdict: judgeHangup(facts) })
  }

  /** Judges all that lie here. */
  clear(): void {
    for (const waiting of [...this.#waiting]) {
      this.#clock.cancel(waiting.timer)
      this.#settle(waiting)
    }
  }

  #settle(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    this.judge({ ...waiting.facts, siblings: waiting.around() })
  }
}
