/**
 * Why learn when to stop reusing: the commonest reset in Node is a request put on an idle connection that the far side
 * is closing at the same moment. Nobody can tell afterwards whether it was heard, so an unsafe request cannot be sent
 * again. The best reset is the one that never happens: stop using the connection a little earlier.
 *
 * How much earlier depends on the far side, and it says so: in a `Keep-Alive` header, and by what becomes of idle
 * connections. Closes seen on idle ones, reuses that worked and reuses that failed are evidence, weighed in
 * `idle-ages.ts`. Many connections that end together at quite different ages are a restart, and say nothing about a
 * timer. Silence after a reuse counts only once another request shows that the far side is alive.
 *
 * Safe to repeat and not safe to repeat are two limits. For requests that can be sent again, a timer is believed after
 * two ends and with a narrow margin; for the others one end is enough, and the margin is wide. What was learned fades
 * within hours. The first to try a longer idle time again are those that can be repeated, and what they find opens the
 * way for the others.
 */

import type { Proof } from './idle-ages.js'
import { IdleEnds } from './idle-ends.js'
import { RequestCap } from './request-cap.js'
import type { Promptness, ReuseQuestion, StaleUse } from './reuse-facts.js'

export type { Promptness, ReuseQuestion, StaleUse } from './reuse-facts.js'

/** Where a learner starts. */
export interface ReuseSettings {
  /** Longest idle time for requests that can be repeated, in milliseconds, while nothing is known. Default 4 000, undici's. */
  readonly idleMs: number
  /** The same for requests that cannot. Default 1 500: some common servers let go after 2 s (gunicorn). */
  readonly unsafeIdleMs: number
  /** Whatever is announced, no longer than this, in milliseconds. Default 118 000, curl's. */
  readonly maxIdleMs: number
}

/** Where a learner starts when nothing else is said. */
export const reuseDefaults: ReuseSettings = { idleMs: 4_000, unsafeIdleMs: 1_500, maxIdleMs: 118_000 }

/** What was learned, for people and statistics. */
export interface ReuseLimits {
  /** Connections idle for longer are not used again for requests that can be repeated, in milliseconds. */
  readonly idleMs: number
  /** The same for requests that cannot be repeated. */
  readonly unsafeIdleMs: number
  /** The far side lets go after so many requests. Absent while there is no sign of it. */
  readonly requests?: number
  /** After how long idle the far side was seen to let go, in milliseconds. Absent while there is no sign of it. */
  readonly timerMs?: number
  /** Where the limits come from, in a sentence. */
  readonly why: string
  /** Ends seen since the start, at any age. */
  readonly observations: number
}

/** Who has let go of an idle connection says so within a round trip of the next write; later ends come of the work on it. */
export function endedAtWork({ afterMs, rttMs }: Promptness): boolean {
  return afterMs !== undefined && afterMs > 3 * (rttMs ?? 0) + 100
}

/** Ends that soon after an answer have nothing to do with being idle: a count was reached, or a process crashed. */
const atOnceMs = 10
const halfLifeMs = 30 * 60_000
/** Successes change the picture slowly: the limits are worked out again after so many of them. */
const refreshAfter = 64

const proofForUnsafe: Proof = { weight: 1 / 64, share: 0.01 }
const proofForRepeatable: Proof = { weight: 1.5, share: 0.1 }
/** Once believed, a timer is believed until this little is left of the evidence: two halvings of two ends. */
const weightToKeep = 0.5

/** Learns for one origin how long an idle connection can still be used. `now` is monotonic milliseconds everywhere. */
export class ReuseLearner {
  readonly #settings: ReuseSettings
  readonly #counts = new RequestCap()
  /** Made when there is something to learn: many origins are called once. */
  #ends: IdleEnds | undefined
  #hintMs: number | undefined
  #hintAt = Number.NEGATIVE_INFINITY
  #observations = 0
  /** How the last end was seen; for people. */
  #lately: 'fin' | 'rst' | 'silence' = 'fin'
  #halveAt = Number.POSITIVE_INFINITY
  #sinceRefresh = 0
  #outdated = false
  /** Limits as worked out last. */
  #idleMs: number
  #unsafeIdleMs: number
  /** The timers they come from. */
  #timerMs: number | undefined
  #unsafeTimerMs: number | undefined

  constructor(settings: ReuseSettings = reuseDefaults) {
    this.#settings = settings
    this.#idleMs = Math.min(settings.idleMs, settings.maxIdleMs)
    this.#unsafeIdleMs = Math.min(settings.unsafeIdleMs, this.#idleMs)
  }

  /** May the connection be used once more for this request? */
  mayReuse(now: number, use: ReuseQuestion): boolean {
    if (this.#outdated || now >= this.#halveAt) this.#refresh(now)
    if (this.#counts.forbids(use.requests, use.unsafe)) return false
    const idleMs = Math.max(use.idleMs, use.wallIdleMs ?? 0) + (use.loopStalledMs ?? 0) + (use.rttMs ?? 0)
    return idleMs < (use.unsafe ? this.#unsafeIdleMs : this.#idleMs)
  }

  /**
   * The far side closed a connection on which nothing was under way.
   *
   * @param event.idleMs for how long nothing had been; leave out ends that were found after the machine had slept
   * @param event.requests how many requests it had carried
   */
  closedWhileIdle(
    now: number,
    event: { readonly idleMs: number; readonly requests: number; readonly how: 'fin' | 'rst' },
  ): void {
    this.#observations++
    this.#lately = event.how
    if (event.idleMs <= atOnceMs) this.#count(now, event.requests)
    else this.#learn(now).ended(now, event.idleMs, 'closed')
  }

  /**
   * A reused connection answered.
   *
   * @param idleMs for how long it had been idle
   * @param requests how many requests it had carried before
   */
  survivedIdle(now: number, idleMs: number, requests = 0): void {
    if (this.#started(now).worked(now, idleMs)) this.#outdated = true
    this.#counts.outlived(requests)
    if (++this.#sinceRefresh >= refreshAfter) this.#outdated = this.#unsafeTimerMs !== undefined || this.#outdated
  }

  /**
   * A reused connection failed before it had answered anything.
   *
   * @param event.how it was closed, it was reset, or nothing came at all
   * @param event.afterMs how long after the request had been written; what ended at work has no idle timer
   */
  staleOnUse(now: number, event: StaleUse): void {
    if (event.how !== 'silence' && endedAtWork(event)) return
    this.#observations++
    if (event.how !== undefined) this.#lately = event.how
    if (event.idleMs <= atOnceMs) {
      if (event.requests !== undefined && event.how !== 'silence') this.#count(now, event.requests)
    } else if (event.how === 'silence') {
      this.#started(now).silence(now, event.idleMs)
    } else {
      this.#learn(now).ended(now, event.idleMs, 'stale')
    }
  }

  /** A fresh connection answered. After a silence on a reused one this tells that the far side is alive. */
  freshWorked(now: number): void {
    if (this.#ends?.explainSilence(now, 0)) this.#outdated = true
  }

  /** A fresh connection failed: silence on reused ones has the same cause, and not their age. */
  freshFailed(): void {
    this.#ends?.forgetSilence()
  }

  /** A `Keep-Alive` header came. `max` counts down on some servers and stays the same on others. */
  keepAliveHint(
    now: number,
    hint: { readonly timeoutMs?: number; readonly max?: number; readonly requests?: number },
  ): void {
    const { timeoutMs, max } = hint
    if (max !== undefined) this.#counts.announced(max, (hint.requests ?? 1) <= 1)
    if (timeoutMs === undefined) return
    // Servers behind one name can say different things. The shortest counts, until nobody has said it for a minute.
    if (this.#hintMs === undefined || timeoutMs < this.#hintMs || now - this.#hintAt > 60_000) {
      this.#outdated = this.#outdated || this.#hintMs !== timeoutMs
      this.#hintMs = timeoutMs
    }
    if (timeoutMs === this.#hintMs) this.#hintAt = now
  }

  /** An answer carried `Connection: close`, and it was the answer to the so-manieth request of its connection. */
  connectionClose(now: number, requests: number): void {
    this.#count(now, requests)
  }

  /** What was learned. */
  limits(now: number): ReuseLimits {
    this.#refresh(now)
    const requests = this.#counts.cap
    const timerMs = this.#timerMs ?? this.#unsafeTimerMs
    return {
      idleMs: this.#idleMs,
      unsafeIdleMs: this.#unsafeIdleMs,
      ...(requests !== undefined && { requests }),
      ...(timerMs !== undefined && { timerMs }),
      why: this.#why(),
      observations: this.#observations,
    }
  }

  #started(now: number): IdleEnds {
    this.#wind(now)
    this.#ends ??= new IdleEnds()
    return this.#ends
  }

  #count(now: number, requests: number): void {
    this.#wind(now)
    this.#counts.ended(now, requests)
  }

  /** From the first thing learned on, it is being forgotten. */
  #wind(now: number): void {
    if (this.#halveAt === Number.POSITIVE_INFINITY) this.#halveAt = now + halfLifeMs
  }

  /** The picture is about to change. */
  #learn(now: number): IdleEnds {
    this.#outdated = true
    return this.#started(now)
  }

  #refresh(now: number): void {
    // A leap of days ends in oblivion after a few steps; the rest of them would change nothing.
    for (let steps = 0; now >= this.#halveAt; steps++) {
      this.#ends?.ages.halve()
      this.#counts.halve()
      this.#halveAt = steps < 16 ? this.#halveAt + halfLifeMs : now + halfLifeMs
    }
    this.#outdated = false
    this.#sinceRefresh = 0
    const { idleMs, unsafeIdleMs, maxIdleMs } = this.#settings
    const known = this.#timerMs === undefined ? undefined : { ageMs: this.#timerMs, weight: weightToKeep }
    this.#timerMs = this.#ends?.ages.firstTimer(proofForRepeatable, known)
    this.#unsafeTimerMs = this.#ends?.ages.firstTimer(proofForUnsafe)
    const hint = this.#hintMs === undefined ? undefined : this.#hintMs - hintMargin(this.#hintMs)
    this.#idleMs = Math.min(maxIdleMs, hint ?? idleMs, before(this.#timerMs, repeatableMargin))
    const announced = hint === undefined ? unsafeIdleMs : Math.min(hint, before(this.#hintMs, unsafeMargin))
    this.#unsafeIdleMs = Math.min(this.#idleMs, announced, before(this.#unsafeTimerMs, unsafeMargin))
  }

  #why(): string {
    const timerMs = this.#timerMs ?? this.#unsafeTimerMs
    const hint = `the server announces a Keep-Alive timeout of ${this.#hintMs} ms`
    if (timerMs !== undefined && before(timerMs, unsafeMargin) <= this.#unsafeIdleMs) {
      const seen = `idle connections were seen to end after about ${Math.round(timerMs)} ms, lately by ${endings[this.#lately]}`
      const sure = this.#timerMs === undefined ? ' (not sure yet: only requests that cannot be repeated heed it)' : ''
      return `${seen}${sure}${this.#hintMs === undefined ? '' : `, and ${hint}`}`
    }
    if (this.#hintMs !== undefined) return hint
    return 'no sign of a shorter limit than what most servers allow'
  }
}

/**
 * The settings that go with a client's `keepAlive` option. Whoever says more than the default vouches for it, for unsafe
 * requests too.
 *
 * @param keepAliveMs how long an idle connection is kept for reuse, in milliseconds
 */
export function reuseSettings(keepAliveMs: number): ReuseSettings {
  const { idleMs, unsafeIdleMs } = reuseDefaults
  const wide = before(keepAliveMs, unsafeMargin)
  return {
    ...reuseDefaults,
    idleMs: keepAliveMs,
    unsafeIdleMs: keepAliveMs > idleMs ? wide : Math.min(unsafeIdleMs, wide),
  }
}

const endings = { fin: 'FIN', rst: 'RST', silence: 'silence' }

function before(timerMs: number | undefined, margin: (ms: number) => number): number {
  return timerMs === undefined ? Number.POSITIVE_INFINITY : timerMs - margin(timerMs)
}

/** A tenth, and 20 ms where that is little: what a busy event loop and a network add. */
function repeatableMargin(ms: number): number {
  return Math.max(ms / 10, Math.min(20, ms / 4))
}

function unsafeMargin(ms: number): number {
  return Math.max(ms / 4, Math.min(50, ms / 2))
}

/** Announced in whole seconds, rounded down: 2 s as in undici, and half where that would leave too little. */
function hintMargin(ms: number): number {
  return Math.min(2_000, ms / 2)
}
