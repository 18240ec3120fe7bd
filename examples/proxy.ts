// Through a proxy: what it refuses is a ProxyError, and was never sent.
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createClient, ProxyError } from 'offhook'
import { rudeServer } from 'offhook/testing'

await using origin = await rudeServer({ tls: true })

// A proxy of a dozen lines, which lets only some through.
const proxy = createServer().listen(0, '127.0.0.1')
proxy.on('connect', ({ url, headers }, client: Socket) => {
  if (headers['proxy-authorization'] === undefined) return client.end('HTTP/1.1 407 Who are you?\r\n\r\n')
  const far = connect(Number(url?.split(':').at(-1)), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
  client.on('error', () => far.destroy())
  return client.pipe(far.on('error', () => client.destroy())).pipe(client)
})
await new Promise((resolve) => proxy.once('listening', resolve))
const { port } = proxy.address() as AddressInfo

const tls = { ca: origin.ca ?? '' }
const stranger = createClient({ tls, proxy: `http://127.0.0.1:${port}` })
const friend = createClient({ tls, proxy: { url: `http://127.0.0.1:${port}`, token: 'Bearer 4711' } })
try {
  await stranger.fetch(origin.url, { method: 'POST', body: 'an order' })
} catch (error) {
  if (!(error instanceof ProxyError)) throw error
  console.log(`refused by the proxy (${error.proxyStatus}), ${error.delivery}: ${error.stopReason}`)
}
const response = await friend.fetch(origin.url, { method: 'POST', body: 'an order' })
console.log(response.status, await response.text())
await Promise.all([stranger.destroy(), friend.destroy()])
proxy.close()
