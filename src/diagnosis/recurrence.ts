/**
 * What repeats itself at one origin, and says more about a failure than the failure itself: connections that end all at
 * once, again and again; a request that is always cut while others are answered. Bounded in memory; pure: what happened,
 * and when, is told to it. Made when something has failed, and nothing before that.
 */

import type { Circumstances } from '../failure/circumstances.js'

type Learned = NonNullable<Circumstances['learned']>
/** The part of what was learned that is learned here. */
export type Recurring = Pick<Learned, 'endedTogether' | 'sameRequest'>

/** Ends within so many milliseconds belong together, and so many of them are a burst. */
const togetherMs = 1_000
const leastTogether = 3
/** A timer ends connections after the same idle time: what differs by more was not ended by one. */
const sameIdleMs = 1_500
/** Bursts nearer to each other are one. */
const oneBurstMs = 10_000
/** For how long a burst is remembered, and how many of them. */
const rememberedMs = 3_600_000
const mostBursts = 16
/** Kinds of requests that are followed, and for how long after their last cut. */
const mostRequests = 32
const followedMs = 600_000

interface End {
  readonly at: number
  readonly idleMs: number | undefined
}

interface Burst {
  at: number
  connections: number
}

interface Followed {
  cut: number
  answered: number
  at: number
  /** Answers to other requests when it was first cut. */
  readonly since: number
}

export class Recurrence {
  #ends: End[] = []
  #bursts: Burst[] = []
  readonly #requests = new Map<string, Followed>()
  #answers = 0
  #cutAt = 0

  /**
   * The far side ended a connection.
   *
   * @param idleMs for how long it had been idle; `undefined` where it was in use
   */
  ended(at: number, idleMs: number | undefined): void {
    this.#ends = [...this.#ends.filter((end) => at - end.at < togetherMs), { at, idleMs }].slice(-64)
    if (this.#ends.length < leastTogether || isTimer(this.#ends)) return
    const last = this.#bursts.at(-1)
    if (last !== undefined && at - last.at < oneBurstMs) {
      last.at = at
      last.connections = Math.max(last.connections, this.#ends.length)
      return
    }
    this.#bursts.push({ at, connections: this.#ends.length })
    if (this.#bursts.length > mostBursts) this.#bursts.shift()
  }

  /** A request was cut before it was answered; `request` is its method and path. */
  cut(at: number, request: string): void {
    const known = this.#requests.get(request)
    const followed = known !== undefined && at - known.at < followedMs ? known : undefined
    this.#cutAt = at
    this.#requests.delete(request)
    this.#requests.set(request, {
      cut: (followed?.cut ?? 0) + 1,
      answered: followed?.answered ?? 0,
      at,
      since: followed?.since ?? this.#answers,
    })
    const [oldest] = this.#requests.keys()
    if (this.#requests.size > mostRequests && oldest !== undefined) this.#requests.delete(oldest)
  }

  /** Whether there are requests that were cut of late: while there are none, nobody need tell of answers. */
  get follows(): boolean {
    return this.#requests.size > 0
  }

  /** A request was answered. */
  answered(at: number, request: string): void {
    if (at - this.#cutAt >= followedMs) this.#requests.clear()
    this.#answers++
    const followed = this.#requests.get(request)
    if (followed !== undefined) followed.answered++
  }

  /** What is known of earlier failures, at the time of a new one. */
  facts(now: number, request: string | undefined): Recurring | undefined {
    const bursts = this.#bursts.filter(({ at }) => now - at < rememberedMs)
    // What ends together with this one is told by its siblings.
    const last = bursts.findLast(({ at }) => now - at >= togetherMs)
    const times = bursts.filter(({ at }) => now - at >= togetherMs).length
    const followed = request === undefined ? undefined : this.#requests.get(request)
    const same =
      followed === undefined || now - followed.at >= followedMs
        ? undefined
        : {
            cut: followed.cut,
            answered: followed.answered,
            othersAnswered: Math.max(0, this.#answers - followed.since - followed.answered),
          }
    if (last === undefined && same === undefined) return undefined
    return {
      ...(last !== undefined && {
        endedTogether: { connections: last.connections, agoMs: Math.round(now - last.at), times },
      }),
      ...(same !== undefined && { sameRequest: same }),
    }
  }
}

/** All of them idle, and for the same time: that is one timer, and nobody's end. */
function isTimer(ends: readonly End[]): boolean {
  const idle = ends.map(({ idleMs }) => idleMs).filter((idleMs) => idleMs !== undefined)
  if (idle.length < ends.length) return false
  return Math.max(...idle) - Math.min(...idle) <= Math.max(sameIdleMs, 0.05 * Math.max(...idle))
}
