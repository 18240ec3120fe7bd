/** Weighs the stories: how common each is there, how well it fits what happened, and what every clue adds. */

import type { Clue, Look, Observation } from './clue.js'
import { cluesOfConnection } from './clues-of-connection.js'
import { cluesOfCounters } from './clues-of-counters.js'
import { cluesOfHistory } from './clues-of-history.js'
import { cluesOfKernel } from './clues-of-kernel.js'
import { cluesOfRetries } from './clues-of-retries.js'
import { cluesOfSiblings } from './clues-of-siblings.js'
import { cluesOfTime } from './clues-of-time.js'
import { cluesOfWords } from './clues-of-words.js'
import type { Given } from './facts.js'
import { type Scene, sceneOf } from './scene.js'
import { placesOf, type StoryName, startOf, storyNames } from './stories.js'

/** All clues there are. */
export const clues: readonly Clue[] = [
  ...cluesOfWords,
  ...cluesOfTime,
  ...cluesOfKernel,
  ...cluesOfCounters,
  ...cluesOfSiblings,
  ...cluesOfRetries,
  ...cluesOfConnection,
  ...cluesOfHistory,
]

/** A clue that has something to say here. */
export interface Sighting extends Look {
  readonly of: Observation
  readonly group?: string
}

export interface Weighing {
  readonly scene: Scene
  readonly sightings: readonly Sighting[]
  /** Of the stories, in the order of `storyNames`. They sum to 1. */
  readonly probabilities: readonly number[]
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
  const settled = sightings.some(({ settles }) => settles)
  const shifts = shiftsOf(sightings)
  const { logs, possible } = startOf(scene.situation, scene.mechanism, scene.manners)
  const moved = logs.map((log, place) => {
    const shift = shifts[place] ?? 0
    return log + (settled ? shift : Math.max(-mostShift, Math.min(mostShift, shift)))
  })
  return { scene, sightings, probabilities: normalised(moved, possible, settled ? littleDoubt : doubt) }
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
function shiftsOf(sightings: readonly Sighting[]): readonly number[] {
  const total = storyNames.map(() => 0)
  const strongest = new Map<string, Sighting>()
  for (const one of sightings) {
    const best = one.group === undefined ? undefined : strongest.get(one.group)
    if (one.group !== undefined && (best === undefined || strength(one) > strength(best))) strongest.set(one.group, one)
  }
  for (const one of sightings) {
    const share = one.group === undefined || strongest.get(one.group) === one ? 1 : groupShare
    spread(one).forEach((shift, place) => {
      total[place] = (total[place] ?? 0) + share * shift
    })
  }
  return total
}

function strength({ shifts }: Sighting): number {
  return Math.max(0, ...Object.values(shifts).map(Math.abs))
}

/** By story: a later key overrides an earlier one. */
function spread({ shifts }: Sighting): number[] {
  const by: number[] = []
  for (const key in shifts) {
    const shift = shifts[key as keyof typeof shifts] ?? 0
    for (const place of placesOf.get(key as StoryName) ?? []) by[place] = shift
  }
  return by
}

/** @param spare what is spread over the stories that are possible */
function normalised(logs: readonly number[], possible: readonly boolean[], spare: number): number[] {
  const count = possible.filter(Boolean).length
  const highest = Math.max(...logs)
  const weights = logs.map((log) => Math.exp(log - highest))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight, place) => (1 - spare) * (weight / sum) + (possible[place] === true ? spare / count : 0))
}
