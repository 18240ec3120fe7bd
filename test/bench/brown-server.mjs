// A server that can do so many requests a second and no more: they wait in line, and what its clients have given up is
// worked on all the same. In a brown-out it does fewer, and of those a share fails. Counts what it gets, by second.
import { createServer } from 'node:http'

const perSecond = Number(process.argv[2])
/** Each comes and goes by the IPC's word. */
let brown = { share: 1, failing: 0 }
let free = 0
let turn = 0
/** @type {number[]} */
const arrived = []
let startedAt = 0

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const now = performance.now()
  const second = Math.floor((now - startedAt) / 1000)
  arrived[second] = (arrived[second] ?? 0) + 1
  request.resume()
  free = Math.max(free, now) + 1000 / (perSecond * brown.share)
  // Every so many-eth, so that all contestants meet the same.
  turn += brown.failing
  const fails = turn >= 1
  if (fails) turn--
  setTimeout(() => {
    if (fails) response.writeHead(503, { 'content-length': 2 }).end('{}')
    else response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}')
  }, free - now)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port })
})
process.on('message', (/** @type {typeof brown | 'start' | 'count'} */ word) => {
  if (word === 'start') {
    startedAt = performance.now()
    arrived.length = 0
  } else if (word === 'count') process.send?.({ arrived: Array.from(arrived, (count) => count ?? 0) })
  else brown = word
})
process.once('disconnect', () => process.exit())
