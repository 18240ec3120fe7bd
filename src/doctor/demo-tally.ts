/** What the diagnostics channels tell while the demo plays: everything that begins must end, and the numbers must agree. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { AttemptEvent, CallEvent, ConnectionEvent, DecisionEvent } from '../index.js'

/** The events of all clients, counted. */
export class Tally implements Disposable {
  calls = 0
  attempts = 0
  hedges = 0
  retries = 0
  refusedRetries: string[] = []
  /** Attempts that failed, and bodies that failed after their head: by what happened on the wire. */
  failures = 0
  readonly mechanisms = new Map<string, number>()
  readonly endings = new Map<string, number>()
  readonly protocols = new Set<string>()
  #openCalls = 0
  #openAttempts = 0

  readonly #ears: readonly [string, (message: unknown) => void][] = [
    ['offhook:call', (message) => this.#onCall(message as CallEvent)],
    ['offhook:attempt', (message) => this.#onAttempt(message as AttemptEvent)],
    ['offhook:decision', (message) => this.#onDecision(message as DecisionEvent)],
    ['offhook:connection', (message) => this.#onConnection(message as ConnectionEvent)],
  ]

  constructor() {
    for (const [name, hear] of this.#ears) subscribe(name, hear)
  }

  [Symbol.dispose](): void {
    for (const [name, hear] of this.#ears) unsubscribe(name, hear)
  }

  /** What began and never ended. */
  get open(): number {
    return this.#openCalls + this.#openAttempts
  }

  #onCall(event: CallEvent): void {
    if (event.event === 'error' && event.afterEnd) this.failures++
    else if (event.event === 'start') {
      this.calls++
      this.#openCalls++
    } else this.#openCalls--
  }

  #onAttempt(event: AttemptEvent): void {
    if (event.event === 'start') {
      this.attempts++
      this.#openAttempts++
      if (event.hedge) this.hedges++
      return
    }
    this.#openAttempts--
    if (event.connection?.protocol !== undefined) this.protocols.add(event.connection.protocol)
    if (event.event === 'error' && event.failure !== undefined) this.failures++
    if (event.event === 'error' && event.mechanism !== undefined) count(this.mechanisms, event.mechanism)
  }

  #onDecision({ decision }: DecisionEvent): void {
    if (decision.retry) this.retries++
    else this.refusedRetries.push(decision.because)
  }

  #onConnection(event: ConnectionEvent): void {
    if (event.event === 'close') count(this.endings, event.ending)
  }
}

function count(of: Map<string, number>, name: string): void {
  of.set(name, (of.get(name) ?? 0) + 1)
}

/** `rst 5, fin 2`: the most frequent first. */
export function listed(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  return sorted.map(([name, number]) => `${name} ${number}`).join(', ') || 'none'
}
