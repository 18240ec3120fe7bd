// A program that makes many requests and ends.
//
//   node normal-client.mjs PORT undici|node:http COUNT

import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import { Pool } from 'undici'

const [port = '', name, count] = process.argv.slice(2)
const asks = [
  { method: 'GET', path: '/ok' },
  { method: 'HEAD', path: '/ok' },
  { method: 'GET', path: '/none' },
  { method: 'GET', path: '/part' },
  { method: 'POST', path: '/take', body: 'x'.repeat(5000) },
  { method: 'POST', path: '/ok', body: 'that nobody reads' },
]

const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 8, pipelining: 2 })
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })

async function byUndici(/** @type {(typeof asks)[number]} */ { method, path, body }) {
  const answer = await pool.request({ method: /** @type {'GET'} */ (method), path, body: body ?? null })
  await answer.body.dump()
}

async function byNodeHttp(/** @type {(typeof asks)[number]} */ { method, path, body }) {
  const own = Math.random() < 0.1 ? new http.Agent() : agent
  const request = http.request({ port, host: '127.0.0.1', agent: own, method, path })
  request.end(body)
  const [response] = await once(request, 'response')
  await buffer(response)
}

let next = 0
async function lane() {
  while (next < Number(count)) {
    const ask = /** @type {(typeof asks)[number]} */ (asks[next++ % asks.length])
    await (name === 'undici' ? byUndici(ask) : byNodeHttp(ask))
  }
}
await Promise.all(Array.from({ length: 16 }, lane))
// As programs end: the connections that are left go with it.
process.exit()
