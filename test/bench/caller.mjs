// One contestant in a process of its own, so that what it costs is what the process costs. Makes calls when told to over
// IPC, and answers with the CPU time that they took.
import { contestants } from './contestants.mjs'

const [name = '', url = ''] = process.argv.slice(2)
const make = contestants[name]
if (make === undefined) throw new Error(`nobody is called ${name}`)
const contestant = await make()

/** @param {import('./measure.mjs').Load} load */
async function run({ method, concurrency, calls }) {
  const call = contestant[method]
  let left = calls
  const lane = async () => {
    while (left-- > 0) await call(url)
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

process.on('message', async (/** @type {import('./measure.mjs').Load} */ load) => {
  // Connections that have ended in the pause are made anew before the clock runs.
  await run({ ...load, calls: load.concurrency * 2 })
  const before = process.cpuUsage()
  await run(load)
  const { user, system } = process.cpuUsage(before)
  process.send?.((user + system) / load.calls)
})
process.once('disconnect', () => process.exit())
process.send?.('ready')
