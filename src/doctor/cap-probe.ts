/** After how many requests the far side closes a connection. */

import { HeadLine } from './head-line.js'
import { isLast } from './idle-probe.js'
import { openLine } from './reach.js'
import type { Ward } from './ward.js'

/** One connection, asked again and again. */
export interface CapFacts {
  readonly asked: number
  /** It was the last one; absent where the far side would have gone on. */
  readonly cap?: number
  /** `announced` in the headers of the last answer, or simply ended. */
  readonly how?: 'announced' | 'closed' | 'reset' | 'silent'
  /** The middle one of the times that the answers took, in milliseconds. */
  readonly answerMs?: number
}

const patienceMs = 5_000
/** Slow servers are not asked so often. */
const longestMs = 15_000

/** Asks up to `most` times, one after the other. */
export async function countRequests(ward: Ward, address: string, most: number): Promise<CapFacts> {
  const line = new HeadLine(await openLine(ward, address), ward.url, ward.clock)
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
      if (head === undefined) return facts({ cap: times.length, how: howOf(line) })
      times.push(head.tookMs)
      if (isLast(head.headers)) return facts({ cap: times.length, how: 'announced' })
    }
    return facts()
  } finally {
    line.destroy()
  }
}

function howOf({ state }: HeadLine): 'closed' | 'reset' | 'silent' {
  if (state === 'closed') return 'closed'
  return state === 'open' ? 'silent' : 'reset'
}
