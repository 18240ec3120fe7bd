/** What a call is made of, what it needs of its client, and what its client may do to it. */

import type { AttemptTarget } from '../attempt/attempt-host.js'
import type { Sender } from '../attempt/sender.js'
import type { AttemptLimits } from '../attempt/stage-timer.js'
import type { Clock } from '../clock.js'
import type { AnyOffhookError } from '../failure/errors.js'
import type { Evidence } from '../failure/evidence.js'
import type { RequestClass } from '../failure/kinds.js'
import type { Origin } from '../origin/origin.js'
import type { RetryPolicy } from '../policy/retry-options.js'

/** The limits of an attempt, and the one of the whole call. Milliseconds; `undefined` is no limit. */
export interface CallLimits extends AttemptLimits {
  readonly total: number | undefined
}

/** Whom a call is made to, as messages and events name it. */
export interface CallTarget {
  readonly method: string
  readonly origin: string
  /** Without the query string. */
  readonly path: string
}

/** What the user asked for, in the words of the house. */
export interface CallSpec<Answer> {
  readonly sender: Sender<Answer>
  /** Asked for when something is to be told, not before: working it out costs. */
  readonly target: () => CallTarget
  readonly requestClass: RequestClass
  /** Whether the body can be sent again now. */
  readonly replayable: () => boolean
  readonly signal: AbortSignal | null | undefined
  readonly limits: CallLimits
  readonly retry: RetryPolicy
  /** May be hedged, where the client hedges. */
  readonly hedge: boolean
  readonly throwOnStatus: boolean
  /** The sender can continue a body that is cut. */
  readonly resumes: boolean
  /** A dispatcher of the caller's own, watched from outside. */
  readonly dispatcher: AttemptTarget | undefined
}

/** What a call needs of its client. */
export interface CallHost {
  readonly clock: Clock
  /** Dice in [0, 1). */
  readonly random: () => number
  readonly connections: AttemptTarget
  /** Whether any policy is on that can refuse, delay or double a first attempt. */
  readonly gated: boolean
  /** The state of the policies for one origin. */
  origin(origin: string): Origin
  /** Looks at whether the place of a failure can be reached; absent where the caller does not allow it. */
  readonly probe?: ((evidence: Evidence, withinMs: number) => Promise<Evidence>) | undefined
  /** Registers the call, or throws when the client takes no more. */
  enter(call: RunningCall): void
  leave(call: RunningCall): void
}

/** What a client may do to a call in flight. */
export interface RunningCall {
  /** Where its client keeps it. */
  slot: number
  target(): CallTarget
  end(reason: unknown): void
  /** The error for a call that its own client ends. */
  destroyed(cause: unknown): AnyOffhookError
}
