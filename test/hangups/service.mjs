// A service that is watched. Its paths say how long an answer takes, and why its client will leave:
// /KIND/MILLISECONDS/REASON/NUMBER. `report`, `page` and `quick` answer after that time, `stream` goes on for it.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const { watchClients } = await import(new URL('../../dist/server/watch-clients.js', import.meta.url).href)

/** @typedef {import('../../src/server/watch-clients.js').Hangup} Hangup */

function answer(/** @type {any} */ request, /** @type {any} */ response) {
  const [, kind, time] = request.url.split('/')
  request.on('error', () => {}).resume()
  response.on('error', () => {})
  if (kind !== 'stream') {
    const timer = setTimeout(() => response.end(JSON.stringify({ kind, time })), Number(time))
    response.on('close', () => clearTimeout(timer))
    return
  }
  const until = performance.now() + Number(time)
  const beat = setInterval(() => {
    if (performance.now() < until) response.write('.'.repeat(2000))
    else response.end()
  }, 50)
  response.on('close', () => clearInterval(beat))
}

/** Starts it on HTTP/1 and on HTTP/2. */
export async function startService(
  /** @type {(hangup: Hangup) => void} */ onHangup,
  /** @type {string | undefined} */ host = '127.0.0.1',
) {
  const options = {
    onHangup,
    route: (/** @type {{ method: string, path: string }} */ { method, path }) => `${method} /${path.split('/')[1]}`,
  }
  const servers = [http.createServer(answer), http2.createServer(/** @type {any} */ (answer))]
  const watches = servers.map((server) => watchClients(server, options))
  for (const server of /** @type {import('node:net').Server[]} */ (servers)) {
    server.listen(0, host)
    await once(server, 'listening')
  }
  const [h1 = 0, h2 = 0] = servers.map(
    (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port,
  )
  return {
    ports: { h1, h2 },
    watches,
    stop() {
      for (const watch of watches) watch.stop()
      for (const server of servers) {
        server.close()
        if (server instanceof http.Server) server.closeAllConnections()
      }
    },
  }
}

/**
 * The same in a process of its own, so that what its clients do cannot keep it from looking.
 *
 * @param {(command: string[]) => import('node:child_process').ChildProcess} start starts a command, with pipes
 * @param {string} host
 * @param {(hangup: Hangup) => void} onHangup
 */
export async function serviceProcess(start, host, onHangup) {
  const child = start([process.execPath, fileURLToPath(new URL('./service-process.mjs', import.meta.url)), host])
  const lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) })
  const [first] = await once(lines, 'line')
  let requests = 0
  lines.on('line', (line) => {
    const said = JSON.parse(line)
    if ('verdict' in said) onHangup(said)
    else requests = said.requests
  })
  return {
    ports: /** @type {{ h1: number, h2: number }} */ (JSON.parse(first)),
    async stop() {
      const over = once(lines, 'close')
      child.stdin?.end()
      await over
      return requests
    },
  }
}
