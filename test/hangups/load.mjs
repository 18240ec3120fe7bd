// What a service does all day: requests that are answered, over both protocols, until it is told to stop.
//
//   node load.mjs H1_PORT H2_PORT

import { once } from 'node:events'
import http2 from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

const [h1, h2] = process.argv.slice(2).map(Number)
const dispatcher = new Agent({ connections: 40 })
const kinds = [
  { kind: 'quick', low: 2, high: 20 },
  { kind: 'report', low: 60, high: 400 },
  { kind: 'page', low: 2500, high: 7000 },
  { kind: 'stream', low: 100, high: 800 },
]

const session = http2.connect(`http://127.0.0.1:${h2}`).on('error', () => process.exit())

const ways = [
  (/** @type {string} */ path) =>
    request(`http://127.0.0.1:${h1}${path}`, { dispatcher }).then(
      ({ body }) => body.dump(),
      () => process.exit(),
    ),
  (/** @type {string} */ path) => once(session.request({ ':path': path }).resume(), 'close'),
]

async function lane(/** @type {number} */ at) {
  for (;;) {
    const { kind, low, high } = /** @type {(typeof kinds)[number]} */ (kinds[Math.floor(Math.random() * kinds.length)])
    const time = Math.round(low + Math.random() ** 2 * (high - low))
    await ways[at % 2]?.(`/${kind}/${time}/none/0`)
    await sleep(Math.random() * 200)
  }
}

process.on('disconnect', () => process.exit())
process.send?.('ready')
await Promise.all(Array.from({ length: 60 }, (_, at) => lane(at)))
