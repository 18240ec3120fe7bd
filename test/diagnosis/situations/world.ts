/** Situations as the wire would record them: the same cause, nearer and farther away, on a quiet loop and a busy one. */

import type { Circumstances, SiblingFacts } from '../../../src/failure/circumstances.js'
import type { Party } from '../../../src/failure/diagnosis.js'
import type { AttemptReport, ConnectionFacts, Evidence } from '../../../src/failure/evidence.js'
import type { Failure } from '../../../src/failure/kinds.js'

/** How far the peer is, in milliseconds, and by how much the event loop is late. */
export interface World {
  readonly rtt: number
  readonly late: number
}

export interface Seen {
  readonly failure: Failure
  readonly evidence: Evidence
  readonly attempts: readonly AttemptReport[]
}

export interface Situation {
  readonly what: string
  /** Whom an honest expert may name; nobody else. */
  readonly may: readonly Party[]
  /** Nearer than so many milliseconds, and on a loop that is later than that, nobody can tell it; it is not asked. */
  readonly from?: number
  /** One of them has to be named, where the loop is quiet and the peer at least so many milliseconds away. */
  readonly mustFrom?: number
  readonly seen: (world: World) => Seen
}

export interface Told {
  readonly failure?: Partial<Failure>
  readonly evidence?: Partial<Evidence>
  readonly connection?: Partial<ConnectionFacts>
  readonly around?: Circumstances
  readonly attempts?: readonly Partial<AttemptReport>[]
  /** The name was not found: there is no address. */
  readonly unaddressed?: true
}

const none: SiblingFacts = { stood: 0, reset: 0, closed: 0, answered: 0, connected: 0, failed: 0 }
export const peer: ConnectionFacts = {
  id: 7,
  localAddress: '10.0.0.9',
  localPort: 40_000,
  remoteAddress: '10.1.0.2',
  remotePort: 443,
  reused: false,
  requestsBefore: 0,
}
export const busy = { reused: true, idleMs: 20, requestsBefore: 7, ageMs: 4_000 } as const
export const idle = (idleMs: number) => ({ reused: true, idleMs, requestsBefore: 7, ageMs: idleMs + 5_000 }) as const
export const siblings = (same: Partial<SiblingFacts>, elsewhere: Partial<SiblingFacts> = {}) => ({
  siblings: { same: { ...none, ...same }, elsewhere: { ...none, ...elsewhere } },
})
export const others = siblings({}, { stood: 2, answered: 2 })

export const reset = { kind: 'reset', phase: 'wait', code: 'ECONNRESET', syscall: 'read', errno: -104 } as const
export const closed = { kind: 'closed', phase: 'wait', code: 'UND_ERR_SOCKET' } as const
export const refused = {
  kind: 'refused',
  phase: 'connect',
  code: 'ECONNREFUSED',
  syscall: 'connect',
  errno: -111,
} as const
export const silent = { kind: 'timeout', phase: 'wait' } as const
export const timedOut = { kind: 'timeout', phase: 'wait', code: 'ETIMEDOUT', syscall: 'read', errno: -110 } as const

/** What the watch of this host adds to any of it. */
function clockwork({ rtt, late }: World): Circumstances {
  // A handshake takes a little more than the way; on a late loop it is taken too long.
  const taken = rtt + 0.8 + 0.5 * late
  return {
    platform: 'linux',
    showsResets: true,
    minRttMs: taken,
    rttFrom: 'connect',
    rttAtLeastMs: Math.max(0, taken - late - 1),
    loopDelayMs: late,
    lateMs: late,
  }
}

/** The end of a connection that stood. */
export function cut(world: World, dt: number, told: Told): Seen {
  return tell(world, {
    ...told,
    evidence: { ending: told.failure?.kind === 'closed' ? 'fin' : 'rst', ...told.evidence },
    around: {
      sinceLastWriteMs: dt + 0.4 + 0.5 * world.late,
      sinceLastReadMs: dt + 0.6 + (told.connection?.idleMs ?? 1) + 0.5 * world.late,
      requestWritten: true,
      counters: told.failure?.kind === 'closed' ? {} : { 'Tcp.EstabResets': 1 },
      ...told.around,
    },
  })
}

/** A limit of ours that ran out. */
export function waited(world: World, limitMs: number, told: Told): Seen {
  const since = limitMs + 0.3 * world.late
  return tell(world, {
    ...told,
    failure: { ...silent, ...told.failure },
    evidence: { limit: 'headers', limitMs, ...told.evidence },
    around: {
      sinceLastWriteMs: since,
      sinceLastReadMs: since + 20,
      requestWritten: true,
      counters: {},
      ...told.around,
    },
  })
}

/** A dial that failed after so many milliseconds. */
export function dialled(world: World, stepMs: number, told: Told): Seen {
  const { minRttMs: _, rttFrom: __, rttAtLeastMs: ___, ...clocks } = clockwork(world)
  const { failure, evidence, connection, around, attempts, unaddressed } = told
  const phase = failure?.phase ?? 'connect'
  return {
    failure: { kind: 'unknown', phase, delivery: 'unsent', cause: undefined, ...failure },
    evidence: {
      vantage: 'socket',
      phase,
      started: false,
      ...(unaddressed !== true && { connection: { ...peer, ...connection } }),
      ...evidence,
      circumstances: {
        ...clocks,
        stepMs: stepMs + 0.3 + 0.5 * world.late,
        lookedUp: true,
        counters: {},
        ...siblings({}),
        ...around,
      },
    },
    attempts: (attempts ?? []) as readonly AttemptReport[],
  }
}

export function tell(world: World, { failure, evidence, connection, around, attempts }: Told): Seen {
  const phase = failure?.phase ?? 'wait'
  return {
    failure: { kind: 'unknown', phase, delivery: 'unknown', cause: undefined, ...failure },
    evidence: {
      vantage: 'socket',
      phase,
      started: true,
      connection: { ...peer, ...connection },
      bytes: { sent: 300 },
      ...evidence,
      circumstances: { ...clockwork(world), ...siblings({}), ...around },
    },
    attempts: (attempts ?? []) as readonly AttemptReport[],
  }
}

export const acknowledged = { state: 'established', unacknowledged: 0, timer: 'none', retransmits: 0 } as const
export const unacknowledged = {
  state: 'established',
  unacknowledged: 300,
  timer: 'retransmit',
  retransmits: 3,
} as const
export const unsent = { state: 'established', unacknowledged: 300, timer: 'zero-window', retransmits: 0 } as const
