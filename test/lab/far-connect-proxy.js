// A CONNECT proxy: makes tunnels, or answers a status instead; lets go of idle ones.

import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'

/**
 * @param {import('./far-side.mjs').FarSpec} spec
 * @returns {Promise<import('./far-http.js').Far>}
 */
export async function connectProxy(spec) {
  const server = http.createServer((_, response) => response.writeHead(405).end())
  server.on('connect', (request, /** @type {net.Socket} */ near, first) => {
    near.on('error', () => {})
    if (spec.status !== undefined) {
      near.end(`HTTP/1.1 ${spec.status} So\r\nvia: 1.1 lab-proxy\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    if (spec.onFirstBytes === 'hold') return
    if (spec.onFirstBytes === 'fin') {
      near.end()
      return
    }
    if (spec.onFirstBytes === 'reset') {
      near.resetAndDestroy()
      return
    }
    const [host, port] = String(request.url).split(':')
    const far = net.connect({ host: host ?? '', port: Number(port) })
    far.on('error', () => near.destroy())
    far.once('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (first.length > 0) far.write(first)
      near.pipe(far)
      far.pipe(near)
      watchIdle(near, far, spec)
    })
    near.on('close', () => far.destroy())
  })
  server.listen(spec.port ?? 0, spec.host ?? '127.0.0.1')
  await once(server, 'listening')
  return { port: /** @type {net.AddressInfo} */ (server.address()).port }
}

/**
 * @param {net.Socket} near
 * @param {net.Socket} far
 * @param {import('./far-side.mjs').FarSpec} spec
 */
function watchIdle(near, far, { idleMs, idleBy }) {
  if (idleMs === undefined) return
  /** @type {NodeJS.Timeout | undefined} */
  let idle
  const rest = () => {
    clearTimeout(idle)
    idle = setTimeout(() => (idleBy === 'rst' ? near.resetAndDestroy() : near.end()), idleMs)
  }
  near.on('data', rest)
  far.on('data', rest)
  near.on('close', () => clearTimeout(idle))
  rest()
}
