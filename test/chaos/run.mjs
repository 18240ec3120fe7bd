// Chaos: seeded histories of calls against servers and proxies that misbehave. The servers' ledgers judge every one of them.
//
//   npm run chaos [-- --calls 20000 --seed 1 --only 1234 --processes 2]
//
// `--only` runs the world of that call again, with the same choices, and tells its history.

import { availableParallelism } from 'node:os'
import { inspect, parseArgs } from 'node:util'
import { chaos } from './chaos.js'
import { childProcess } from './child.js'
import { callsPerWorld } from './plan.js'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    processes: { type: 'string', default: `${availableParallelism()}` },
  },
})
const calls = whole('calls', values.calls)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole('seed', values.seed)
const only = values.only === undefined ? undefined : whole('only', values.only)

/** Many of them wait for a silence most of the time: as many at once as keep the machine at work, and its loops on time. */
const worldsPerProcess = 3

const clients = Array.from({ length: only === undefined ? whole('processes', values.processes) : 1 }, () =>
  childProcess(new URL('./client-process.mjs', import.meta.url), {
    what: 'the process of the client',
    patienceMs: 180_000,
  }),
)
const bar = process.stdout.isTTY ? progressBar(only === undefined ? calls : callsPerWorld) : undefined
const startedAt = performance.now()
console.log(`chaos: ${only === undefined ? `${calls} calls` : `the world of call ${only}`}, seed ${seed}`)

const report = await chaos(
  { seed, calls, only, worldsAtOnce: clients.length * worldsPerProcess },
  { runWorld, ...(bar && { onProgress: bar.show }) },
)
bar?.clear()
const seconds = (performance.now() - startedAt) / 1000
/** @type {{ left: number, strays: string[], kinds: string[], heapMb: number, onTime: number, worstMs: number }[]} */
const ends = await Promise.all(clients.map((client) => client.ask(-1, {})))
await Promise.all(clients.map((client) => client.stop()))
for (const { left, strays, kinds } of ends) {
  for (const fault of strays) report.found.push({ world: -1, fault })
  if (left > 0) report.found.push({ world: -1, fault: `${left} sockets or timers are left at the end: ${kinds}` })
}

console.log(
  `${report.calls} calls in ${seconds.toFixed(1)} s (${Math.round(report.calls / seconds)}/s), ${report.worlds} worlds, ${report.connections} connections, ${report.restarts} restarts`,
)
console.log(
  `${report.succeeded} answered, ${report.calls - report.succeeded} failed; ${report.began} requests came, ${report.executed} were executed`,
)
console.log(`worlds of ${counted(report.protocols)}`)
console.log(counted(report.kinds))
console.log(
  `heap ${ends.map(({ heapMb }) => heapMb).join(', ')} MiB at the end; the event loops were on time in ${Math.round(Math.min(...ends.map(({ onTime }) => onTime)) * 100)} % of their ticks, and late by ${Math.round(Math.max(...ends.map(({ worstMs }) => worstMs)))} ms at the worst`,
)
for (const { world, call, fault, history } of report.found.slice(0, 10)) {
  console.error(`\nVIOLATION in world ${world}${call === undefined ? '' : `, call ${call}`}, seed ${seed}: ${fault}`)
  if (history !== undefined) console.error(inspect(history, { depth: 8, breakLength: 120, maxStringLength: 2_000 }))
  if (world >= 0) console.error(`again: npm run chaos -- --seed ${seed} --only ${call ?? world * callsPerWorld + 1}`)
}
console.log(report.found.length === 0 ? '\nno violation' : `\n${report.found.length} violations`)
process.exitCode = report.found.length === 0 ? 0 : 1

/**
 * The world, in the process that has the fewest of them.
 *
 * @param {import('./chaos.js').Which} which
 */
function runWorld(which) {
  const [client] = clients.toSorted((a, b) => a.busy - b.busy)
  if (client === undefined) throw new Error('there is no process')
  return client.ask(which.number, { which })
}

/** @param {Record<string, number>} counts most of them first */
function counted(counts) {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}

/**
 * @param {string} name
 * @param {string} given
 */
function whole(name, given) {
  const number = Number(given)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new TypeError(`--${name} must be a whole number from 1, got ${given}`)
  return number
}

/** @param {number} all */
function progressBar(all) {
  const width = 40
  return {
    show: (/** @type {number} */ done, /** @type {number} */ found) => {
      const filled = Math.min(width, Math.floor((done / all) * width))
      const rate = Math.round((done / (performance.now() - startedAt)) * 1000)
      process.stdout.write(
        `\r[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${all}  ${rate}/s  ${found} violations `,
      )
    },
    clear: () => process.stdout.write(`\r${' '.repeat(100)}\r`),
  }
}
