// docs/lab.md, out of one run.

import { cpus, loadavg, release } from 'node:os'
import { aimsOf, asMarkdown, calibrationRows, contestantHeads, contestantsOf, heads, rowsOf } from './table.js'

/** @typedef {import('./trial.js').Trial} Trial */
/** @typedef {import('./table.js').Results & { trials: Trial[], loaded: Loaded[], settings: { rtt: string, turns: string } }} PageInput */
/** @typedef {{ loopDelayMs: number, verdicts: import('./score.js').Verdict[] }} Loaded */

/** Whose words are shown: the scenario, and why it is shown. */
const shown = [
  ['nat-expired-rst', 'A NAT gateway forgot an idle flow. Nothing on the wire says who it was, and offhook says so'],
  ['own-firewall-drops-busy', "This host's own firewall: the naive answer would be a timeout of the server's"],
  ['app-stopped', 'The process at the other end stands still, while its kernel goes on acknowledging'],
]

/** What else goes on, turn by turn. */
const company = ['alone', 'beside traffic to elsewhere', 'beside other connections to the same peer']

/** @param {PageInput} input */
export function pageOf({ verdicts, scenarios, calm, trials, loaded, settings }) {
  const lines = [
    '# The lab',
    '',
    'What `error.diagnosis` is worth, measured on failures whose true cause is known. Written by `npm run lab -- --write`.',
    '',
    'Each scenario is brought about for real: three hosts (network namespaces) with a router between them, a peer that can be',
    "killed, stopped and starved, cables with a delay, and offhook's own client making the call. The truth stands in the",
    'scenario; offhook sees only what any client sees. `looks` groups the truths that leave the caller the same traces; "best"',
    'is the Brier score of one who knows how often each party is behind each look, and no more.',
    '',
    `${verdicts.length} failures: ${scenarios.length} scenarios, round trips of ${settings.rtt.split(',').join(', ')} ms, each ${company.slice(0, Number(settings.turns)).join(', ')}.`,
    `Node ${process.version}, Linux ${release()}, ${cpus().length} cores under a load of ${Math.round(loadavg()[0] ?? 0)}.`,
    '',
    '## Reached',
    '',
    ...asMarkdown(
      ['what', 'wanted', 'reached', ''],
      aimsOf(verdicts).map(({ what, wanted, reached, ok }) => [what, wanted, reached, ok ? 'yes' : '**no**']),
    ),
    '',
    ...asMarkdown(contestantHeads, contestantsOf(verdicts)),
    '',
    '"By message" believes what the error says: a reset is by the peer, a refusal by its host, a timeout on the way, and so on.',
    'A party counts as blamed from a probability of 0.6.',
    '',
    ...underLoad(verdicts, loaded),
    '## Calibration',
    '',
    'The likeliest party of each failure, in bins of equal size: what was said, and how often it was so.',
    '',
    ...asMarkdown(['failures', 'said', 'was so'], calibrationRows(verdicts)),
    '',
    '## Every scenario',
    '',
    'A (+n) counts trials in which nothing failed: the request missed the race, or the answer got through after all.',
    'Class: the true story is the likeliest, or among those that are said to look the same. Party: the likeliest is the',
    'true one. Named: a culprit was named at all. Third blamed: a third party was named, for a failure of the peer or of ourselves.',
    '',
    ...asMarkdown(heads, rowsOf({ verdicts, scenarios, calm })),
    '',
    '## Three in its own words',
    '',
    ...shown.flatMap(([name, why]) => exampleOf(trials, String(name), String(why))),
    '## What really happens in each',
    '',
    ...asMarkdown(
      ['scenario', 'what happens', 'looks like'],
      scenarios.map(({ name, says, label }) => [name, says, label.looks]),
    ),
    '',
  ]
  return lines.join('\n')
}

/**
 * @param {import('./score.js').Verdict[]} calm
 * @param {Loaded[]} loaded
 */
function underLoad(calm, loaded) {
  if (loaded.length === 0) return []
  const runs = [{ loopDelayMs: 0, verdicts: calm }, ...loaded]
  const columns = runs.map(({ verdicts }) => aimsOf(verdicts))
  return [
    '## Under a loaded event loop',
    '',
    "The same, with the caller's event loop busy half of the time in pieces of that length. It may name fewer culprits; it must not blame more.",
    '',
    ...asMarkdown(
      ['what', ...runs.map(({ loopDelayMs }) => (loopDelayMs === 0 ? 'quiet' : `${loopDelayMs} ms`))],
      [
        ['failures', ...runs.map(({ verdicts }) => String(verdicts.length))],
        ...(columns[0] ?? []).map(({ what }, row) => [what, ...columns.map((column) => column[row]?.reached ?? '')]),
      ],
    ),
    '',
  ]
}

/**
 * @param {Trial[]} trials
 * @param {string} name
 * @param {string} why
 */
function exampleOf(trials, name, why) {
  const trial = trials
    .filter(({ scenario, report }) => scenario === name && report !== undefined)
    .sort((one, other) => Math.abs(one.roundTripMs - 20) - Math.abs(other.roundTripMs - 20) || other.turn - one.turn)[0]
  return trial?.report === undefined ? [] : [`${why} (\`${name}\`):`, '', '```', trial.report.story, '```', '']
}
