/** The host of calls that go through a dispatcher of somebody else's. */

import type { AttemptTarget } from '../attempt/attempt-host.js'
import type { Clock } from '../clock.js'
import type { Origin, OriginSettings } from '../origin/origin.js'
import { Origins } from '../origin/origins.js'
import type { CallHost } from './spec.js'

/** Takes every call: when there will be no more is for the dispatcher to say, and its owner to decide. */
export class DispatcherHost implements CallHost {
  readonly clock: Clock
  readonly random: () => number
  readonly connections: AttemptTarget
  readonly gated: boolean
  readonly #origins: Origins

  constructor(settings: { origin: OriginSettings; clock: Clock; random: () => number }, dispatcher: AttemptTarget) {
    this.clock = settings.clock
    this.random = settings.random
    this.connections = dispatcher
    this.#origins = new Origins(settings.origin, settings.clock, settings.random)
    this.gated = this.#origins.gated
  }

  origin(name: string): Origin {
    return this.#origins.of(name)
  }

  enter(): void {}

  leave(): void {}
}
