// npm run lab: every scenario, at every latency, a few times over, and what offhook said of each. `-- --help` tells more.

import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { judge } from './judge.js'
import { sweep, whyNoNamespaces } from './network.js'
import { pageOf } from './page.js'
import { scenarios } from './scenarios/all.js'
import { aimsOf, contestantHeads, contestantsOf, heads, inColumns, rowsOf } from './table.js'
import { tryOut } from './trial.js'

const help = `npm run lab -- [options]
  --only NAME        scenarios whose name holds this; may be given several times
  --rtt 0,20,60      round trips between the hosts, in milliseconds
  --turns 3          how often each scenario is brought about at each round trip
  --loop-delay 30    keep the caller's event loop busy in pieces of so many milliseconds
  --probe            let offhook probe after a failure
  --loopback         no hosts of its own, even where they can be made
  --lanes 2          how many trials at a time
  --json FILE        every trial, with everything that was told of it
  --from FILE        judge the trials of such a file again instead of making new ones
  --wrong            print what was judged wrongly, one line for each
  --write            write docs/lab.md; runs one turn more with a loop that is late by 30 ms, and one by 200 ms
  --loaded FILE      for that page: the trials (--json) of such a run, instead of new ones; may be given several times
  --package DIR      the built package, instead of dist`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rtt: { type: 'string', default: '0,20,60' },
    turns: { type: 'string', default: '3' },
    'loop-delay': { type: 'string', default: '0' },
    lanes: { type: 'string', default: '2' },
    package: { type: 'string', default: resolve(import.meta.dirname, '../../dist') },
    json: { type: 'string' },
    from: { type: 'string' },
    probe: { type: 'boolean', default: false },
    loopback: { type: 'boolean', default: false },
    wrong: { type: 'boolean', default: false },
    loaded: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit()
}
try {
  // What else runs on the machine should not be taken for a slow network. The hosts' processes inherit it.
  setPriority(-15)
} catch {
  // Not allowed here.
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => process.exit(130))

/** @typedef {import('./trial.js').Trial} Trial */
/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */

const wanted = scenarios.filter(
  ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
)
const noHosts = values.loopback ? 'only loopback was asked for' : whyNoNamespaces()

/**
 * @param {{ loopDelayMs: number, rtt: string, turns: number }} how
 * @returns {Promise<Trial[]>}
 */
async function allTrials({ loopDelayMs, rtt, turns: count }) {
  // A package that does not load would fail every trial; better to hear of it once.
  await import(pathToFileURL(resolve(values.package, 'index.js')).href)
  sweep()
  const common = {
    packageUrl: `${pathToFileURL(resolve(values.package)).href}/`,
    hosts: noHosts === undefined,
    loopDelayMs,
    probe: values.probe,
  }
  const latencies = noHosts === undefined ? rtt.split(',').map(Number) : [0]
  const turns = Array.from({ length: count }, (_, turn) => turn)
  const waiting = wanted
    .filter(({ hosts }) => !hosts || noHosts === undefined)
    .flatMap((scenario) =>
      latencies
        .filter((roundTripMs) => roundTripMs >= (scenario.fromRoundTripMs ?? 0))
        .flatMap((roundTripMs) => turns.map((turn) => ({ scenario, how: { ...common, roundTripMs, turn } }))),
    )
  const planned = waiting.length
  /** @type {Trial[]} */
  const trials = []
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      trials.push(await tryOut(next.scenario, next.how))
      if (process.stderr.isTTY) process.stderr.write(`\r${trials.length} of ${planned} `)
    }
  }
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane))
  return trials
}

/**
 * @param {import('./score.js').Verdict} verdict
 * @param {Trial} trial
 */
function lineOf({ label, mechanism, story, parties, claimed }, { scenario, turn, roundTripMs, report }) {
  const told = report?.diagnosis
  const likely = told?.hypotheses.slice(0, 3).map((one) => `${one.story} ${one.probability.toFixed(2)}`)
  const marks = `${mechanism ? ' ' : 'M'}${story ? ' ' : 'C'}${claimed === undefined || claimed === label.party ? ' ' : 'B'}`
  const of = (parties[label.party] ?? 0).toFixed(2)
  return `${marks} ${scenario} ${roundTripMs} ms #${turn}: ${report?.kind} in ${report?.phase} (${report?.code}); ${told?.mechanism}${told?.manner ? ` ${told.manner}` : ''}; true ${label.party} ${of}; ${likely?.join(', ')}`
}

/** @type {Trial[]} */
const trials =
  values.from === undefined
    ? await allTrials({ loopDelayMs: Number(values['loop-delay']), rtt: values.rtt, turns: Number(values.turns) })
    : JSON.parse(readFileSync(values.from, 'utf8')).trials
if (values.json !== undefined) {
  writeFileSync(values.json, JSON.stringify({ loopDelayMs: Number(values['loop-delay']), trials }, undefined, 1))
}

/** @type {Map<string, Scenario>} */
const byName = new Map(wanted.map((scenario) => [scenario.name, scenario]))

/**
 * @param {Trial[]} of
 * @param {boolean} show Print what was judged wrongly.
 */
function judged(of, show) {
  return of.flatMap((trial) => {
    const scenario = byName.get(trial.scenario)
    if (scenario === undefined || trial.report === undefined) return []
    const verdict = judge(scenario, trial.report, trial.roundTripMs)
    const wrong = !verdict.mechanism || !verdict.story || (verdict.parties[scenario.label.party] ?? 0) < 0.5
    if (show && wrong) console.log(lineOf(verdict, trial))
    return [verdict]
  })
}
const verdicts = judged(trials, values.wrong)
/** Trials in which nothing failed: the race was missed, or the answer got through. */
const calm = new Map()
for (const { scenario, trouble } of trials) {
  if (trouble === undefined) continue
  calm.set(scenario, (calm.get(scenario) ?? 0) + 1)
  if (trouble !== 'nothing failed') console.log(`${scenario}: ${trouble}`)
}
const shown = wanted.filter(({ name }) => trials.some(({ scenario }) => scenario === name))
const results = { verdicts, scenarios: shown, calm }

for (const line of inColumns(heads, rowsOf(results))) console.log(line)
console.log(`\n${verdicts.length} failures in ${shown.length} scenarios; a (+n) counts trials in which nothing failed`)
if (noHosts !== undefined) console.log(`${wanted.length - shown.length} scenarios skipped: ${noHosts}`)
console.log('')
for (const line of inColumns(contestantHeads, contestantsOf(verdicts))) console.log(line)
console.log('')
for (const { what, reached, wanted: aim, ok } of aimsOf(verdicts)) {
  console.log(`${ok ? 'reached ' : 'MISSED  '} ${what}: ${reached} (${aim})`)
}
if (values.write) {
  const runs = values.loaded.map(
    (file) => /** @type {{ loopDelayMs: number, trials: Trial[] }} */ (JSON.parse(readFileSync(file, 'utf8'))),
  )
  for (const loopDelayMs of values.loaded.length > 0 ? [] : [30, 200]) {
    runs.push({ loopDelayMs, trials: await allTrials({ loopDelayMs, rtt: '20', turns: 1 }) })
  }
  const loaded = runs.map(({ loopDelayMs, trials }) => ({ loopDelayMs, verdicts: judged(trials, false) }))
  const page = pageOf({ ...results, trials, loaded, settings: { rtt: values.rtt, turns: values.turns } })
  writeFileSync(resolve(import.meta.dirname, '../../docs/lab.md'), page)
}
