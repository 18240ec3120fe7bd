/** After how many requests the far side closes a connection. */

import type { IdleEnd } from '../knowledge/idle-timeouts.js'
import { isLast, patienceMs } from './head-line.js'
import { openHeadLine } from './reach.js'
import type { Ward } from './ward.js'

/** One connection, asked again and again. */
export interface CapFacts {
  readonly asked: number
  /** It was the last one; absent where the far side would have gone on. */
  readonly cap?: number
  /** `announced` in the headers of the last answer, or simply ended. */
  readonly how?: 'announced' | IdleEnd
  /** The middle one of the times that the answers took, in milliseconds. */
  readonly answerMs?: number
}

/** Slow servers are not asked so often. */
const longestMs = 15_000

/** Asks up to `most` times, one after the other. */
export async function countRequests(ward: Ward, address: string, most: number): Promise<CapFacts> {
  const line = await openHeadLine(ward, address)
  const startedAt = ward.clock.now()
  const times: number[] = []
  const facts = (more: Partial<CapFacts> = {}): CapFacts => {
    const middle = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
    return { asked: times.length, ...(middle !== undefined && { answerMs: middle }), ...more }
  }
  try {
    while (times.length < most && ward.clock.now() - startedAt < longestMs && !ward.signal.aborted) {
      const head = await line.ask(patienceMs)
      if (ward.signal.aborted) break
      if (head === undefined) return facts({ cap: times.length, how: line.end })
      times.push(head.tookMs)
      if (isLast(head.headers)) return facts({ cap: times.length, how: 'announced' })
    }
    return facts()
  } finally {
    line.destroy()
  }
}
