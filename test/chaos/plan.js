// What happens in a world (a server, perhaps a proxy before it, one client, a few hundred calls) and in each of its calls.
// Everything comes from the seed; nothing here looks at a clock. Both sides make the same plan from the same numbers.

import { Choices } from './choices.js'
import { shortestText } from './known-text.js'

/** Calls of one world: what is kept in memory until the ledger has judged it. */
export const callsPerWorld = 250

/**
 * @typedef {{ refuse?: 'rst' | 'fin' | 'hold', latencyMs?: number, sliceBytes?: number, bytesPerMs?: number,
 *   stall?: { way: 'up' | 'down', after: number }, resetChance?: number, cutAfter?: number, forgetAfterMs?: number }} Toxics
 * @typedef {'none' | 'string' | 'buffer' | 'params' | 'form' | 'factory' | 'stream' | 'iterator'} BodyKind
 * @typedef {{ number: number, id: string, host: 'fetch' | 'request', method: string, keyed: boolean, idempotent?: boolean,
 *   body: { kind: BodyKind, bytes: number, pauses: boolean },
 *   answer: { bytes: number, framing: 'length' | 'chunked' | 'close', drip: boolean, etag: boolean },
 *   tries: string[], redirect?: 301 | 302 | 303 | 307 | 308, redirectedTries: string[],
 *   total?: number, abortAfter?: number, sharedSignal: boolean, read: 'text' | 'stream' | 'buffer' | 'leave' }} CallPlan
 * @typedef {{ seed: number, number: number, first: number, calls: number, protocol: 'h1' | 'h2', tls: boolean, proxied: boolean, toxic: boolean,
 *   restarts: number, sweeps: number, brownOuts: boolean, rudeOpenings: boolean, mayCloseDelimit: boolean, atOnce: number,
 *   graceful: boolean, client: Record<string, unknown> }} WorldPlan
 */

/**
 * @param {number} seed
 * @param {number} number from 0
 * @param {number} [calls]
 * @returns {WorldPlan}
 */
export function planWorld(seed, number, calls = callsPerWorld) {
  const dice = new Choices(seed, number, 1)
  const protocol = dice.chance(0.2) ? 'h2' : 'h1'
  const tls = protocol === 'h2' || dice.chance(0.25)
  const proxied = dice.chance(0.5)
  const restarts = dice.chance(0.25) ? dice.whole(60, 300) : 0
  // On plain TCP, whoever ends a connection early by FIN ends such a body, and nobody can tell: no world has both.
  const mayCloseDelimit = protocol === 'h1' && restarts === 0 && !proxied
  return {
    seed,
    number,
    first: number * callsPerWorld,
    calls,
    protocol,
    tls,
    proxied,
    toxic: dice.chance(0.85),
    restarts,
    sweeps: dice.chance(0.3) ? dice.whole(15, 80) : 0,
    brownOuts: dice.chance(0.3),
    rudeOpenings: dice.chance(0.3),
    mayCloseDelimit,
    atOnce: dice.one([25, 50, 100]),
    graceful: dice.chance(0.5),
    client: planClient(dice, protocol),
  }
}

/**
 * @param {Choices} dice
 * @param {'h1' | 'h2'} protocol
 */
function planClient(dice, protocol) {
  const limit = () => dice.whole(120, 350)
  const connections = dice.one([1, 4, 16, undefined, undefined])
  const buffers = dice.chance(0.2)
  const attempts = dice.whole(1, 5)
  return {
    timeout: {
      connect: limit(),
      headers: limit(),
      body: limit(),
      ...(dice.chance(0.8) && { total: dice.whole(500, 2500) }),
    },
    retry: dice.chance(0.1)
      ? false
      : {
          attempts,
          backoff: { base: dice.whole(0, 20), throttledBase: dice.whole(1, 60), cap: 100 },
          maxRetryAfter: 200,
          ...(buffers && { body: 'buffer', bufferLimit: dice.one([1000, 50_000]) }),
          ...(!buffers && attempts > 1 && dice.chance(0.3) && { resume: true }),
        },
    ...(dice.chance(0.6) && { budget: /** @type {const} */ (false) }),
    ...(connections !== 1 && dice.chance(0.2) && { hedge: true }),
    ...(dice.chance(0.1) && { breaker: true }),
    ...(dice.chance(0.1) && { throttle: true }),
    ...(dice.chance(0.1) && { concurrency: true }),
    ...(connections !== undefined && { connections }),
    ...(dice.chance(0.3) && { keepAlive: dice.whole(5, 60) }),
    ...(protocol === 'h2' && { http2: { pingAfter: 80, pingTimeout: 150 } }),
  }
}

/** How often the server does what; see scripts.js for what they are. */
const misdeeds = {
  statuses: [
    '408',
    '429',
    '500',
    '502',
    '503',
    '503 retry-after',
    '500 executed',
    '504 executed',
    '413 early',
    '413 early rst',
  ],
  unanswered: [
    ...[
      'rst mid head',
      'rst after head',
      'fin after head',
      'rst mid upload',
      'executes head rst',
      'executes prefix rst',
    ],
    ...[
      'executes rst',
      'executes fin',
      'executes half-close',
      'early hints rst',
      'continue',
      'on reuse rst',
      'on reuse fin',
    ],
    ...['on reuse executes rst'],
  ],
  heads: ['head cut rst', 'head cut fin', 'garbage', 'bad status', 'two lengths', 'overlong'],
  bodies: ['cut rst', 'cut fin', 'cut rst at once', 'no last chunk', 'bad chunk', 'short length', 'broken gzip'],
  silences: ['executes stall', 'reads stall', 'head cut stall', 'cut stall', 'stops reading'],
  idles: ['idle rst', 'idle fin', 'idle deaf', 'idle bytes', 'idle 408', 'once rst', 'once fin'],
}
const groups = { good: 45, statuses: 12, unanswered: 16, heads: 4, bodies: 12, silences: 3, idles: 8 }

/** @param {Choices} dice */
function planTries(dice) {
  const tries = []
  while (tries.length < 4) {
    const group = dice.weighted(groups)
    tries.push(group === 'good' ? 'good' : dice.one(misdeeds[group]))
    if (group === 'good' && dice.chance(0.7)) break
  }
  return tries
}

const methods = { GET: 34, HEAD: 4, POST: 32, PUT: 12, PATCH: 8, DELETE: 8, OPTIONS: 2 }
const sizes = [shortestText, 100, 1_000, 1_000, 10_000, 10_000, 70_000]

/**
 * @param {WorldPlan} world
 * @param {number} number of the call, from 1, over all worlds
 * @returns {CallPlan}
 */
export function planCall(world, number) {
  const dice = new Choices(world.seed, number, 2)
  const host = dice.one(/** @type {const} */ (['fetch', 'request']))
  const method = dice.weighted(methods)
  // undici 7 takes no body of a DELETE over HTTP/2: an assertion of its own fails, and its connection is stuck.
  const bodiless = world.protocol === 'h2' && method === 'DELETE'
  const body = planBody(dice, bodiless ? 'GET' : method, host)
  const redirects =
    world.protocol === 'h1' && !['factory', 'stream', 'iterator', 'form'].includes(body.kind) && dice.chance(0.12)
  const framing = dice.one(/** @type {const} */ (['length', 'chunked', world.mayCloseDelimit ? 'close' : 'length']))
  const keyed = (method === 'POST' || method === 'PATCH') && dice.chance(0.4)
  const word = dice.chance(0.06) ? dice.chance(0.5) : undefined
  return {
    number,
    id: `call-${number}`,
    host,
    method,
    keyed,
    ...(word !== undefined && { idempotent: word }),
    body,
    // Beneath TLS an end without a goodbye is told up to here; see wire/tls-ledger.ts.
    answer: {
      bytes: Math.min(dice.one(sizes), framing === 'close' ? 10_000 : 70_000),
      framing,
      drip: dice.chance(0.1),
      etag: dice.chance(0.5),
    },
    tries: planTries(dice),
    ...(redirects && { redirect: dice.one(/** @type {const} */ ([301, 302, 303, 307, 308])) }),
    redirectedTries: planTries(dice),
    ...(dice.chance(0.25) && { total: dice.whole(10, 400) }),
    ...(dice.chance(0.12) && { abortAfter: dice.chance(0.3) ? dice.whole(0, 3) : dice.whole(0, 150) }),
    sharedSignal: dice.chance(0.2),
    read: dice.weighted({ text: 50, stream: 25, buffer: 15, leave: 10 }),
  }
}

/**
 * @param {Choices} dice
 * @param {string} method
 * @param {'fetch' | 'request'} host
 */
function planBody(dice, method, host) {
  const kinds = /** @type {const} */ (['string', 'buffer', 'params', 'form', 'factory', 'stream'])
  const none = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || dice.chance(0.15)
  /** @type {BodyKind} */
  const kind = none ? 'none' : host === 'request' && dice.chance(0.1) ? 'iterator' : dice.one(kinds)
  return { kind, bytes: none ? 0 : dice.one([...sizes, 200_000]), pauses: dice.chance(0.2) }
}

/**
 * What the proxy does to one connection.
 *
 * @param {WorldPlan} world
 * @param {number} connection
 * @returns {Toxics}
 */
export function planToxics(world, connection) {
  const dice = new Choices(world.seed, world.number, connection, 3)
  if (!world.toxic || dice.chance(0.35)) return {}
  const name = dice.weighted({ latency: 6, slices: 4, bandwidth: 3, stall: 2, reset: 5, cut: 3, forget: 2, refuse: 2 })
  if (name === 'latency') return { latencyMs: dice.whole(1, 25) }
  if (name === 'slices') return { sliceBytes: dice.whole(1, 700), ...(dice.chance(0.5) && { latencyMs: 1 }) }
  if (name === 'bandwidth') return { bytesPerMs: dice.whole(50, 1000) }
  if (name === 'stall')
    return { stall: { way: dice.one(/** @type {const} */ (['up', 'down'])), after: dice.whole(0, 5000) } }
  if (name === 'reset') return { resetChance: dice.one([0.02, 0.1, 0.4]) }
  if (name === 'cut') return { cutAfter: dice.whole(0, 20_000) }
  if (name === 'forget') return { forgetAfterMs: dice.whole(1, 100) }
  return { refuse: dice.one(/** @type {const} */ (['rst', 'fin', 'hold'])) }
}
