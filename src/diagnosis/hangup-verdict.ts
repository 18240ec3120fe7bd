/**
 * Why did the client hang up? Pure: facts in, a spread over stories out. What happened on the line is known; why is
 * weighed, by Bayes' rule over a prior of the phase and one likelihood ratio a clue.
 */

import type { Reason } from '../failure/diagnosis.js'
import {
  type HangupFacts,
  type HangupHypothesis,
  type HangupPhase,
  type HangupReason,
  type HangupStory,
  type HangupVerdict,
  hangupStories,
} from '../failure/hangup.js'
import { type HangupClue, span, type WeighedStory } from './hangup-clue.js'
import { cluesOfLine } from './hangup-clues-of-line.js'
import { cluesOfLoad } from './hangup-clues-of-load.js'
import { matchTimer } from './hangup-timers.js'

/** Below this no story is named: the verdict is `unclear`, and the stories stand side by side. */
const namedFrom = 0.6

const weighed = hangupStories.filter((story): story is WeighedStory => story !== 'ours')

/** How often each story is behind a hang-up of the phase, before anything else is known. Relative, not in percent. */
const priors: Record<HangupPhase, Record<WeighedStory, number>> = {
  connect: row([1, 1, 1, 10, 2, 5, 80]),
  send: row([8, 4, 3, 30, 20, 20, 15]),
  wait: row([24, 12, 18, 24, 4, 16, 2]),
  body: row([10, 4, 6, 48, 8, 20, 2]),
  close: row([5, 2, 3, 20, 30, 38, 2]),
}

function row(weights: readonly number[]): Record<WeighedStory, number> {
  return Object.fromEntries(weighed.map((story, at) => [story, weights[at] ?? 0])) as Record<WeighedStory, number>
}

const says: Record<HangupStory, string> = {
  'client-timeout': 'a timer of the client ran out',
  'proxy-timeout': 'a timer of a proxy between the client and this server ran out',
  impatient: 'somebody was tired of waiting',
  'user-cancelled': 'somebody pressed stop or went elsewhere, not because of the wait',
  'network-lost': 'the way to the client broke',
  'client-died': "the client's process ended",
  probe: 'it was a scanner or a health check, not somebody who wanted an answer',
  ours: 'this server ended it',
}

const reasonOf: Partial<Record<HangupStory, HangupReason>> = {
  'client-timeout': 'gave-up-waiting',
  'proxy-timeout': 'gave-up-waiting',
  impatient: 'gave-up-waiting',
}

/**
 * Names why the client hung up, or says that it cannot be told.
 *
 * @param facts what was seen of one hang-up
 */
export function judgeHangup(facts: HangupFacts): HangupVerdict {
  if (facts.ending === 'local') return ours(facts)
  const reading = { facts, timer: matchTimer(agesOf(facts), facts) }
  const clues = [...cluesOfLine, ...cluesOfLoad].flatMap((read) => read(reading) ?? [])
  const spread = weigh(facts.phase, clues)
  const hypotheses = weighed
    .map((story): HangupHypothesis => {
      const probability = spread[story]
      return { story, says: says[story], probability, because: reasonsFor(story, { facts, clues, probability }) }
    })
    .sort((a, b) => b.probability - a.probability)
  return conclude(facts, hypotheses)
}

/** A timer may have been set before the connection was made: then it is the age of the connection that is round. */
function agesOf({ afterMs, connection }: HangupFacts): readonly number[] {
  const early = connection.ageMs - afterMs
  return connection.requestsBefore === 0 && early > 5 ? [afterMs, connection.ageMs] : [afterMs]
}

function weigh(phase: HangupPhase, clues: readonly HangupClue[]): Record<WeighedStory, number> {
  const scores = weighed.map((story) =>
    clues.reduce((product, { shifts }) => product * (shifts[story] ?? 1), priors[phase][story]),
  )
  const sum = scores.reduce((total, score) => total + score, 0)
  return row(scores.map((score) => score / sum))
}

/** By how much each clue moves the log odds of the story: found by leaving it out, so that no reason is idle. */
function reasonsFor(
  story: WeighedStory,
  { facts, clues, probability }: { facts: HangupFacts; clues: readonly HangupClue[]; probability: number },
): Reason[] {
  return clues
    .map((clue) => {
      const without = weigh(
        facts.phase,
        clues.filter((other) => other !== clue),
      )[story]
      return {
        clue: clue.clue,
        says: clue.says,
        weight: Math.round((logOdds(probability) - logOdds(without)) * 100) / 100,
      }
    })
    .filter(({ weight }) => Math.abs(weight) >= 0.05)
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
}

function logOdds(probability: number): number {
  const bounded = Math.min(Math.max(probability, 1e-9), 1 - 1e-9)
  return Math.log(bounded / (1 - bounded))
}

function conclude(facts: HangupFacts, hypotheses: readonly HangupHypothesis[]): HangupVerdict {
  const sums = new Map<HangupReason, number>()
  for (const { story, probability } of hypotheses) {
    const reason = reasonOf[story] ?? (story as HangupReason)
    sums.set(reason, (sums.get(reason) ?? 0) + probability)
  }
  const [likeliest = 'gave-up-waiting', probability = 0] = [...sums].sort(([, a], [, b]) => b - a)[0] ?? []
  const finest = hypotheses[0]
  const named = probability >= namedFrom
  return {
    is: named ? likeliest : 'unclear',
    probability,
    ...(finest !== undefined && finest.probability >= namedFrom && { story: finest.story }),
    headline: headline(facts, { likeliest, probability, hypotheses }),
    hypotheses,
  }
}

interface Concluded {
  readonly likeliest: HangupReason
  readonly probability: number
  readonly hypotheses: readonly HangupHypothesis[]
}

function headline(facts: HangupFacts, { likeliest, probability, hypotheses }: Concluded): string {
  const [first, second] = hypotheses
  // Nothing that is weighed is certain.
  const percent = `${Math.min(99, Math.round(probability * 100))} %`
  if (probability < namedFrom) return `${whatHappened(facts)}; not to be told: ${first?.says}, or ${second?.says}`
  if (first !== undefined && first.probability >= namedFrom) return `${whatHappened(facts)}: ${first.says} (${percent})`
  const said = likeliest === 'gave-up-waiting' ? 'it gave up waiting' : says[likeliest]
  return `${whatHappened(facts)}: ${said} (${percent})`
}

const ended: Record<HangupFacts['ending'], string> = {
  fin: 'the client closed the connection (FIN)',
  rst: 'the client reset the connection (RST)',
  'stream-reset': 'the client reset the stream',
  silence: 'the client fell silent',
  local: 'this server ended it',
}

const during: Record<HangupPhase, string> = {
  connect: 'without a word',
  send: 'while it was sending its request',
  wait: 'before the first byte of the answer',
  body: 'in the middle of the answer',
  close: 'after the last answer',
}

/** What happened, in a clause. */
export function whatHappened(facts: Pick<HangupFacts, 'ending' | 'phase' | 'afterMs'>): string {
  return `${ended[facts.ending]} after ${span(facts.afterMs)}, ${during[facts.phase]}`
}

function ours(facts: HangupFacts): HangupVerdict {
  const why = facts.code === undefined ? 'its end was seen to begin here' : `its end began here (${facts.code})`
  const because = [{ clue: 'local-end', says: `${why}, before any word of the client's`, weight: logOdds(1) }]
  return {
    is: 'ours',
    probability: 1,
    story: 'ours',
    headline: whatHappened(facts),
    hypotheses: [{ story: 'ours', says: says.ours, probability: 1, because }],
  }
}
