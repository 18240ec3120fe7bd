// What the rude servers do, by the names that plans use.

import { Choices } from './choices.js'
import { knownText } from './known-text.js'

/**
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {import('./plan.js').WorldPlan} WorldPlan
 * @typedef {import('../../src/testing/rude-server.js').Script} Script
 * @typedef {import('../../src/testing/rude-server.js').Step} Step
 * @typedef {import('../../src/testing/rude-server.js').Answer} Answer
 * @typedef {import('../../src/testing/rude-server.js').SeenRequest} SeenRequest
 * @typedef {import('../../src/testing/rude-server.js').H2Script} H2Script
 */

/** The client has read what was written by then. */
const settle = { wait: 20 }

/**
 * The script for one try at a call.
 *
 * @param {WorldPlan} world
 * @param {CallPlan} call
 * @param {SeenRequest} request
 * @returns {Script}
 */
export function scriptFor(world, call, request) {
  const redirected = request.path.startsWith('/next')
  const tries = redirected ? call.redirectedTries : call.tries
  const name = tries[request.attempt - 1] ?? 'good'
  const answer =
    call.redirect !== undefined && !redirected
      ? { status: call.redirect, headers: { location: `/next?${call.number}` } }
      : whole(call, request)
  return byName(name, { world, call, answer, reused: request.requestOnConnection > 1 })
}

/**
 * @param {CallPlan} call
 * @param {SeenRequest} request
 * @returns {Answer}
 */
function whole({ id, answer: { bytes, framing, drip, etag } }, request) {
  const text = knownText(id, bytes)
  const tag = `"${id}"`
  const range = /^bytes=(\d+)-\d*$/.exec(request.headers['range'] ?? '')
  if (etag && range !== null && request.headers['if-range'] === tag) {
    const from = Number(range[1])
    const headers = { etag: tag, 'content-range': `bytes ${from}-${bytes - 1}/${bytes}` }
    return { status: 206, headers, body: text.slice(from) }
  }
  return {
    body: text,
    framing,
    ...(etag && { headers: { etag: tag } }),
    ...(drip && { drip: { bytes: Math.ceil(bytes / 6), everyMs: 4 } }),
  }
}

/**
 * @param {string} name
 * @param {{ world: WorldPlan, call: CallPlan, answer: Answer, reused: boolean }} place
 * @returns {Script}
 */
function byName(name, { world, call, answer, reused }) {
  const { id } = call
  /** @returns {Answer} */
  const refusal = (/** @type {number} */ status) => ({ status, body: knownText(id, 64) })
  const at = Math.floor((answer.body === undefined ? 0 : /** @type {string} */ (answer.body).length) * 0.6)
  const cut = { .../** @type {Answer} */ (answer), cut: { body: at } }
  const chunked = { ...answer, framing: /** @type {const} */ ('chunked') }
  const delimited = answer.framing === 'close'
  const idle = (/** @type {Step[]} */ ...steps) => ({ request: [{ respond: answer }], idle: [{ wait: 15 }, ...steps] })

  /** @type {Record<string, () => Script | Step[]>} */
  const scripts = {
    good: () => [{ respond: answer }],
    408: () => [{ respond: { ...refusal(408), close: true } }],
    429: () => [{ respond: refusal(429) }],
    500: () => [{ respond: refusal(500) }],
    502: () => [{ respond: refusal(502) }],
    503: () => [{ respond: refusal(503) }],
    '503 retry-after': () => [{ respond: { ...refusal(503), retryAfter: call.number % 3 } }],
    '500 executed': () => ['execute', { respond: refusal(500) }],
    '504 executed': () => ['execute', { respond: refusal(504) }],
    '413 early': () => [{ read: 'head' }, { respond: { ...refusal(413), close: true } }],
    '413 early rst': () => [{ read: 'head' }, { respond: refusal(413) }, settle, 'rst'],
    'rst mid head': () => [{ read: 16 }, 'rst'],
    'rst after head': () => [{ read: 'head' }, 'rst'],
    'fin after head': () => [{ read: 'head' }, 'fin'],
    'rst mid upload': () => [{ read: 65_536 }, 'rst'],
    'executes head rst': () => [{ read: 'head' }, 'execute', 'rst'],
    'executes prefix rst': () => [{ read: 512 }, 'execute', 'rst'],
    'executes rst': () => [{ read: 'request' }, 'execute', 'rst'],
    'executes fin': () => [{ read: 'request' }, 'execute', 'fin'],
    'executes half-close': () => [{ read: 'request' }, 'execute', 'half-close', 'stall'],
    'early hints rst': () => [{ read: 'request' }, { inform: 103 }, 'execute', settle, 'rst'],
    continue: () => [{ read: 'request' }, { inform: 100 }, { respond: answer }],
    'on reuse rst': () => (reused ? ['rst'] : [{ respond: answer }]),
    'on reuse fin': () => (reused ? [{ read: 'request' }, 'fin'] : [{ respond: answer }]),
    'on reuse executes rst': () => (reused ? [{ read: 'request' }, 'execute', 'rst'] : [{ respond: answer }]),
    'head cut rst': () => [{ respond: { ...answer, cut: { head: 20 } } }, settle, 'rst'],
    'head cut fin': () => [{ respond: { ...answer, cut: { head: 20 } } }, 'fin'],
    garbage: () => [{ write: '\x00\xff\x00\xff', times: 64 }],
    'bad status': () => [{ write: 'HTTP/1.1 OK\r\n\r\n' }],
    'two lengths': () => [{ write: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello' }],
    overlong: () => [
      { write: 'HTTP/1.1 200 OK\r\n' },
      { write: `X-Long: ${'x'.repeat(1014)}\r\n`, times: 32 },
      { write: '\r\n' },
    ],
    'cut rst': () => [{ respond: cut }, settle, 'rst'],
    // Nobody can tell a plain FIN from the end of a body that is delimited by one.
    'cut fin': () => [{ respond: cut }, delimited ? (world.tls ? 'bare-fin' : 'rst') : 'fin'],
    'cut rst at once': () => [{ respond: cut }, 'rst'],
    'no last chunk': () => [{ respond: { ...chunked, cut: { body: 1_000_000 } } }, 'fin'],
    // Cut behind a whole chunk: within one, what follows would pass for bytes of the body.
    'bad chunk': () => [
      { respond: { ...chunked, cut: { body: at }, ...(at > 0 && { drip: { bytes: at, everyMs: 0 } }) } },
      { write: 'zz\r\nhello\r\n' },
      'fin',
    ],
    'short length': () => [{ respond: { ...answer, framing: 'length', cut: { body: at }, close: true } }, 'fin'],
    'broken gzip': () => [{ respond: { body: 'plain', headers: { 'content-encoding': 'gzip', 'x-broken': '1' } } }],
    'executes stall': () => [{ read: 'request' }, 'execute', 'stall'],
    'reads stall': () => [{ read: 'request' }, 'stall'],
    'head cut stall': () => [{ respond: { ...answer, cut: { head: 20 } } }, 'stall'],
    'cut stall': () => [{ respond: cut }, 'stall'],
    'stops reading': () => [{ read: 'head' }, 'pause', 'stall'],
    'idle rst': () => idle('rst'),
    'idle fin': () => idle('fin'),
    'idle deaf': () => idle('deaf'),
    'idle bytes': () => idle({ write: 'by the way' }, 'fin'),
    'idle 408': () => idle({ respond: { status: 408, close: true } }),
    'once rst': () => ({ request: [{ respond: answer }], idle: [{ wait: 1 }, 'rst'] }),
    'once fin': () => ({ request: [{ respond: answer }], idle: ['fin'] }),
  }
  const made = scripts[name]
  if (made === undefined) throw new Error(`no script is called '${name}'`)
  const script = made()
  return Array.isArray(script) ? { request: script } : script
}

/** How connections begin where the openings are rude: one turn each, most of them well. */
export function openings(/** @type {WorldPlan} */ { seed, number, tls }) {
  const dice = new Choices(seed, number, 4)
  /** @type {Script[]} */
  const rude = [{ accept: ['rst'] }, { accept: ['fin'] }, { accept: ['stall'] }, { accept: [{ wait: 20 }, 'close'] }]
  if (tls) {
    rude.push(
      { clientHello: ['rst'] },
      { clientHello: ['fin'] },
      { clientHello: ['stall'] },
      { clientHello: [{ alert: 'internal_error' }, 'fin'] },
      { open: ['rst'] },
      { open: ['fin'] },
    )
  }
  return Array.from({ length: 400 }, () => (dice.chance(0.12) ? dice.one(rude) : {}))
}

/** Whose texts an HTTP/2 server sends: its scripts are data, and do not know who asks. */
export const h2Owner = 'anybody'

/**
 * The turns of an HTTP/2 server, request by request. Its GOAWAYs are true whatever else goes on at the same connection.
 *
 * @param {WorldPlan} world
 * @param {Readonly<Record<string, H2Script>>} ready the ready-made misdeeds
 * @returns {H2Script[]}
 */
export function h2Scripts({ seed, number }, ready) {
  const dice = new Choices(seed, number, 5)
  const text = (/** @type {number} */ bytes) => knownText(h2Owner, bytes)
  /** @type {H2Script[]} */
  const goaways = [
    { request: [{ goaway: 'NO_ERROR', last: 'executed' }, 'stall'] },
    { request: [{ goaway: 'NO_ERROR', last: 'executed' }, 'fin'] },
    { request: ['execute', { goaway: 'NO_ERROR', last: 'executed' }, 'fin'] },
    { request: ['execute', { goaway: 'ENHANCE_YOUR_CALM', last: 'executed' }, 'stall'] },
    { request: ['execute', { goaway: 'NO_ERROR', last: 'executed' }, { respond: { body: text(500) } }] },
    { request: [{ goaway: 'NO_ERROR', last: 'any' }, 'heard', { respond: { body: text(500) } }] },
  ]
  const silent = ['stall-before-head', 'ignore-pings', 'mute', 'stall-mid-body']
  const names = Object.keys(ready).filter((name) => !name.startsWith('goaway') && !silent.includes(name))
  return Array.from({ length: 600 }, () => {
    const what = dice.weighted({ good: 50, status: 8, ready: 28, goaway: 6, silent: 3 })
    if (what === 'good')
      return { request: [{ respond: { body: text(dice.one([100, 1000, 30_000])), length: dice.chance(0.5) } }] }
    if (what === 'status') return { request: [{ respond: { status: dice.one([429, 500, 503]), body: text(64) } }] }
    if (what === 'goaway') return dice.one(goaways)
    return /** @type {H2Script} */ (ready[dice.one(what === 'ready' ? names : silent)])
  })
}
