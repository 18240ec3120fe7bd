// Many worlds, some at a time, and the sum of what happened in them.

import { callsPerWorld } from './plan.js'

/**
 * @typedef {import('./world.js').WorldReport} WorldReport
 * @typedef {import('./world.js').Violation & { world: number }} Found
 * @typedef {{ seed: number, number: number, calls: number }} Which
 * @typedef {{ calls: number, worlds: number, succeeded: number, began: number, executed: number, restarts: number, connections: number,
 *   protocols: Record<string, number>, kinds: Record<string, number>, found: Found[] }} ChaosReport
 */

/**
 * @param {{ seed: number, calls: number, only?: number | undefined, worldsAtOnce?: number, stopAfter?: number }} size `only`: the world of this call alone
 * @param {{ runWorld: (which: Which) => Promise<WorldReport>, onProgress?: (calls: number, found: number) => void }} tools
 * @returns {Promise<ChaosReport>}
 */
export async function chaos({ seed, calls, only, worldsAtOnce = 2, stopAfter = 5 }, { runWorld, onProgress }) {
  /** @type {ChaosReport} */
  const report = {
    calls: 0,
    worlds: 0,
    succeeded: 0,
    began: 0,
    executed: 0,
    restarts: 0,
    connections: 0,
    protocols: {},
    kinds: {},
    found: [],
  }
  const first = only === undefined ? 0 : Math.floor((only - 1) / callsPerWorld)
  const last = only === undefined ? Math.ceil(calls / callsPerWorld) : first + 1
  let next = first
  const lane = async () => {
    while (next < last && report.found.length < stopAfter) {
      const number = next++
      const left = calls - number * callsPerWorld
      const size = only === undefined ? Math.min(callsPerWorld, left) : callsPerWorld
      try {
        add(report, await runWorld({ seed, number, calls: size }))
      } catch (error) {
        report.found.push({ world: number, fault: error instanceof Error ? error.message : String(error) })
      }
      onProgress?.(report.calls, report.found.length)
    }
  }
  await Promise.all(Array.from({ length: worldsAtOnce }, lane))
  return report
}

/**
 * @param {ChaosReport} report
 * @param {WorldReport} world
 */
function add(report, { world, violations, kinds, ...sums }) {
  report.worlds += 1
  for (const violation of violations) report.found.push({ world: world.number, ...violation })
  for (const [kind, count] of Object.entries(kinds)) report.kinds[kind] = (report.kinds[kind] ?? 0) + count
  const protocol = `${world.protocol}${world.tls && world.protocol === 'h1' ? ' over TLS' : ''}`
  report.protocols[protocol] = (report.protocols[protocol] ?? 0) + 1
  for (const name of /** @type {const} */ (['calls', 'succeeded', 'began', 'executed', 'restarts', 'connections']))
    report[name] += sums[name]
}
