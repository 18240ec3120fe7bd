/** The origins that somebody has talked to, each with the state of its own policies. */

import type { Clock } from '../clock.js'
import { KeptFailures } from '../diagnosis/endings.js'
import { AddressMemory } from '../policy/addresses.js'
import { ByOrigin } from '../wire/by-origin.js'
import { Origin, type OriginSettings, type OriginStats } from './origin.js'

/** Who talks to ever new origins must not grow with them; one that was not asked for of late goes first. */
const mostOrigins = 10_000
/** Of so many one is forgotten. */
const mostLookedAt = 8

export class Origins {
  readonly #settings: OriginSettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #origins = new ByOrigin<Origin>()
  readonly #kept = new KeptFailures()
  #uses = 0
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
      if (this.#origins.size >= mostOrigins) this.#makeRoom()
      origin = new Origin(this.#settings, { clock: this.#clock, random: this.#random, kept: this.#kept })
      this.#origins.set(name, origin)
    }
    origin.usedAt = ++this.#uses
    return origin
  }

  /** Of some that have stood longest the one that has rested longest goes: a call pays for that with a number. */
  #makeRoom(): void {
    let rested: [string, Origin] | undefined
    let left = mostLookedAt
    for (const one of this.#origins) {
      if (left-- === 0) break
      const [name, origin] = one
      this.#origins.delete(name)
      const spared = rested !== undefined && rested[1].usedAt < origin.usedAt ? one : rested
      if (spared !== undefined) this.#origins.set(...spared)
      if (spared !== one) rested = one
    }
  }

  stats(): Record<string, OriginStats> {
    return Object.fromEntries([...this.#origins].map(([name, origin]) => [name, origin.stats()]))
  }
}
