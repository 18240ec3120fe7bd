/** What the surroundings say: what became of the client's other connections, and how slow this server was. */

import type { HangupFacts } from '../failure/hangup.js'
import type { HangupClueRow } from './hangup-clue.js'
import { span } from './hangup-clue.js'

/** A process that ends takes all its connections along; a stop button or a timer does not. */
const siblings: HangupClueRow = ({ facts }) => {
  const seen = facts.siblings
  if (seen === undefined || seen.stood < 2 || facts.ending === 'stream-reset') return undefined
  if (seen.ended < seen.stood) {
    const says = `${seen.stood - seen.ended} of the client's ${seen.stood} connections still stand`
    return { clue: 'others-stand', says, shifts: { 'client-died': 0.03, 'network-lost': 0.3 } }
  }
  // One timer ends all requests that were sent together, and then there is nothing else to see.
  if (seen.ended <= seen.lost && seen.lostAtSameAge !== false) return undefined
  const idle = seen.ended - seen.lost
  const says = `all ${seen.stood} connections of the client ended within 100 ms${idle > 0 ? `, ${idle} of them idle` : ''}`
  const shifts = { 'client-died': idle > 0 ? 12 : 4, 'client-timeout': 0.2, 'proxy-timeout': 0.2, impatient: 0.5 }
  return { clue: 'all-ended', says, shifts }
}

/** Requests of different ages that are dropped in one moment have no timer in common. */
const lostTogether: HangupClueRow = ({ facts }) => {
  const seen = facts.siblings
  if (seen?.lostAtSameAge === undefined) return undefined
  if (seen.lostAtSameAge) {
    const says = `${seen.lost} requests of the client, sent together, were dropped together`
    return { clue: 'dropped-in-step', says, shifts: { 'user-cancelled': 1.3, 'client-died': 1.3 } }
  }
  const says = `${seen.lost} requests of the client, of different ages, were dropped within 100 ms`
  const shifts = {
    'client-timeout': 0.05,
    'proxy-timeout': 0.05,
    'user-cancelled': 4,
    'client-died': 3,
    impatient: 1.5,
  }
  return { clue: 'dropped-at-once', says, shifts }
}

/** Whoever asks again is alive and has a way to us. */
const back: HangupClueRow = ({ facts }) => {
  const seen = facts.siblings
  if (seen?.backAfterMs === undefined) return undefined
  const alive = { 'client-died': 0.05, 'network-lost': 0.1 }
  if (seen.backForSame === true) {
    const says = `the client asked for the same again ${span(seen.backAfterMs)} later`
    return {
      clue: 'asked-again',
      says,
      shifts: { ...alive, 'client-timeout': 1.5, 'user-cancelled': 1.3, impatient: 1.3 },
    }
  }
  const says = `the client asked for something else ${span(seen.backAfterMs)} later: it went on to another page`
  return {
    clue: 'went-elsewhere',
    says,
    shifts: { ...alive, 'user-cancelled': 3, 'client-timeout': 0.6, impatient: 0.7 },
  }
}

/** Answers enough for p50 and p95 to mean something. */
const answersEnough = 20

const slowness: HangupClueRow = ({ facts }) => {
  const { usual, afterMs } = facts
  if (usual === undefined || usual.answers < answersEnough) return undefined
  if (facts.phase !== 'wait' && facts.phase !== 'body') return undefined
  if (afterMs > usual.p95Ms) {
    const says = `it had waited ${span(afterMs)}, longer than 95 % of the answers of this route take (${span(usual.p95Ms)})`
    const shifts = { impatient: 4, 'client-timeout': 1.6, 'proxy-timeout': 1.6, 'user-cancelled': 0.8 }
    return { clue: 'slow', says, shifts }
  }
  if (afterMs >= usual.p50Ms) return undefined
  const says = `it left after ${span(afterMs)}, sooner than half of the answers of this route come (${span(usual.p50Ms)})`
  return { clue: 'not-slow', says, shifts: { impatient: 0.1, 'client-timeout': 0.6, 'user-cancelled': 1.3 } }
}

/** Younger than half of the answers usually are when they come: nobody can be tired of it yet, whatever else goes on. */
function isYoung({ usual, afterMs }: HangupFacts): boolean {
  return usual !== undefined && usual.answers >= answersEnough && afterMs < usual.p50Ms
}

const busy: HangupClueRow = ({ facts }) => {
  const { loopDelayMs, inFlight, usuallyInFlight } = facts
  if (isYoung(facts)) return undefined
  const late = loopDelayMs >= 200
  if (!late && !(inFlight >= 10 && inFlight > 3 * usuallyInFlight)) return undefined
  const says = late
    ? `this server's event loop had been late by ${span(loopDelayMs)}`
    : `${inFlight} requests were under way here, where usually ${Math.round(usuallyInFlight)} are`
  return { clue: 'busy', says, shifts: { impatient: 1.5, 'client-timeout': 1.3, 'proxy-timeout': 1.3 } }
}

/** People leave the sooner the longer they have waited; those who press stop for other reasons do not mind the time. */
const hazard: HangupClueRow = ({ facts }) => {
  const seen = facts.hazard
  if (seen === undefined || isYoung(facts) || seen.hangups < 5 || seen.perSecond < 2 * seen.perSecondBefore)
    return undefined
  const says = `requests of this route that have waited so long are left ${ratio(seen)} as often as younger ones`
  return { clue: 'hazard-rises', says, shifts: { impatient: 2, 'client-timeout': 1.3, 'proxy-timeout': 1.3 } }
}

function ratio(seen: { readonly perSecond: number; readonly perSecondBefore: number }): string {
  if (seen.perSecondBefore === 0) return 'many times'
  return `${Math.round((seen.perSecond / seen.perSecondBefore) * 10) / 10} times`
}

export const cluesOfLoad: readonly HangupClueRow[] = [siblings, lostTogether, back, slowness, busy, hazard]
