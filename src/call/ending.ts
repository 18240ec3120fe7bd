/** What can end a call before its time: the caller's signal, the total deadline, the client itself. Every wait hears it. */

import type { Clock, Timer } from '../clock.js'
import { hearAbort, stopHearing } from './abort-ear.js'

/** The call, as far as its end is concerned. */
export interface EndableCall {
  /** It was ended: let go of whatever is under way. */
  ended(reason: unknown): void
  /** Its time is up: looks at how far it has come, and gives what makes the error to end it with. */
  deadline(totalMs: number): Promise<() => unknown>
}

export class Ending {
  readonly #clock: Clock
  readonly #signal: AbortSignal | null | undefined
  readonly #totalMs: number | undefined
  readonly #call: EndableCall
  #onAbort: (() => void) | undefined
  #timer: Timer | undefined
  #wake: (() => void) | undefined
  /** Set when the call was ended, with what it rejects with. */
  ended: { readonly reason: unknown } | undefined

  constructor(
    limits: {
      readonly clock: Clock
      readonly signal: AbortSignal | null | undefined
      readonly totalMs: number | undefined
    },
    call: EndableCall,
  ) {
    this.#clock = limits.clock
    this.#signal = limits.signal
    this.#totalMs = limits.totalMs
    this.#call = call
  }

  /** Begins to listen: to the signal, and to one timer. */
  link(): void {
    const signal = this.#signal
    if (signal !== null && signal !== undefined) {
      this.#onAbort = () => this.end(signal.reason)
      hearAbort(signal, this.#onAbort)
    }
    const total = this.#totalMs
    if (total === undefined) return
    // A late timer looks at the sockets once more before it speaks: what has arrived in time counts.
    this.#timer = this.#clock.after(total, () => this.#clock.nextTurn(() => void this.#outOfTime(total)))
  }

  async #outOfTime(total: number): Promise<void> {
    if (this.#timer === undefined) return
    const makeReason = await this.#call.deadline(total)
    if (this.#timer !== undefined) this.end(makeReason())
  }

  /** The call needs no end any more. */
  unlink(): void {
    if (this.#onAbort !== undefined) stopHearing(this.#signal as AbortSignal, this.#onAbort)
    this.#onAbort = undefined
    this.#clock.cancel(this.#timer)
    this.#timer = undefined
  }

  end(reason: unknown): void {
    if (this.ended !== undefined) return
    this.ended = { reason }
    this.unlink()
    this.#call.ended(reason)
    this.#wake?.()
  }

  /** Waits, or less long when the call is ended. */
  async sleep(ms: number): Promise<void> {
    let timer: Timer | undefined
    await this.until(
      new Promise<void>((resolve) => {
        timer = this.#clock.after(ms, resolve)
      }),
    )
    this.#clock.cancel(timer)
  }

  /** Waits for something, or less long when the call is ended. */
  async until(something: Promise<unknown>): Promise<void> {
    if (this.ended !== undefined) return
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    await Promise.race([something, woken])
    this.#wake = undefined
  }
}
