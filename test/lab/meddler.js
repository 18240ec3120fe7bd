// A TCP proxy that carries every byte and then misbehaves: the middlebox of machines that cannot make namespaces. To the
// caller it is the other end of the connection, as every box is that ends TCP.

import { once } from 'node:events'
import net from 'node:net'

/**
 * @param {import('./far-side.mjs').FarSpec} spec
 * @returns {Promise<import('./far-http.js').Far>}
 */
export async function meddler(spec) {
  const server = net.createServer({ noDelay: true }, (near) => carry(near, spec))
  server.listen(spec.port ?? 0, spec.host ?? '127.0.0.1')
  await once(server, 'listening')
  return { port: /** @type {net.AddressInfo} */ (server.address()).port }
}

/**
 * @param {net.Socket} near
 * @param {import('./far-side.mjs').FarSpec} spec
 */
function carry(near, { to, meddle = 'rst', meddleAfterMs, meddleAtByte }) {
  if (to === undefined) throw new Error('a meddler needs a place to carry to')
  const far = net.connect(to)
  /** @type {NodeJS.Timeout | undefined} */
  let idle
  let deaf = false
  let back = 0
  const strike = () => {
    if (meddle === 'deaf') deaf = true
    else if (meddle === 'rst') near.resetAndDestroy()
    else near.end()
  }
  const rest = () => {
    clearTimeout(idle)
    if (meddleAfterMs !== undefined) idle = setTimeout(strike, meddleAfterMs)
  }
  for (const socket of [near, far]) socket.on('error', () => {})
  near.on('data', (chunk) => {
    rest()
    if (!deaf) far.write(chunk)
  })
  far.on('data', (chunk) => {
    rest()
    if (deaf) return
    back += chunk.length
    near.write(chunk)
    if (meddleAtByte !== undefined && back >= meddleAtByte) strike()
  })
  near.on('end', () => far.end())
  far.on('end', () => near.end())
  far.on('close', () => near.destroy())
  near.on('close', () => {
    clearTimeout(idle)
    far.destroy()
  })
}
