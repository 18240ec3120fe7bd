// The figures of a run, as lines for a terminal and as a page.

import { answersOf, calibrationBins, scoreOf } from './score.js'

/** @typedef {import('./score.js').Verdict} Verdict */
/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */
/** @typedef {{ verdicts: Verdict[], scenarios: Scenario[], calm: Map<string, number> }} Results */

const share = (/** @type {number} */ value) => (Number.isNaN(value) ? '–' : `${Math.round(value * 100)} %`)
const figure = (/** @type {number} */ value) => (Number.isNaN(value) ? '–' : value.toFixed(2))

/**
 * One row per scenario.
 *
 * @param {Results} results
 */
export function rowsOf({ verdicts, scenarios, calm }) {
  return scenarios.map((scenario) => {
    const own = verdicts.filter((verdict) => verdict.scenario === scenario.name)
    const score = scoreOf(own, verdicts)
    return [
      scenario.name,
      scenario.label.party,
      String(own.length) + (calm.has(scenario.name) ? ` (+${calm.get(scenario.name)})` : ''),
      share(score.mechanism),
      share(score.story),
      share(score.party),
      figure(score.brier),
      figure(score.best),
      share(score.claimed),
      share(score.thirdBlamed),
    ]
  })
}

export const heads = [
  'scenario',
  'who did it',
  'trials',
  'mechanism',
  'class',
  'party',
  'Brier',
  'best',
  'named',
  'third blamed',
]

/**
 * offhook beside the naive answers.
 *
 * @param {Verdict[]} verdicts
 */
export function contestantsOf(verdicts) {
  const own = answersOf(verdicts, ({ parties }) => parties)
  const best = scoreOf(verdicts).best
  const rows = [
    ['offhook', own],
    ['"always the peer"', answersOf(verdicts, () => ({ 'peer-application': 1 }))],
    ['by message', answersOf(verdicts, ({ byMessage }) => byMessage)],
  ]
  return [
    ...rows.map((row) => {
      const [name, answers] = /** @type {[string, ReturnType<typeof answersOf>]} */ (row)
      return [name, share(answers.party), figure(answers.brier), share(answers.thirdBlamed)]
    }),
    ['best achievable', '', figure(best), ''],
  ]
}

export const contestantHeads = ['who answers', 'party right', 'Brier', 'third party blamed wrongly']

/**
 * What was asked for, what was reached.
 *
 * @param {Verdict[]} verdicts
 */
export function aimsOf(verdicts) {
  const score = scoreOf(verdicts)
  return [
    aim('mechanism named right', score.mechanism, '≥', 0.99),
    aim('class of stories holds the truth', score.story, '≥', 0.95),
    aim('Brier against the best achievable', score.brier / score.best, '≤', 1.1, figure),
    aim('expected calibration error', score.calibration, '≤', 0.05, figure),
    aim('culprits named that were the true ones', score.claimedRight, '≥', 0.95),
    aim('third party blamed for the peer or ourselves', score.thirdBlamed, '≤', 0.01),
  ]
}

/**
 * @param {string} what
 * @param {number} reached
 * @param {'≥' | '≤'} sign
 * @param {number} wanted
 * @param {(value: number) => string} [show]
 */
function aim(what, reached, sign, wanted, show = (value) => `${(value * 100).toFixed(1)} %`) {
  return {
    what,
    reached: show(reached),
    wanted: `${sign} ${show(wanted)}`,
    ok: sign === '≥' ? reached >= wanted : reached <= wanted,
  }
}

/** @param {Verdict[]} verdicts */
export function calibrationRows(verdicts) {
  return calibrationBins(verdicts).map(({ trials, said, right }) => [String(trials), share(said), share(right)])
}

/**
 * @param {string[]} names
 * @param {string[][]} rows
 */
export function inColumns(names, rows) {
  const widths = names.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)))
  return [names, ...rows].map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
}

/**
 * @param {string[]} names
 * @param {string[][]} rows
 */
export function asMarkdown(names, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(names), line(names.map((_, column) => (column < 2 ? '---' : '---:'))), ...rows.map(line)]
}
