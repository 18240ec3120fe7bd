/**
 * What the failures of one origin have in common: how they happened, who did it, after how long idle. Counts only; a
 * failure is weighed when somebody asks. Pure: no clock, and what happened is told to it.
 */

import type { Mechanism, Side } from '../failure/diagnosis.js'
import type { Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import { familyOfTimer } from '../knowledge/idle-timeouts.js'
import { originOf } from './attribute.js'
import { factsOf } from './facts.js'
import { mechanismOf } from './mechanism.js'

/** The failures of one origin, seen together. */
export interface Hangups {
  /** Attempts that failed since the start. */
  readonly failures: number
  /** Of these, how many by what happened on the wire. */
  readonly mechanisms: Partial<Record<Mechanism, number>>
  /**
   * Of the latest 64, how many by the side that did it; `unknown` where none is likely enough. Of fewer where the client
   * has failed at many origins: it keeps the latest 1,000 in all.
   */
  readonly origins: Partial<Record<Side, number>>
  /** Connections that the far side ended while they were idle, or just as they were used again, by how long they had been. */
  readonly idleEnds: readonly IdleEnds[]
  /** After how long idle the far side lets go, as learned, and the known products that do so. */
  readonly timer?: { readonly idleMs: number; readonly matches?: string }
}

/** Ends at idle times up to `upToMs`, and beyond the row before. */
export interface IdleEnds {
  readonly upToMs: number
  readonly count: number
}

/** Failures of one origin that are kept to be weighed. */
const mostKept = 64
/** And of all origins of a client: a failure with its evidence takes some kilobytes, and some time to weigh. */
const mostKeptInAll = 1_000
/** The histogram's limits, in milliseconds. */
const limitsMs = [1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, Number.POSITIVE_INFINITY]

/** A failure that is kept, without its raw error: that may hold anything alive. Its side takes its place once it is known. */
interface Kept {
  weigh: (() => Side) | undefined
  side: Side | undefined
  readonly owner: Set<Kept>
}

/** The failures that are kept for all origins of a client. The oldest goes first. */
export class KeptFailures {
  /** Insertion order is age. */
  readonly #all = new Set<Kept>()

  keep(owner: Set<Kept>, weigh: () => Side): void {
    const kept: Kept = { weigh, side: undefined, owner }
    owner.add(kept)
    this.#all.add(kept)
    if (owner.size > mostKept) this.#drop(owner)
    if (this.#all.size > mostKeptInAll) this.#drop(this.#all)
  }

  #drop(from: Set<Kept>): void {
    const [oldest] = from
    if (oldest === undefined) return
    this.#all.delete(oldest)
    oldest.owner.delete(oldest)
  }
}

export class Endings {
  #failures = 0
  readonly #mechanisms: Partial<Record<Mechanism, number>> = {}
  readonly #idle = limitsMs.map(() => 0)
  readonly #latest = new Set<Kept>()
  readonly #kept: KeptFailures

  /** @param kept what is kept for all origins of a client together */
  constructor(kept = new KeptFailures()) {
    this.#kept = kept
  }

  /** An attempt failed. */
  failed(failure: Failure, evidence: Evidence | undefined): void {
    const bare: Failure = { ...failure, cause: undefined }
    const mechanism = mechanismOf(factsOf({ failure, evidence, attempts: [] }))
    this.#mechanisms[mechanism] = (this.#mechanisms[mechanism] ?? 0) + 1
    this.#kept.keep(this.#latest, () => originOf({ failure: bare, evidence, attempts: [] }))
    this.#failures++
  }

  /** The far side ended a connection that had been idle for so long. */
  endedIdle(idleMs: number): void {
    const place = limitsMs.findIndex((limit) => idleMs <= limit)
    if (place >= 0) this.#idle[place] = (this.#idle[place] ?? 0) + 1
  }

  /**
   * What they have in common.
   *
   * @param timerMs the idle time after which the far side lets go, where that was learned
   */
  together(timerMs?: number): Hangups {
    const origins: Partial<Record<Side, number>> = {}
    for (const kept of this.#latest) {
      kept.side ??= kept.weigh?.()
      kept.weigh = undefined
      const side = kept.side ?? 'unknown'
      origins[side] = (origins[side] ?? 0) + 1
    }
    const matches = timerMs === undefined ? undefined : familyOfTimer(timerMs, 'closed')?.says
    return {
      failures: this.#failures,
      mechanisms: { ...this.#mechanisms },
      origins,
      idleEnds: limitsMs
        .map((upToMs, place) => ({ upToMs, count: this.#idle[place] ?? 0 }))
        .filter(({ count }) => count > 0),
      ...(timerMs !== undefined && { timer: { idleMs: timerMs, ...(matches !== undefined && { matches }) } }),
    }
  }
}
