// A proxy that passes requests on, says so in the headers, and gives up on an answer after a while.
//
//   node proxy.mjs TARGET_PORT LIMIT_MS

import http from 'node:http'

const [target, limit] = process.argv.slice(2).map(Number)
const agent = new http.Agent({ keepAlive: true })

const server = http.createServer((request, response) => {
  const { 'x-user': user, ...headers } = request.headers
  const onward = http.request({
    port: target,
    host: '127.0.0.1',
    path: request.url,
    method: request.method,
    agent,
    localAddress: '127.0.9.1',
    headers: { ...headers, via: '1.1 proxy', 'x-forwarded-for': user ?? '' },
  })
  const timer = setTimeout(() => {
    onward.destroy()
    response.writeHead(504).end()
  }, limit)
  onward.on('error', () => {}).on('close', () => clearTimeout(timer))
  onward.on('response', (answer) => answer.pipe(response))
  onward.end()
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () =>
  process.send?.(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
)
