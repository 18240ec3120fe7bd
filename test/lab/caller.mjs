// The caller of the lab: a process that makes calls through offhook's own client, and tells what it was told.
//
//   caller.mjs PACKAGE_URL '{"client": {…}, "loopDelayMs": 0}'
//
// Takes `{ id, do, … }` from its parent and answers `{ id, … }`. Ends with its parent.

import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const [packageUrl = '', spec = '{}'] = process.argv.slice(2)
const { client: wanted = {}, loopDelayMs = 0 } = JSON.parse(spec)
const { createClient, explain, isOffhookError } = await import(new URL('index.js', packageUrl).href)

/**
 * @typedef {object} CallSpec
 * @property {string} url
 * @property {'request' | 'fetch'} [how]
 * @property {string} [method]
 * @property {number} [bodyBytes]
 * @property {number} [thenBlockMs] Stands still for so long right after it has dialled.
 * @property {number} [afterMs] Waits until so long after the last answer came in.
 * @property {object} [options]
 */

/**
 * What the caller tells of a failure.
 *
 * @typedef {object} Report
 * @property {string} name
 * @property {string} message
 * @property {string} [kind]
 * @property {string} [phase]
 * @property {string} [code]
 * @property {any} [json] `error.toJSON()`.
 * @property {import('../../src/failure/diagnosis.js').Diagnosis} [diagnosis]
 * @property {number} [diagnosedInMs]
 * @property {string} story `explain(error)`.
 */

await warmUp()
const client = createClient(await clientOptions(wanted))

/**
 * The first calls of a process are slow: code is read, compiled, made fast. A service has that behind it when something
 * fails. The client and the server of the warming up are gone afterwards.
 */
async function warmUp() {
  const server = createServer((_, response) => response.end('warm')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const warming = createClient({ retry: false })
  for (let call = 0; call < 30; call += 1) {
    const how = call % 2 === 0 ? {} : { method: 'POST', body: 'x' }
    const { body } = await warming.request(`http://127.0.0.1:${port}/`, how)
    await body.dump()
  }
  await warming.request('http://127.0.0.1:9/').catch(explain)
  await warming.destroy()
  server.close()
}

/** @param {any} options */
async function clientOptions({ tls, ...plain }) {
  if (tls === undefined) return plain
  const { trust, ...rest } = tls
  if (!trust) return { ...plain, tls }
  const { TEST_CA } = await import(new URL('testing/rude-server.js', packageUrl).href)
  return { ...plain, tls: { ...rest, ca: TEST_CA } }
}

/**
 * @param {unknown} error
 * @returns {Report}
 */
function reportOf(error) {
  const story = explain(error)
  if (!isOffhookError(error)) return { name: String(/** @type {any} */ (error)?.name), message: String(error), story }
  const ours = /** @type {any} */ (error)
  const before = performance.now()
  const diagnosis = ours.diagnosis
  const diagnosedInMs = performance.now() - before
  const { name, message, kind, phase, code } = ours
  return plain({ name, message, kind, phase, code, json: ours, diagnosis, diagnosedInMs, story })
}

/** @param {object} value */
function plain(value) {
  return JSON.parse(JSON.stringify(value))
}

let answeredAt = performance.now()

/** @param {CallSpec} call */
async function make({ url, how = 'request', method = 'GET', bodyBytes, afterMs, thenBlockMs, options }) {
  const init = { method, ...(bodyBytes !== undefined && { body: Buffer.alloc(bodyBytes, 97) }), ...options }
  if (afterMs !== undefined) await sleep(Math.max(0, answeredAt + afterMs - performance.now()))
  try {
    if (how === 'fetch') {
      const response = await client.fetch(url, init)
      return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
    }
    const answer = client.request(url, init)
    if (thenBlockMs !== undefined) await standStill(answer, thenBlockMs)
    const { statusCode, body } = await answer
    return { status: statusCode, bytes: (await body.arrayBuffer()).byteLength }
  } catch (error) {
    return { failure: reportOf(error) }
  } finally {
    answeredAt = performance.now()
  }
}

/**
 * Goes on calling another place, as a service does: what becomes of those calls is evidence.
 *
 * @param {string} url
 */
async function murmur(url) {
  for (;;) {
    try {
      const { body } = await client.request(url, { retry: false, timeout: 1_000 })
      await body.dump()
    } catch {
      // It is told by the client's own eyes, not by us.
    }
    await sleep(100)
  }
}

/**
 * Stands still once what was asked for has been dialled, before the loop can look at what came back.
 *
 * @param {Promise<unknown>} answer
 * @param {number} ms
 */
async function standStill(answer, ms) {
  answer.catch(() => {})
  for (let turn = 0; turn < 50; turn += 1) await null
  await new Promise((resolve) => {
    process.nextTick(resolve)
  })
  block(ms)
}

/** @param {number} ms */
function block(ms) {
  const until = performance.now() + ms
  while (performance.now() < until) {
    // The loop stands still, as it does under a long computation.
  }
}

/** Opens files until this process may open no more. */
function exhaustDescriptors() {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch {
    // That was the last one.
  }
}

/** @type {Record<string, (task: any) => unknown>} */
const tasks = {
  call: make,
  murmur: ({ url }) => void murmur(url),
  block: ({ ms }) => block(ms),
  exhaust: exhaustDescriptors,
  stats: () => client.stats(),
}

process.on('message', async (/** @type {{ id: number, do: string }} */ task) => {
  const outcome = await tasks[task.do]?.(task)
  process.send?.({ id: task.id, outcome })
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

// A loop that is busy half of the time, in pieces of the length that was asked for.
if (loopDelayMs > 0) {
  for (;;) {
    block(loopDelayMs)
    await sleep(loopDelayMs)
  }
}
