/** A diagnosis for people, on six lines at most: who, with what probability, for, against, what looks the same, what to do. */

import { type Diagnosis, type Hypothesis, type Party, partyNames } from './diagnosis.js'

/** Reasons that are told of one story, for and against it. */
const mostFor = 3
const mostAgainst = 2
/** What changes the odds by less than a fifth is left out, in natural logarithms. */
const leastSaid = 0.2
/** Parties below this are not told. */
const leastTold = 0.03

/** The lines below a story's headline that say who it was. */
export function diagnosisLines(diagnosis: Diagnosis): string[] {
  const { headline, hypotheses, indistinguishable, wouldDecide } = diagnosis
  const top = hypotheses[0]
  const lines = [`  who: ${headline}`]
  if (top === undefined) return lines
  if (top.probability < 0.97) lines.push(`  odds: ${oddsOf(hypotheses)}`)
  const speaksFor = top.because.filter(({ weight }) => weight >= leastSaid).slice(0, mostFor)
  const against = top.because.filter(({ weight }) => weight <= -leastSaid).slice(0, mostAgainst)
  if (speaksFor.length > 0) lines.push(`  for: ${speaksFor.map(({ says }) => says).join('; ')}`)
  if (against.length > 0) lines.push(`  against: ${against.map(({ says }) => says).join('; ')}`)
  if (indistinguishable.length > 0 && top.probability < 0.9)
    lines.push(
      `  looks the same: ${indistinguishable.slice(0, 4).join(', ')}. Would tell: ${wouldDecide.slice(0, 2).join('; ')}`,
    )
  lines.push(`  what to do: ${top.remedy}`)
  return lines
}

/** By party, and of each party its likeliest story. */
function oddsOf(hypotheses: readonly Hypothesis[]): string {
  const parties = new Map<Party, { share: number; story: string }>()
  for (const { party, probability, story } of hypotheses) {
    const known = parties.get(party)
    if (known === undefined) parties.set(party, { share: probability, story })
    else known.share += probability
  }
  return [...parties]
    .filter(([, { share }]) => share >= leastTold)
    .sort(([, a], [, b]) => b.share - a.share)
    .slice(0, 4)
    .map(([party, { share, story }]) => `${percent(share)} ${partyNames[party]} (${story})`)
    .join(', ')
}

function percent(share: number): string {
  return `${Math.min(99, Math.round(100 * share))} %`
}

/** How a mechanism ends a line of times. */
export function endOf({ mechanism }: Diagnosis): string | undefined {
  switch (mechanism) {
    case 'rst':
      return 'then a reset (RST)'
    case 'fin':
      return 'then an end (FIN)'
    case 'fin-then-rst':
      return 'then an end (FIN), and a reset of what we wrote'
    case 'refused':
      return 'then refused'
    case 'silence':
    case 'local-timeout':
      return 'and nothing came'
    default:
      return undefined
  }
}

/** A diagnosis in a log line: the likeliest stories with the strongest reasons, and nothing without bound. */
export function diagnosisToJson(diagnosis: Diagnosis): Record<string, unknown> {
  const { hypotheses, indistinguishable, wouldDecide, ...rest } = diagnosis
  return {
    ...rest,
    hypotheses: hypotheses.slice(0, 4).map(({ story, party, side, probability, because, remedy }) => ({
      story,
      party,
      side,
      probability: round(probability),
      because: because.slice(0, 4).map(({ clue, says, weight }) => ({ clue, says, weight: round(weight) })),
      remedy,
    })),
    indistinguishable: indistinguishable.slice(0, 6),
    wouldDecide: wouldDecide.slice(0, 4),
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
