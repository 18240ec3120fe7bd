/**
 * What a program does with offhook, in small: each workload is one call or a few, ends by itself, and fails as often as
 * it likes. What its calls reject with is given back, so that somebody can look at it, or keep it.
 */

import { once } from 'node:events'

/**
 * @typedef {{ fetch: (url: string, init?: any) => Promise<Response>, request: (url: string, options?: any) => Promise<any>, stats(): { inFlight: number, origins: object }, close(): Promise<void>, destroy(): Promise<void> }} Client
 * @typedef {{ createClient: (options: any) => Client, explain: (error: unknown) => string, dial: (options: any) => Promise<any>, redial: (options: any) => AsyncIterable<any>, datagram: (options: any) => Promise<any>, watchClients: (server: any, options: any) => any }} Offhook
 * @typedef {{ offhook: Offhook, places: import('./far-side.js').Places, client: Client, h2: Client, wide: Client, signal: AbortSignal, number: number, watchedPort: number, leave: (port: number) => void, renewWide: () => Promise<void> }} World
 * @typedef {(world: World) => Promise<unknown>} Workload
 */

const text = 'x'.repeat(2_000)

/** @type {readonly [name: string, share: number, run: Workload][]} */
export const workloads = [
  [
    'GET, read',
    12,
    async ({ client, places, signal }) => void (await (await client.fetch(`${places.good}/body`, { signal })).text()),
  ],
  [
    'request, read',
    12,
    async ({ client, places, signal }) =>
      void (await (await client.request(`${places.good}/body`, { signal })).body.text()),
  ],
  [
    'POST of a text',
    6,
    async ({ client, places, signal }) =>
      void (await (await client.fetch(`${places.good}/ok`, post({ signal, body: text }))).text()),
  ],
  [
    'POST of a form, over TLS',
    4,
    async ({ client, places, signal }) => {
      const body = new FormData()
      body.set('text', text)
      await (await client.fetch(`${places.secure}/ok`, post({ signal, body }))).text()
    },
  ],
  [
    'POST with a key, of a function',
    4,
    async ({ client, places, signal, number }) => {
      const body = () => new Blob([text]).stream()
      await (await client.fetch(`${places.good}/gone`, post({ signal, body, idempotencyKey: `key-${number}` }))).text()
    },
  ],
  [
    'a body that nobody reads',
    3,
    async ({ client, places, signal }) =>
      void (await (await client.fetch(`${places.good}/body`, { signal })).body?.cancel()),
  ],
  [
    'a redirect',
    3,
    async ({ client, places, signal }) => void (await (await client.fetch(`${places.good}/there`, { signal })).text()),
  ],
  [
    'a misdeed, unread',
    14,
    ({ client, places, signal, number }) =>
      failing(client.fetch(misdeed(places.good, places, number), { signal, timeout: 250 })),
  ],
  [
    'a misdeed to request',
    8,
    ({ client, places, signal, number }) =>
      failing(
        client.request(misdeed(places.good, places, number), {
          method: number % 2 === 0 ? 'PUT' : 'POST',
          body: text,
          signal,
          timeout: 250,
        }),
      ),
  ],
  [
    'a misdeed over TLS',
    6,
    ({ client, places, signal, number }) =>
      failing(client.fetch(misdeed(places.secure, places, number), { signal, timeout: 250 })),
  ],
  [
    'a misdeed, explained',
    4,
    async ({ offhook, client, places, signal, number }) => {
      const error = await failing(client.fetch(misdeed(places.good, places, number), { signal, timeout: 250 }))
      if (error instanceof Error) {
        offhook.explain(error)
        JSON.stringify(error)
      }
      return error
    },
  ],
  [
    'a connection that is not welcome',
    6,
    ({ client, places, signal }) => failing(client.fetch(places.opening, { signal, timeout: 250 })),
  ],
  ['nobody listens', 3, ({ client, signal }) => failing(client.fetch('http://127.0.0.1:1/', { signal, timeout: 250 }))],
  [
    'retries',
    4,
    ({ client, places, signal, number }) => failing(client.fetch(`${places.good}/gone?${number}`, { signal })),
  ],
  [
    'a hedge',
    6,
    ({ client, places, signal }) => failing(client.request(`${places.good}/slow-now-and-then`, { signal })),
  ],
  [
    'an abort',
    6,
    ({ client, places, number }) => {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(), number % 12)
      const call = failing(client.fetch(`${places.good}/slow-now-and-then`, { signal: controller.signal }))
      return call.finally(() => clearTimeout(timer))
    },
  ],
  ['HTTP/2', 8, ({ h2, places, signal }) => failing(h2.fetch(places.h2, { signal, timeout: 250 }))],
  [
    'another origin',
    4,
    ({ wide, places, signal, number }) =>
      failing(wide.request(`http://o${number}.test:${new URL(places.good).port}/ok`, { signal, timeout: 250 })),
  ],
  ['a new client for wide use', 0.3, ({ renewWide }) => renewWide()],
  [
    'a client of its own',
    2,
    async ({ offhook, places, number }) => {
      const client = offhook.createClient({ timeout: 250 })
      const error = await failing(
        client.fetch(number % 2 === 0 ? `${places.good}/body` : misdeed(places.good, places, number)),
      )
      await (number % 3 === 0 ? client.destroy() : client.close())
      return error
    },
  ],
  [
    'a dial',
    3,
    async ({ offhook, places, signal, number }) => {
      try {
        const socket = await offhook.dial({
          host: '127.0.0.1',
          port: number % 4 === 0 ? 1 : places.linePort,
          signal,
          timeout: 250,
        })
        socket.on('error', () => {})
        socket.write('one\n')
        await once(socket, 'data')
        socket.destroy()
        return undefined
      } catch (error) {
        return error
      }
    },
  ],
  ['a connection that is made anew', 2, redialling],
  [
    'datagrams',
    3,
    async ({ offhook, places, signal, number }) => {
      const line = await offhook.datagram({
        host: '127.0.0.1',
        port: number % 4 === 0 ? 1 : places.udpPort,
        onError: () => {},
      })
      try {
        await line.request(Buffer.from('one'), { idempotent: true, timeout: { attempt: 40, total: 120 }, signal })
        return undefined
      } catch (error) {
        return error
      } finally {
        await line.close()
      }
    },
  ],
  [
    'clients that leave',
    2,
    async ({ leave, watchedPort, client }) => {
      leave(watchedPort)
      return await failing(client.fetch(`http://127.0.0.1:${watchedPort}/fast`))
    },
  ],
]

/** @type {Workload} */
async function redialling({ offhook, places, signal }) {
  let acknowledged = 0
  try {
    for await (const socket of offhook.redial({
      host: '127.0.0.1',
      port: places.linePort,
      retry: { backoff: { base: 1, cap: 2 } },
      timeout: 250,
      signal,
    })) {
      try {
        while (acknowledged < 6) {
          socket.write('one\n')
          await once(socket, 'data')
          acknowledged += 1
        }
        break
      } catch {
        // The next turn goes on from here.
      }
    }
    return undefined
  } catch (error) {
    return error
  }
}

/** The error of a call, whose answer is read where there is one. */
async function failing(/** @type {Promise<any>} */ call) {
  try {
    const answer = await call
    await ('statusCode' in answer ? answer.body : answer).text()
    return undefined
  } catch (error) {
    return error
  }
}

function post(/** @type {object} */ init) {
  return { method: 'POST', ...init }
}

/** @param {string} origin @param {import('./far-side.js').Places} places @param {number} number */
function misdeed(origin, { misdeeds }, number) {
  return `${origin}${misdeeds[number % misdeeds.length]}`
}

/**
 * Workloads in an order in which each has its share, the same every time.
 *
 * @param {readonly string[]} [only] the names of those that are wanted
 */
export function* order(only) {
  const chosen = workloads.filter(([name]) => only === undefined || only.includes(name))
  const due = chosen.map(([, share]) => ({ every: 1 / share, at: 1 / share }))
  while (true) {
    let next = 0
    for (const [index, { at }] of due.entries()) if (at < (due[next]?.at ?? 0)) next = index
    const row = due[next]
    if (row !== undefined) row.at += row.every
    yield/** @type {Workload} */ (chosen[next]?.[2])
  }
}
