// One contestant in a process of its own, so that what it costs is what the process costs. Makes calls when told to over
// IPC, and answers with the microseconds of CPU that each took.
import { contestants } from './contestants.mjs'

const [name = '', url = '', refusedUrl = '', manner = 'default'] = process.argv.slice(2)
const make = contestants[name]
if (make === undefined) throw new Error(`nobody is called ${name}`)
const contestant = await make(/** @type {import('./contestants.mjs').Manner} */ (manner))

/** @param {string} where */
async function fails(where) {
  try {
    await contestant.get(where)
  } catch (error) {
    contestant.read?.(error)
    return
  }
  throw new Error(`${where} did not fail`)
}

/** @type {Record<import('./measure.mjs').Load['method'], () => Promise<unknown>>} */
const calls = {
  get: () => contestant.get(url),
  post: () => contestant.post(url),
  download: () => contestant.download(`${url}/large`),
  upload: () => contestant.upload(`${url}/upload`),
  refused: () => fails(refusedUrl),
  reset: () => fails(`${url}/reset`),
  'reset, used': async () => {
    await contestant.get(url)
    await fails(`${url}/reset`)
  },
  503: () => fails(`${url}/503`),
}

/** @param {import('./measure.mjs').Load} load */
async function run({ method, concurrency, calls: count }) {
  const call = calls[method]
  let left = count
  const lane = async () => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

/** @param {import('./measure.mjs').Load} load */
async function costOf(load) {
  const before = process.cpuUsage()
  await run(load)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / load.calls
}

process.on('message', async (/** @type {import('./measure.mjs').Load} */ load) => {
  // Connections that have ended in the pause are made anew before the clock runs.
  await run({ ...load, calls: Math.min(load.concurrency * 2, load.calls) })
  const cost = await costOf(load)
  // The call that makes a used connection of it is not the failure's.
  const before = load.method === 'reset, used' ? await costOf({ ...load, method: 'get' }) : 0
  process.send?.(cost - before)
})
process.once('disconnect', () => process.exit())
process.send?.('ready')
