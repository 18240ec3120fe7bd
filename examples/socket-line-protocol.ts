// A line protocol over a connection that is made anew whenever it is lost. What was not acknowledged is sent again.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { isOffhookError } from 'offhook'
import { redial } from 'offhook/socket'

// Acknowledges each line, and slams the phone down after the second one.
let served = 0
const server = createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    socket.write(`ok ${line}\n`, () => ++served === 2 && socket.resetAndDestroy())
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const lines = ['one', 'two', 'three', 'four']
for await (const socket of redial({ host: '127.0.0.1', port, keepAlive: 15_000 })) {
  try {
    while (lines.length > 0) {
      socket.write(`${lines[0]}\n`)
      const [answer] = await once(socket, 'data')
      console.log(String(answer).trim())
      lines.shift()
    }
    break
  } catch (error) {
    if (!isOffhookError(error)) throw error
    console.log(`${error.kind}, ${lines.length} lines to go`)
  }
}
server.close()
