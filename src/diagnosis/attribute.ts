/** Who hung up: the mechanism by rule, the stories by weight, each with the reasons that can be checked. */

import {
  type Diagnosis,
  type Hypothesis,
  type Party,
  partyNames,
  type Reason,
  type Side,
} from '../failure/diagnosis.js'
import { classOf, type LikeClass } from './classes.js'
import { type Look, without } from './clue.js'
import { familyOf } from './clues-of-connection.js'
import type { Given } from './facts.js'
import { remedies } from './remedies.js'
import type { Scene } from './scene.js'
import { type StoryName, stories, storyNames } from './stories.js'
import { type Weighing, weigh } from './weigh.js'

/** From here on a side, a party or a story is named. */
export const namedFrom = 0.6
/** Stories below this are not worth telling. */
const leastTold = 0.0001
/** A story this much less likely than the likeliest, as a share, does not look the same. */
const leastAlike = 0.03
/** So many stories get their reasons. */
const mostReasoned = 4
/** A reason that moves less than this, in natural logarithms of odds, is none. */
const leastWeight = 0.05

/**
 * Explains a failure: what happened on the wire, who did it, as a distribution, and why.
 *
 * Pure, and never throws. What was not observed moves nothing. The weight of a reason is measured: it is the logarithm
 * of the factor by which the story's odds fall when that one observation is taken away.
 *
 * @param failure the failure, named by `classify`
 * @param evidence what the wire recorded, if anybody watched it
 * @param attempts every attempt of the call, the last one included
 */
export function attribute(
  failure: Given['failure'],
  evidence: Given['evidence'],
  attempts: Given['attempts'] = [],
): Diagnosis {
  const given: Given = { failure, evidence, attempts }
  const weighing = weigh(given)
  const { scene, probabilities } = weighing
  // Reasons cost a dozen weighings, and not everybody who reads a diagnosis reads them.
  let taken: readonly Taken[] | undefined
  const reasons = (place: number, rank: number) => {
    if (rank >= mostReasoned) return []
    taken ??= takenAway(given, weighing)
    return reasonsOf(place, probabilities, taken)
  }
  const places = storyNames
    .map((_, place) => place)
    .filter((place) => (probabilities[place] ?? 0) >= leastTold)
    .sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
  const whole = places.reduce((sum, place) => sum + (probabilities[place] ?? 0), 0)
  const hypotheses = places.map((place, rank): Hypothesis => {
    const story = storyNames[place] as StoryName
    const { says, side, party } = stories[story]
    let because: readonly Reason[] | undefined
    let remedy: string | undefined
    return {
      story,
      says,
      side,
      party,
      probability: (probabilities[place] ?? 0) / whole,
      get because() {
        because ??= reasons(place, rank)
        return because
      },
      get remedy() {
        remedy ??= remedies[story](scene)
        return remedy
      },
    }
  })
  return conclude(scene, hypotheses)
}

/** The side alone, without reasons: for those who count. */
export function originOf(given: Given): Side {
  const { probabilities } = weigh(given)
  const shares = new Map<Side, number>()
  storyNames.forEach((name, place) => {
    const { side } = stories[name]
    shares.set(side, (shares.get(side) ?? 0) + (probabilities[place] ?? 0))
  })
  for (const [side, share] of shares) if (share >= namedFrom) return side
  return 'unknown'
}

/** The mechanism is settled; what is concluded about the origin depends on how sure one can be. */
function conclude(scene: Scene, hypotheses: readonly Hypothesis[]): Diagnosis {
  const side = leader(hypotheses, ({ side }) => side)
  const party = leader(hypotheses, ({ party }) => party)
  const like = classOf(scene)
  const top = hypotheses[0]
  const matches = familyOf(scene)?.says
  const alike = like === undefined || top === undefined ? [] : alikeOf(like, top, hypotheses)
  return {
    mechanism: scene.mechanism,
    ...(scene.manner !== undefined && { manner: scene.manner }),
    origin: side.share >= namedFrom ? (side.name ?? 'unknown') : 'unknown',
    ...(party.share >= namedFrom && party.name !== undefined && { party: party.name }),
    headline: headlineOf({ top, party, like }),
    hypotheses,
    indistinguishable: alike,
    wouldDecide: alike.length > 0 ? (like?.wouldDecide ?? []) : [],
    ...(matches !== undefined && { matches }),
  }
}

interface Leader<T> {
  readonly name: T | undefined
  readonly share: number
}

function leader<T>(hypotheses: readonly Hypothesis[], of: (hypothesis: Hypothesis) => T): Leader<T> {
  const shares = new Map<T, number>()
  for (const one of hypotheses) shares.set(of(one), (shares.get(of(one)) ?? 0) + one.probability)
  let best: Leader<T> = { name: undefined, share: 0 }
  for (const [name, share] of shares) if (share > best.share) best = { name, share }
  return best
}

/** The other members of the class that are still possible, where the likeliest story is one of it. */
function alikeOf(like: LikeClass, top: Hypothesis, hypotheses: readonly Hypothesis[]): string[] {
  const members: readonly string[] = like.members
  if (!members.includes(top.story)) return []
  const likely = ({ probability }: Hypothesis) => probability >= leastAlike * top.probability
  return hypotheses.filter((one) => one !== top && members.includes(one.story) && likely(one)).map(({ story }) => story)
}

interface Found {
  readonly top: Hypothesis | undefined
  readonly party: Leader<Party>
  readonly like: LikeClass | undefined
}

function headlineOf({ top, party, like }: Found): string {
  if (top === undefined) return 'It cannot be told who ended it.'
  if (top.probability >= namedFrom)
    return sentence(`${degree(top.probability)} (${percent(top.probability)}) ${top.says}`)
  if (party.share >= namedFrom && party.name !== undefined) {
    const who = partyNames[party.name]
    return sentence(
      `${degree(party.share)} (${percent(party.share)}) it was ${who}; of its stories the likeliest: ${top.says}`,
    )
  }
  return sentence(`it cannot be told for sure: ${like?.says ?? `the likeliest of several is that ${top.says}`}`)
}

function degree(probability: number): string {
  if (probability >= 0.95) return 'almost surely'
  return probability >= 0.8 ? 'very likely' : 'probably'
}

function percent(probability: number): string {
  return `${Math.min(99, Math.round(100 * probability))} %`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** What each sighting would leave behind, were it taken away. */
interface Taken {
  readonly look: Look
  readonly probabilities: readonly number[]
}

function takenAway(given: Given, { sightings }: Weighing): Taken[] {
  return sightings.map((look) => ({ look, probabilities: weigh(without(given, look.of)).probabilities }))
}

/** Why: what was seen, by how much the story's odds would change without it. The strongest first. */
function reasonsOf(place: number, probabilities: readonly number[], taken: readonly Taken[]): Reason[] {
  const odds = logOdds(probabilities[place])
  return taken
    .map(({ look, probabilities: less }): Reason => {
      return { clue: look.clue, says: look.says, weight: odds - logOdds(less[place]) }
    })
    .filter(({ weight }) => Math.abs(weight) >= leastWeight)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
}

function logOdds(probability = 0): number {
  return Math.log(probability / (1 - probability))
}
