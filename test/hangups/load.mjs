// What a service does all day: requests that are answered, from a program, until it is told to stop.
//
//   node load.mjs PORT

import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'

const [h1] = process.argv.slice(2).map(Number)
const dispatcher = new Agent({ connections: 40 })
const kinds = [
  { kind: 'quick', low: 2, high: 20 },
  { kind: 'report', low: 60, high: 400 },
  { kind: 'page', low: 2500, high: 7000 },
  { kind: 'stream', low: 100, high: 800 },
]

async function lane() {
  for (;;) {
    const { kind, low, high } = /** @type {(typeof kinds)[number]} */ (kinds[Math.floor(Math.random() * kinds.length)])
    const time = Math.round(low + Math.random() ** 2 * (high - low))
    const url = `http://127.0.0.1:${h1}/${kind}/${time}/none/0`
    await request(url, { dispatcher }).then(
      ({ body }) => body.dump(),
      () => process.exit(),
    )
    await sleep(Math.random() * 200)
  }
}

process.on('disconnect', () => process.exit())
process.send?.('ready')
await Promise.all(Array.from({ length: 40 }, lane))
