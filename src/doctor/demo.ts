/** `offhook demo`: plays each line against a rude server, once with bare fetch and once with offhook, and compares. */

import { setImmediate } from 'node:timers/promises'
import { createClient } from '../index.js'
import { differences, type Played, wordOf } from './compare.js'
import { type Behaviour, behaviours } from './demo-behaviours.js'
import type { DemoLine, Target } from './demo-line.js'
import { demoLines } from './demo-lines.js'
import { listed, Tally } from './demo-tally.js'
import { askOf, bareCell, executedCell, offhookCell } from './demo-words.js'
import { bareFetch, play, playWatched } from './sides.js'
import { markCell, Table } from './table.js'
import { LiveLine, paint, type Terminal } from './terminal.js'

const columns = [
  { heading: '', least: 1, share: 0 },
  { heading: 'the server', least: 18, share: 2 },
  { heading: 'bare fetch says', least: 16, share: 2 },
  { heading: 'offhook says, and did', least: 29, share: 3 },
  { heading: 'executed', least: 8, share: 0 },
]

/**
 * Plays the lines and prints each as soon as it is known.
 *
 * @returns the exit code: 0 when every line came out as expected, otherwise 1
 */
export async function runDemo(
  terminal: Terminal,
  lines: readonly DemoLine[] = demoLines,
  more: readonly Behaviour[] = lines === demoLines ? behaviours : [],
): Promise<number> {
  using tally = new Tally()
  const table = new Table(terminal, columns)
  const live = new LiveLine(terminal)
  const startedAt = performance.now()
  const title = paint(terminal, 'offhook demo', 'strong')
  terminal.write(
    `\n${title}: ${lines.length} ways to be hung up on, over real sockets of this machine (Node ${process.version}).\n\n`,
  )
  terminal.write(table.head())
  const played: Played[] = []
  let wrong = 0
  for (const [at, line] of lines.entries()) {
    live.show(`${at + 1} of ${lines.length}: ${askOf(line.ask)}; ${line.does}`)
    const outcome = await playLine(line)
    live.clear()
    const faults = differences(line, outcome)
    if (faults.length > 0) wrong++
    played.push(outcome)
    terminal.write(rowOf(table, line, { outcome, faults }) + table.rule())
  }
  const told = await toldBy(tally, played)
  const strange = await playBehaviours(terminal, live, more)
  const ms = performance.now() - startedAt
  terminal.write(summary(terminal, { lines, played, wrong, more, strange, told, ms }))
  return wrong + strange + told.faults.length === 0 ? 0 : 1
}

const columnsOfBehaviours = [
  { heading: '', least: 1, share: 0 },
  { heading: 'what happens', least: 18, share: 1 },
  { heading: 'what offhook did, by its channels, client.stats() and the ledger', least: 50, share: 3 },
]

/** @returns how many came out otherwise than expected */
async function playBehaviours(terminal: Terminal, live: LiveLine, all: readonly Behaviour[]): Promise<number> {
  if (all.length === 0) return 0
  const table = new Table(terminal, columnsOfBehaviours)
  terminal.write(`\n${paint(terminal, 'What a client does besides', 'strong')}, on offhook alone.\n\n${table.head()}`)
  let wrong = 0
  for (const [at, { does, option, play }] of all.entries()) {
    live.show(`${at + 1} of ${all.length}: ${does}`)
    const { says, expected } = await play()
    live.clear()
    const faults = Object.entries(expected).flatMap(([what, holds]) => (holds ? [] : [what]))
    if (faults.length > 0) wrong++
    const told = says.map((text) => ({ text }))
    const row = table.row([markCell(faults.length === 0), [{ text: does }, { text: option, tone: 'faint' }], told])
    const notes = faults.map((fault) => table.note(`not as expected: ${fault}`, 'bad'))
    terminal.write(row + notes.join('') + table.rule())
  }
  return wrong
}

/** What channels and statistics tell of the lines, and whether they agree. */
async function toldBy(tally: Tally, played: readonly Played[]): Promise<{ says: string; faults: string[] }> {
  // The end of a connection is told when its socket is closed, a turn of the loop after its client.
  await setImmediate()
  const mechanisms = new Map<string, number>()
  for (const { stats } of played)
    for (const [name, count] of Object.entries(stats?.mechanisms ?? {}))
      mechanisms.set(name, (mechanisms.get(name) ?? 0) + count)
  const failures = played.reduce((sum, { stats }) => sum + (stats?.failures ?? 0), 0)
  const faults = [
    ...(tally.open === 0 ? [] : [`the channels: ${tally.open} calls or attempts began and never ended`]),
    ...(failures === tally.failures
      ? []
      : [`client.stats() counts ${failures} failures, the channels ${tally.failures}`]),
  ]
  const { calls, attempts, retries, endings } = tally
  const says =
    `channels: ${calls} calls, ${attempts} attempts, ${retries} of them followed by another; ` +
    `connections ended by ${listed(endings)}.\nclient.stats(): ${failures} failures, by ${listed(mechanisms)}.`
  return { says, faults }
}

/** Both sides of one line, one after the other, each against a target of its own. */
async function playLine(line: DemoLine): Promise<Played> {
  const bare = await bareSide(line)
  const offhook = await ownSide(line)
  const { ends, executed } = bare
  if (executed === undefined || offhook.executed === undefined) return { bare: ends, ...offhook, executed: undefined }
  return { bare: ends, ...offhook, executed: { bare: executed, offhook: offhook.executed } }
}

async function bareSide(line: DemoLine) {
  await using target = await line.open()
  const ends = await play(bareFetch, target, line.ask)
  return { ends, executed: executions(target, line) }
}

async function ownSide(line: DemoLine) {
  await using target = await line.open()
  await using client = createClient(line.options?.(target))
  const { ends, deeds } = await playWatched(client, target, line.ask)
  const [stats] = Object.values(client.stats().origins).flatMap(({ hangups }) => hangups ?? [])
  return { offhook: ends, deeds, executed: executions(target, line), ...(stats && { stats }) }
}

function executions({ server }: Target, { ask }: DemoLine): number | undefined {
  return server?.ledger
    .entries()
    .filter(({ method }) => method === ask.method)
    .reduce((sum, { executed }) => sum + executed, 0)
}

function rowOf(table: Table, line: DemoLine, { outcome, faults }: { outcome: Played; faults: string[] }): string {
  const row = table.row([
    markCell(faults.length === 0),
    [{ text: line.does }, { text: askOf(line.ask), tone: 'faint' }],
    bareCell(line, outcome),
    offhookCell(line, outcome),
    executedCell(outcome),
  ])
  return row + faults.map((fault) => table.note(`not as expected: ${fault}`, 'bad')).join('')
}

interface Sum {
  readonly lines: readonly DemoLine[]
  readonly played: readonly Played[]
  readonly wrong: number
  readonly more: readonly Behaviour[]
  readonly strange: number
  readonly told: { readonly says: string; readonly faults: readonly string[] }
  readonly ms: number
}

function summary(terminal: Terminal, { lines, played, wrong, more, strange, told, ms }: Sum): string {
  const besides = more.length === 0 ? '' : `, and ${more.length - strange} of ${more.length} behaviours`
  const verdict = `${lines.length - wrong} of ${lines.length} lines came out as expected${besides}`
  const right = wrong + strange + told.faults.length === 0
  const faults = told.faults.map((fault) => `${paint(terminal, `not as expected: ${fault}`, 'bad')}\n`).join('')
  const recovered = played.filter(({ offhook }) => offhook.every(({ how }) => how === 'answer')).length
  const bare = played.flatMap((outcome, at) => outcome.bare.map((end) => wordOf(end, lines[at]?.ask.wholeBytes)))
  const count = (word: string) => bare.filter((one) => one === word).length
  return `
${paint(terminal, verdict, right ? 'good' : 'bad')}, in ${(ms / 1000).toFixed(1)} s.
bare fetch: ${count('cut')} cut body passed off as whole, ${count('silence')} call without an end in sight.
offhook: ${recovered} lines brought to a good end; of every other call it is known whether it may have been executed.
${told.says}
${faults}
The same, well-mannered, against an endpoint of your own: ${paint(terminal, 'npx offhook demo https://…', 'strong')}

`
}
