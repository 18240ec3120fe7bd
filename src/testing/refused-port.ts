import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A port on loopback that refuses connections until it is closed. */
export interface RefusedPort extends AsyncDisposable {
  readonly port: number
  readonly host: string
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Lets go of the port. */
  close(): Promise<void>
}

/**
 * Finds a port on which nobody listens, and keeps it so: connecting to it gives ECONNREFUSED. The port is held as the local
 * port of an open connection, so that no other server is given it in the meantime, as happens to a port that was merely bound
 * and closed.
 *
 * A *black hole* (no answer to SYN at all, the connect timeout) cannot be had on loopback without privileges: the kernel
 * answers for every port. Use an address that is routed nowhere, such as 192.0.2.1 (RFC 5737), and know that some networks
 * answer for it; or `stall-at-accept` over TLS, which stalls the handshake.
 *
 * @example
 * ```ts
 * import { refusedPort } from 'offhook/testing'
 *
 * await using nobody = await refusedPort()
 * await fetch(nobody.url).catch((error) => console.log(error.cause.code)) // ECONNREFUSED
 * ```
 */
export async function refusedPort(host: '127.0.0.1' | '::1' = '127.0.0.1'): Promise<RefusedPort> {
  const holder = createServer()
  holder.listen(0, host)
  await once(holder, 'listening')
  const accepted = once(holder, 'connection')
  const socket = connect((holder.address() as AddressInfo).port, host)
  await once(socket, 'connect')
  const [peer] = await accepted
  const port = socket.localPort as number
  // Neither end keeps the process alive: a port that is merely held is nobody's reason to stay.
  for (const end of [socket, peer, holder]) end.unref()
  const close = async () => {
    socket.destroy()
    peer.destroy()
    if (holder.listening) await new Promise((resolve) => holder.close(resolve))
  }
  const literal = host === '::1' ? '[::1]' : host
  return { port, host, url: `http://${literal}:${port}`, close, [Symbol.asyncDispose]: close }
}
