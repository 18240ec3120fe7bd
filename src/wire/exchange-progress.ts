/** How far an exchange came, by its marks. */

import type { Delivery, Phase } from '../failure/kinds.js'
import type { DialPhase } from './dial-phase.js'

/** The marks of an exchange. Times are milliseconds; absent: it did not come so far. */
export interface Marks {
  readonly line: object | undefined
  readonly startedAt: number | undefined
  readonly sentAt: number | undefined
  readonly tellsSent: boolean
  readonly responding: boolean
  readonly headAt: number | undefined
  readonly endedAt: number | undefined
  readonly failed: boolean
}

/** @param dial where the dial of its connection is */
export function phaseOf(marks: Marks, dial: DialPhase | undefined): Phase {
  if (marks.headAt !== undefined) return 'body'
  if (marks.responding) return 'head'
  if (marks.startedAt !== undefined) return marks.sentAt === undefined && marks.tellsSent ? 'send' : 'wait'
  if (marks.line === undefined || dial === undefined) return 'admit'
  return dial === 'open' ? 'send' : dial
}

export function deliveryOf({ startedAt, headAt, endedAt, failed, responding }: Marks): Delivery {
  if (startedAt === undefined) return 'unsent'
  if (headAt !== undefined && endedAt !== undefined && !failed) return 'answered'
  return responding ? 'partial' : 'unknown'
}
