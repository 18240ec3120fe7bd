// How much memory a call holds while it waits: many at once to a server that never answers, in a process of its own
// (run with --expose-gc). Prints bytes per call.
import { setTimeout as sleep } from 'node:timers/promises'
import { contestants } from './contestants.mjs'

const [name = '', url = '', count = '10000'] = process.argv.slice(2)
const calls = Number(count)
const contestant = await contestants[name]?.('default')
if (contestant === undefined) throw new Error(`nobody is called ${name}`)
const { gc } = globalThis
if (gc === undefined) throw new Error('run with --expose-gc')

async function heap() {
  // What is collectable only after a turn of the loop counts as gone.
  for (let round = 0; round < 3; round++) {
    gc?.()
    await sleep(50)
  }
  return process.memoryUsage().heapUsed
}

// What is made once, with the first call, belongs to no call.
await contestant.get(url)
const before = await heap()
/** @type {Promise<unknown>[]} */
const pending = []
for (let call = 0; call < calls; call++) {
  pending.push(contestant.get(`${url}/stall`).catch(() => {}))
  if (call % 200 === 199) await sleep(5)
}
// Every one has its connection and has sent its request.
await sleep(500)
const after = await heap()
process.stdout.write(String((after - before) / pending.length))
process.exit()
