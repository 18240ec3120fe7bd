// A server that loses a part of its strength for a while, under a load that does not care: what the retries of each
// contestant add to it, how many calls succeed meanwhile, and how long it takes until they do again.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const file = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

/** Calls a second, and what the server can do; in the brown-out it can do half, and a third of that fails. */
export const load = { perSecond: 60, capacity: 90, share: 0.5, failing: 1 / 3 }

/**
 * @typedef {{ before: number, brown: number, after: number }} Course seconds
 * @typedef {{ goodput: number[], attempts: number[] }} Row both by second, per call
 * @typedef {import('node:child_process').ChildProcess} Child
 */

/**
 * All at the same time, each with a server of its own.
 *
 * @param {readonly string[]} names
 * @param {Course} course
 * @param {import('./measure.mjs').Progress} progress
 * @returns {Promise<Map<string, Row>>}
 */
export async function brownOut(names, course, progress) {
  const seconds = course.before + course.brown + course.after
  let second = 0
  progress(0, seconds, 'all at once')
  const timer = setInterval(() => progress(Math.min(++second, seconds - 1), seconds, 'all at once'), 1000)
  const starts = await Promise.all(names.map((name) => prepare(name, seconds)))
  const rows = await Promise.all(
    starts.map(async ({ name, ...pair }) => /** @type {const} */ ([name, await one(pair, course)])),
  )
  clearInterval(timer)
  return new Map(rows)
}

/** A contestant and its server, both ready. @param {string} name @param {number} seconds */
async function prepare(name, seconds) {
  const server = fork(file('brown-server.mjs'), [String(load.capacity)])
  const [{ port }] = await once(server, 'message')
  const where = `http://127.0.0.1:${port}/`
  const client = fork(file('brown-client.mjs'), [name, where, String(load.perSecond), String(seconds)])
  await once(client, 'message')
  return { name, server, client }
}

/** @param {{ server: Child, client: Child }} pair @param {Course} course @returns {Promise<Row>} */
async function one({ server, client }, { before, brown, after }) {
  const seconds = before + brown + after
  const done = once(client, 'message')
  server.send('start')
  client.send('start')
  await sleep(before * 1000)
  server.send({ share: load.share, failing: load.failing })
  await sleep(brown * 1000)
  server.send({ share: 1, failing: 0 })
  const [succeeded] = await done
  server.send('count')
  const [{ arrived }] = await once(server, 'message')
  server.disconnect()
  const perCall = (/** @type {number[]} */ counts) =>
    Array.from({ length: seconds }, (_, second) => (counts[second] ?? 0) / load.perSecond)
  return { goodput: perCall(succeeded), attempts: perCall(arrived) }
}

/** @param {Row} row @param {Course} course */
export function figuresOf({ goodput, attempts }, { before, brown }) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const later = goodput.slice(before + brown)
  const back = later.findIndex((_, second) => later.slice(second, second + 3).every((share) => share >= 0.95))
  return {
    amplification: mean(attempts.slice(before + 1, before + brown)),
    goodput: mean(goodput.slice(before, before + brown)),
    /** Seconds, or `undefined` when it never was within the run. */
    recovery: back < 0 ? undefined : back,
  }
}
