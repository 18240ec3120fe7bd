/** What a call remembers of its attempts: for the next decision, and for the error at the end. */

import type { AttemptReport, Decision, Evidence } from '../failure/evidence.js'
import type { Failure, StopReason } from '../failure/kinds.js'
import type { Verdict } from '../policy/retry-question.js'

export class CallRecord {
  readonly attempts: AttemptReport[] = []
  /** Milliseconds waited before the attempt in progress. */
  waitedMs = 0
  /** Transparent retries in a row, up to now. */
  transparent = 0
  /** What the last retry was paid for with. */
  lastCost = 0
  stopReason: StopReason | undefined
  retryAfterMs: number | undefined
  #free = 0
  #forgotten = 0
  readonly #rows = new Map<number, number>()

  /** Attempts that count: those begun by a transparent retry do not. */
  get counted(): number {
    return this.#forgotten + this.attempts.length - this.#free
  }

  /** Retries that a row of the table has granted to this call. */
  readonly retriesOfRow = (row: number): number => this.#rows.get(row) ?? 0

  /** An attempt is over, and this was decided about it. */
  add(failure: Failure, evidence: Evidence | undefined, decision: Decision): void {
    this.stopReason = decision.stopReason
    if (this.attempts.length >= mostRemembered) {
      this.attempts.shift()
      this.#forgotten++
    }
    const number = this.#forgotten + this.attempts.length + 1
    this.attempts.push(report({ number, failure, evidence, decision, waitedMs: this.waitedMs }))
  }

  /** Takes over the attempts of another call that went on where this one had been cut. */
  append(attempts: readonly AttemptReport[]): void {
    for (const attempt of attempts) this.attempts.push({ ...attempt, number: this.attempts.length + 1 })
    this.stopReason = attempts.at(-1)?.decision.stopReason
  }

  /** Another attempt follows. */
  goOn(verdict: Verdict): void {
    this.transparent = verdict.transparent ? this.transparent + 1 : 0
    if (verdict.transparent) this.#free++
    this.lastCost = verdict.cost
    this.waitedMs = verdict.waitMs ?? 0
    if (verdict.row !== undefined) this.#rows.set(verdict.row, this.retriesOfRow(verdict.row) + 1)
  }
}

/** Who dials for days must not grow by it; an ordinary call makes at most a hundred attempts and a few free ones. */
const mostRemembered = 500

function report(attempt: {
  number: number
  failure: Failure
  evidence: Evidence | undefined
  decision: Decision
  waitedMs: number
}): AttemptReport {
  const { number, failure, evidence, waitedMs } = attempt
  const { retry, because, row, waitMs, charged, stopReason, optIn } = attempt.decision
  return {
    number,
    kind: failure.kind,
    phase: failure.phase,
    delivery: failure.delivery,
    waitedMs,
    decision: {
      retry,
      because,
      ...(row !== undefined && { row }),
      ...(waitMs !== undefined && { waitMs }),
      ...(charged !== undefined && { charged }),
      ...(stopReason !== undefined && { stopReason }),
      ...(optIn !== undefined && { optIn }),
    },
    // Spreads last: what is named after one is put into the object one by one.
    ...(failure.code !== undefined && { code: failure.code }),
    ...(failure.status !== undefined && { status: failure.status }),
    ...(evidence?.connection !== undefined && { connection: evidence.connection }),
    ...(evidence?.timings !== undefined && { timings: evidence.timings }),
    ...(evidence?.bytes !== undefined && { bytes: evidence.bytes }),
  }
}
