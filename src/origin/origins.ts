/** The origins that somebody has talked to, each with the state of its own policies. */

import type { Clock } from '../clock.js'
import { AddressMemory } from '../policy/addresses.js'
import { ByOrigin } from '../wire/by-origin.js'
import { Origin, type OriginSettings, type OriginStats } from './origin.js'

/** Who talks to ever new origins must not grow with them; the oldest record goes first. */
const mostOrigins = 10_000

export class Origins {
  readonly #settings: OriginSettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #origins = new ByOrigin<Origin>()
  /** Which addresses failed to connect of late, whatever origin they serve. */
  readonly addresses = new AddressMemory()
  /** Whether any policy is on that can refuse, delay or double a first attempt. */
  readonly gated: boolean

  constructor(settings: OriginSettings, clock: Clock, random: () => number) {
    this.#settings = settings
    this.#clock = clock
    this.#random = random
    const { breaker, throttle, concurrency, hedge } = settings
    this.gated = [breaker, throttle, concurrency, hedge].some((policy) => policy !== undefined)
  }

  /** The state for one origin, made when first asked for. */
  of(name: string): Origin {
    let origin = this.#origins.get(name)
    if (origin === undefined) {
      if (this.#origins.size >= mostOrigins) this.#origins.delete(this.#origins.keys().next().value as string)
      origin = new Origin(this.#settings, this.#clock, this.#random)
      this.#origins.set(name, origin)
    }
    return origin
  }

  stats(): Record<string, OriginStats> {
    return Object.fromEntries([...this.#origins].map(([name, origin]) => [name, origin.stats()]))
  }
}
