/**
 * An answer that nobody will read still holds its connection. A short one is read to its end, so that the connection
 * can serve again; a long or a slow one is dropped with its connection.
 */

import type { Clock, Timer } from '../clock.js'

const most = 64 * 1024
const longestMs = 100

/** How much of a body is thrown away, and for how long, before it is dropped. */
export class DrainBounds {
  readonly #clock: Clock
  readonly #drop: () => void
  readonly #timer: Timer
  #seen = 0

  /** @param drop called once, when it has become too much or has taken too long */
  constructor(clock: Clock, drop: () => void) {
    this.#clock = clock
    this.#drop = drop
    this.#timer = clock.after(longestMs, drop)
  }

  /** So many bytes came. False when that was too much, and the body was dropped. */
  saw(bytes: number): boolean {
    const before = this.#seen
    this.#seen += bytes
    if (this.#seen <= most) return true
    this.over()
    if (before <= most) this.#drop()
    return false
  }

  /** The body has ended, one way or another. */
  over(): void {
    this.#clock.cancel(this.#timer)
  }
}

/** A body as far as it is to be got rid of. */
export interface Drainable {
  read(): Promise<{ done: boolean; value?: { length: number } | undefined }>
  cancel(): Promise<void>
}

/** Reads what is left, within bounds, and never fails. */
export function drain(body: Drainable, clock: Clock): void {
  const bounds = new DrainBounds(clock, () => {
    body.cancel().catch(() => {})
  })
  const next = (): Promise<void> =>
    body.read().then(({ done, value }) => (done || !bounds.saw(value?.length ?? 0) ? undefined : next()))
  next()
    .catch(() => {})
    .finally(() => bounds.over())
}
