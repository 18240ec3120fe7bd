// Who takes part, and how each of them makes a GET and a POST and reads the answer: as its own documentation shows it,
// with its default settings. Each is loaded only where it runs.

/**
 * @typedef {object} Contestant
 * @property {(url: string) => Promise<unknown>} get
 * @property {(url: string) => Promise<unknown>} post
 */

const body = JSON.stringify({ order: 7, apples: 3 })
const headers = { 'content-type': 'application/json' }

/** @param {typeof import('undici').request} request @param {import('undici').Dispatcher} [dispatcher] @returns {Contestant} */
function byRequest(request, dispatcher) {
  const how = dispatcher === undefined ? {} : { dispatcher }
  return {
    get: async (url) => (await request(url, how)).body.json(),
    post: async (url) => (await request(url, { ...how, method: 'POST', headers, body })).body.json(),
  }
}

/** @param {typeof globalThis.fetch} fetch @returns {Contestant} */
function byFetch(fetch) {
  return {
    get: async (url) => (await fetch(url)).json(),
    post: async (url) => (await fetch(url, { method: 'POST', headers, body })).json(),
  }
}

/** @type {Readonly<Record<string, () => Promise<Contestant>>>} */
export const contestants = {
  'undici.request': async () => {
    const { Agent, request } = await import('undici')
    return byRequest(request, new Agent())
  },
  'offhook.request': async () => {
    const { request } = await import('offhook')
    return byRequest(/** @type {typeof import('undici').request} */ (/** @type {unknown} */ (request)))
  },
  'global fetch': async () => byFetch(globalThis.fetch),
  'offhook.fetch': async () => {
    const { fetch } = await import('offhook')
    return byFetch(/** @type {typeof globalThis.fetch} */ (/** @type {unknown} */ (fetch)))
  },
  got: async () => {
    const { got } = await import('got')
    return { get: (url) => got(url).json(), post: (url) => got.post(url, { headers, body }).json() }
  },
  axios: async () => {
    const { default: axios } = await import('axios')
    return {
      get: async (url) => (await axios.get(url)).data,
      post: async (url) => (await axios.post(url, body, { headers })).data,
    }
  },
  ky: async () => {
    const { default: ky } = await import('ky')
    return { get: (url) => ky.get(url).json(), post: (url) => ky.post(url, { headers, body }).json() }
  },
}

/** The peer that a contestant is compared with: what its user would have called without it. */
export const peers = /** @type {const} */ ({ 'offhook.request': 'undici.request', 'offhook.fetch': 'global fetch' })
