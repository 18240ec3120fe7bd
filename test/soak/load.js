/** Puts the load on, lets it come to rest now and then, and counts what is still held. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { count, TimerCount } from './counts.js'
import { plants } from './plants.js'
import { order } from './workloads.js'

/**
 * @typedef {{ seconds: number, samples: number, perSecond: number, perSample?: number, warmUp?: number, only?: readonly string[], plant?: keyof typeof plants | undefined }} Plan
 * `seconds` in all, unless each sample comes after so many calls; `only` these workloads. Before the first
 * sample come `warmUp` calls, as fast as may be, or as many of them as there is a seventh of the time for, which is not counted: what is bounded is full then.
 * @typedef {import('./judge.js').Sample} Sample
 * @typedef {import('./workloads.js').Offhook} Offhook
 */

const lanes = 8
/** Samples from which something can be told. */
const fewest = 16
/** The longest that a call takes which was under way when the load was told to rest. */
const restMs = 1_500

/**
 * @param {Plan} plan
 * @param {{ offhook: Offhook, places: import('./far-side.js').Places, leave: (port: number) => void, onSample?: (sample: Sample) => void }} tools
 * @returns {Promise<{ samples: Sample[], failed: number }>}
 */
export async function load({ seconds, samples, perSecond, perSample, warmUp, only, plant }, tools) {
  const timers = new TimerCount()
  const { signal } = new AbortController()
  const watched = await watchedServer(tools.offhook)
  const lookup = lookupHere()
  const wide = () => tools.offhook.createClient({ lookup, timeout: 250, keepAlive: 50 })
  const world = {
    ...tools,
    signal,
    number: 0,
    watchedPort: watched.port,
    client: clientOf(tools),
    h2: tools.offhook.createClient({ http2: true, tls: { ca: tools.places.ca }, timeout: 250, retry: fast }),
    wide: wide(),
    renewWide: async () => {
      const old = world.wide
      world.wide = wide()
      await old.close()
    },
  }
  const afterwards = plant === undefined ? undefined : plants[plant].make()
  const counted = {
    calls: 0,
    failed: 0,
    resting: false,
    period: 0,
    warming: warmUp !== undefined,
    until: warmUp ?? Number.POSITIVE_INFINITY,
  }
  const port = Number(new URL(tools.places.good).port)
  const turn = order(only)
  const lane = async () => {
    // One that was late to rest does not begin anew beside those that took its place.
    const { period } = counted
    while (!counted.resting && counted.period === period && counted.calls < counted.until) {
      const startedAt = performance.now()
      world.number += 1
      const number = world.number
      const workload = /** @type {import('./workloads.js').Workload} */ (turn.next().value)
      const error = await workload({ ...world, number }).catch((/** @type {unknown} */ rejected) => rejected)
      counted.calls += 1
      if (error !== undefined) counted.failed += 1
      afterwards?.({ number, error, signal, port })
      if (!counted.warming) await sleep(Math.max(0, (lanes / perSecond) * 1000 - (performance.now() - startedAt)))
    }
  }
  if (warmUp !== undefined) {
    const late = sleep(seconds * 150)
    await Promise.race([Promise.all(Array.from({ length: lanes * 4 }, lane)), late])
    Object.assign(counted, { warming: false, resting: true, until: Number.POSITIVE_INFINITY })
    await sleep(restMs)
  }
  /** @type {Sample[]} */
  const taken = []
  const between = (seconds * 1000) / samples
  const beganAt = performance.now()
  let restedMs = 150
  for (let left = samples; left > 0; left--) {
    const startedAt = performance.now()
    counted.resting = false
    counted.period += 1
    if (perSample !== undefined) counted.until = counted.calls + perSample
    const running = Array.from({ length: lanes }, lane)
    if (perSample === undefined) await sleep(Math.max(between / 3, between - restedMs))
    else await Promise.all(running)
    counted.resting = true
    const restsAt = performance.now()
    await Promise.race([Promise.all(running), sleep(restMs)])
    await settled(world)
    const sample = count({ calls: counted.calls, timers, signal, clients: [world.client, world.h2] })
    taken.push(sample)
    tools.onSample?.(sample)
    restedMs = performance.now() - restsAt
    if (perSample !== undefined) continue
    // A machine that others keep busy takes longer to rest: fewer samples do.
    if (performance.now() - beganAt > seconds * 1000 && taken.length >= fewest) break
    await sleep(Math.max(0, between - (performance.now() - startedAt)))
  }
  await Promise.all([world.client, world.h2, world.wide].map((client) => client.destroy()))
  watched.close()
  timers.stop()
  return { samples: taken, failed: counted.failed }
}

/** What was let go of needs a turn or two to be gone, and a body that was dropped its 100 ms. */
async function settled(
  /** @type {{ client: { stats(): { inFlight: number } }, h2: { stats(): { inFlight: number } } }} */ { client, h2 },
) {
  for (let waited = 0; waited < 500; waited += 10) {
    if (waited >= 120 && client.stats().inFlight + h2.stats().inFlight === 0) return
    await sleep(10)
  }
}

const fast = { backoff: { base: 1, throttledBase: 1, cap: 5 } }

/** @param {{ offhook: Offhook, places: import('./far-side.js').Places }} tools */
function clientOf({ offhook, places }) {
  return offhook.createClient({
    tls: { ca: places.ca },
    timeout: { total: 400 },
    keepAlive: 500,
    retry: { ...fast, maxRetryAfter: 1_000 },
    budget: false,
    hedge: { minSamples: 10, minDelayMs: 5 },
    breaker: true,
    throttle: true,
    concurrency: true,
  })
}

/** Whatever the name, it is here. */
function lookupHere() {
  return (/** @type {string} */ _, /** @type {{ all?: boolean }} */ options, /** @type {any} */ callback) =>
    options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
}

/** A server of this process whose clients are watched. */
async function watchedServer(/** @type {Offhook} */ offhook) {
  const server = createServer(async (request, response) => {
    if (request.url !== '/fast') await sleep(30)
    response.end('done')
  })
  const watch = offhook.watchClients(server, { onHangup: (/** @type {any} */ hangup) => void hangup.verdict })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    close: () => {
      watch.stop()
      server.close()
      server.closeAllConnections()
    },
  }
}
