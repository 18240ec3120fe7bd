// The client's side of some worlds, in a process of its own. It is asked for worlds by their numbers, and at the end for what it
// has left behind.

import { childProcess } from './child.js'
import { LoopClock } from './loop-clock.js'
import { listenForStrays, resourcesLeft, resourcesNow } from './resources.js'
import { runWorld } from './world.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const { createClient, isOffhookError } = await import(new URL('../../dist/index.js', import.meta.url).href)

if (process.send === undefined) throw new Error('the client runs in a process of its own')
const send = process.send.bind(process)
/** @type {string[]} */
let strays = []
listenForStrays((fault) => void strays.push(fault))
const loop = new LoopClock()
const farSides = childProcess(new URL('./far-side-process.mjs', import.meta.url), {
  what: 'the process of the far side',
  patienceMs: 60_000,
})
const before = resourcesNow()

/** @param {import('./plan.js').WorldPlan} world */
async function openFarSide(world) {
  const { url, ca } = await farSides.ask(world.number, { open: world })
  return { url, ca, close: () => farSides.ask(world.number, {}) }
}

/** @param {import('./chaos.js').Which} which */
async function report(which) {
  const { violations, ...world } = await runWorld(which, { createClient, isOurs: isOffhookError, openFarSide, loop })
  // A rejection that nobody hears is told a turn later.
  await new Promise((resolve) => setImmediate(resolve))
  const told = strays.map((fault) => ({ fault }))
  strays = []
  return { ...world, violations: [...violations, ...told] }
}

async function leave() {
  loop.stop()
  const left = await resourcesLeft(before)
  await farSides.stop()
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20)
  return { left, strays, kinds: process.getActiveResourcesInfo(), heapMb, onTime: loop.onTime, worstMs: loop.worstMs }
}

process.on('message', async (/** @type {any} */ { key, which }) => {
  try {
    send({ key, answer: which === undefined ? await leave() : await report(which) })
  } catch (error) {
    send({ key, error })
  }
})
process.once('disconnect', () => process.exit())
