/** What an attempt is made with. */

import type { Clock } from '../clock.js'
import type { Connections, Dispatcher, Route } from '../wire/undici-connections.js'
import type { AttemptOwner } from './sender.js'
import type { AttemptLimits } from './stage-timer.js'

/** What an attempt is sent by: connections of our own, or a dispatcher of the caller's. */
export type AttemptTarget = Connections | Dispatcher

export interface AttemptHost {
  readonly clock: Clock
  readonly target: AttemptTarget
  /** Which of our own connections to take. */
  readonly route: Route
  readonly ownSockets: boolean
  readonly limits: AttemptLimits
  /** Answers are held back until they are complete, up to so many bytes. */
  readonly holdBytes: number
  /** The sender can continue a body that is cut. */
  readonly resumes: boolean
  readonly owner: AttemptOwner
  /** Default: now. */
  readonly startedAt?: number
}
