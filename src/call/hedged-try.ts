/**
 * One try that may be doubled: when the first attempt takes longer than most, a second one is sent on another
 * connection, and whichever answers first wins (Dean and Barroso, "The Tail at Scale", 2013).
 */

import type { Outcome } from '../attempt/sender.js'
import type { Clock, Timer } from '../clock.js'
import { deliveries } from '../failure/kinds.js'
import { deliveryOfStatus } from '../policy/decision-rows-answered.js'

/** An attempt as far as the race is concerned. */
export interface Racer<Answer> {
  readonly outcome: Promise<Outcome<Answer>>
  cancel(reason: unknown): void
}

export interface Race<Answer> {
  readonly clock: Clock
  readonly delayMs: number
  start(hedge: boolean): Racer<Answer>
  /** The status of an answer; 0 where it has none. */
  status(answer: Answer): number
  /** Asks and pays for the second attempt; false: there will be none. */
  mayHedge(): boolean
  /** An outcome that wins: an answer that nobody would want to have again. */
  isGood(outcome: Outcome<Answer>): boolean
  /** A failure after which the second attempt need not be waited for. */
  isRetryable(outcome: Outcome<Answer>): boolean
}

/** The attempt whose outcome counts, and whether it was the second one. */
export interface RaceResult<Answer> {
  readonly outcome: Outcome<Answer>
  readonly hedged: boolean
  readonly wonByHedge: boolean
}

/** Reason for cancelling the attempt that lost. */
export class LostRace extends Error {
  override readonly name = 'LostRace'
  constructor() {
    super('another attempt at the same call was faster')
  }
}

/** An answer that says that nothing was done: the other request may have been heard all the same. */
function saysUndone<Answer>(outcome: Outcome<Answer>, race: Race<Answer>): boolean {
  return outcome.end === 'answer' && deliveryOfStatus(race.status(outcome.answer)) !== 'answered'
}

/** How surely the request of an attempt was heard: the later in the order of deliveries, the surer. */
function heardness<Answer>(outcome: Outcome<Answer>, race: Race<Answer>): number {
  if (saysUndone(outcome, race)) return deliveries.indexOf('rejected')
  if (outcome.end === 'answer') return deliveries.length
  return outcome.end === 'failure' ? deliveries.indexOf(outcome.failure.delivery) : -1
}

/** Runs the race. When both fail, the one counts whose request was heard more surely: it may have been executed. */
export function hedgedTry<Answer>(race: Race<Answer>): Promise<RaceResult<Answer>> {
  return new Promise((resolve) => {
    const first = race.start(false)
    let second: Racer<Answer> | undefined
    let running = 1
    let timer: Timer | undefined
    let finished = false
    let failed: { readonly outcome: Outcome<Answer>; readonly isHedge: boolean } | undefined

    const finish = (outcome: Outcome<Answer>, wonByHedge: boolean) => {
      finished = true
      race.clock.cancel(timer)
      resolve({ outcome, hedged: second !== undefined, wonByHedge })
      const loser = wonByHedge ? first : second
      loser?.cancel(new LostRace())
    }
    const hedge = () => {
      if (second !== undefined || !race.mayHedge()) return false
      race.clock.cancel(timer)
      running++
      second = race.start(true)
      void second.outcome.then((outcome) => over(outcome, true))
      return true
    }
    const over = (outcome: Outcome<Answer>, isHedge: boolean) => {
      // The loser's end is of our own making, and must not cancel the winner, whose body is still to be read.
      if (finished) return
      running--
      const surer = failed !== undefined && heardness(failed.outcome, race) > heardness(outcome, race)
      const wins = race.isGood(outcome) && !((running > 0 || surer) && saysUndone(outcome, race))
      if (wins || outcome.end === 'cancelled' || outcome.end === 'mistake') finish(outcome, isHedge)
      else {
        if (failed === undefined || heardness(outcome, race) >= heardness(failed.outcome, race))
          failed = { outcome, isHedge }
        if (running === 0 && !(race.isRetryable(outcome) && hedge())) finish(failed.outcome, failed.isHedge)
      }
    }
    timer = race.clock.after(race.delayMs, hedge)
    void first.outcome.then((outcome) => over(outcome, false))
  })
}
