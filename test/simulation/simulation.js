// Many histories, one after the other.

import { World } from './history.js'

/**
 * @typedef {import('./history.js').Parts} Parts
 * @typedef {import('./history.js').Violation} Violation
 */

/**
 * @param {Parts} parts
 * @param {{ seed: number, histories: number, stopAfter?: number, onProgress?: (done: number, found: number) => void }} size
 */
export async function simulate(parts, { seed, histories, stopAfter = 1, onProgress }) {
  /** @type {Violation[]} */
  const found = []
  let attempts = 0
  let calls = 0
  let steps = 0
  let done = 0
  const { stackTraceLimit } = Error
  while (done < histories && found.length < stopAfter) {
    const world = new World(parts, seed + done)
    // Nobody reads the stacks, and they are half of the cost.
    Error.stackTraceLimit = 0
    const report = await world.run().finally(() => {
      Error.stackTraceLimit = stackTraceLimit
    })
    found.push(...report.violations)
    attempts += report.attempts
    calls += world.calls.length
    steps += report.steps
    if (++done % 500 === 0) onProgress?.(done, found.length)
  }
  return { done, calls, attempts, steps, found }
}
