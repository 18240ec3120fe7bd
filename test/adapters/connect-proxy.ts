/** A forward proxy on loopback that makes CONNECT tunnels, and refuses some of them on command. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** What is done about one CONNECT: the tunnel is made, or refused with this status, or the connection is reset. */
export type TunnelAct = 'tunnel' | 'reset' | number

export interface ConnectProxy extends AsyncDisposable {
  readonly url: string
  /** CONNECTs that came, by their targets. */
  readonly asked: readonly string[]
  /** What is done about the next ones, in turn; then tunnels are made. */
  next(...acts: TunnelAct[]): void
}

export async function connectProxy(): Promise<ConnectProxy> {
  const asked: string[] = []
  const acts: TunnelAct[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('connect', (request, client: Socket, head) => {
    asked.push(request.url ?? '')
    const act = acts.shift() ?? 'tunnel'
    if (act === 'reset') {
      client.resetAndDestroy()
      return
    }
    if (act !== 'tunnel') {
      client.end(`HTTP/1.1 ${act} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    const [host, port] = (request.url ?? '').split(':')
    const target = connect(Number(port), host)
    target.on('error', () => client.resetAndDestroy())
    client.on('error', () => target.resetAndDestroy())
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      if (head.length > 0) target.write(head)
      client.pipe(target).pipe(client)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    next: (...more) => acts.push(...more),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
