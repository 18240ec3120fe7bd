// One contestant that makes so many calls a second whatever becomes of them, and tells how many of each second's succeeded.
import { once } from 'node:events'
import { contestants } from './contestants.mjs'

const [name = '', url = '', rate = '', seconds = ''] = process.argv.slice(2)
const contestant = await contestants[name]?.('retrying')
if (contestant === undefined) throw new Error(`nobody is called ${name}`)
const perSecond = Number(rate)
const total = perSecond * Number(seconds)
/** @type {number[]} */
const succeeded = new Array(Number(seconds)).fill(0)
// The first calls compile, and connect.
for (let call = 0; call < 50; call++) await contestant.get(url).catch(() => {})
process.send?.('ready')
await once(process, 'message')
const startedAt = performance.now()
/** @type {Promise<void>[]} */
const calls = []
const timer = setInterval(() => {
  const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond))
  while (calls.length < due) {
    const second = Math.floor(calls.length / perSecond)
    calls.push(
      contestant.get(url).then(
        () => {
          succeeded[second] = (succeeded[second] ?? 0) + 1
        },
        () => {},
      ),
    )
  }
  if (calls.length < total) return
  clearInterval(timer)
  void Promise.all(calls).then(() => process.send?.(succeeded, () => process.exit()))
}, 5)
