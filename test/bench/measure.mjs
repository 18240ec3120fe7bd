// The measurements. Everything is compared within one run, in turns, since machines are noisy and load changes.
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/**
 * @typedef {'get' | 'post' | 'download' | 'upload' | 'refused' | 'reset' | 'reset, used' | 503} Method the last four fail
 * @typedef {{ method: Method, concurrency: number, calls: number }} Load
 */
/**
 * @typedef {(done: number, of: number, what: string) => void} Progress
 * @typedef {import('./contestants.mjs').Manner} Manner
 * @typedef {{ url: string, refusedUrl: string, stop: () => void }} Far
 */

const file = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))
const run = promisify(execFile)
const root = file('../..')

/** Starts the far side. */
export async function startServer() {
  const child = fork(file('server.mjs'))
  const [port] = await once(child, 'message')
  return { url: `http://127.0.0.1:${port}`, refusedUrl: await refusedUrl(), stop: () => child.disconnect() }
}

/** Where nobody listens: a port that was free a moment ago. */
async function refusedUrl() {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (listener.address())
  listener.close()
  return `http://127.0.0.1:${port}/`
}

/**
 * Microseconds of CPU per call, for each load and contestant, one figure a round. The contestants take turns, forwards
 * and backwards, and are started anew several times: what the compiler makes of a program differs between two processes.
 *
 * @param {{ server: Far, names: readonly string[], loads: readonly Load[], starts: number, rounds: number, manner?: Manner }} plan
 * @param {Progress} progress
 */
export async function cpuPerCall({ server, names, loads, starts, rounds, manner = 'default' }, progress) {
  /** @type {Map<Load, Map<string, number[]>>} */
  const figures = new Map(loads.map((load) => [load, new Map(names.map((name) => [name, []]))]))
  const steps = starts * (rounds + 1) * loads.length
  let done = 0
  for (let start = 1; start <= starts; start++) {
    const callers = await Promise.all(names.map((name) => startCaller(name, server, manner)))
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round++) {
      for (const load of loads) {
        progress(
          done++,
          steps,
          round === 0 ? 'warming up' : `round ${(start - 1) * rounds + round} of ${starts * rounds}`,
        )
        for (const caller of round % 2 === 0 ? callers : callers.toReversed()) {
          const us = await caller.measure(load)
          if (round > 0) figures.get(load)?.get(caller.name)?.push(us)
        }
      }
    }
    for (const caller of callers) caller.stop()
  }
  return figures
}

/** @param {string} name @param {Far} server @param {Manner} manner */
async function startCaller(name, { url, refusedUrl }, manner) {
  const child = fork(file('caller.mjs'), [name, url, refusedUrl, manner])
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${code}`)
  })
  // Whoever waits for an answer hears of it; an end that nobody waits for is the one we asked for.
  died.catch(() => {})
  await Promise.race([once(child, 'message'), died])
  return {
    name,
    measure: async (/** @type {Load} */ load) => {
      child.send(load)
      const [us] = await Promise.race([once(child, 'message'), died])
      return /** @type {number} */ (us)
    },
    stop: () => child.disconnect(),
  }
}

/**
 * Bytes of heap per call in flight.
 *
 * @param {{ url: string, names: readonly string[], calls: number, rounds: number }} plan
 * @param {Progress} progress
 */
export async function memoryPerCall({ url, names, calls, rounds }, progress) {
  return inTurns(names, rounds, progress, async (name) => {
    const { stdout } = await run(process.execPath, ['--expose-gc', file('waiter.mjs'), name, url, String(calls)])
    return Number(stdout)
  })
}

/**
 * Milliseconds of CPU that it takes to import each module, in fresh processes.
 *
 * @param {{ names: readonly string[], rounds: number }} plan
 * @param {Progress} progress
 */
export async function importTime({ names, rounds }, progress) {
  return inTurns(names, rounds, progress, async (name) => {
    const script = `const before = process.cpuUsage()
      await import(${JSON.stringify(name)})
      const { user, system } = process.cpuUsage(before)
      process.stdout.write(String((user + system) / 1000))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root })
    return Number(stdout)
  })
}

/**
 * Milliseconds of CPU that reading a diagnosis takes: the first of a process, and one of the hundredth on.
 *
 * @param {{ server: Far, rounds: number }} plan
 * @param {Progress} progress
 */
export async function diagnosisTime({ server, rounds }, progress) {
  const script = `import { createClient } from 'offhook'
    const client = createClient({ retry: false })
    const read = async () => {
      const error = await client.request(${JSON.stringify(server.refusedUrl)}).catch((error) => error)
      const before = process.cpuUsage()
      void error.diagnosis.headline
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    const all = []
    for (let call = 0; call < 200; call++) all.push(await read())
    const later = all.slice(100).sort((a, b) => a - b)
    process.stdout.write(JSON.stringify([all[0], later[50]]))
    process.exit()`
  /** @type {{ first: number[], later: number[] }} */
  const found = { first: [], later: [] }
  for (let round = 0; round < rounds; round++) {
    progress(round, rounds, 'offhook')
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root })
    const [first, later] = JSON.parse(stdout)
    found.first.push(first)
    found.later.push(later)
  }
  return found
}

/**
 * @param {readonly string[]} names
 * @param {number} rounds
 * @param {Progress} progress
 * @param {(name: string) => Promise<number>} measure
 */
async function inTurns(names, rounds, progress, measure) {
  /** @type {Map<string, number[]>} */
  const figures = new Map(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [at, name] of names.entries()) {
      progress(round * names.length + at, rounds * names.length, name)
      figures.get(name)?.push(await measure(name))
    }
  }
  return figures
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * How many times the other's: the median over the rounds of the ratio within a round, in which both met the same machine.
 *
 * @param {readonly number[]} values
 * @param {readonly number[]} others
 */
export function ratio(values, others) {
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)))
}
