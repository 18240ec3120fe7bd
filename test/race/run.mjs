// The keep-alive race: far sides that let go of idle connections after 200 ms, by FIN, by RST, or by silently
// forgetting them, and traffic whose gaps are spread around 200 ms. offhook learns; undici stands beside it.
//
//   npm run race [-- --requests 5000]

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Agent, request as undiciRequest } from 'undici'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const { createClient } = await import(new URL('../../dist/index.js', import.meta.url).href)

const { values } = parseArgs({ options: { requests: { type: 'string', default: '5000' } } })
const requests = Number(values.requests)
const lanes = 40
const headersMs = 400
const learnFrom = 20
const gapMs = { from: 180, to: 220 }

const farSides = [
  { name: 'closes (FIN)', act: 'fin' },
  { name: 'resets (RST)', act: 'rst' },
  { name: 'goes deaf', act: 'deaf' },
]

/** @typedef {{ method: 'GET' | 'POST', headers: Record<string, string>, body?: string }} Options */
/** @typedef {{ send(url: string, options: Options): Promise<string>, learned(): { observations: number, why: string } | undefined, close(): Promise<unknown> }} Racer */

/** @type {Record<'offhook' | 'undici', () => Racer>} */
const clients = {
  offhook: () => {
    const client = createClient({ timeout: { headers: headersMs } })
    return {
      send: async (url, options) => (await client.request(url, options)).body.text(),
      learned: () => Object.values(client.stats().origins)[0]?.reuse,
      close: () => client.destroy(),
    }
  },
  undici: () => {
    const dispatcher = new Agent({ headersTimeout: headersMs })
    return {
      send: async (url, options) => (await undiciRequest(url, { ...options, dispatcher })).body.text(),
      learned: () => undefined,
      close: () => dispatcher.destroy(),
    }
  },
}

let failed = false
console.log(
  `${requests} requests in ${lanes} lanes, half of them POST, gaps of ${gapMs.from} to ${gapMs.to} ms; idle connections end after 200 ms\n`,
)
for (const { name, act } of farSides) {
  const rows = await Promise.all(
    /** @type {('offhook' | 'undici')[]} */ (['offhook', 'undici']).map((client) => run(client, act)),
  )
  for (const row of rows) {
    console.log(
      `${name.padEnd(14)} ${row.client.padEnd(8)} POSTs failed ${String(row.posts).padStart(4)}, of them after ${learnFrom} observations ${String(row.late).padStart(4)}; GETs failed ${String(row.gets).padStart(4)}; executed twice ${row.twice}${row.why ? `; ${row.why}` : ''}`,
    )
    if (row.client === 'offhook' && (row.late > 0 || row.twice > 0)) failed = true
  }
}
console.log(
  failed
    ? '\nnot reached: a POST of offhook failed after it had learned'
    : '\nreached: after 20 observations no POST of offhook fails',
)
process.exitCode = failed ? 1 : 0

/**
 * @param {'offhook' | 'undici'} name
 * @param {string} act
 */
async function run(name, act) {
  const farSide = new Worker(new URL('./far-side.mjs', import.meta.url), { workerData: { act, idleMs: 200 } })
  const [url] = await once(farSide, 'message')
  const client = clients[name]()
  const result = { client: name, posts: 0, late: 0, gets: 0, twice: 0, why: '' }
  let sent = 0
  const lane = async (/** @type {number} */ seed) => {
    const dice = generator(seed)
    await sleep(dice() * 300)
    while (sent < requests) {
      const number = ++sent
      const method = number % 2 === 0 ? 'POST' : 'GET'
      /** @type {Options} */
      const options = { method, headers: { 'x-request-id': `r${number}` }, ...(method === 'POST' && { body: 'order' }) }
      const knew = client.learned()?.observations ?? 0
      await client.send(url, options).catch(() => {
        if (method === 'GET') result.gets++
        else {
          result.posts++
          if (knew >= learnFrom || name === 'undici') result.late++
        }
      })
      await sleep(gapMs.from + dice() * (gapMs.to - gapMs.from))
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index + 1)))
  farSide.postMessage('duplicates?')
  ;[result.twice] = await once(farSide, 'message')
  result.why = client.learned()?.why ?? ''
  await client.close()
  await farSide.terminate()
  return result
}

/**
 * mulberry32: the same gaps in every run.
 *
 * @param {number} seed
 */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
