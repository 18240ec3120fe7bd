// A far side that lets go of idle connections after a while, and a client with a pool that asks the learner before it
// reuses one. Time is a number; who comes next is decided by sorting.
import type { ReuseLearner } from '../../src/policy/reuse.js'

export interface FarSide {
  readonly how: 'fin' | 'rst' | 'drop'
  /** Its idle timer, ms. */
  readonly timerMs: number
  /** It notices up to so much later, ms. */
  readonly lateMs: number
  /** One way through the network, ms. */
  readonly oneWayMs: number
}

export interface Traffic {
  readonly calls: number
  readonly workers: number
  /** The pause between two calls of a worker, ms. */
  readonly gapMs: () => number
  readonly random: () => number
  /** The share of calls that must not be executed twice. */
  readonly unsafeShare: number
}

export interface Outcome {
  /** Calls that failed on a stale connection, with the number of observations that there had been before each. */
  readonly failedUnsafe: number[]
  readonly failedRepeatable: number[]
  reused: number
  fresh: number
}

/** Runs the traffic; every worker has a connection of its own and uses it again where the learner lets it. */
export function run(learner: ReuseLearner, farSide: FarSide, traffic: Traffic): Outcome {
  const outcome: Outcome = { failedUnsafe: [], failedRepeatable: [], reused: 0, fresh: 0 }
  const { random } = traffic
  const workers = Array.from({ length: traffic.workers }, () => ({
    at: random() * 100,
    requests: 0,
    idleSince: 0,
    lateMs: 0,
  }))
  type Worker = (typeof workers)[number]
  const answered = (worker: Worker) => {
    worker.requests++
    worker.idleSince = worker.at
    worker.lateMs = random() * farSide.lateMs
  }
  const onFresh = (worker: Worker) => {
    outcome.fresh++
    worker.requests = 0
    learner.freshWorked(worker.at)
    answered(worker)
  }
  const call = (worker: Worker) => {
    const { at, requests, idleSince, lateMs } = worker
    const idleMs = at - idleSince
    const closesAfterMs = farSide.timerMs + lateMs
    if (farSide.how !== 'drop' && requests > 0 && idleMs >= closesAfterMs) {
      // The news arrived in time. It took as long as the last answer had taken, so the ages are the same on both sides.
      learner.closedWhileIdle(idleSince + closesAfterMs, { idleMs: closesAfterMs, requests, how: farSide.how })
      return onFresh(worker)
    }
    const unsafe = random() < traffic.unsafeShare
    if (requests === 0 || !learner.mayReuse(at, { idleMs, requests, unsafe })) return onFresh(worker)
    if (idleMs + 2 * farSide.oneWayMs < closesAfterMs) {
      outcome.reused++
      learner.survivedIdle(at, idleMs, requests)
      return answered(worker)
    }
    const { observations } = learner.limits(at)
    ;(unsafe ? outcome.failedUnsafe : outcome.failedRepeatable).push(observations)
    learner.staleOnUse(at, { idleMs, requests, how: farSide.how === 'drop' ? 'silence' : farSide.how })
    onFresh(worker)
  }
  for (let done = 0; done < traffic.calls; done++) {
    const worker = workers.reduce((first, other) => (other.at < first.at ? other : first))
    call(worker)
    worker.at += traffic.gapMs()
  }
  return outcome
}
