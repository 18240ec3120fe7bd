/**
 * Timers that people write into clients and proxies, and how near an age lies to one. How much that says depends on how
 * crowded the neighbourhood is: below half a second nearly every age is near some round number.
 */

import type { HangupFacts } from '../failure/hangup.js'

/** Milliseconds. Round numbers of client libraries, SDKs and hand-written limits. */
const clientTimers: readonly number[] = [
  100, 200, 250, 300, 400, 500, 600, 700, 750, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 10_000,
  12_000, 15_000, 20_000, 25_000, 29_000, 30_000, 40_000, 45_000, 50_000, 55_000, 59_000, 60_000, 65_000, 75_000,
  90_000, 100_000, 120_000, 150_000, 180_000, 240_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
]

/**
 * Milliseconds. Default read timeouts of proxies: Envoy 15 s, HAProxy's sample and Heroku 30 s, API gateways 29 s, nginx,
 * ALB, Apache 2.4 and gcloud 60 s (30 s), Cloudflare 100 s, Azure 240 s, Apache before 300 s.
 */
const proxyTimers: readonly number[] = [15_000, 29_000, 30_000, 60_000, 100_000, 120_000, 240_000, 300_000]

/** How near an age came to a timer. */
export interface TimerMatch {
  readonly timerMs: number
  /** The share of ages hereabouts that would have matched some timer by chance. */
  readonly chance: number
  /** A default of a well-known proxy is among those near. */
  readonly proxyDefault: boolean
}

/** By how much the event loop was late: when the end was seen, and when the request was read. */
export type Lateness = Pick<HangupFacts, 'loopDelayMs' | 'startedLateMs'>

/** How far from its timer a hang-up may arrive: the way to us, coarse timers, and an event loop that was late. */
export function timerTolerance(timerMs: number, late: Lateness): { early: number; late: number } {
  const spread = Math.max(12, timerMs * 0.01)
  // A timer that was set before the connection was made is over sooner, seen from here; a late loop sees it later.
  return { early: spread + late.startedLateMs, late: Math.min(spread + 8 + timerMs * 0.01, 100) + late.loopDelayMs }
}

/**
 * The nearest timer that the hang-up fits, if one does.
 *
 * @param ages the ages that the timer may have had: since the request was complete, and since the connection was made
 * @param lateness by how much the two ends of the age may have been seen late
 */
export function matchTimer(ages: readonly number[], lateness: Lateness): TimerMatch | undefined {
  const fits = (timer: number) =>
    ages.some((age) => {
      const { early, late } = timerTolerance(timer, lateness)
      return age >= timer - early && age <= timer + late
    })
  const off = (timer: number) => Math.min(...ages.map((age) => Math.abs(age - timer)))
  const timerMs = clientTimers.filter(fits).sort((a, b) => off(a) - off(b))[0]
  if (timerMs === undefined) return undefined
  const chance = Math.min(1, crowding(timerMs, lateness) * ages.length)
  return { timerMs, chance, proxyDefault: proxyTimers.some(fits) }
}

/** The share of the ages between two thirds and four thirds of this one that lie near some timer. */
function crowding(ageMs: number, lateness: Lateness): number {
  const from = (ageMs * 2) / 3
  const to = (ageMs * 4) / 3
  const covered = clientTimers.reduce((sum, timer) => {
    const { early, late } = timerTolerance(timer, lateness)
    return sum + Math.max(0, Math.min(timer + late, to) - Math.max(timer - early, from))
  }, 0)
  return Math.min(1, covered / (to - from))
}
