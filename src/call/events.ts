/** What a call tells on the diagnostics channels. Where nobody listens, nothing is made. */

import type { Clock } from '../clock.js'
import type { Decision } from '../failure/evidence.js'
import { channels } from '../telemetry/channels.js'
import type { CallTarget } from './spec.js'

let lastId = 0

/** The events of a call; `undefined` where nobody listens when it starts. */
export function eventsOf(target: () => CallTarget, clock: Clock): CallEvents | undefined {
  const heard = channels.call.heard || channels.attempt.heard || channels.decision.heard
  return heard ? new CallEvents(target, clock) : undefined
}

/** The status of an answer that has one. */
export function statusOf(status: number): { readonly status?: number } {
  return status === 0 ? {} : { status }
}

export class CallEvents {
  readonly callId = ++lastId
  readonly #target: () => CallTarget
  readonly #clock: Clock
  readonly #startedAt: number

  constructor(target: () => CallTarget, clock: Clock) {
    this.#target = target
    this.#clock = clock
    this.#startedAt = clock.now()
  }

  start(): void {
    channels.call.publish(() => ({ ...this.#identity(), event: 'start' }))
  }

  end(attempts: number, status: number): void {
    channels.call.publish(() => ({ ...this.#identity(), ...this.#sum(attempts), event: 'end', ...statusOf(status) }))
  }

  error(attempts: number, error: unknown): void {
    channels.call.publish(() => ({
      ...this.#identity(),
      ...this.#sum(attempts),
      event: 'error',
      error,
      afterEnd: false,
    }))
  }

  /** The body failed after the head had been handed over. */
  errorAfterEnd(attempts: number, error: unknown): void {
    channels.call.publish(() => ({
      ...this.#identity(),
      ...this.#sum(attempts),
      event: 'error',
      error,
      afterEnd: true,
    }))
  }

  /** After attempt `number`, this was decided. */
  decision(number: number, decision: Decision): void {
    channels.decision.publish(() => ({ ...this.#identity(), number, decision }))
  }

  #identity(): CallTarget & { callId: number } {
    return { ...this.#target(), callId: this.callId }
  }

  #sum(attempts: number): { attempts: number; durationMs: number } {
    return { attempts, durationMs: this.#clock.now() - this.#startedAt }
  }
}
