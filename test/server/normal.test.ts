/** Thousands of requests as clients make them every day: not one alarm, and nothing left behind. `npm run hangups` makes more. */

import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Pool } from 'undici'
import { describe, expect, test } from 'vitest'
import { until } from './leaving-client.js'
import { watched } from './watched.js'

const hasCurl = spawnSync('curl', ['--version']).status === 0

/** What is asked, in turn. */
const asks = [
  { method: 'GET', path: '/ok' },
  { method: 'HEAD', path: '/ok' },
  { method: 'GET', path: '/none' },
  { method: 'POST', path: '/take', body: 'x'.repeat(20_000) },
  { method: 'POST', path: '/ok', body: 'that nobody reads' },
] as const

/** Runs `count` requests in `lanes` at a time. */
async function inLanes(
  count: number,
  lanes: number,
  run: (ask: (typeof asks)[number]) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await run(asks[next++ % asks.length] ?? asks[0])
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

const bodyOf = (ask: (typeof asks)[number]) => ('body' in ask ? ask.body : undefined)

/** Each makes so many requests of the server and is gone. */
const clients: Record<string, (port: number, count: number) => Promise<void>> = {
  undici: async (port, count) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 8 })
    await inLanes(count, 16, async (ask) => {
      const { body } = await pool.request({ ...ask, body: bodyOf(ask) ?? null })
      await body.dump()
    })
    await pool.close()
  },
  'undici, in pipelines': async (port, count) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 2, pipelining: 8 })
    await inLanes(count, 32, async () => {
      const { body } = await pool.request({ method: 'GET', path: '/ok' })
      await body.dump()
    })
    await pool.close()
  },
  'node:http': async (port, count) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
    await inLanes(count, 16, (ask) => send(port, agent, ask))
    agent.destroy()
  },
  'node:http, a connection each': async (port, count) => {
    await inLanes(count, 16, (ask) => send(port, new http.Agent(), ask))
  },
}

async function send(port: number, agent: http.Agent, ask: (typeof asks)[number]): Promise<void> {
  const { method, path } = ask
  const request = http.request({ port, host: '127.0.0.1', agent, method, path })
  request.end(bodyOf(ask))
  const [response] = await once(request, 'response')
  await buffer(response)
}

async function curl(port: number, count: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/ok?[1-${count}]`
  await promisify(execFile)('curl', ['--silent', '--parallel', '--parallel-max', '8', '--output', '/dev/null', url])
}

describe('normal requests', () => {
  const count = 1000
  const all = Object.entries({ ...clients, ...(hasCurl && { curl }) })
  test.each(all)('%s: no alarm', async (_name, run) => {
    await using server = await watched('http')
    await run(server.port, count)
    await until(() => server.watch.stats().connections === 0, 'the ends of the connections')
    expect(server.hangups).toEqual([])
    expect(server.watch.stats()).toMatchObject({ requests: count, inFlight: 0, hangups: 0, cutByServer: 0 })
  })

  test.runIf(!hasCurl)('curl is not here, and was not tried', () => {
    expect(hasCurl).toBe(false)
  })

  test('HTTP/2 streams: no alarm', async () => {
    await using server = await watched('h2c')
    const session = http2.connect(`http://127.0.0.1:${server.port}`)
    await inLanes(count, 16, async (ask) => {
      const stream = session.request(
        { ':method': ask.method, ':path': ask.path },
        { endStream: bodyOf(ask) === undefined },
      )
      stream.on('error', () => {})
      if (bodyOf(ask) !== undefined) stream.end(bodyOf(ask))
      stream.resume()
      await once(stream, 'close')
    })
    session.close()
    await until(() => server.watch.stats().connections === 0, 'the end of the connection')
    expect(server.hangups).toEqual([])
    expect(server.watch.stats()).toMatchObject({ requests: count, inFlight: 0, hangups: 0, cutByServer: 0 })
  })
})
