/** A clock that stands still until a test moves it, so that a wait of a minute takes no time and its length is known. */

import type { Clock, Timer } from '../../src/clock.js'

interface Alarm {
  readonly at: number
  readonly delayMs: number
  readonly action: () => void
}

export class ManualClock implements Clock {
  #now = 1_000
  readonly #alarms = new Set<Alarm>()
  readonly #lookouts = new Set<() => void>()

  now(): number {
    return this.#now
  }

  epoch(): number {
    return Date.UTC(2026, 0, 1) + this.#now
  }

  after(delayMs: number, action: () => void): Timer {
    const alarm = { at: this.#now + delayMs, delayMs, action }
    this.#alarms.add(alarm)
    for (const look of [...this.#lookouts]) look()
    return alarm
  }

  cancel(timer: Timer | undefined): void {
    this.#alarms.delete(timer as Alarm)
  }

  nextTurn(action: () => void): void {
    setImmediate(action)
  }

  /** The delays of all timers that are set, shortest first. */
  get set(): number[] {
    return [...this.#alarms].map(({ delayMs }) => delayMs).sort((one, other) => one - other)
  }

  /** Resolves when a timer of this delay is set. */
  until(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.set.includes(delayMs)) return
        this.#lookouts.delete(look)
        resolve()
      }
      this.#lookouts.add(look)
      look()
    })
  }

  /** Time passes: what is due by then is done, in order. */
  pass(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [next] = [...this.#alarms].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.action()
    }
    this.#now = until
  }
}
