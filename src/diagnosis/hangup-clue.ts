/** What a clue about a hang-up is: an observation, what it means in a sentence, and how it shifts each story. */

import type { HangupFacts, HangupStory } from '../failure/hangup.js'
import type { TimerMatch } from './hangup-timers.js'

/** The stories that evidence weighs; that this server ended it is known, not weighed. */
export type WeighedStory = Exclude<HangupStory, 'ours'>

/** How much likelier the observation is under each story; a story that is not named is not moved (1). */
export type Shifts = Partial<Record<WeighedStory, number>>

/** One observation that was made. */
export interface HangupClue {
  readonly clue: string
  readonly says: string
  readonly shifts: Shifts
}

/** What a clue is read from: the facts, and the timer that the age fits. */
export interface HangupReading {
  readonly facts: HangupFacts
  readonly timer: TimerMatch | undefined
}

/** Reads one kind of clue; `undefined` where nothing of the kind was observed. */
export type HangupClueRow = (reading: HangupReading) => HangupClue | undefined

/** Milliseconds as a person reads them. */
export function span(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`
}
