/** All stories of who ended a connection and why, and what each expects to see. */

import type { Mechanism, Party } from '../failure/diagnosis.js'
import type { Facts } from './facts.js'
import { isUpload, type Manners } from './mechanism.js'
import { storiesOfHere } from './stories-of-here.js'
import { storiesOfPeer } from './stories-of-peer.js'
import { storiesOfWay } from './stories-of-way.js'
import { type End, type Situation, type StoryRow, situations, type Trait, type Vague } from './story-row.js'

const table = { ...storiesOfPeer, ...storiesOfWay, ...storiesOfHere }

export type StoryName = keyof typeof table

/** Every story by its name. */
export const stories: Readonly<Record<StoryName, StoryRow>> = table
export const storyNames = Object.keys(stories) as readonly StoryName[]

/** Which of them belong to a key: the story itself, those of a party, or those with a trait. By their place in the list. */
export const placesOf: ReadonlyMap<StoryName | Party | Trait, readonly number[]> = byKey()

function byKey(): Map<StoryName | Party | Trait, number[]> {
  const places = new Map<StoryName | Party | Trait, number[]>()
  storyNames.forEach((name, place) => {
    const { party, traits = [] } = stories[name]
    for (const key of new Set([name, party, ...traits])) places.set(key, [...(places.get(key) ?? []), place])
  })
  return places
}

/** What a story that is not expected in a situation is still given: nothing is impossible before it was looked at. */
const leastPrior = 0.02
/** The same for an end that is not its own. */
const leastEnd = 0.001

/** What was going on when it ended, as far as that is known. */
export function situationOf(facts: Facts): Situation | Vague {
  const { evidence, failure, idleMs } = facts
  const phase =
    failure.phase === 'call' || failure.phase === 'admit' ? (evidence?.phase ?? failure.phase) : failure.phase
  if (failure.kind === 'dns' || phase === 'dns') return 'names'
  // A SYN that is answered by a reset is refused, says the kernel. What is reset had been made.
  if (phase === 'connect') return failure.kind === 'reset' ? 'fresh' : 'connect'
  if (phase === 'proxy') return 'tunnel'
  if (phase === 'tls') return 'tls'
  if (phase === 'head' || phase === 'body' || phase === 'close') return 'body'
  if (isUpload(facts)) return 'upload'
  const connection = evidence?.connection
  if (connection === undefined) return 'any'
  if (connection.reused === false) return 'fresh'
  if (connection.reused !== true) return 'any'
  if (idleMs === undefined) return 'reused'
  if (idleMs < 150) return 'busy'
  return idleMs < 1000 ? 'rested' : 'idle'
}

/** Where it is not known which of these it was, each is as likely as it is common. */
const blends: Record<Vague, Partial<Record<Situation, number>>> = {
  rested: { busy: 0.5, idle: 0.5 },
  reused: { busy: 0.45, idle: 0.55 },
  any: { fresh: 0.35, busy: 0.3, idle: 0.35 },
}

/** How common a story is in a situation, before anything else is known. */
function priorOf(story: StoryName, situation: Situation | Vague): number {
  const { prior } = stories[story]
  const of = (name: Situation) => prior[situations.indexOf(name)] ?? 0
  const blend: Partial<Record<Situation, number>> | undefined = blends[situation as Vague]
  if (blend === undefined) return Math.max(leastPrior, of(situation as Situation))
  const mean = Object.entries(blend).reduce((sum, [name, share]) => sum + share * of(name as Situation), 0)
  return Math.max(leastPrior, mean)
}

/** How probable it is that the story shows in this way. */
function likelihoodOf(story: StoryName, mechanism: Mechanism, manners: Manners): number {
  const { ends } = stories[story]
  const of = (end: End) => ends[end] ?? 0
  const reset = resetManners.reduce((sum, manner) => sum + manners[manner] * of(`rst-${manner}`), 0)
  if (mechanism === 'rst') return Math.max(leastEnd, reset)
  // A reset or what looks like one; whose, the platform does not say.
  if (mechanism === 'unknown') return Math.max(leastEnd, reset + of('fin') + of('local-aborted') + of('self'))
  return Math.max(leastEnd, of(mechanism))
}

const resetManners = ['too-fast', 'solicited', 'unsolicited'] as const

/** What is known of all stories before any clue, in their order. */
export interface Start {
  /** Logarithms of prior times likelihood. */
  readonly logs: readonly number[]
  /** Whether the story is expected in the situation at all. */
  readonly possible: readonly boolean[]
}

/** Where the weighing starts. */
export function startOf(situation: Situation | Vague, mechanism: Mechanism, manners: Manners): Start {
  const { logs, possible } = priorsOf(situation)
  return {
    logs: storyNames.map((name, place) => (logs[place] ?? 0) + Math.log(likelihoodOf(name, mechanism, manners))),
    possible,
  }
}

const priors = new Map<Situation | Vague, Start>()

/** Kept: there are a dozen, and each is asked for again and again. */
function priorsOf(situation: Situation | Vague): Start {
  let start = priors.get(situation)
  if (start === undefined) {
    const all = storyNames.map((name) => priorOf(name, situation))
    start = { logs: all.map(Math.log), possible: all.map((prior) => prior > leastPrior) }
    priors.set(situation, start)
  }
  return start
}
