/** What dials and datagrams share: budgets per origin, which addresses failed of late, and the connections of factories. */

import type { LookupFunction } from 'node:net'
import type { CallHost, CallSpec } from '../call/spec.js'
import { type Clock, systemClock } from '../clock.js'
import type { Origin } from '../origin/origin.js'
import { Origins } from '../origin/origins.js'
import { OriginWatcher } from '../origin/watcher.js'
import { checkBudgetOptions } from '../policy/budget-options.js'
import { reuseSettings } from '../policy/reuse.js'
import { AddressBook } from '../wire/address-book.js'
import { Lookout } from '../wire/lookout.js'
import { Connections } from '../wire/undici-connections.js'

const keepAliveMs = 4_000

export class SocketHost implements CallHost {
  readonly clock: Clock
  readonly random: () => number
  /** For what a factory sends through a dispatcher; nothing is made until it does. */
  readonly connections: Connections
  readonly gated = false
  /** Keeps an eye on what goes on around the dials. */
  readonly lookout: Lookout
  readonly #origins: Origins
  #calls = 0

  /** @param settings.budgeted whether repetitions are paid for; what redials for ever spaces them out instead */
  constructor(settings: { readonly clock: Clock; readonly random: () => number; readonly budgeted: boolean }) {
    const { clock, random, budgeted } = settings
    this.clock = clock
    this.random = random
    const policies = { breaker: undefined, throttle: undefined, concurrency: undefined, hedge: undefined }
    const budget = checkBudgetOptions(budgeted ? undefined : 'none')
    this.#origins = new Origins({ ...policies, budget, reuse: reuseSettings(keepAliveMs) }, clock, random)
    const watch = (origin: string) => new OriginWatcher(origin, this.origin(origin), clock)
    this.lookout = new Lookout(clock, () => this.#calls > 0)
    const tools = { clock, addresses: this.book(), lookout: this.lookout, watch }
    this.connections = new Connections({ connections: undefined, keepAliveMs }, tools)
  }

  /** Addresses for dials that learn from each other. */
  book(lookup?: LookupFunction): AddressBook {
    return new AddressBook(this.#origins.addresses, this.clock, lookup)
  }

  origin(name: string): Origin {
    return this.#origins.of(name)
  }

  enter(): void {
    this.#calls++
    this.lookout.wake()
  }

  leave(): void {
    this.#calls--
  }
}

let shared: SocketHost | undefined

/** The one host of all dials of this process, so that they pay from one budget per origin; made when first asked for. */
export function sharedHost(): SocketHost {
  shared ??= new SocketHost({ clock: systemClock, random: Math.random, budgeted: true })
  return shared
}

/** What every call of this room has in common: it may be repeated, and its answer is no response. */
export const plainCall = {
  requestClass: 'idempotent',
  replayable: () => true,
  hedge: false,
  throwOnStatus: false,
  resumes: false,
  dispatcher: undefined,
} as const satisfies Partial<CallSpec<unknown>>

/** Answers that have no status and no header. */
export const plainAnswer = { status: () => 0, header: () => () => undefined } as const
