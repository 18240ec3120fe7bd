/** Weighs the stories: how common each is there, how well it fits what happened, and what every clue adds. */

import type { Party } from '../failure/diagnosis.js'
import type { Clue, Look, Observation } from './clue.js'
import { cluesOfConnection } from './clues-of-connection.js'
import { cluesOfKernel } from './clues-of-kernel.js'
import { cluesOfRetries } from './clues-of-retries.js'
import { cluesOfSiblings } from './clues-of-siblings.js'
import { cluesOfTime } from './clues-of-time.js'
import { cluesOfWords } from './clues-of-words.js'
import type { Given } from './facts.js'
import { type Scene, sceneOf } from './scene.js'
import { leastPrior, likelihoodOf, priorOf, type StoryName, storiesOf, storyNames } from './stories.js'
import type { Trait } from './story-row.js'

/** All clues there are. */
export const clues: readonly Clue[] = [
  ...cluesOfWords,
  ...cluesOfTime,
  ...cluesOfKernel,
  ...cluesOfSiblings,
  ...cluesOfRetries,
  ...cluesOfConnection,
]

/** A clue that has something to say here. */
export interface Sighting extends Look {
  readonly of: Observation
  readonly group?: string
}

export interface Weighing {
  readonly scene: Scene
  readonly sightings: readonly Sighting[]
  /** They sum to 1. */
  readonly probability: Readonly<Record<StoryName, number>>
}

/** How far all clues together may move a story, unless one of them settles the matter. */
const mostShift = 5.75
/** What is kept for stories that nobody thought of: so much of the whole is spread over those that can be. */
const doubt = 0.02
const littleDoubt = 0.004
/** What a clue still adds to a stronger one of its group. */
const groupShare = 0.3

export function weigh(given: Given): Weighing {
  const scene = sceneOf(given)
  const sightings = sight(scene)
  const shifts = shiftsOf(sightings)
  const settled = sightings.some(({ settles }) => settles)
  const logs = storyNames.map((name) => {
    const shift = shifts[name] ?? 0
    const bounded = settled ? shift : Math.max(-mostShift, Math.min(mostShift, shift))
    return Math.log(priorOf(name, scene.situation)) + Math.log(likelihood(name, scene)) + bounded
  })
  const possible = storyNames.map((name) => priorOf(name, scene.situation) > leastPrior)
  return { scene, sightings, probability: normalised(logs, possible, settled ? littleDoubt : doubt) }
}

function likelihood(name: StoryName, { mechanism, manner }: Scene): number {
  return likelihoodOf(name, mechanism, manner)
}

function sight(scene: Scene): Sighting[] {
  const seen: Sighting[] = []
  for (const { of, group, look } of clues) {
    const found = look(scene)
    if (found !== undefined) seen.push({ ...found, of, ...(group !== undefined && { group }) })
  }
  return seen
}

/** The sum of what the clues shift, by story. Of a group the strongest counts whole. */
function shiftsOf(sightings: readonly Sighting[]): Partial<Record<StoryName, number>> {
  const total: Partial<Record<StoryName, number>> = {}
  const strongest = new Map<string, Sighting>()
  for (const one of sightings) {
    const best = one.group === undefined ? undefined : strongest.get(one.group)
    if (one.group !== undefined && (best === undefined || strength(one) > strength(best))) strongest.set(one.group, one)
  }
  for (const one of sightings) {
    const share = one.group === undefined || strongest.get(one.group) === one ? 1 : groupShare
    const own = spread(one)
    for (const name in own) {
      const story = name as StoryName
      total[story] = (total[story] ?? 0) + share * (own[story] ?? 0)
    }
  }
  return total
}

function strength({ shifts }: Sighting): number {
  return Math.max(0, ...Object.values(shifts).map(Math.abs))
}

/** By story: a later key overrides an earlier one. */
function spread({ shifts }: Sighting): Partial<Record<StoryName, number>> {
  const by: Partial<Record<StoryName, number>> = {}
  for (const key in shifts) {
    const shift = shifts[key as keyof typeof shifts]
    const group = storiesOf.get(key as Party | Trait)
    if (shift === undefined) continue
    if (group === undefined) by[key as StoryName] = shift
    else for (const name of group) by[name] = shift
  }
  return by
}

/** @param spare what is spread over the stories that are possible */
function normalised(logs: readonly number[], possible: readonly boolean[], spare: number): Record<StoryName, number> {
  const count = possible.filter(Boolean).length
  const highest = Math.max(...logs)
  const weights = logs.map((log) => Math.exp(log - highest))
  const sum = weights.reduce((a, b) => a + b, 0)
  const entries = storyNames.map((name, index) => {
    const share = (weights[index] ?? 0) / sum
    return [name, (1 - spare) * share + (possible[index] === true ? spare / count : 0)] as const
  })
  return Object.fromEntries(entries) as Record<StoryName, number>
}
