// Questions and answers over UDP: lost ones are asked again, and a port where nobody listens is told from silence.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { ConnectionRefusedError, TimeoutError } from 'offhook'
import { datagram } from 'offhook/socket'

// Hears badly: only every second question reaches it.
const server = createSocket('udp4')
let questions = 0
server.on('message', (question, { port, address }) => {
  if (++questions % 2 === 0) server.send(`answer to ${question}`, port, address)
})
server.bind(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()

const line = await datagram({ host: '127.0.0.1', port })
const answer = await line.request('question 1', { idempotent: true, timeout: { attempt: 100 } })
console.log(String(answer), `(asked ${questions} times)`)

try {
  await line.request('question 2', { timeout: 100 })
} catch (error) {
  if (error instanceof TimeoutError) console.log(`silence: heard or not? ${error.delivery}`)
}

server.close()
await once(server, 'close')
try {
  await line.request('question 3')
} catch (error) {
  if (error instanceof ConnectionRefusedError) console.log(`nobody listens (${error.diagnosis?.mechanism})`)
}
await line.close()
