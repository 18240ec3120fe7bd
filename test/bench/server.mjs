// The far side of the benchmark, in a process of its own: a small JSON answer on connections that are kept, 1 MiB, and
// paths that never answer, fail or reset. Tells its port over IPC and ends with its parent.
import { createServer } from 'node:http'

const answer = JSON.stringify({ id: 7, name: 'apples', tags: ['red', 'green'], price: 1.25, stock: 300, updated: null })
const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }
const large = Buffer.alloc(1 << 20, 'a')

const server = createServer(
  { keepAliveTimeout: 120_000, headersTimeout: 0, requestTimeout: 0 },
  (request, response) => {
    const { url } = request
    request.resume()
    if (url === '/stall') return
    request.once('end', () => {
      if (url === '/reset') request.socket.resetAndDestroy()
      else if (url === '/large') response.writeHead(200, { 'content-length': large.length }).end(large)
      else response.writeHead(url === '/503' ? 503 : 200, head).end(answer)
    })
  },
)
server.listen({ port: 0, host: '127.0.0.1', backlog: 20_000 }, () => {
  process.send?.(/** @type {import('node:net').AddressInfo} */ (server.address()).port)
})
process.once('disconnect', () => process.exit())
