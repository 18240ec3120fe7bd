// The soak: mixed load for a long time, and a look at everything that a client could fail to let go of.
//
//   npm run soak [-- --minutes 60 --per-second 150 --write]
//
// `--write` puts the figures into docs/soak.md, and the plots into docs/plots. Ends with 1 when something grows.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judge } from './judge.js'
import { charts, page, table } from './report.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'per-second': { type: 'string', default: '150' },
    write: { type: 'boolean', default: false },
  },
})
const minutes = positive('minutes', values.minutes)
const perSecond = positive('per-second', values['per-second'])
const samples = Math.round(Math.min(240, Math.max(24, minutes * 12)))

const farSide = fork(new URL('./far-side-process.mjs', import.meta.url), { stdio: 'inherit' })
const [{ places }] = await once(farSide, 'message')
const client = fork(new URL('./load-process.mjs', import.meta.url), { stdio: 'inherit' })
/** @type {import('./judge.js').Sample[]} */
const taken = []
/** @type {number | undefined} */
let failed
client.on('message', (/** @type {any} */ message) => {
  if (message.leave !== undefined) farSide.send(message)
  if (message.failed !== undefined) failed = message.failed
  if (message.sample !== undefined) taken.push(message.sample)
  if (message.sample !== undefined && process.stdout.isTTY)
    process.stdout.write(`\r${taken.length} of ${samples} samples, ${message.sample.calls} calls `)
})
client.send({ plan: { seconds: minutes * 60, samples, perSecond, warmUp: 3_000 }, places })
const [code] = await once(client, 'exit')
farSide.disconnect()

if (failed === undefined) throw new Error(`the client ended with ${code}, after ${taken.length} samples`)
const verdicts = judge(taken)
const facts = { minutes, perSecond, failed, samples: taken, verdicts, node: process.version, cpus: cpus().length }
console.log(
  `${process.stdout.isTTY ? '\n' : ''}${taken.at(-1)?.calls} calls in ${minutes} min and ${taken.length} samples, ${failed} of them failed; second half:\n`,
)
for (const line of table(verdicts)) console.log(line)
if (values.write) {
  const docs = join(import.meta.dirname, '../../docs')
  mkdirSync(join(docs, 'plots'), { recursive: true })
  writeFileSync(join(docs, 'soak.md'), page(facts))
  for (const [name, svg] of Object.entries(charts(facts))) writeFileSync(join(docs, 'plots', name), svg)
}
const grows = verdicts.filter(({ ok }) => !ok)
console.log(grows.length === 0 ? '\nflat' : `\ngrows: ${grows.map(({ says }) => says).join(', ')}`)
process.exitCode = grows.length === 0 ? 0 : 1

/**
 * @param {string} name
 * @param {string} given
 */
function positive(name, given) {
  const number = Number(given)
  if (!(number > 0)) throw new TypeError(`--${name} must be a number above 0, got ${given}`)
  return number
}
