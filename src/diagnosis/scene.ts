/** The scene that clues look at: the facts, and what follows from them by rule. */

import type { Mechanism, ResetManner } from '../failure/diagnosis.js'
import { type Facts, factsOf, type Given } from './facts.js'
import { type Manners, mannerOf, mannersOf, mechanismOf } from './mechanism.js'
import { situationOf } from './stories.js'
import type { Situation, Vague } from './story-row.js'

export interface Scene extends Facts {
  readonly mechanism: Mechanism
  /** Of an RST. */
  readonly manner: ResetManner | undefined
  readonly manners: Manners
  readonly situation: Situation | Vague
}

export function sceneOf(given: Given): Scene {
  const facts = factsOf(given)
  const mechanism = mechanismOf(facts)
  const manner = mechanism === 'rst' ? mannerOf(facts) : undefined
  return { ...facts, mechanism, manner, manners: mannersOf(facts), situation: situationOf(facts) }
}

const cut = ['rst', 'fin', 'fin-then-rst', 'unknown', 'local-aborted']

/** A connection that stood was cut. */
export function isCut({ mechanism, situation }: Scene): boolean {
  return cut.includes(mechanism) && situation !== 'connect' && situation !== 'names'
}

/** It had been used before. */
export function isReused({ situation }: Scene): boolean {
  return hadRested(situation) || situation === 'busy' || situation === 'reused'
}

/** It had been idle for long enough for somebody's timer. */
export function hadRested(situation: Scene['situation']): boolean {
  return situation === 'idle' || situation === 'rested'
}

/** Nothing came, until somebody's patience ran out. */
export function isSilent({ mechanism }: Scene): boolean {
  return mechanism === 'silence' || mechanism === 'local-timeout'
}

/** The connection was being made. */
export function isDial({ situation }: Scene): boolean {
  return situation === 'connect' || situation === 'names'
}
