// Requests that are answered, as clients of every kind make them every day. None may raise an alarm.

import { execFile, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hasCurl } from './leavers.mjs'

const { watchClients } = await import(new URL('../../dist/server/watch-clients.js', import.meta.url).href)

/** A browser, where one is installed. Nothing is downloaded for it. */
const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

const page = (/** @type {number} */ count) => `<!doctype html><title>normal</title><script type="module">
const ways = ['/ok', '/none', '/part', '/take']
let next = 0
const lane = async () => {
  while (next < ${count}) {
    const way = ways[next++ % ways.length]
    const response = await fetch(way, { cache: 'no-store', method: way === '/take' ? 'POST' : 'GET', body: way === '/take' ? 'x'.repeat(5000) : undefined })
    await response.arrayBuffer()
  }
}
await Promise.all(Array.from({ length: 6 }, lane))
await fetch('/done', { method: 'POST' })
</script>`

/** Makes `total` requests, shared out among the clients that are here. */
export async function runNormal(/** @type {number} */ total) {
  /** @type {import('../../src/server/watch-clients.js').Hangup[]} */
  const hangups = []
  let done = () => {}
  const server = http.createServer((request, response) => {
    const path = request.url?.split('?')[0]
    request.resume()
    if (path === '/ok') response.end('ok')
    else if (path === '/none') response.writeHead(204).end()
    else if (path === '/part') {
      response.write('one')
      setImmediate(() => response.end('two'))
    } else if (path === '/take') request.on('end', () => response.end('taken'))
    else if (path === '/page') response.setHeader('content-type', 'text/html').end(page(shares['browser'] ?? 0))
    else if (path === '/done') response.end('', () => done())
    else response.writeHead(404).end()
  })
  const watch = watchClients(server, { onHangup: (/** @type {any} */ hangup) => void hangups.push(hangup) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())

  const present = ['undici', 'node:http', ...(hasCurl ? ['curl'] : []), ...(browser ? ['browser'] : [])]
  if (!hasCurl) console.log('skipped: there is no curl here')
  if (!browser) console.log('skipped: there is no Chromium here')
  /** @type {Record<string, number>} */
  const shares = Object.fromEntries(present.map((name) => [name, Math.ceil(total / present.length)]))

  console.log('\nnormal requests, alarms:')
  let asked = 0
  for (const [name, count] of Object.entries(shares)) {
    const before = hangups.length
    if (name === 'curl') await curl(port, count)
    else if (name === 'browser') await browse(port, new Promise((resolve) => (done = () => resolve(undefined))))
    else await programs(port, name, count)
    while (watch.stats().connections > 0) await sleep(20)
    await sleep(300)
    const made = watch.stats().requests - asked
    asked += made
    console.log(
      `${name.padEnd(12)} ${String(made).padStart(8)} requests ${String(hangups.length - before).padStart(6)} alarms`,
    )
  }
  const { requests, cutByServer } = watch.stats()
  for (const hangup of hangups.slice(0, 10)) console.log(hangup.method, hangup.path, hangup.verdict.headline)
  watch.stop()
  server.close()
  const reached = hangups.length === 0 && cutByServer === 0 && requests >= total
  console.log(reached ? `reached: no alarm in ${requests} requests` : 'not reached')
  return reached
}

async function programs(/** @type {number} */ port, /** @type {string} */ name, /** @type {number} */ count) {
  const child = fork(new URL('./normal-client.mjs', import.meta.url), [String(port), name, String(count)])
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${name} could not make its requests`)
}

/** In batches, each of them a curl of its own that ends with connections open. */
async function curl(/** @type {number} */ port, /** @type {number} */ count) {
  for (let left = count; left > 0; left -= 2000) {
    const url = `http://127.0.0.1:${port}/ok?[1-${Math.min(left, 2000)}]`
    await promisify(execFile)('curl', ['--silent', '--parallel', '--parallel-max', '8', '--output', '/dev/null', url])
  }
}

async function browse(/** @type {number} */ port, /** @type {Promise<unknown>} */ done) {
  const profile = mkdtempSync(join(tmpdir(), 'offhook-browser-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
  const still = ['--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`]
  const child = spawn(browser ?? '', [...flags, ...still, `http://127.0.0.1:${port}/page`], { stdio: 'ignore' })
  try {
    await Promise.race([done, once(child, 'exit'), sleep(300_000)])
    await sleep(500)
  } finally {
    child.kill()
    await once(child, 'exit')
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
