/**
 * Known idle timers and request caps, and what a measured idle time says about them. A match names a family, never a
 * product: a dozen products share 350 seconds, and anybody may have set another value.
 */

import type { TimerRow } from './timer-row.js'
import { timersOfEnds } from './timers-of-ends.js'
import { timersOfFlows } from './timers-of-flows.js'
import { timersOfProxies } from './timers-of-proxies.js'

/** Every product that is known. */
export const idleTimeouts: readonly TimerRow[] = [...timersOfFlows, ...timersOfProxies, ...timersOfEnds]

/** Products whose known timer or cap matches. */
export interface Family {
  /** The timer in seconds, or the cap in requests. */
  readonly value: number
  /** Named as a family, for example `350 s: the family of AWS NLB, AWS NAT gateway and 6 others`. */
  readonly says: string
  readonly members: readonly TimerRow[]
}

/** How a connection's idle time came to its end. */
export type IdleEnd = 'closed' | 'reset' | 'silent'

/** By how much a measured time may miss the timer: it is short by a round trip, and long by the tick of whoever runs it. */
const shortBy = (timer: number) => Math.max(0.2, 0.03 * timer)
const longBy = (timer: number) => Math.max(Math.min(1.5, 0.3 * timer), 0.03 * timer)
/** A timer that ran out unseen may have done so long ago; a third of the time is as far back as one may guess. */
const furthestBack = 1 / 3

/**
 * The family whose timer fits an idle time.
 *
 * Whoever closes at once shows its timer, so that the times must agree. What is only noticed on the next use has run
 * out some time before: of those the longest that is not longer than the idle time.
 *
 * @param idleMs for how long the connection had been idle
 * @param end how that came to an end
 * @param name what the far side calls itself in `Server` or `Via`, if it does
 */
export function familyOfTimer(idleMs: number, end: IdleEnd, name?: string): Family | undefined {
  const seconds = idleMs / 1000
  const fits = idleTimeouts.filter((row) => {
    const timer = timerOf(row)
    if (timer === undefined) return false
    if (showsTimer(row, end)) return seconds >= timer - shortBy(timer) && seconds <= timer + longBy(timer)
    return foundLater(row, end) && seconds >= timer && timer >= seconds * furthestBack
  })
  const named = name === undefined ? [] : fits.filter(({ sign }) => sign?.test(name) === true)
  return familyOf(named.length > 0 ? named : fits, seconds)
}

/** The family that closes a connection after exactly so many requests. */
export function familyOfCap(requests: number): Family | undefined {
  const members = idleTimeouts.filter(({ requestCap, role }) => requestCap === requests && role !== 'client')
  return members.length === 0
    ? undefined
    : { value: requests, says: `${requests} requests: ${names(members)}`, members }
}

function timerOf({ idleSeconds, seenSeconds }: TimerRow): number | undefined {
  return seenSeconds ?? idleSeconds
}

function showsTimer({ ends }: TimerRow, end: IdleEnd): boolean {
  return (end === 'closed' && ends === 'fin') || (end === 'reset' && ends === 'rst')
}

function foundLater({ ends }: TimerRow, end: IdleEnd): boolean {
  return (end === 'reset' && ends === 'rst-on-next-packet') || (end === 'silent' && ends === 'silent')
}

/** Of several timers that fit the nearest. */
function familyOf(rows: readonly TimerRow[], seconds: number): Family | undefined {
  const off = (row: TimerRow) => Math.abs(seconds - (timerOf(row) ?? 0))
  const nearest = rows.reduce<TimerRow | undefined>((a, b) => (a === undefined || off(b) < off(a) ? b : a), undefined)
  if (nearest === undefined) return undefined
  const value = timerOf(nearest) ?? 0
  const members = rows.filter((row) => timerOf(row) === value)
  return { value, says: `${value} s: ${names(members)}`, members }
}

/** The best known first. */
const order = ['measured', 'read', 'quoted', 'recalled']

function names(members: readonly TimerRow[]): string {
  const sorted = [...members].sort((a, b) => order.indexOf(a.confidence) - order.indexOf(b.confidence))
  const shown = sorted.slice(0, 3).map(({ component }) => component)
  const more = members.length - shown.length
  if (shown.length === 1) return `the default of ${shown[0]}`
  const last = more > 0 ? `${more} ${more === 1 ? 'other' : 'others'}` : shown.pop()
  return `the family of ${shown.join(', ')} and ${last}`
}
