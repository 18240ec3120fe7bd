// A Redis subscription that outlives the server's restarts. The protocol is redis-parser's, the connection is ours.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { redial } from 'offhook/socket'
import Parser from 'redis-parser'

// Stands in for Redis: takes the subscription, sends one message, and is restarted.
let restarts = 0
const server = createServer((socket) => {
  socket.once('data', () => {
    restarts++
    socket.write('*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n')
    socket.write(`*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$6\r\nitem ${restarts}\r\n`)
    if (restarts < 3) socket.end()
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const stop = new AbortController()
const connections = redial({ host: '127.0.0.1', port, keepAlive: 15_000, signal: stop.signal })
try {
  for await (const socket of connections) {
    const returnReply = (reply: unknown) => {
      const [kind, channel, text] = reply as string[]
      console.log(kind, channel, kind === 'message' ? text : '')
      if (text === 'item 3') stop.abort()
    }
    const parser = new Parser({ returnReply, returnError: (error) => socket.destroy(error) })
    socket.on('data', (bytes) => parser.execute(bytes))
    socket.write('SUBSCRIBE news\r\n') // and leave: the next turn begins when this connection has ended
  }
} catch (error) {
  if (!stop.signal.aborted) throw error // refused for good: the attempts were used up, or a certificate is wrong
}
server.close()
