/** The queue in front of a concurrency limit: first come, first served, and one can leave while waiting. */

import type { ConcurrencyLimit } from '../policy/concurrency.js'
import type { LoadOutcome } from '../policy/outcome.js'

/** A place in the queue. */
export interface Ticket {
  /** Resolves when it is this one's turn. */
  readonly turn: Promise<void>
  /** Gives the place up. */
  giveUp(): void
}

export class Gate {
  readonly limit: ConcurrencyLimit
  /** Insertion order is the order of service. */
  readonly #waiting = new Set<() => void>()

  constructor(limit: ConcurrencyLimit) {
    this.limit = limit
  }

  /** `undefined`: inside at once. `full`: not even a place to wait. */
  enter(): Ticket | 'full' | undefined {
    const answer = this.limit.tryEnter()
    if (answer === 'enter') return undefined
    if (answer === 'refuse') return 'full'
    let pass = () => {}
    const turn = new Promise<void>((resolve) => {
      pass = resolve
    })
    this.#waiting.add(pass)
    return {
      turn,
      giveUp: () => {
        // Whoever gives up in the very moment in which the turn came has entered, and must leave.
        if (this.#waiting.delete(pass)) this.limit.giveUp()
        else this.leave('ignored')
      },
    }
  }

  /** One is done, and how it went moves the limit. */
  leave(outcome: LoadOutcome): void {
    this.limit.leave(outcome)
    while (this.#waiting.size > 0 && this.limit.next()) {
      const [first] = this.#waiting
      if (first === undefined) return
      this.#waiting.delete(first)
      first()
    }
  }
}
