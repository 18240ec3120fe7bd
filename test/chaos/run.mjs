// Chaos: seeded histories of calls against servers and proxies that misbehave. The servers' ledgers judge every one of them.
//
//   npm run chaos [-- --calls 20000 --seed 1 --only 1234]
//
// `--only` runs the world of that call again, with the same choices, and tells its history.

import { inspect, parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { chaos, resourcesLeft, resourcesNow } from './chaos.js'
import { LoopClock } from './loop-clock.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const { createClient, isOffhookError } = await import(new URL('../../dist/index.js', import.meta.url).href)

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})
const calls = whole('calls', values.calls)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole('seed', values.seed)
const only = values.only === undefined ? undefined : whole('only', values.only)

const bar = process.stdout.isTTY ? progressBar(only === undefined ? calls : 250) : undefined
const before = resourcesNow()
const loop = new LoopClock()
const farSides = thread()
const startedAt = performance.now()
console.log(`chaos: ${only === undefined ? `${calls} calls` : `the world of call ${only}`}, seed ${seed}`)

const report = await chaos(
  { seed, calls, only },
  { createClient, isOurs: isOffhookError, openFarSide: farSides.open, loop, ...(bar && { onProgress: bar.show }) },
)
bar?.clear()
const seconds = (performance.now() - startedAt) / 1000
loop.stop()
await farSides.stop()
const left = await resourcesLeft(before)
if (left > 0)
  report.found.push({
    world: -1,
    fault: `${left} sockets or timers are left at the end: ${process.getActiveResourcesInfo()}`,
  })

const failed = report.calls - report.succeeded
const kinds = Object.entries(report.kinds)
  .sort(([, a], [, b]) => b - a)
  .map(([kind, count]) => `${kind} ${count}`)
console.log(
  `${report.calls} calls in ${seconds.toFixed(1)} s (${Math.round(report.calls / seconds)}/s), ${report.worlds} worlds, ${report.connections} connections, ${report.restarts} restarts`,
)
console.log(
  `${report.succeeded} answered, ${failed} failed; ${report.began} requests came, ${report.executed} were executed`,
)
console.log(kinds.join(', '))
console.log(
  `heap ${report.heapMb.join(' ')} MiB; the event loop was on time in ${Math.round(loop.onTime * 100)} % of its ticks, and late by ${Math.round(loop.worstMs)} ms at the worst`,
)
for (const { world, call, fault, history } of report.found.slice(0, 10)) {
  console.error(`\nVIOLATION in world ${world}${call === undefined ? '' : `, call ${call}`}, seed ${seed}: ${fault}`)
  if (history !== undefined) console.error(inspect(history, { depth: 8, breakLength: 120, maxStringLength: 2_000 }))
  if (world >= 0) console.error(`again: npm run chaos -- --seed ${seed} --only ${call ?? world * 250 + 1}`)
}
console.log(report.found.length === 0 ? '\nno violation' : `\n${report.found.length} violations`)
process.exitCode = report.found.length === 0 ? 0 : 1

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

/** The far sides, in a thread of their own. */
function thread() {
  const worker = new Worker(new URL('./far-side-thread.mjs', import.meta.url))
  /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: unknown) => void }>} */
  const asked = new Map()
  const fail = (/** @type {unknown} */ error) => {
    for (const { reject } of asked.values()) reject(error)
  }
  worker.on('error', fail)
  worker.on('message', ({ key, answer, error }) => {
    const question = asked.get(key)
    asked.delete(key)
    if (error === undefined) question?.resolve(answer)
    else question?.reject(error)
  })
  const ask = (/** @type {{ key: number, open?: unknown }} */ message) =>
    new Promise((resolve, reject) => {
      asked.set(message.key, { resolve, reject })
      worker.postMessage(message)
    })
  return {
    open: async (/** @type {import('./plan.js').WorldPlan} */ world) => {
      const key = world.number
      const { url, ca } = await ask({ key, open: world })
      return { url, ca, close: () => ask({ key }) }
    },
    stop: () => worker.terminate(),
  }
}

/** @param {number} all */
function progressBar(all) {
  const width = 40
  let shownAt = 0
  return {
    show: (/** @type {number} */ done, /** @type {number} */ found) => {
      const now = performance.now()
      if (now - shownAt < 100 && done < all) return
      shownAt = now
      const filled = Math.min(width, Math.floor((done / all) * width))
      const rate = Math.round((done / (now - startedAt)) * 1000)
      process.stdout.write(
        `\r[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${all}  ${rate}/s  ${found} violations `,
      )
    },
    clear: () => process.stdout.write(`\r${' '.repeat(100)}\r`),
  }
}
