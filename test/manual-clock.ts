/** A clock that moves when a test says so, and can be asked what waits on it. */

import type { Clock } from 'offhook'

interface Waiting {
  readonly at: number
  readonly action: () => void
}

export class ManualClock implements Clock {
  #now = 1000
  readonly #waiting = new Set<Waiting>()

  now(): number {
    return this.#now
  }

  epoch(): number {
    return 1_800_000_000_000 + this.#now
  }

  after(delayMs: number, action: () => void): Waiting {
    const waiting = { at: this.#now + delayMs, action }
    this.#waiting.add(waiting)
    return waiting
  }

  cancel(timer: unknown): void {
    this.#waiting.delete(timer as Waiting)
  }

  nextTurn(action: () => void): void {
    setImmediate(action)
  }

  /** Timers that have not run and were not cancelled. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Milliseconds until each of them, the nearest first. */
  get waits(): number[] {
    return [...this.#waiting].map(({ at }) => at - this.#now).sort((a, b) => a - b)
  }

  /** Lets time pass; what falls due runs in order. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#waiting].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#waiting.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.action()
    }
    this.#now = until
  }
}

/** Lets the event loop turn: what is due in it happens, and no time passes. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
