/** Clues in the time that things took, against the smallest round trip to that peer. A late event loop takes their voice. */

import { ms } from '../failure/story.js'
import { type Clue, type Look, look, type Shifts, settled } from './clue.js'
import { isLoopback, isPublic } from './facts.js'
import { hadRested, isCut, isDial, isReused, isSilent, type Scene } from './scene.js'

/** How long after our last write it came. */
const sinceWrite: Clue = {
  of: ['circumstances', 'sinceLastWriteMs'],
  look: (scene) => (isCut(scene) ? (mannerOfReset(scene) ?? perhaps(scene) ?? raceOrNot(scene)) : undefined),
}

function mannerOfReset(scene: Scene): Look | undefined {
  const { manner, sinceWriteMs, sinceReadMs, rttMs, situation } = scene
  const dt = ms(sinceWriteMs)
  if (manner === 'too-fast') {
    const share = Math.round((100 * (sinceWriteMs ?? 0)) / (rttMs ?? 1))
    const means = hadRested(situation)
      ? 'so it was no answer: it came from nearer, or had been on its way already'
      : "so it was no answer of the server's: it came from nearer"
    return look(
      'reset-too-fast',
      `the reset came ${dt} after our write, ${share} % of a round trip (${ms(rttMs)}): ${means}`,
      nearness(scene),
    )
  }
  if (manner === 'solicited') {
    // Whoever closes by a timer had sent its FIN first, and that would have come sooner.
    const shifts = hadRested(situation) ? ({ 'by-limit': -0.7 } as const) : {}
    return look(
      'reset-solicited',
      `the reset came ${dt} after our write, one round trip (${ms(rttMs)}): it answered it`,
      shifts,
    )
  }
  if (manner !== 'unsolicited') return undefined
  const answered = sinceReadMs !== undefined && sinceWriteMs !== undefined && sinceReadMs < sinceWriteMs
  const says = answered
    ? `the reset came when nothing of ours was unanswered, ${ms(sinceReadMs)} after the last byte of theirs`
    : `the reset came ${dt} after our write, later than a round trip (${ms(rttMs)}): somebody decided on it`
  return look('reset-unsolicited', says, late)
}

/** Of what comes sooner than an answer: from this host it comes within a millisecond, or two. */
function nearness({ sinceWriteMs = 0, lateMs, rttMs = 0, shortestMs = 0, situation }: Scene): Shifts {
  const here = sinceWriteMs < 1 ? 1.2 : sinceWriteMs - lateMs > 3 ? -1.5 : 0
  // In a shorter round trip moments are not told apart.
  if (!hadRested(situation) || shortestMs < 5) return { 'local-filter': here }
  // A close that was under way comes at any moment of the round trip; what answers near this host comes at once.
  const far = sinceWriteMs - lateMs > 0.45 * rttMs
  return { 'local-filter': here, 'by-limit': sinceWriteMs < 0.3 * shortestMs ? -0.35 : far ? 0.6 : 0 }
}

/** The loop may have been late, so that it cannot be said for sure; what the times leave open still weighs. */
function perhaps({ mechanism, manner, sinceWriteMs, rttMs, shortestMs = 0 }: Scene): Look | undefined {
  if (mechanism !== 'rst' || manner !== undefined || sinceWriteMs === undefined || rttMs === undefined) return undefined
  const trip = shortestMs < 0.8 * rttMs ? `between ${ms(shortestMs)} and ${ms(rttMs)}` : ms(rttMs)
  return look('reset-after', `the reset came ${ms(sinceWriteMs)} after our write, and a round trip takes ${trip}`, {})
}

/** A close that was already under way when we wrote comes within one round trip. */
const late = { 'by-limit': -3.5, forgotten: -1.5, 'local-stall': -2.5 } as const

function raceOrNot(scene: Scene): Look | undefined {
  const { mechanism, sinceWriteMs, rttMs, shortestMs = 0, lateMs } = scene
  const closed = mechanism === 'fin' || mechanism === 'fin-then-rst'
  if (!closed || sinceWriteMs === undefined || !isReused(scene)) return undefined
  const earliest = sinceWriteMs - lateMs
  // Without a round trip, a second is longer than any.
  if (earliest > (rttMs === undefined ? 1000 : 1.6 * rttMs + 5))
    return look(
      'closed-too-late-for-a-race',
      `it was closed ${ms(sinceWriteMs)} after our write, too late for a close that was under way before it`,
      late,
    )
  if (rttMs === undefined || shortestMs < 2 || sinceWriteMs > rttMs) return undefined
  return look(
    'closed-within-a-round-trip',
    `it was closed ${ms(sinceWriteMs)} after our write, within a round trip (${ms(rttMs)}): the close had been on its way already`,
    {
      'by-limit': 0.7,
      'peer-application-aborted': -1.5,
      'peer-rejected-early': -1.5,
      'proxy-upstream-failed': -1.5,
    },
  )
}

/** Times, in seconds, at which somebody's limit is set more often than not. */
const roundSeconds = [5, 10, 15, 20, 25, 30, 40, 45, 50, 55, 60, 90, 100, 120, 180, 230, 240, 300, 350, 600, 900]

/** Of a connection that waited for an answer, or for more of it. */
const roundWait: Clue = {
  of: ['circumstances', 'sinceLastWriteMs'],
  look: (scene) => (scene.situation === 'body' ? undefined : onRoundSecond(scene, scene.sinceWriteMs, 'our write')),
}
const roundPause: Clue = {
  of: ['circumstances', 'sinceLastReadMs'],
  look: (scene) =>
    scene.situation === 'body' ? onRoundSecond(scene, scene.sinceReadMs, 'the last byte of the answer') : undefined,
}

/** The limit that ran out for whoever cut it: chance hits such a second far less often than a clock does. */
function onRoundSecond(scene: Scene, sinceMs: number | undefined, what: string): Look | undefined {
  const { rttMs = 0, lateMs } = scene
  if (!isCut(scene) || sinceMs === undefined || lateMs > 200) return undefined
  const seconds = roundSeconds.find((at) => {
    const over = sinceMs - 1000 * at
    return over >= -20 && over <= 1.5 * rttMs + lateMs + 2 * at + 60
  })
  if (seconds === undefined) return undefined
  return look('cut-on-a-round-second', `it was cut ${seconds} s after ${what}, as a timer does it`, {
    'proxy-upstream-failed': 1.2,
    'peer-application-aborted': 0.5,
    'peer-process-gone': -0.7,
  })
}

/** How long the dial took to be refused. */
const dialTime: Clue = {
  of: ['circumstances', 'stepMs'],
  look: (scene) => {
    const { dialMs, rttMs, rttDoubt, shortestMs = 0, mechanism, loopMs = 0 } = scene
    if (dialMs === undefined || !isDial(scene)) return undefined
    if (mechanism === 'icmp' && scene.code === 'EHOSTUNREACH') return unreachableAfter(dialMs)
    if (mechanism !== 'refused' && mechanism !== 'icmp') return undefined
    if (shortestMs > 2 && dialMs < 0.6 * shortestMs) {
      // What a process takes by itself is not told from a way.
      const sure = Math.max(0.1, (1 - 4 * rttDoubt) * Math.min(1, (shortestMs - dialMs) / 6))
      return look(
        'refused-too-fast',
        `it was refused after ${ms(dialMs)}, while a round trip to that host takes ${ms(rttMs)}: it was refused nearer than there`,
        {
          'peer-host': -3 * sure,
          'peer-application': -3 * sure,
          'filter-rejects': 1.5 * sure,
          'local-filter': 2 * sure,
        },
      )
    }
    if (
      shortestMs > 5 &&
      dialMs >= 0.8 * shortestMs &&
      dialMs - loopMs <= 1.6 * (rttMs ?? 0) &&
      mechanism === 'refused'
    )
      return look(
        'refused-after-a-round-trip',
        `it was refused after ${ms(dialMs)}, and a round trip to that host takes ${ms(rttMs)}: by the host, or beside it`,
        { 'filter-rejects': -1, 'balancer-target-gone': -0.5, 'local-host': -3 },
      )
    if (rttMs === undefined && isPublic(scene) === true && dialMs < 1)
      return look('refused-at-once', `it was refused after ${ms(dialMs)}, sooner than any host of the internet can`, {
        'peer-host': -2,
        'peer-application': -2,
        'local-filter': 2.8,
      })
    if (dialMs - 1.5 * loopMs > 5 && scene.loopMs !== undefined && isLoopback(scene) === false)
      return look('refused-from-afar', `it was refused after ${ms(dialMs)}: not by this host`, { 'local-host': -2.5 })
    return undefined
  },
}

/** Neighbours that do not answer ARP are given up after three seconds; a filter's word comes at once. */
function unreachableAfter(dialMs: number): Look | undefined {
  if (dialMs >= 900)
    return look(
      'unreachable-after-seconds',
      `the host was called unreachable after ${ms(dialMs)}: its neighbours had asked for it in vain`,
      {
        'peer-host-down': 2,
        'filter-rejects': -2,
        'peer-host-filter': -2,
        'path-down': -0.5,
      },
    )
  return look(
    'unreachable-at-once',
    `the host was called unreachable after ${ms(dialMs)}, sooner than one that is looked for in vain`,
    {
      'peer-host-down': -1.5,
      'filter-rejects': 0.7,
      'path-down': 0.5,
    },
  )
}

/** A round trip is known: the host had accepted a connection before. */
const acceptedBefore: Clue = {
  of: ['circumstances', 'rttFrom'],
  look: ({ mechanism, rttMs, around }) =>
    mechanism === 'refused' && rttMs !== undefined && around.rttFrom !== undefined
      ? look('accepted-before', 'the host had accepted connections before', {
          'peer-process-gone': 1.2,
          'nothing-listening': -0.3,
          'balancer-target-gone': 0.5,
          'nothing-listening-here': -0.3,
        })
      : undefined,
}

/** A "distant" host that is nearer than it can be. */
const tooNear: Clue = {
  of: ['circumstances', 'minRttMs'],
  look: (scene) =>
    isPublic(scene) === true && scene.rttMs !== undefined && scene.rttMs < 0.3
      ? look(
          'nearer-than-it-can-be',
          `the round trip takes ${ms(scene.rttMs)}: what answers is no host of the internet but something on this machine or beside it`,
          {
            proxy: 1.2,
            'local-filter': 1.2,
            'peer-host': -1,
          },
        )
      : undefined,
}

/** Our own limit. */
const limit: Clue = {
  of: ['limitMs'],
  look: (scene) => {
    const { limitMs, rttMs, shortestMs = 0 } = scene
    if (limitMs === undefined || !isSilent(scene)) return undefined
    // By the shortest that the round trip can be: the loop may have been late when it was taken.
    if (rttMs !== undefined && limitMs < 1.5 * shortestMs)
      return settled(
        'limit-too-short',
        `our limit of ${ms(limitMs)} is hardly a round trip (${ms(rttMs)}): nobody could have kept it`,
        { self: 8 },
      )
    if (rttMs !== undefined && limitMs > 20 * rttMs)
      return look('limit-long-enough', `our limit of ${ms(limitMs)} was many round trips (${ms(rttMs)})`, { self: -2 })
    return undefined
  },
}

/** The event loop was held up. */
const stall: Clue = {
  of: ['circumstances', 'loopDelayMs'],
  look: (scene) => {
    const { loopMs, limitMs, idleMs, mechanism } = scene
    if (loopMs === undefined) return undefined
    const says = `the event loop of this process was late by ${ms(loopMs)}`
    // That a server is silent just while this process stands still as well is a rare thing.
    if (isSilent(scene) && limitMs !== undefined && loopMs > 0.5 * limitMs)
      return look('stalled-through-the-limit', `${says}, more than half of the limit of ${ms(limitMs)}`, {
        'local-stall': loopMs > 0.8 * limitMs ? 5.7 : 4,
      })
    if (isSilent(scene) && limitMs !== undefined && loopMs < 0.2 * limitMs)
      return look('loop-in-time', `${says} at most, in ${ms(limitMs)}`, { 'local-stall': -3 })
    if (closedUnasked(scene) && loopMs >= 500)
      return look('stalled-after-the-dial', `${says}: the server may have waited in vain for a request, and closed`, {
        // What had come before we wrote was no answer to it.
        'local-stall': (scene.sinceWriteMs ?? Number.POSITIVE_INFINITY) < (scene.shortestMs ?? 0) ? 5.5 : 4.5,
      })
    const closed = mechanism === 'fin' || mechanism === 'fin-then-rst' || mechanism === 'rst'
    const timer = scene.announcedIdleMs ?? scene.learnedIdleMs ?? 1000
    if (closed && idleMs !== undefined && loopMs >= Math.min(timer, 1000) && loopMs >= 200)
      return look('stalled-past-the-timer', `${says}: a close that had come in the meantime was seen too late`, {
        'local-stall': 2.5,
      })
    return undefined
  },
}

/** A new connection was closed, and no later than a close that had been under way before our request. */
function closedUnasked({ mechanism, situation, sinceWriteMs, rttMs, lateMs }: Scene): boolean {
  if ((mechanism !== 'fin' && mechanism !== 'fin-then-rst') || situation !== 'fresh') return false
  return sinceWriteMs === undefined || rttMs === undefined || sinceWriteMs - lateMs <= 1.6 * rttMs + 5
}

const clockJump: Clue = {
  of: ['circumstances', 'clockJumpMs'],
  look: ({ jumpMs }) =>
    jumpMs !== undefined && jumpMs > 2000
      ? look('slept', `the clocks of this host parted by ${ms(jumpMs)}: it slept, or was frozen`, {
          'local-network-changed': 2.3,
          'local-stall': 1.5,
          'by-idling': 0.7,
          'peer-application-aborted': -1,
          'injected-reset': -1,
        })
      : undefined,
}

export const cluesOfTime: readonly Clue[] = [
  sinceWrite,
  roundWait,
  roundPause,
  dialTime,
  acceptedBefore,
  tooNear,
  limit,
  stall,
  clockJump,
]
