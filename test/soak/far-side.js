/** The far sides of a soak: servers that answer, servers that misbehave, and clients that leave a server of ours. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'

/**
 * @typedef {Pick<typeof import('../../src/testing/rude-server.js'), 'rudeServer' | 'rudeH2Server' | 'misdeeds' | 'h2Misdeeds' | 'inTurn'>} Testing
 * @typedef {{ good: string, secure: string, h2: string, opening: string, ca: string, linePort: number, udpPort: number, misdeeds: string[] }} Places
 */

/** Misdeeds that never end are of no use where the load has to come to rest again and again. */
const left = new Set(['endless-body', 'switching-protocols', 'unsolicited-continue'])
/** What a server writes down of every request is of no use here, and would grow. */
const forgetMs = 5_000

/**
 * Starts them all.
 *
 * @param {Testing} testing
 * @returns {Promise<{ places: Places, leave(port: number): void, close(): Promise<void> }>}
 */
export async function openFarSides(testing) {
  const { rudeServer, rudeH2Server } = testing
  const good = await rudeServer()
  const secure = await rudeServer({ tls: true })
  const opening = await rudeServer()
  const h2 = await rudeH2Server()
  const misdeeds = instruct({ good, secure, opening, h2 }, testing)
  const lines = await lineServer()
  const echo = await echoSocket()
  const servers = [good, secure, opening, h2]
  const forgetting = setInterval(() => {
    for (const { ledger } of servers) ledger.clear()
  }, forgetMs)
  return {
    places: {
      good: good.url,
      secure: secure.url,
      h2: h2.url,
      opening: opening.url,
      ca: h2.ca,
      linePort: lines.port,
      udpPort: echo.port,
      misdeeds,
    },
    leave,
    close: async () => {
      clearInterval(forgetting)
      await Promise.all([...servers.map((server) => server.close()), lines.close(), echo.close()])
    },
  }
}

/**
 * @param {{ good: any, secure: any, opening: any, h2: any }} servers
 * @param {Testing} testing
 * @returns {string[]} the paths that misbehave
 */
function instruct({ good, secure, opening, h2 }, { misdeeds, h2Misdeeds, inTurn }) {
  const all = Object.entries(misdeeds).filter(([name]) => !left.has(name))
  const atRequest = all.filter(([, { accept, clientHello, open, certificate }]) => {
    return (accept ?? clientHello ?? open ?? certificate) === undefined
  })
  for (const [name, misdeed] of atRequest) {
    good.route(`/${name}`, misdeed)
    secure.route(`/${name}`, misdeed)
  }
  for (const server of [good, secure]) {
    server.route('/body', [{ respond: { body: { bytes: 20_000 }, framing: 'chunked' } }])
    server.route('/gone', inTurn([[{ respond: { status: 503 } }], [{ read: 'request' }, 'rst'], {}], { per: 'path' }))
    server.route('/there', { request: [{ respond: { status: 307, headers: { location: '/ok' } } }] })
    server.route('/slow-now-and-then', inTurn([{}, {}, {}, [{ wait: 60 }]], { per: 'server' }))
  }
  const openings = all
    .filter(([, { accept, over }]) => accept !== undefined && over !== 'tls')
    .map(([, script]) => script)
  opening.on({ turns: loop([{}, ...openings]), per: 'connection' })
  const scripts = Object.entries(h2Misdeeds).flatMap(([, script]) => [{}, {}, script])
  h2.on({ turns: loop(scripts), per: 'server' })
  return atRequest.map(([name]) => `/${name}`)
}

/** Turns for so long that the last one, which stands for ever, is never reached. */
function loop(/** @type {any[]} */ scripts) {
  return Array.from({ length: 100_000 }, (_, index) => scripts[index % scripts.length])
}

/** Acknowledges lines, and slams the phone down after the fourth. */
async function lineServer() {
  const server = createServer((socket) => {
    let heard = 0
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      heard += 1
      if (heard > 4) socket.resetAndDestroy()
      else socket.write(`ok ${bytes}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    close: async () => void server.close(),
  }
}

/** Sends datagrams back, but every fifth. */
async function echoSocket() {
  const socket = createSocket('udp4')
  let heard = 0
  socket.on('message', (message, { port, address }) => {
    heard += 1
    if (heard % 5 !== 0) socket.send(message, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port, close: async () => void socket.close() }
}

/** A client that asks for something slow, and does not wait for it. */
function leave(/** @type {number} */ port) {
  const socket = connectTcp(port, '127.0.0.1', () => {
    socket.write('GET /slow HTTP/1.1\r\nhost: here\r\n\r\n')
    setTimeout(() => (port % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()), 15)
  })
  socket.on('error', () => {})
}
