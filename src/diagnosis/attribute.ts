/** Who hung up: the mechanism by rule, the stories by weight, each with the reasons that can be checked. */

import { type Diagnosis, type Hypothesis, type Party, partyNames, type Reason } from '../failure/diagnosis.js'
import { classOf, type LikeClass } from './classes.js'
import { type Look, without } from './clue.js'
import type { Given } from './facts.js'
import { remedies } from './remedies.js'
import type { Scene } from './scene.js'
import { type StoryName, stories, storyNames } from './stories.js'
import { type Weighing, weigh } from './weigh.js'

/** From here on a side, a party or a story is named. */
export const namedFrom = 0.6
/** Stories below this are not worth telling. */
const leastTold = 0.0005
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
  const { scene, probability } = weighing
  const told = storyNames
    .filter((name) => probability[name] >= leastTold)
    .sort((a, b) => probability[b] - probability[a])
  const taken = takenAway(given, weighing)
  const whole = told.reduce((sum, name) => sum + probability[name], 0)
  const hypotheses = told.map((name, index): Hypothesis => {
    const { says, side, party } = stories[name]
    return {
      story: name,
      says,
      side,
      party,
      probability: probability[name] / whole,
      because: index < mostReasoned ? reasonsOf(name, probability, taken) : [],
      remedy: remedies[name](scene),
    }
  })
  return conclude(scene, hypotheses)
}

/** The mechanism is settled; what is concluded about the origin depends on how sure one can be. */
function conclude(scene: Scene, hypotheses: readonly Hypothesis[]): Diagnosis {
  const side = leader(hypotheses, ({ side }) => side)
  const party = leader(hypotheses, ({ party }) => party)
  const like = classOf(scene)
  const top = hypotheses[0]
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
  return hypotheses.filter(({ story }) => story !== top.story && members.includes(story)).map(({ story }) => story)
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
  readonly probability: Weighing['probability']
}

function takenAway(given: Given, { sightings }: Weighing): Taken[] {
  return sightings.map((look) => ({ look, probability: weigh(without(given, look.of)).probability }))
}

/** Why: what was seen, by how much the story's odds would change without it. The strongest first. */
function reasonsOf(story: StoryName, probability: Weighing['probability'], taken: readonly Taken[]): Reason[] {
  const odds = logOdds(probability[story])
  return taken
    .map(({ look, probability: less }): Reason => {
      return { clue: look.clue, says: look.says, weight: odds - logOdds(less[story]) }
    })
    .filter(({ weight }) => Math.abs(weight) >= leastWeight)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
}

function logOdds(probability: number): number {
  return Math.log(probability / (1 - probability))
}
