/** A proxy on loopback that is as rude as a test wants: plain or TLS, CONNECT, absolute-form, or SOCKS 5. */

import { once } from 'node:events'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { certificates } from '../../src/testing/rude-server.js'

/** What is done with one request for a tunnel; `tunnel` makes it. */
export type ProxyAct = (client: Socket, asked: Asked) => void

/** One request head as it came, and where it wanted to go. */
export interface Asked {
  readonly head: string
  readonly target: string
  /** Dials the target and joins the two; `greeting` is written first. */
  tunnel(greeting: string): void
}

export interface RudeProxy extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The heads that came, in order. */
  readonly heads: string[]
  /** Tunnels that were made. */
  readonly made: string[]
  accepted: number
  /** What is done about the next ones, in turn; then tunnels are made. */
  next(...acts: readonly ProxyAct[]): void
  /** What is done with each connection that is accepted, before anything is read. */
  onAccept: ((socket: Socket) => void) | undefined
  /** The client sides of the tunnels that are open. */
  readonly tunnels: Set<Socket>
}

export const established = 'HTTP/1.1 200 Connection established\r\n\r\n'
export const makeTunnel: ProxyAct = (_, asked) => asked.tunnel(established)
/** Answers with this text and closes. */
export const say =
  (text: string): ProxyAct =>
  (client) =>
    client.end(text, 'latin1')
export const refuse = (status: number): ProxyAct => say(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
export const reset: ProxyAct = (client) => slam(client)
export const close: ProxyAct = (client) => client.end()
export const silence: ProxyAct = () => {}

export async function rudeProxy(
  options: { tls?: keyof typeof certificates; host?: string; port?: number } = {},
): Promise<RudeProxy> {
  const { host = '127.0.0.1' } = options
  const sockets = new Set<Socket>()
  const acts: ProxyAct[] = []
  const keep = (socket: Socket) => sockets.add(socket.on('error', () => {}))
  const serve = (client: Socket) => {
    keep(client)
    let head = ''
    const read = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      client.off('data', read)
      proxy.heads.push(head)
      const [method = '', target = ''] = head.split(' ')
      const act = acts.shift()
      if (act === undefined && method !== 'CONNECT') forward(client, head)
      else (act ?? makeTunnel)(client, asking(client, head, target))
    }
    client.on('data', read)
  }
  const asking = (client: Socket, head: string, target: string): Asked => ({
    head,
    target,
    tunnel: (greeting) => {
      const [, name = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? []
      const far = net.connect(Number(port), name)
      keep(far)
      proxy.tunnels.add(client)
      client.once('close', () => proxy.tunnels.delete(client))
      join(client, far)
      far.once('connect', () => {
        proxy.made.push(target)
        client.write(greeting)
      })
    },
  })
  /** Passes one request on, and what comes back. */
  const forward = (client: Socket, head: string) => {
    const url = new URL(head.split(' ')[1] ?? '')
    const far = net.connect(Number(url.port), url.hostname)
    keep(far)
    join(client, far)
    const [, ...rest] = head.split('\r\n')
    far.write(`${head.split(' ')[0]} ${url.pathname}${url.search} HTTP/1.1\r\n`)
    far.write(rest.filter((line) => !/^proxy-/i.test(line)).join('\r\n'), 'latin1')
  }
  const listener = (socket: Socket) => {
    proxy.accepted++
    beneath.set(socket.remotePort, socket)
    if (proxy.onAccept !== undefined) {
      keep(socket)
      proxy.onAccept(socket)
    } else if (options.tls === undefined) serve(socket)
  }
  const server: Server =
    options.tls === undefined ? net.createServer(listener) : tls.createServer(certificates[options.tls], serve)
  if (options.tls !== undefined) server.on('connection', listener)
  server.on('tlsClientError', () => {})
  server.listen(options.port ?? 0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy: RudeProxy = {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    heads: [],
    made: [],
    accepted: 0,
    onAccept: undefined,
    tunnels: new Set(),
    next: (...more) => acts.push(...more),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** The TCP sockets beneath TLS, by the port of the client. */
const beneath = new Map<number | undefined, Socket>()

/** Sends a RST; TLS has none of its own. */
function slam(socket: Socket): void {
  if (!(socket instanceof tls.TLSSocket)) socket.resetAndDestroy()
  else beneath.get(socket.remotePort)?.resetAndDestroy()
}

/** Each side gets what the other sends, its end and its reset. */
function join(client: Socket, far: Socket): void {
  far.on('error', () => slam(client))
  client.on('error', () => far.resetAndDestroy())
  client.pipe(far).pipe(client)
}
