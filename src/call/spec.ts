/** What a call is made of, what it needs of its client, and what its client may do to it. */

import type { Sender } from '../attempt/attempt.js'
import type { AttemptLimits } from '../attempt/stage-timer.js'
import type { Clock } from '../clock.js'
import type { AnyOffhookError } from '../failure/errors.js'
import type { RequestClass } from '../failure/kinds.js'
import type { RetryPolicy } from '../policy/retry-options.js'
import type { Connections, Dispatcher } from '../wire/undici-watch.js'

/** The limits of an attempt, and the one of the whole call. Milliseconds; `undefined` is no limit. */
export interface CallLimits extends AttemptLimits {
  readonly total: number | undefined
}

/** What the user asked for, in the words of the house. */
export interface CallSpec<Answer> {
  readonly sender: Sender<Answer>
  readonly method: string
  readonly origin: string
  /** Without the query string. */
  readonly path: string
  readonly requestClass: RequestClass
  /** Whether the body can be sent again now. */
  readonly replayable: () => boolean
  readonly signal: AbortSignal | null | undefined
  readonly limits: CallLimits
  readonly retry: RetryPolicy
  readonly throwOnStatus: boolean
  /** A dispatcher of the caller's own, watched from outside. */
  readonly dispatcher: Dispatcher | undefined
}

/** The retry budget of one origin. */
export interface Purse {
  onSuccess(now: number): void
  onFailure(): void
  withdraw(now: number, cost: number): boolean
  refund(now: number, cost: number): void
}

/** What a call needs of its client. */
export interface CallHost {
  readonly clock: Clock
  /** Dice in [0, 1). */
  readonly random: () => number
  readonly connections: Connections
  budget(origin: string): Purse | undefined
  /** Registers the call, or throws when the client takes no more. */
  enter(call: RunningCall): void
  leave(call: RunningCall): void
}

/** What a client may do to a call in flight. */
export interface RunningCall {
  readonly method: string
  readonly origin: string
  readonly path: string
  end(reason: unknown): void
  /** The error for a call that its own client ends. */
  destroyed(cause: unknown): AnyOffhookError
}
