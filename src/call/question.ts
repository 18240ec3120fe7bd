/** What the policies are asked about an attempt that was not fine. */

import type { Outcome } from '../attempt/sender.js'
import type { Clock } from '../clock.js'
import type { Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import type { RetryQuestion } from '../policy/retry-question.js'
import { readSignals, type ServerSignals } from '../policy/server-signals.js'
import { statusFailure, wasRepeated } from './made-failures.js'
import type { CallRecord } from './record.js'
import type { CallSpec } from './spec.js'
import type { Tries } from './tries.js'

/** What is known of an attempt that was not fine. */
export interface Examined {
  readonly failure: Failure
  readonly evidence: Evidence | undefined
  readonly signals: ServerSignals | undefined
}

/** Where the call stands. */
export interface Standing {
  /** `undefined` before the first attempt that was not fine. */
  readonly record: CallRecord | undefined
  readonly dice: number
  /** What the origin's budget takes for a throttled retry. */
  readonly throttleCost: number
  /** Milliseconds to the total deadline; `undefined` without one. */
  readonly remainingMs: number | undefined
  readonly continuesBody: boolean
  /** The call is to replace a connection that had stood. */
  readonly replacesLine: boolean
}

export function examine<Answer>(
  outcome: Outcome<Answer> & { end: 'answer' | 'failure' },
  { sender, retry }: CallSpec<Answer>,
  { tries, clock }: { readonly tries: Tries<Answer>; readonly clock: Clock },
): Examined {
  if (outcome.end === 'failure') return { failure: outcome.failure, evidence: outcome.evidence, signals: undefined }
  const { answer } = outcome
  return {
    failure: statusFailure(sender.status(answer)),
    evidence: tries.current?.evidence(),
    signals: readSignals(sender.header(answer), clock.epoch(), retry.signalHeaders),
  }
}

export function questionOf<Answer>(examined: Examined, spec: CallSpec<Answer>, standing: Standing): RetryQuestion {
  const { failure: seen, evidence, signals } = examined
  const { record, continuesBody, replacesLine } = standing
  // Never at once, even where nothing had been sent: all whose server was restarted would come back in one instant.
  const failure: Failure = replacesLine ? { ...seen, delivery: 'unknown' } : seen
  return {
    failure,
    requestClass: spec.requestClass,
    replayable: spec.replayable(),
    attempts: (record?.counted ?? 0) + 1,
    transparent: record?.transparent ?? 0,
    dice: standing.dice,
    throttleCost: standing.throttleCost,
    reused: evidence?.connection?.reused,
    otherAddress: (evidence?.otherAddresses ?? 0) > 0,
    protocol: evidence?.connection?.protocol,
    closeDelimited: evidence?.closeDelimited,
    earlierAnswered: evidence?.earlier?.some((exchange) => exchange.delivery === 'answered'),
    remainingMs: standing.remainingMs,
    signals,
    retriesOfRow: wasRepeated(failure, evidence) ? () => 1 : record?.retriesOfRow,
    ...(continuesBody && record === undefined && { committed: true, resumable: true }),
  }
}
