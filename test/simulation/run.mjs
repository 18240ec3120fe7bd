// Simulated histories of calls: real calls and policies, simulated time, dice and network, and a judge of every step.
//
//   npm run simulate [-- --histories 100000 --seed 1 --only 4711]
//   npm run simulate -- --mutants      plants faults into what was built, and looks whether each is found
//
// `--only` runs the history of that seed again and tells it.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { World } from './history.js'
import { runMutants } from './mutation.js'
import { loadParts } from './parts.js'

const root = new URL('../../build/', import.meta.url)
const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
})
const [histories, seed] = [whole('histories', values.histories), whole('seed', values.seed)]
if (values.only !== undefined) process.exitCode = await tell(whole('only', values.only))
else if (values.mutants)
  process.exitCode = (await runMutants(root, { seed, histories: Math.min(histories, 20_000) })) ? 0 : 1
else process.exitCode = await all()

async function all() {
  const startedAt = performance.now()
  const threads = Math.max(1, Math.min(2, availableParallelism()))
  const share = Math.ceil(histories / threads)
  const done = new Array(threads).fill(0)
  const reports = await Promise.all(
    done.map((_, index) => {
      const part = {
        root: root.href,
        seed: seed + index * share,
        histories: Math.min(share, histories - index * share),
      }
      return inThread(part, (count) => {
        done[index] = count
        const sum = done.reduce((a, b) => a + b, 0)
        if (process.stdout.isTTY) process.stdout.write(`\r${sum} of ${histories} histories`)
        else if (sum % 20_000 === 0) console.log(`${sum} of ${histories} histories`)
      })
    }),
  )
  if (process.stdout.isTTY) process.stdout.write('\r')
  const sum = (/** @type {'done' | 'calls' | 'attempts' | 'steps'} */ name) =>
    reports.reduce((all, one) => all + one[name], 0)
  const found = reports.flatMap((one) => one.found)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  console.log(
    `${sum('done')} histories, ${sum('calls')} calls, ${sum('attempts')} attempts, ${sum('steps')} steps in ${seconds} s: ${found.length} violations`,
  )
  for (const { seed: of, what } of found) console.error(`VIOLATION: ${what}\n  again: npm run simulate -- --only ${of}`)
  return found.length > 0 || sum('done') < histories ? 1 : 0
}

/**
 * @param {{ root: string, seed: number, histories: number }} part
 * @param {(done: number) => void} onProgress
 * @returns {Promise<Awaited<ReturnType<typeof import('./simulation.js').simulate>>>}
 */
function inThread(part, onProgress) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('thread.mjs', import.meta.url), {
      workerData: part,
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    })
    worker.on('message', ({ done, report }) => {
      if (report !== undefined) resolve(report)
      else onProgress(done)
    })
    worker.on('error', reject)
  })
}

/** @param {number} only */
async function tell(only) {
  const world = new World(await loadParts(root), only, true)
  const { violations } = await world.run()
  console.log(JSON.stringify(world.plan, undefined, 2))
  for (const line of world.story) console.log(line)
  for (const { what, call } of violations)
    console.error(`VIOLATION${call === undefined ? '' : ` in call ${call}`}: ${what}`)
  return violations.length > 0 ? 1 : 0
}

/**
 * @param {string} name
 * @param {string} text
 */
function whole(name, text) {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError(`--${name} must be a whole number, not ${text}`)
  return number
}
