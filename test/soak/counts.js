/** Counts what this process holds, at a moment when it should hold next to nothing. */

import { getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Counts the timers that were set and have neither run nor been cleared, those that do not keep the process as well. */
export class TimerCount {
  /** @type {Set<unknown>} */
  #waiting = new Set()
  #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }

  constructor() {
    const { setTimeout, clearTimeout } = this.#real
    const waiting = this.#waiting
    const counted = (
      /** @type {(...args: any[]) => void} */ action,
      /** @type {number} */ ms,
      /** @type {any[]} */ ...args
    ) => {
      const timer = setTimeout(() => {
        waiting.delete(timer)
        action(...args)
      }, ms)
      waiting.add(timer)
      return timer
    }
    globalThis.setTimeout = /** @type {any} */ (Object.assign(counted, setTimeout))
    globalThis.clearTimeout = (timer) => {
      waiting.delete(timer)
      clearTimeout(timer)
    }
  }

  get waiting() {
    return this.#waiting.size
  }

  stop() {
    Object.assign(globalThis, this.#real)
  }
}

/**
 * @param {{ calls: number, timers: TimerCount, signal: AbortSignal, clients: readonly { stats(): { inFlight: number, origins: object } }[] }} of
 * @returns {import('./judge.js').Sample}
 */
export function count({ calls, timers, signal, clients }) {
  const waiting = timers.waiting
  /** @type {Record<string, number>} */
  const resources = {}
  for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1
  const stats = clients.map((client) => client.stats())
  collect()
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    calls,
    heap: heapUsed,
    // Array buffers are a part of it.
    external,
    rss,
    handles: Object.values(resources).reduce((sum, number) => sum + number, 0),
    timers: waiting,
    listeners: getEventListeners(signal, 'abort').length + ofProcess(),
    files: openFiles(),
    tables: stats.reduce((sum, { origins }) => sum + Object.keys(origins).length, 0),
    inFlight: stats.reduce((sum, { inFlight }) => sum + inFlight, 0),
    resources,
  }
}

function ofProcess() {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
}

/** Linux says; elsewhere the handles have to do. */
function openFiles() {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
