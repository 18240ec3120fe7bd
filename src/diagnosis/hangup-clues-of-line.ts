/** What the line itself and the request say: how it ended, at what age, who asked, through whom. */

import type { HangupClueRow, Shifts } from './hangup-clue.js'
import { span } from './hangup-clue.js'

const ending: HangupClueRow = ({ facts }) => {
  if (facts.ending === 'silence') {
    const shifts = { 'network-lost': 200 }
    return { clue: 'silence', says: `TCP gave up (${facts.code}): no packet came from the client any more`, shifts }
  }
  if (facts.ending === 'stream-reset') {
    const says = `the client reset this one stream (${facts.http2}) and kept the connection: it is alive and there`
    return { clue: 'stream-reset', says, shifts: { 'network-lost': 0.002, 'client-died': 0.002, probe: 0.05 } }
  }
  const says = `the client's side said ${facts.ending === 'rst' ? 'RST' : 'FIN'}: there was a way to say it`
  return { clue: 'spoken-end', says, shifts: { 'network-lost': 0.1 } }
}

const goodbye: HangupClueRow = ({ facts }) => {
  if (facts.goodbye === undefined) return undefined
  const says = 'the client sent GOAWAY without an error before it left: it closed on purpose'
  return { clue: 'goodbye', says, shifts: { 'network-lost': 0.02, 'client-died': 0.1, probe: 0.3 } }
}

const age: HangupClueRow = ({ facts, timer }) => {
  const { afterMs } = facts
  if (facts.phase === 'connect') return undefined
  if (timer === undefined) {
    const says = `it left after ${span(afterMs)}, near no number that people write into timers`
    return { clue: 'odd-age', says, shifts: { 'client-timeout': 0.12, 'proxy-timeout': 0.1 } }
  }
  // A timer comes in time nine times of ten; the rest of the world does so by chance.
  const ratio = Math.max(1, 0.9 / Math.max(timer.chance, 0.02))
  const shifts = { 'client-timeout': ratio, 'proxy-timeout': ratio * (timer.proxyDefault && facts.proxied ? 2 : 1) }
  const product = timer.proxyDefault && facts.proxied ? ', a default of well-known proxies' : ''
  return {
    clue: 'round-age',
    says: `it left after ${span(afterMs)}: a timer of ${span(timer.timerMs)}${product}`,
    shifts,
  }
}

/** Several hang-ups at one age, at different moments, are a timer, whatever its number. */
const sameAge: HangupClueRow = ({ facts }) => {
  const seen = facts.sameAge
  if (seen === undefined || seen.others < 3) return undefined
  if (seen.near < 2) {
    if (seen.others < 8 || !seen.sameAddress) return undefined
    const says = `${seen.others} other hang-ups of late from this address came at other ages`
    return { clue: 'ages-differ', says, shifts: { 'client-timeout': 0.6, 'proxy-timeout': 0.4 } }
  }
  // By chance one in twenty would lie so near.
  const ratio = Math.min(25, (seen.near / seen.others) * 20)
  if (ratio <= 1) return undefined
  const says = `${seen.near} of ${seen.others} other hang-ups of late came at this very age`
  return { clue: 'same-age', says, shifts: { 'client-timeout': ratio, 'proxy-timeout': ratio } }
}

/** Many users that all wait exactly as long have one timer in common: the proxy that they come through. */
const manyUsers: HangupClueRow = ({ facts }) => {
  const users = facts.sameAge?.users ?? 0
  if (!facts.proxied || users < 3) return undefined
  const says = `${users} users behind the proxy left at the same age: the timer is the proxy's`
  return { clue: 'users-in-step', says, shifts: { 'proxy-timeout': 8, 'client-timeout': 0.5 } }
}

const proxied: HangupClueRow = ({ facts }) => {
  if (facts.agent === 'none') return undefined
  return facts.proxied
    ? {
        clue: 'proxied',
        says: 'the request came through a proxy or load balancer, which has timers of its own',
        shifts: { 'proxy-timeout': 6, 'client-died': 0.7 },
      }
    : {
        clue: 'direct',
        says: 'no header of a proxy was on the request',
        shifts: { 'proxy-timeout': 0.03 },
      }
}

const agents: Record<string, { readonly says: string; readonly shifts: Shifts }> = {
  browser: {
    says: 'a browser asked: a person who can press stop',
    shifts: { 'user-cancelled': 2.5, impatient: 2.5, 'client-timeout': 0.4, 'client-died': 0.5, probe: 0.1 },
  },
  program: {
    says: 'a program asked, not a browser',
    shifts: { 'client-timeout': 1.5, 'client-died': 1.3, 'user-cancelled': 0.3, impatient: 0.05 },
  },
  probe: {
    says: 'the User-Agent is that of a scanner or health check',
    shifts: { probe: 60 },
  },
}

const agent: HangupClueRow = ({ facts }) => {
  const row = agents[facts.agent]
  return row === undefined ? undefined : { clue: `agent-${facts.agent}`, ...row }
}

/** In the order in which a person would look. */
export const cluesOfLine: readonly HangupClueRow[] = [ending, goodbye, age, sameAge, manyUsers, proxied, agent]
