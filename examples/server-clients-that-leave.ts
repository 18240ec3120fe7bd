// A server that stops working for clients that have gone, and says who they were and why they may have left.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as work } from 'node:timers/promises'
import { ClientGoneError, type Hangup, watchClients } from 'offhook/server'

const server = createServer(async (request, response) => {
  const signal = clients.signalOf(request)
  try {
    await work(request.url === '/health' ? 1 : 60_000, undefined, { signal })
    response.end('done')
  } catch {
    if (signal.reason instanceof ClientGoneError) console.log(`stopped, phase ${signal.reason.phase}`)
  }
})

let tell = (_hangup: Hangup) => {}
const told = new Promise<Hangup>((resolve) => {
  tell = resolve
})
const clients = watchClients(server, { onHangup: (hangup) => tell(hangup) })

server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

console.log(await (await fetch(`${url}/health`)).text())
await fetch(`${url}/reports/7?token=secret`, { signal: AbortSignal.timeout(100) }).catch(() =>
  console.log('tired of it'),
)

const { route, kind, phase, by } = await told
console.log(`${route}: ${kind} by the ${by} in phase ${phase}`)
const { requests, hangups, routes } = clients.stats()
console.log(requests, hangups, Object.keys(routes))
clients.stop()
server.close()
