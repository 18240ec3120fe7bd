// Many worlds, some at a time; what outlives them is counted at the end.

import { callsPerWorld } from './plan.js'
import { runWorld } from './world.js'

/**
 * @typedef {import('./world.js').Tools} Tools
 * @typedef {import('./world.js').Violation & { world: number }} Found
 * @typedef {{ calls: number, worlds: number, succeeded: number, began: number, executed: number, restarts: number, connections: number,
 *   kinds: Record<string, number>, found: Found[], heapMb: number[] }} ChaosReport
 */

/** What a client, or a test of one, may leave behind: a timer, a socket, something due. */
const resources = /^(?:Timeout|TCP|TLS|Pipe|Immediate|HTTP2|GetAddrInfo)/

/** How many of them there are now, whatever made them. */
export function resourcesNow() {
  return process.getActiveResourcesInfo().filter((kind) => resources.test(kind)).length
}

/**
 * @param {{ seed: number, calls: number, only?: number | undefined, worldsAtOnce?: number, stopAfter?: number }} size `only`: the world of this call alone
 * @param {Omit<Tools, 'onCall'> & { onProgress?: (calls: number, found: number) => void }} tools
 * @returns {Promise<ChaosReport>}
 */
export async function chaos({ seed, calls, only, worldsAtOnce = 2, stopAfter = 5 }, tools) {
  /** @type {ChaosReport} */
  const report = {
    calls: 0,
    worlds: 0,
    succeeded: 0,
    began: 0,
    executed: 0,
    restarts: 0,
    connections: 0,
    kinds: {},
    found: [],
    heapMb: [],
  }
  const first = only === undefined ? 0 : Math.floor((only - 1) / callsPerWorld)
  const last = only === undefined ? Math.ceil(calls / callsPerWorld) : first + 1
  const onCall = () => {
    report.calls += 1
    tools.onProgress?.(report.calls, report.found.length)
  }
  const strays = listenForStrays((fault) => void report.found.push({ world: -1, fault }))
  let next = first
  const lane = async () => {
    while (next < last && report.found.length < stopAfter) {
      const number = next++
      const left = calls - number * callsPerWorld
      const size = only === undefined ? Math.min(callsPerWorld, left) : callsPerWorld
      add(report, await runWorld({ seed, number, calls: size }, { ...tools, onCall }))
    }
  }
  try {
    await Promise.all(Array.from({ length: worldsAtOnce }, lane))
    // A rejection that nobody hears is told a turn later.
    await new Promise((resolve) => setTimeout(resolve, 20))
  } finally {
    strays.stop()
  }
  return report
}

/**
 * @param {ChaosReport} report
 * @param {import('./world.js').WorldReport} world
 */
function add(report, { world, violations, kinds, ...sums }) {
  report.worlds += 1
  for (const violation of violations) report.found.push({ world: world.number, ...violation })
  for (const [kind, count] of Object.entries(kinds)) report.kinds[kind] = (report.kinds[kind] ?? 0) + count
  for (const name of /** @type {const} */ (['succeeded', 'began', 'executed', 'restarts', 'connections']))
    report[name] += sums[name]
  if (report.worlds % 20 === 1) report.heapMb.push(Math.round(process.memoryUsage().heapUsed / 2 ** 20))
}

/** @param {(fault: string) => void} tell what no call hears of, and no caller can catch */
function listenForStrays(tell) {
  const onRejection = (/** @type {unknown} */ reason) =>
    tell(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)
  const onException = (/** @type {Error} */ error) => tell(`uncaught exception: ${error.stack}`)
  const onWarning = (/** @type {Error} */ warning) => {
    if (warning.name !== 'ExperimentalWarning') tell(`warning: ${warning.stack}`)
  }
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtException', onException)
  process.on('warning', onWarning)
  return {
    stop() {
      process.off('unhandledRejection', onRejection)
      process.off('uncaughtException', onException)
      process.off('warning', onWarning)
    },
  }
}

/**
 * Resolves with how many more resources there are than `before`, as soon as there are none more, or after two seconds.
 *
 * @param {number} before
 */
export async function resourcesLeft(before) {
  // The timer of this wait is one of them.
  for (let look = 0; look < 100 && resourcesNow() > before; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return Math.max(0, resourcesNow() - before)
}
