/**
 * After how long idle the far side lets go, and how. Several connections are held at once, each for its own time, so that
 * the whole takes as long as the longest. Who closes at once is seen doing it on all of them; who forgets in silence is
 * found out when a connection is used again, so that the times bracket him.
 */

import type { IdleEnd } from '../knowledge/idle-timeouts.js'
import { type HeadLine, isLast, patienceMs } from './head-line.js'
import { openHeadLine } from './reach.js'
import type { Ward } from './ward.js'

/** What became of one connection. */
export interface HeldFacts {
  /** For how long it was to be held, in milliseconds. */
  readonly heldMs: number
  /**
   * `kept`: it answered afterwards. `closed`, `reset`: by a FIN, by a RST. `silent`: nothing came. `unfit`: it did not
   * even answer the first time. `stopped`: the examination was ended.
   */
  readonly end: 'kept' | IdleEnd | 'unfit' | 'stopped'
  /** How long it had been idle then, in milliseconds. */
  readonly idleMs?: number
  /** The end came while it was idle, and not upon its next use. */
  readonly atOnce?: boolean
  /** It sent something that nobody had asked for (a 408, mostly) before it ended. */
  readonly spoke?: boolean
  readonly error?: unknown
}

/** All connections together. */
export interface IdleFacts {
  readonly boundMs: number
  readonly held: readonly HeldFacts[]
  /** How the far side lets go; absent where it kept all. */
  readonly how?: IdleEnd
  /** After how long, where it does so at once: the median, in milliseconds. */
  readonly timerMs?: number
  /** Where it is only found out later: the longest time that was kept and the shortest that was not, in milliseconds. */
  readonly between?: readonly [keptMs: number, lostMs: number]
  /** Whether a fresh connection was answered after a silence: if not, it is no timer but an outage. */
  readonly alive?: boolean
  /** Its ends are at quite different ages: several machines, several timers, or a restart. */
  readonly uneven?: boolean
}

/** The shortest time worth holding a connection, and how much longer each next one is held. */
const shortestMs = 1_000
const step = Math.SQRT2
const mostConnections = 12

/** The times for which connections are held, the longest first. */
export function ladder(boundMs: number): number[] {
  const times: number[] = []
  for (let ms = boundMs; times.length < mostConnections && (times.length === 0 || ms >= shortestMs); ms /= step)
    times.push(Math.round(ms))
  return times
}

/** Holds the connections; comes back when the last of them has ended or answered. */
export async function holdIdle(ward: Ward, address: string, times: readonly number[]): Promise<IdleFacts> {
  const held = await Promise.all(times.map((heldMs) => hold(ward, address, heldMs)))
  const facts = { boundMs: Math.max(...times), ...summary(held) }
  return facts.how === 'silent' ? { ...facts, alive: await isAlive(ward, address) } : facts
}

async function isAlive(ward: Ward, address: string): Promise<boolean> {
  try {
    const line = await openHeadLine(ward, address)
    const head = await line.ask(patienceMs)
    line.destroy()
    return head !== undefined
  } catch {
    return false
  }
}

async function hold(ward: Ward, address: string, heldMs: number): Promise<HeldFacts> {
  let line: HeadLine
  try {
    line = await openHeadLine(ward, address)
  } catch (error) {
    return { heldMs, end: ward.signal.aborted ? 'stopped' : 'unfit', error }
  }
  try {
    const head = await line.ask(patienceMs)
    if (ward.signal.aborted) return { heldMs, end: 'stopped' }
    if (head === undefined || isLast(head.headers)) return { heldMs, end: 'unfit', ...errorOf(line) }
    return await watch(ward, line, heldMs)
  } finally {
    line.destroy()
  }
}

async function watch(ward: Ward, line: HeadLine, heldMs: number): Promise<HeldFacts> {
  const since = ward.clock.now()
  const idleMs = () => (line.endedAt ?? ward.clock.now()) - since
  await ward.wait(heldMs, line.over)
  if (ward.signal.aborted) return { heldMs, end: 'stopped' }
  if (line.unasked) return { heldMs, end: 'closed', idleMs: idleMs(), atOnce: true, spoke: true }
  if (line.state !== 'open') return { heldMs, end: line.end, idleMs: idleMs(), atOnce: true, ...errorOf(line) }
  const idleBefore = idleMs()
  const head = await line.ask(patienceMs)
  if (ward.signal.aborted) return { heldMs, end: 'stopped' }
  if (head !== undefined) return { heldMs, end: 'kept', idleMs: idleBefore }
  return { heldMs, end: line.end, idleMs: idleBefore, atOnce: false, ...errorOf(line) }
}

function errorOf({ error }: HeadLine): { readonly error?: unknown } {
  return error === undefined ? {} : { error }
}

/** What the connections have in common. */
export function summary(held: readonly HeldFacts[]): Omit<IdleFacts, 'boundMs'> {
  const lost = held.filter(isLost)
  const shortest = lost.reduce<Lost | undefined>((a, b) => (a === undefined || b.idleMs < a.idleMs ? b : a), undefined)
  if (shortest === undefined) return { held }
  const ages = lost.filter(({ atOnce }) => atOnce).map(({ idleMs }) => idleMs)
  const kept = Math.max(0, ...held.filter(({ end }) => end === 'kept').map(({ idleMs = 0 }) => idleMs))
  if (ages.length === 0) {
    return {
      held,
      how: shortest.end,
      between: [kept, shortest.idleMs],
      ...(kept > shortest.idleMs && { uneven: true }),
    }
  }
  const sorted = ages.toSorted((a, b) => a - b)
  const timerMs = sorted[Math.floor(sorted.length / 2)] ?? 0
  const spread = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0)
  const uneven = spread > Math.max(500, 0.2 * timerMs) || kept > timerMs
  return { held, how: shortest.end, timerMs, ...(uneven && { uneven }) }
}

type Lost = HeldFacts & { readonly end: IdleEnd; readonly idleMs: number }

function isLost(facts: HeldFacts): facts is Lost {
  return facts.idleMs !== undefined && ['closed', 'reset', 'silent'].includes(facts.end)
}
