/** The limit that holds in each stage of an attempt, and the one timer that watches them all. */

import type { Clock, Timer } from '../clock.js'
import type { Limit } from '../failure/evidence.js'
import type { Exchange } from '../wire/exchange.js'
import { askedBeforeMs, askPeer } from '../wire/peer-question.js'

/** Milliseconds; `undefined` is no limit. */
export interface AttemptLimits {
  readonly attempt: number | undefined
  readonly connect: number | undefined
  readonly headers: number | undefined
  readonly body: number | undefined
}

/** What the limits hold for. */
export interface StageHost {
  readonly clock: Clock
  readonly limits: AttemptLimits
  readonly ownSockets: boolean
}

/** Who is told that a limit ran out. */
export interface StageOwner {
  expire(name: Limit, ms: number): void
}

interface Stage {
  readonly name: Limit
  readonly ms: number
  readonly since: number
}

/**
 * Set once for an exchange, the timer finds out when it fires which stage the exchange has come to and re-arms itself
 * for what is left: an exchange that goes well costs one timer, not one for each stage.
 */
export class StageTimer {
  readonly #host: StageHost
  readonly #owner: StageOwner
  #timer: Timer | undefined
  #exchange: Exchange | undefined
  /** The silence in which the peer was asked, by its beginning. */
  #askedSince: number | undefined

  constructor(host: StageHost, owner: StageOwner) {
    this.#host = host
    this.#owner = owner
  }

  /** Watches this exchange from now on, and no other. */
  watch(exchange: Exchange): void {
    this.clear()
    this.#exchange = exchange
    const stage = this.#stageOf(exchange)
    if (stage === undefined) return
    const { headers, body } = this.#host.limits
    const left = stage.ms - (this.#host.clock.now() - stage.since)
    // In time for what comes before the end of a later stage, should it come to that soon.
    this.#arm(exchange, Math.min(left, askedAt(headers), askedAt(body)))
  }

  clear(): void {
    this.#host.clock.cancel(this.#timer)
    this.#timer = undefined
    this.#exchange = undefined
  }

  /** The request is being written. Only a limit that is shorter than the one the timer was set for needs it earlier. */
  started(exchange: Exchange): void {
    if (this.#host.ownSockets && isShorter(this.#host.limits.headers, this.#host.limits.connect)) this.watch(exchange)
  }

  /** The head is complete. */
  headSeen(exchange: Exchange): void {
    const { connect, headers, body } = this.#host.limits
    if (isShorter(body, headers) || isShorter(body, connect)) this.watch(exchange)
  }

  #arm(exchange: Exchange, delayMs: number): void {
    // Whole, so that the timers of a limit are all of one delay, which costs little; a late one is looked at again.
    this.#timer = this.#host.clock.after(Math.ceil(delayMs), () => {
      // After a stall of the event loop the timer comes before data that has long arrived: look at the sockets first.
      this.#host.clock.nextTurn(() => this.#check(exchange))
    })
  }

  #check(exchange: Exchange): void {
    if (exchange !== this.#exchange || exchange.endedAt !== undefined) return
    const stage = this.#stageOf(exchange)
    if (stage === undefined) return
    const left = stage.ms - (this.#host.clock.now() - stage.since)
    if (left > 0) this.#arm(exchange, left - this.#askAhead(exchange, stage, left))
    else this.#owner.expire(stage.name, stage.ms)
  }

  /**
   * Once the limit has run out there is no time to ask the peer's kernel whether it lives: it is asked a moment before.
   *
   * @returns how long before the end the timer has to run once more for that
   */
  #askAhead(exchange: Exchange, { name, ms, since }: Stage, left: number): number {
    const ahead = name === 'connect' || exchange.paused ? undefined : askedBeforeMs(ms)
    if (ahead === undefined || this.#askedSince === since) return 0
    if (left > ahead) return ahead
    this.#askedSince = since
    // Too late to hear the answer: the timer had been set for a longer limit.
    if (left > ahead / 2) askPeer(exchange, left)
    return 0
  }

  /** The limit that holds in the stage that the exchange is in, and since when. */
  #stageOf(exchange: Exchange): Stage | undefined {
    const { connect, headers, body } = this.#host.limits
    if (exchange.headAt !== undefined) {
      // A reader that is behind holds the body up, not the peer.
      return stage('body', body, exchange.paused ? this.#host.clock.now() : exchange.progressAt)
    }
    if (exchange.startedAt !== undefined || !this.#host.ownSockets)
      return stage('headers', headers, exchange.progressAt)
    // Waiting for a free connection is not connecting; the limits of the attempt and of the call bound that.
    return stage('connect', connect, exchange.assignedAt ?? this.#host.clock.now())
  }
}

/** How long a stage of this limit may be silent until the peer is asked. */
function askedAt(limit: number | undefined): number {
  return limit === undefined ? Number.POSITIVE_INFINITY : limit - (askedBeforeMs(limit) ?? 0)
}

function isShorter(limit: number | undefined, set: number | undefined): boolean {
  return limit !== undefined && (set === undefined || limit < set)
}

function stage(name: Limit, ms: number | undefined, since: number): Stage | undefined {
  return ms === undefined ? undefined : { name, ms, since }
}

/** One of our own limits ran out. The codes are undici's where it has one, so that code that looks for them goes on working. */
export class LimitReached extends Error {
  readonly code: string
  override readonly name = 'LimitReached'
  constructor(limit: Limit, ms: number) {
    super(`the ${limit} limit of ${ms} ms ran out`)
    this.code = limitCodes[limit]
  }
}

const limitCodes: Record<Limit, string> = {
  connect: 'UND_ERR_CONNECT_TIMEOUT',
  headers: 'UND_ERR_HEADERS_TIMEOUT',
  body: 'UND_ERR_BODY_TIMEOUT',
  attempt: 'ETIMEDOUT',
  total: 'ETIMEDOUT',
  heartbeat: 'ETIMEDOUT',
}
