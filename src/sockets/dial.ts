/** One TCP or TLS connection, made with the patience and the manners of a call. */

import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Sender, Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import type { CallSpec, CallTarget } from '../call/spec.js'
import { checkDialOptions, type DialOptions, type DialPolicy, type DialTarget } from './dial-options.js'
import { Lifeline } from './lifeline.js'
import { openSocket } from './opening.js'
import { plainAnswer, plainCall, SocketHost, sharedHost } from './socket-host.js'

/**
 * Opens a connection. Resolves to a real `net.Socket`, or `tls.TLSSocket` after its handshake, that any protocol library
 * can use; its addresses are tried in turn, and what fails is tried again, with backoff and on a budget.
 *
 * Rejects with the typed error of the failure, with every attempt in it, or with the signal's reason. What happens to
 * the socket later comes as a typed error too, on its `'error'` event: `kind`, `phase` (`send` or `wait`), `bytes` of the
 * whole connection, and `delivery`: `unsent` when nothing had been written, `unknown` when nothing had come back,
 * `partial` otherwise, for only your protocol knows what was an answer. That includes a reset which Node 20 and 22 show as
 * an end, and a TLS connection that was cut without close_notify. A FIN of the other side is its right: an `'end'`, as ever.
 * Errors that others give to `socket.destroy(error)` are left as they are. A failure that nobody listens to does not end
 * the process.
 *
 * @throws TypeError (as a rejection) for options that are unknown, of the wrong type, or out of range
 *
 * @example
 * ```ts
 * import { isOffhookError } from 'offhook'
 * import { dial } from 'offhook/socket'
 *
 * const socket = await dial({ host: 'redis.example.com', port: 6379, timeout: { connect: 2_000, total: 10_000 } })
 * socket.on('error', (error) => console.error(isOffhookError(error) ? error.message : error))
 * socket.write('PING\r\n')
 * ```
 */
export async function dial(options: DialOptions & { readonly tls: true | ConnectionOptions }): Promise<TLSSocket>
export async function dial(options: DialOptions): Promise<Socket>
export async function dial(options: DialOptions): Promise<Socket> {
  const { target, policy } = checkDialOptions(options)
  const { clock, random } = policy
  const host = policy.apart ? new SocketHost({ clock, random, budgeted: true }) : sharedHost()
  const { connection } = await runCall(dialSpec(target, policy, host), host)
  return connection
}

/** The call that opens a connection. */
export function dialSpec(target: DialTarget, policy: DialPolicy, host: SocketHost): CallSpec<Lifeline> {
  const { signal, limits, retry } = policy
  const named = { method: 'dial', origin: target.origin, path: '' }
  return { ...plainCall, sender: new DialSender(target, named, host), target: () => named, signal, limits, retry }
}

class DialSender implements Sender<Lifeline> {
  readonly status = plainAnswer.status
  readonly header = plainAnswer.header
  readonly #target: DialTarget
  readonly #named: CallTarget
  readonly #host: SocketHost
  #attempt = 0

  constructor(target: DialTarget, named: CallTarget, host: SocketHost) {
    this.#target = target
    this.#named = named
    this.#host = host
  }

  async send(sending: Sending): Promise<Lifeline> {
    const { clock, lookout } = this.#host
    this.#attempt++
    const exchange = sending.begin(this.#named)
    const addresses = this.#host.book(this.#target.lookup)
    const opened = await openSocket(this.#target, exchange, { clock, addresses, lookout, attempt: this.#attempt })
    exchange.ended()
    return new Lifeline(opened, { origin: this.#target.origin, clock })
  }

  /** It came too late: nobody waits for it. */
  discard(line: Lifeline): void {
    line.close()
  }
}
