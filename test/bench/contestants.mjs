// Who takes part, and how each of them makes its calls: as its own documentation shows it. Each is loaded only where it
// runs. axios stands alone: its retries are a package of their own, which is not among the dependencies here.
import { Readable } from 'node:stream'

/**
 * How a contestant repeats: as it comes out of the box, not at all, or up to three attempts of a second each, by its own
 * recommended means where it has any.
 *
 * @typedef {'default' | 'once' | 'retrying'} Manner
 *
 * @typedef {object} Contestant
 * @property {(url: string) => Promise<unknown>} get
 * @property {(url: string) => Promise<unknown>} post
 * @property {(url: string) => Promise<number>} download reads the answer as a stream; gives its bytes
 * @property {(url: string) => Promise<unknown>} upload sends a stream of 1 MiB
 * @property {(error: any) => unknown} [read] what is asked of an error
 */

const body = JSON.stringify({ order: 7, apples: 3 })
const headers = { 'content-type': 'application/json' }
const chunk = Buffer.alloc(65_536, 'a')
const chunks = 16
const attemptMs = 1000

function* pieces() {
  for (let piece = 0; piece < chunks; piece++) yield chunk
}

const stream = () => Readable.from(pieces(), { objectMode: false })
const octets = { 'content-type': 'application/octet-stream' }

/** @param {AsyncIterable<Uint8Array> | null} source */
async function count(source) {
  let bytes = 0
  for await (const piece of source ?? []) bytes += piece.length
  return bytes
}

/** What undici answers with an error status is no error of its; for who waits for a success it is none. */
async function answered(/** @type {any} */ { statusCode, body }) {
  const value = await body.json()
  if (statusCode >= 500) throw new Unavailable()
  return value
}

class Unavailable extends Error {}

/** @param {any} request undici's, or what is called as it is @param {object} [how] @returns {Contestant} */
function byRequest(request, how = {}) {
  return {
    get: async (url) => answered(await request(url, how)),
    post: async (url) => (await request(url, { ...how, method: 'POST', headers, body })).body.json(),
    download: async (url) => count((await request(url, how)).body),
    upload: async (url) =>
      (await request(url, { ...how, method: 'POST', headers: octets, body: stream() })).body.json(),
  }
}

/** @param {any} fetch @param {object} [how] @param {() => unknown} [source] @returns {Contestant} */
function byFetch(fetch, how = {}, source = () => new Blob([...pieces()]).stream()) {
  return {
    get: async (url) => {
      const answer = await fetch(url, how)
      return answered({ statusCode: answer.status, body: answer })
    },
    post: async (url) => (await fetch(url, { ...how, method: 'POST', headers, body })).json(),
    download: async (url) => count((await fetch(url, how)).body),
    upload: async (url) =>
      (await fetch(url, { ...how, method: 'POST', headers: octets, body: source(), duplex: 'half' })).json(),
  }
}

/** @param {Manner} manner */
function limits(manner) {
  return manner === 'retrying' ? { headersTimeout: attemptMs, bodyTimeout: attemptMs } : {}
}

/** @param {Manner} manner */
async function offhook(manner) {
  const { createClient } = await import('offhook')
  if (manner === 'default') return createClient()
  return createClient(manner === 'once' ? { retry: false } : { timeout: { attempt: attemptMs } })
}

/** @param {Contestant} contestant @returns {Contestant} */
const asked = (contestant) => ({ ...contestant, read: (error) => error.diagnosis })

/** @type {Readonly<Record<string, (manner: Manner) => Promise<Contestant>>>} */
export const contestants = {
  'undici.request': async (manner) => {
    const { Agent, request } = await import('undici')
    return byRequest(request, { dispatcher: new Agent(limits(manner)) })
  },
  'offhook.request': async (manner) => byRequest((await offhook(manner)).request),
  'offhook.request, asked': async (manner) => asked(byRequest((await offhook(manner)).request)),
  'offhook interceptor': async (manner) => {
    const { Agent, request } = await import('undici')
    const { resilient } = await import('offhook/undici')
    const options = manner === 'once' ? { retry: /** @type {const} */ (false) } : {}
    return byRequest(request, { dispatcher: new Agent(limits(manner)).compose(resilient(options)) })
  },
  'undici RetryAgent': async (manner) => {
    const { Agent, RetryAgent, request } = await import('undici')
    const options = manner === 'once' ? { maxRetries: 0 } : manner === 'retrying' ? { maxRetries: 2 } : {}
    return byRequest(request, { dispatcher: new RetryAgent(new Agent(limits(manner)), options) })
  },
  'cockatiel + undici': async (manner) => {
    const { Agent, request } = await import('undici')
    const { ExponentialBackoff, handleAll, retry, timeout, TimeoutStrategy, wrap } = await import('cockatiel')
    const dispatcher = new Agent()
    const again = retry(handleAll, { maxAttempts: manner === 'once' ? 0 : 2, backoff: new ExponentialBackoff() })
    const policy = manner === 'retrying' ? wrap(again, timeout(attemptMs, TimeoutStrategy.Aggressive)) : again
    /** @param {(contestant: Contestant) => Promise<any>} call */
    const by = (call) => policy.execute(({ signal }) => call(byRequest(request, { dispatcher, signal })))
    return {
      get: (url) => by(({ get }) => get(url)),
      post: (url) => by(({ post }) => post(url)),
      download: (url) => by(({ download }) => download(url)),
      upload: (url) => by(({ upload }) => upload(url)),
    }
  },
  'global fetch': async (manner) =>
    byFetch(
      manner === 'retrying'
        ? (/** @type {string} */ url, /** @type {RequestInit} */ init) =>
            globalThis.fetch(url, { ...init, signal: AbortSignal.timeout(attemptMs) })
        : globalThis.fetch,
    ),
  'offhook.fetch': async (manner) => byFetch((await offhook(manner)).fetch),
  'offhook.fetch, asked': async (manner) => asked(byFetch((await offhook(manner)).fetch)),
  ky: async (manner) => {
    const { default: ky } = await import('ky')
    const how = manner === 'once' ? { retry: 0 } : { retry: { limit: 2 } }
    const own = ky.create(manner === 'default' ? {} : { ...how, timeout: attemptMs })
    return byFetch(own)
  },
  got: async (manner) => {
    const { got } = await import('got')
    const times = manner === 'once' ? { retry: { limit: 0 } } : { retry: { limit: 2 }, timeout: { request: attemptMs } }
    const own = got.extend(manner === 'default' ? {} : times)
    return {
      get: (url) => own(url).json(),
      post: (url) => own.post(url, { headers, body }).json(),
      download: (url) => count(own.stream(url)),
      upload: (url) => own.post(url, { headers: octets, body: stream() }).json(),
    }
  },
  axios: async (manner) => {
    const { default: axios } = await import('axios')
    const own = axios.create(manner === 'retrying' ? { timeout: attemptMs } : {})
    return {
      get: async (url) => (await own.get(url)).data,
      post: async (url) => (await own.post(url, body, { headers })).data,
      download: async (url) => count((await own.get(url, { responseType: 'stream' })).data),
      upload: async (url) => (await own.post(url, stream(), { headers: octets })).data,
    }
  },
  'make-fetch-happen': async (manner) => {
    const { default: fetch } = await import('make-fetch-happen')
    const how = manner === 'once' ? { retry: false } : { retry: { retries: 2 }, timeout: attemptMs }
    return byFetch(fetch.defaults(manner === 'default' ? {} : how), {}, stream)
  },
}

/** The peer that a contestant is compared with: what its user would have called without it. */
export const peers = /** @type {Readonly<Record<string, string>>} */ ({
  'offhook.request': 'undici.request',
  'offhook.request, asked': 'undici.request',
  'offhook interceptor': 'undici.request',
  'offhook.fetch': 'global fetch',
  'offhook.fetch, asked': 'global fetch',
})

/** Those that only differ in what they do with an error. */
export const isAsked = (/** @type {string} */ name) => name.endsWith(', asked')
