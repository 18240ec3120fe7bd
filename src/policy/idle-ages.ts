/**
 * At which idle age do connections come to their end? A histogram of idle ages, one bucket a few per cent wide, in which
 * every reuse that worked speaks for longer lives and every end speaks for a shorter one.
 *
 * An idle timer looks different from everything else that ends connections. Its ends crowd a little above one age and
 * never lie below it, and next to nothing lives on beyond it. Restarts, crashes and lost routes end connections at any
 * age, and most live on. So an age is taken for a timer's when the ends in the crowd above it are a fair share of all
 * that came that far: these ends, and the uses and ends at greater ages.
 *
 * For each crowd the memory is counted in its ends: each of them fades what was there before, the ends and the
 * survivors alike. A million good reuses of yesterday must not drown the first twenty resets after a new server came
 * with a new timer; and resets that are few among many survivors stay few.
 */

/** What an end was: seen while the connection was idle, seen when it was used, or only the silence of a peer. */
export type End = 'closed' | 'stale' | 'silent'

/** How much evidence makes a timer. */
export interface Proof {
  /** Weight of the ends; the newest weighs 1, and together they never weigh more than 5. */
  readonly weight: number
  /** Their share of everything that came that far, 0 to 1. */
  readonly share: number
}

const perOctave = 12
/** From 1 ms to 2.3 hours. */
const buckets = 23 * perOctave
/** Ends within half as much again belong together: timers are noticed late, by the tick of whoever runs them. */
const crowd = Math.ceil(Math.log2(1.5) * perOctave)
/** What a crowd and its survivors weigh after one more end. */
const fade = 0.8
/** Silence is no proof: a slow answer looks the same. Where it is among the evidence, the share must be greater. */
const silentShare = 0.25
/** Below this an end is forgotten: six halvings. */
const leastWeight = 1 / 64
/** More survivors than this are not told apart from many. */
const manySurvivors = 20_000

export class IdleAges {
  /** Reuses that worked, by age. */
  readonly #kept = new Float32Array(buckets)
  #keptInAll = 0
  /** Ends, by age. */
  readonly #ends = new Float32Array(buckets)
  /** For the crowd that begins at each bucket: ends that were seen, ends that were only silence, and faded survivors. */
  readonly #loud = new Float32Array(buckets)
  readonly #quiet = new Float32Array(buckets)
  readonly #faded = new Float64Array(buckets)

  /** A connection that had been idle for so long was used, and it worked. */
  keep(ageMs: number): void {
    const bucket = bucketOf(ageMs)
    this.#kept[bucket] = (this.#kept[bucket] ?? 0) + 1
    this.#keptInAll++
    if (this.#keptInAll > manySurvivors) this.#halveSurvivors()
  }

  /** A connection came to its end at this age. */
  end(ageMs: number, how: End): void {
    const bucket = bucketOf(ageMs)
    let survivors = 0
    for (let at = buckets - 1; at >= Math.max(0, bucket - crowd); at--) {
      survivors += this.#kept[at] ?? 0
      if (at > bucket) continue
      // What fades is kept as a debt against the running sum, so that a reuse is one addition.
      const faded = this.#faded[at] ?? 0
      this.#faded[at] = faded + (1 - fade) * Math.max(0, survivors - faded)
      this.#loud[at] = (this.#loud[at] ?? 0) * fade + (how === 'silent' ? 0 : 1)
      this.#quiet[at] = (this.#quiet[at] ?? 0) * fade + (how === 'silent' ? 1 : 0)
    }
    this.#ends[bucket] = (this.#ends[bucket] ?? 0) + 1
    // Seen to be closed at this age, it had survived every crowd below.
    if (how === 'closed' && bucket > crowd) this.#kept[bucket - crowd - 1] = (this.#kept[bucket - crowd - 1] ?? 0) + 1
  }

  /** The last end that was counted turned out to mean nothing. */
  retract(ageMs: number, how: End): void {
    const bucket = bucketOf(ageMs)
    const crowds = how === 'silent' ? this.#quiet : this.#loud
    for (let at = Math.max(0, bucket - crowd); at <= bucket; at++) crowds[at] = Math.max(0, (crowds[at] ?? 0) - 1)
    this.#ends[bucket] = Math.max(0, (this.#ends[bucket] ?? 0) - 1)
  }

  /** Everything known weighs half as much as before. */
  halve(): void {
    this.#halveSurvivors()
    for (const row of [this.#ends, this.#loud, this.#quiet]) {
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
    const knownFrom = known === undefined ? buckets : bucketOf(known.ageMs) - 1
    let found: number | undefined
    let reached = 0
    for (let at = buckets - 1; at >= 0; at--) {
      reached += this.#kept[at] ?? 0
      if ((this.#ends[at] ?? 0) < leastWeight) continue
      const survivors = Math.max(0, reached - (this.#faded[at] ?? 0))
      const weight = known !== undefined && at >= knownFrom ? Math.min(proof.weight, known.weight) : proof.weight
      const loud = this.#loud[at] ?? 0
      const all = loud + (this.#quiet[at] ?? 0)
      const shown = loud >= weight && loud >= proof.share * (loud + survivors)
      const inferred = all >= weight && all >= Math.max(proof.share, silentShare) * (all + survivors)
      if (shown || inferred) found = at
    }
    return found === undefined ? undefined : 2 ** (found / perOctave)
  }

  #halveSurvivors(): void {
    this.#keptInAll = 0
    for (let at = 0; at < buckets; at++) {
      const kept = (this.#kept[at] ?? 0) / 2
      this.#kept[at] = kept
      this.#keptInAll += kept
      this.#faded[at] = (this.#faded[at] ?? 0) / 2
    }
  }
}

function bucketOf(ageMs: number): number {
  if (!(ageMs > 1)) return 0
  return Math.min(buckets - 1, Math.floor(Math.log2(ageMs) * perOctave))
}
