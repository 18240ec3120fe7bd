// A WebSocket that is opened anew whenever it is lost. The dispatcher lets offhook see why, for a WebSocket won't say.

import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RedialEvent, redial } from 'offhook/socket'
import { WebSocket } from 'undici'
import { WebSocketServer } from 'ws'

// Greets, and is redeployed while the first two clients are connected.
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
let greeted = 0
server.on('connection', (socket) => {
  socket.send(`hello ${++greeted}`)
  if (greeted < 3) socket.close(1012)
})
await once(server, 'listening')
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`

subscribe('offhook:redial', (message) => {
  const event = message as RedialEvent
  if (event.event === 'down' && event.failure) console.log(`turn ${event.turn}: ${event.failure.kind}`)
})

for await (const socket of redial(({ dispatcher }) => new WebSocket(url, { dispatcher }))) {
  const { data } = await new Promise<{ data: string }>((resolve) => {
    socket.addEventListener('message', resolve, { once: true })
  })
  console.log(data)
  if (greeted === 3) break
}
server.close()
