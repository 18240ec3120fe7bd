/**
 * SOCKS 5 (RFC 1928), with a user and password where they are given (RFC 1929): a tunnel that is asked for in bytes. The
 * name of the target is looked up by the proxy. Codes are undici's, so that code that looks for them goes on working.
 */

import net, { type Socket } from 'node:net'
import { TunnelError } from './connect-tunnel.js'

export interface SocksRequest {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  readonly login: readonly [user: string, password: string] | undefined
}

/** What the proxy says next, as soon as enough of it is there: the length that it has, and what follows from it. */
type Step = (bytes: Buffer) => { readonly length: number; readonly next: Step | 'made' } | undefined

/**
 * Asks for a tunnel. Afterwards nothing of ours is left on the socket.
 *
 * @param done called once; without an error the socket is the tunnel. The socket's own `error` is left to the caller.
 */
export function openSocksTunnel(socket: Socket, request: SocksRequest, done: (error?: Error) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  let step = choosing(socket, request)
  const finish = (error?: Error) => {
    socket.off('readable', read)
    socket.off('end', ended)
    done(error)
  }
  const advance = (): boolean => {
    const taken = step(bytes)
    if (taken === undefined) return false
    bytes = bytes.subarray(taken.length)
    if (taken.next !== 'made') step = taken.next
    else if (bytes.length > 0) throw socksError('the proxy sent bytes before the tunnel was used', 'REPLY_EARLY')
    else finish()
    return taken.next !== 'made'
  }
  const read = () => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    try {
      while (advance());
    } catch (error) {
      finish(error as Error)
    }
  }
  const ended = () => finish(socksError('the proxy closed the connection before it had answered', 'REPLY_CLOSED'))
  socket.on('readable', read)
  socket.on('end', ended)
  // No name and password are offered where there are none.
  socket.write(Buffer.from(request.login === undefined ? [5, 1, noLogin] : [5, 2, noLogin, byLogin]))
}

const noLogin = 0
const byLogin = 2

function choosing(socket: Socket, request: SocksRequest): Step {
  return (bytes) => {
    checkVersion(bytes, 5)
    if (bytes.length < 2) return undefined
    const method = bytes[1]
    if (method === noLogin) {
      socket.write(connectTo(request))
      return { length: 2, next: answering }
    }
    if (method !== byLogin || request.login === undefined)
      throw socksError('the proxy accepts no way of saying who we are', 'AUTH_REJECTED')
    const [user, password] = request.login.map((text) => Buffer.from(text)) as [Buffer, Buffer]
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]))
    return { length: 2, next: loggingIn(socket, request) }
  }
}

function loggingIn(socket: Socket, request: SocksRequest): Step {
  return (bytes) => {
    checkVersion(bytes, 1)
    if (bytes.length < 2) return undefined
    if (bytes[1] !== 0) throw socksError('the proxy did not accept the user or the password', 'AUTH_FAILED')
    socket.write(connectTo(request))
    return { length: 2, next: answering }
  }
}

function connectTo({ host, port }: SocksRequest): Buffer {
  const head = [5, 1, 0]
  const tail = Buffer.from([port >> 8, port & 255])
  if (net.isIPv4(host)) return Buffer.concat([Buffer.from([...head, 1, ...host.split('.').map(Number)]), tail])
  const name = Buffer.from(host)
  // An IPv6 address in the form of a name would be looked up.
  if (net.isIPv6(host)) return Buffer.concat([Buffer.from([...head, 4]), sixteenBytes(host), tail])
  return Buffer.concat([Buffer.from([...head, 3, name.length]), name, tail])
}

/** `new URL` has written the address in its shortest form, without an IPv4 address in it. */
function sixteenBytes(address: string): Buffer {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const before = groups(head)
  const after = groups(tail)
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}

const replies = [
  'made',
  'has failed',
  'forbids it by its rules',
  'found no way to the network',
  'found no way to the host',
  'was refused by the host',
  'gave up after too many hops',
  'does not make tunnels',
  'does not know this form of address',
]

const answering: Step = (bytes) => {
  checkVersion(bytes, 5)
  const [, reply, , form, nameLength = 0] = bytes
  if (reply === undefined) return undefined
  if (reply !== 0) throw socksError(`the proxy ${replies[reply] ?? 'has failed'}`, `REPLY_${reply}`)
  if (bytes.length < 5) return undefined
  // The address from which the proxy dialled; nobody needs it, but it must be read to its end.
  const address = form === 1 ? 4 : form === 4 ? 16 : form === 3 ? nameLength + 1 : undefined
  if (address === undefined) throw socksError('what the proxy answered is not SOCKS 5', 'ADDR_TYPE')
  const length = 4 + address + 2
  return bytes.length < length ? undefined : { length, next: 'made' }
}

function checkVersion(bytes: Buffer, version: number): void {
  if (bytes.length > 0 && bytes[0] !== version) throw socksError('what the proxy answered is not SOCKS 5', 'VERSION')
}

function socksError(message: string, code: string): TunnelError {
  return new TunnelError(message, { code: `UND_ERR_SOCKS5_${code}` })
}
