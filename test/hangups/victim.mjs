// A process with requests under way and idle connections, which waits to be killed.
//
//   node victim.mjs PORT PATH BUSY IDLE ADDRESS

import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

process.on('disconnect', () => process.exit())
const [port, path, busy, idle, address] = process.argv.slice(2)

async function open(/** @type {string} */ to) {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', localAddress: address })
  await once(socket, 'connect')
  socket.resume()
  socket.write(`GET ${to} HTTP/1.1\r\nhost: localhost\r\nuser-agent: worker/1.0\r\n\r\n`)
  await sleep(40 + Math.random() * 80)
}

for (let count = 0; count < Number(idle); count++) await open('/quick/3/none/0')
for (let count = 0; count < Number(busy); count++) await open(path ?? '/')
process.send?.('ready')
