/**
 * At which idle age do connections come to their end? A histogram of idle ages, one bucket a few per cent wide, in which
 * every reuse that worked speaks for longer lives and every end speaks for a shorter one.
 *
 * An idle timer looks different from everything else that ends connections. Ends crowd a little above one age, never
 * below it, and next to nothing lives on beyond it. Restarts, crashes and lost routes end connections at any age, and
 * most live on. So an age counts as a timer's when the ends just above it are a fair share of all that came that far:
 * the ends themselves, and the uses and ends at greater ages.
 *
 * Newer evidence weighs more, counted in events and not only in time: each end fades what had survived beyond it. A
 * million good reuses of yesterday must not drown the first twenty resets after a new server came with a new timer.
 */

/** What an end was: seen while the connection was idle, seen when it was used, or only the silence of a peer. */
export type End = 'closed' | 'stale' | 'silent'

/** How much evidence makes a timer. */
export interface Proof {
  /** Weight of the ends; a fresh one weighs 1. */
  readonly weight: number
  /** Their share of everything that came that far, 0 to 1. */
  readonly share: number
}

const perOctave = 12
/** From 1 ms to 2.3 hours. */
const buckets = 23 * perOctave
/** Ends within half as much again belong together: timers are noticed late, by the tick of whoever runs them. */
const crowd = Math.ceil(Math.log2(1.5) * perOctave)
/** What the survivors of an age weigh after one more end at or below it. */
const fadeOfSurvivors = 0.7
/** What earlier ends of the same crowd weigh after one more: together they never weigh more than 10. */
const fadeOfEnds = 0.9
/** Silence is no proof: a slow answer looks the same. Ends that were only silence need a share like this. */
const silentShare = 0.1

export class IdleAges {
  readonly #kept = new Float32Array(buckets)
  readonly #ends: Record<End, Float32Array> = {
    closed: new Float32Array(buckets),
    stale: new Float32Array(buckets),
    silent: new Float32Array(buckets),
  }

  /** A connection that had been idle for so long was used, and it worked. */
  keep(ageMs: number): void {
    const bucket = bucketOf(ageMs)
    this.#kept[bucket] = (this.#kept[bucket] ?? 0) + 1
  }

  /** A connection came to its end at this age. */
  end(ageMs: number, how: End): void {
    const bucket = bucketOf(ageMs)
    const { closed, stale, silent } = this.#ends
    for (let at = bucket; at < buckets; at++) {
      this.#kept[at] = (this.#kept[at] ?? 0) * fadeOfSurvivors
      if (at > bucket + crowd) closed[at] = (closed[at] ?? 0) * fadeOfSurvivors
    }
    for (let at = Math.max(0, bucket - crowd); at <= Math.min(buckets - 1, bucket + crowd); at++) {
      closed[at] = (closed[at] ?? 0) * fadeOfEnds
      stale[at] = (stale[at] ?? 0) * fadeOfEnds
      silent[at] = (silent[at] ?? 0) * fadeOfEnds
    }
    this.#ends[how][bucket] = (this.#ends[how][bucket] ?? 0) + 1
  }

  /** An end that was counted turned out to mean nothing. */
  retract(ageMs: number, how: End): void {
    const bucket = bucketOf(ageMs)
    this.#ends[how][bucket] = Math.max(0, (this.#ends[how][bucket] ?? 0) - 1)
  }

  /** Everything known weighs half as much as before. */
  halve(): void {
    for (const row of [this.#kept, this.#ends.closed, this.#ends.stale, this.#ends.silent]) {
      for (let at = 0; at < buckets; at++) row[at] = (row[at] ?? 0) / 2
    }
  }

  /**
   * The lowest age at which ends crowd enough to be a timer's, in milliseconds; the lower edge of its bucket, so never
   * above the true one. `undefined` where there is none.
   *
   * @param proof what is enough
   * @param known an age believed before, and what is enough to go on believing it
   */
  firstTimer(proof: Proof, known?: { readonly ageMs: number; readonly weight: number }): number | undefined {
    const { closed, stale, silent } = this.#ends
    const knownFrom = known === undefined ? buckets : bucketOf(known.ageMs) - 1
    let found: number | undefined
    let survivors = 0
    let loud = 0
    let quiet = 0
    // From the top down, with running sums: of the crowd above this bucket, and of whatever outlived the crowd.
    for (let at = buckets - 1; at >= 0; at--) {
      loud += (closed[at] ?? 0) + (stale[at] ?? 0)
      quiet += silent[at] ?? 0
      survivors += this.#kept[at] ?? 0
      const above = at + crowd + 1
      if (above < buckets) {
        loud -= (closed[above] ?? 0) + (stale[above] ?? 0)
        quiet -= silent[above] ?? 0
        // Seen to be closed at a greater age: it had lived through this one.
        survivors += closed[above] ?? 0
      }
      if ((closed[at] ?? 0) + (stale[at] ?? 0) + (silent[at] ?? 0) < leastWeight) continue
      const weight = known !== undefined && at >= knownFrom ? Math.min(proof.weight, known.weight) : proof.weight
      const byLoud = loud >= weight && loud >= proof.share * (loud + survivors)
      const all = loud + quiet
      const byAll = all >= weight && all >= Math.max(proof.share, silentShare) * (all + survivors)
      if (byLoud || byAll) found = at
    }
    return found === undefined ? undefined : 2 ** (found / perOctave)
  }
}

/** Below this an end is forgotten: six halvings. It also keeps the rounding of sums from being taken for evidence. */
const leastWeight = 1 / 64

function bucketOf(ageMs: number): number {
  if (!(ageMs > 1)) return 0
  return Math.min(buckets - 1, Math.floor(Math.log2(ageMs) * perOctave))
}
