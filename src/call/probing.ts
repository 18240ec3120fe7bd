/** A look at the place of a final failure, where the caller allows it, before the error is thrown. */

import type { Outcome } from '../attempt/sender.js'
import { remainingTime } from '../policy/deadline.js'
import type { Ending } from './ending.js'
import type { CallHost } from './spec.js'

/** What a deadline leaves for the error to be made in, in milliseconds. */
const spareMs = 50

/**
 * The outcome, with what a probe has found. Never waits past the deadline, nor after the call was ended.
 *
 * @param time when the call began, and how long it may take
 */
export async function probed<Answer>(
  outcome: Outcome<Answer>,
  host: CallHost,
  time: { readonly ending: Ending; readonly startedAt: number; readonly totalMs: number | undefined },
): Promise<Outcome<Answer>> {
  const { probe, clock } = host
  if (probe === undefined || outcome.end !== 'failure' || outcome.evidence.vantage !== 'socket') return outcome
  const left = remainingTime(time.startedAt, clock.now(), time.totalMs) ?? Number.POSITIVE_INFINITY
  let found = outcome
  await time.ending.until(
    probe(outcome.evidence, left - spareMs).then((evidence) => {
      found = { ...outcome, evidence }
    }),
  )
  return found
}
