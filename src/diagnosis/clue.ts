/**
 * The form of a clue: one observation, what it means in a sentence with this failure's own numbers, and how far it moves
 * which stories. What was not observed moves nothing.
 */

import type { Party } from '../failure/diagnosis.js'
import type { Given } from './facts.js'
import type { Scene } from './scene.js'
import type { StoryName } from './stories.js'
import type { Trait } from './story-row.js'

/**
 * Natural logarithms of likelihood ratios: 2.3 is ten times as likely to be seen where the story is true, -1.1 a third.
 * By story, party or trait; the later and finer key wins.
 */
export type Shifts = Partial<Record<StoryName | Party | Trait, number>>

/** What a clue says when it has something to say. */
export interface Look {
  /** The name of what was seen. */
  readonly clue: string
  readonly says: string
  readonly shifts: Shifts
  /** It settles the matter: what can be taken as safe from user land. */
  readonly settles?: true
}

/**
 * Where an observation stands: `failure`, `attempts`, the address of the peer (which stands twice), or a path into the
 * evidence.
 */
export type Observation = 'failure' | 'attempts' | 'address' | readonly [string, ...string[]]

export interface Clue {
  readonly of: Observation
  /** Clues of one group see the same thing from several sides: the strongest counts, the others little. */
  readonly group?: string
  readonly look: (scene: Scene) => Look | undefined
}

/** What would be given, had this not been observed. */
export function without(given: Given, of: Observation): Given {
  const { failure, evidence, attempts } = given
  if (of === 'attempts') return { ...given, attempts: attempts.slice(-1) }
  if (of === 'address') {
    const bare = drop(drop(evidence, ['connection', 'remoteAddress']), ['circumstances', 'raw', 'address'])
    return { ...given, evidence: bare }
  }
  if (of !== 'failure') return { ...given, evidence: drop(evidence, of) }
  const { phase, delivery } = failure
  const bare = drop(drop(evidence, ['ending']), ['circumstances', 'raw'])
  return { ...given, failure: { kind: 'unknown', phase, delivery, cause: undefined }, evidence: bare }
}

/** A copy without what stands at the path, all else shared. */
function drop<T>(from: T, [name, ...rest]: readonly string[]): T {
  if (name === undefined || typeof from !== 'object' || from === null || !(name in from)) return from
  const { [name]: found, ...others } = from as Record<string, unknown>
  return (rest.length === 0 ? others : { ...others, [name]: drop(found, rest) }) as T
}

/** The TCP connection ends at a proxy: timers, limits and ends of it are the proxy's; what it waits for is not. */
export const endsAtProxy: Shifts = {
  forwarder: 1.6,
  'peer-idle-timer': -1.5,
  'peer-connection-cap': -1.5,
  'peer-application-aborted': -0.7,
  'peer-process-gone': -0.7,
}

/** Something was seen. */
export function look(clue: string, says: string, shifts: Shifts): Look {
  return { clue, says, shifts }
}

/** Something was seen that settles the matter. */
export function settled(clue: string, says: string, shifts: Shifts): Look {
  return { clue, says, shifts, settles: true }
}
