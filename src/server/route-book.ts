/** What is known of each route: how long its answers take, who hangs up, and after how long. Bounded, whatever is asked. */

import type { Hangup, HangupReason, Hazard, UsualTimes } from '../failure/hangup.js'
import { LatencyHistogram } from './latency-histogram.js'
import { type WaitingRow, WaitingTable } from './waiting-table.js'

/** Where requests of routes beyond the bound are counted. */
export const otherRoutes = '(other routes)'

/** One route, as `stats()` tells it. */
export interface RouteStats {
  /** Requests that have ended, one way or the other. */
  readonly requests: number
  /** Of those, hung up on by the client. */
  readonly hangups: number
  /** Of those, cut by this server. */
  readonly cutByServer: number
  /** Hang-ups that follow slowness: later than the route's p95 at that time, or judged as `gave-up-waiting`. */
  readonly afterSlowness: number
  /** `afterSlowness` / `hangups`; absent without hang-ups. */
  readonly slownessShare?: number
  /** How long answers usually take; absent before the first. */
  readonly usual?: UsualTimes
  /** Hang-ups by verdict. */
  readonly verdicts: Readonly<Partial<Record<HangupReason | 'unclear', number>>>
  /** How patient the clients are: how many waited so long, and how many left then. */
  readonly patience: readonly WaitingRow[]
}

class RouteRecord {
  readonly #times = new LatencyHistogram()
  readonly #waiting = new WaitingTable()
  requests = 0
  hangups = 0
  cutByServer = 0
  afterSlowness = 0
  readonly verdicts: Partial<Record<HangupReason | 'unclear', number>> = {}

  answered(ms: number): void {
    this.requests += 1
    this.#times.record(ms)
    this.#waiting.record(ms, false)
  }

  lost(ms: number, byClient: boolean): void {
    this.requests += 1
    this.#waiting.record(ms, byClient)
    if (byClient) this.hangups += 1
    else this.cutByServer += 1
  }

  judged({ by, verdict, afterMs, usual }: Hangup): void {
    this.verdicts[verdict.is] = (this.verdicts[verdict.is] ?? 0) + 1
    if (by === 'server') return
    if (verdict.is === 'gave-up-waiting' || (usual !== undefined && afterMs > usual.p95Ms)) this.afterSlowness += 1
  }

  usual(): UsualTimes | undefined {
    const [p50Ms, p95Ms] = [this.#times.quantile(0.5), this.#times.quantile(0.95)]
    if (p50Ms === undefined || p95Ms === undefined) return undefined
    return { answers: this.#times.total, p50Ms, p95Ms }
  }

  hazardAt(ms: number): Hazard | undefined {
    return this.#waiting.hazardAt(ms)
  }

  stats(): RouteStats {
    const usual = this.usual()
    return {
      requests: this.requests,
      hangups: this.hangups,
      cutByServer: this.cutByServer,
      afterSlowness: this.afterSlowness,
      ...(this.hangups > 0 && { slownessShare: this.afterSlowness / this.hangups }),
      ...(usual !== undefined && { usual }),
      verdicts: { ...this.verdicts },
      patience: this.#waiting.rows(),
    }
  }
}

export class RouteBook {
  readonly #most: number
  readonly #routes = new Map<string, RouteRecord>()

  /** @param most routes that are told apart; the rest is counted as one */
  constructor(most: number) {
    this.#most = most
  }

  /** The route's record. The first ones asked for are kept: a scanner's thousand paths do not push them out. */
  of(route: string): RouteRecord {
    const known = this.#routes.get(route)
    if (known !== undefined) return known
    if (this.#routes.size >= this.#most && route !== otherRoutes) return this.of(otherRoutes)
    const fresh = new RouteRecord()
    this.#routes.set(route, fresh)
    return fresh
  }

  stats(): Record<string, RouteStats> {
    return Object.fromEntries([...this.#routes].map(([route, record]) => [route, record.stats()]))
  }
}
