/** Datagrams to one peer: requests and answers, messages as they come, and what is heard of failures. */

import type { Sender, Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import { explainedError } from '../call/explained-error.js'
import type { CallSpec, CallTarget } from '../call/spec.js'
import { classify } from '../diagnosis/classify.js'
import type { AnyOffhookError } from '../failure/errors.js'
import type { Evidence } from '../failure/evidence.js'
import { channels } from '../telemetry/channels.js'
import {
  bytesOf,
  checkDatagramOptions,
  checkRequestOptions,
  type DatagramOptions,
  type DatagramPlan,
  type DatagramRequestOptions,
} from './datagram-options.js'
import { LineClosed, type RequestLine, RequestSender, takes, type Waiter } from './datagram-request.js'
import { isFromPeer, type OpenDatagram, openDatagram, transmit } from './datagram-socket.js'
import { MessageQueue } from './message-queue.js'
import { plainAnswer, plainCall, SocketHost, sharedHost } from './socket-host.js'

/** A line of datagrams to one peer. Close it, or say `await using`: an open one keeps the process alive. */
export interface DatagramLine extends AsyncIterable<Buffer>, AsyncDisposable {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Messages that came while the queue was full, and are lost. */
  readonly dropped: number
  /**
   * Sends a datagram. Resolves when the kernel has taken it, which says nothing about its arrival; rejects with a
   * `LocalResourceError` when this host's own firewall drops it.
   */
  send(message: string | Uint8Array): Promise<void>
  /**
   * Sends a datagram and resolves to the message that answers it. What stays unanswered is sent again where you say
   * that it is `idempotent`. Messages that answer no request wait in the queue, for `for await (const message of line)`.
   *
   * Rejects with a `ConnectionRefusedError` when ICMP says that the port is closed, with a `TimeoutError` when no answer
   * came (silence proves nothing), a `LocalResourceError` when this host did not let it out, or the signal's reason.
   */
  request(message: string | Uint8Array, options?: DatagramRequestOptions): Promise<Buffer>
  /** Closes the line: what waits for an answer rejects, readers of messages come to their end. */
  close(): Promise<void>
}

/**
 * Opens a UDP socket to one peer. It is connected, so that an ICMP "port unreachable" is heard: it comes as a
 * `ConnectionRefusedError`. That is the word of the peer's kernel, or of a firewall's REJECT rule before it, never of
 * the application; it answers a datagram sent earlier; and it is rate-limited, so that its absence proves nothing.
 *
 * @throws TypeError (as a rejection) for options that are unknown, of the wrong type, or out of range
 *
 * @example
 * ```ts
 * import { datagram } from 'offhook/socket'
 *
 * await using line = await datagram({ host: 'time.example.com', port: 123 })
 * const answer = await line.request(Buffer.from([0x1b, ...Array(47).fill(0)]), { idempotent: true, timeout: 3_000 })
 * console.log(new Date((answer.readUInt32BE(40) - 2_208_988_800) * 1000))
 * ```
 */
export async function datagram(options: DatagramOptions): Promise<DatagramLine> {
  const plan = checkDatagramOptions(options)
  const { clock, random, apart, signal, limits, retry } = plan.policy
  const host = apart ? new SocketHost({ clock, random, budgeted: true }) : sharedHost()
  const target = { method: 'datagram', origin: plan.origin, path: '' }
  const sender = new OpeningSender(plan, target, host)
  const spec: CallSpec<OpenDatagram> = { ...plainCall, sender, target: () => target, signal, limits, retry }
  return new UdpLine(plan, await runCall(spec, host), host)
}

class OpeningSender implements Sender<OpenDatagram> {
  readonly status = plainAnswer.status
  readonly header = plainAnswer.header
  readonly #plan: DatagramPlan
  readonly #target: CallTarget
  readonly #host: SocketHost

  constructor(plan: DatagramPlan, target: CallTarget, host: SocketHost) {
    this.#plan = plan
    this.#target = target
    this.#host = host
  }

  async send(sending: Sending): Promise<OpenDatagram> {
    const exchange = sending.begin(this.#target)
    const { clock } = this.#host
    const addresses = this.#host.book(this.#plan.lookup).dial(this.#plan.port)
    const open = await openDatagram(this.#plan, exchange, { clock, addresses })
    exchange.ended()
    return open
  }

  discard({ socket }: OpenDatagram): void {
    socket.close()
  }
}

class UdpLine implements DatagramLine, RequestLine {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #plan: DatagramPlan
  readonly #open: OpenDatagram
  readonly #host: SocketHost
  readonly #target: CallTarget
  readonly #waiters = new Set<Waiter>()
  readonly #queue: MessageQueue<Buffer>
  #closed: Promise<void> | undefined

  constructor(plan: DatagramPlan, open: OpenDatagram, host: SocketHost) {
    this.#plan = plan
    this.#open = open
    this.#host = host
    this.#target = { method: 'datagram', origin: plan.origin, path: '' }
    this.#queue = new MessageQueue(plan.queue)
    const { address, port } = open.socket.address()
    this.localAddress = address
    this.localPort = port
    this.remoteAddress = open.address
    this.remotePort = plan.port
    open.socket.on('message', (message, from) => {
      if (isFromPeer(open, plan, from)) this.#onMessage(message)
    })
    open.socket.on('error', (raw) => this.#onError(raw))
    channels.datagram.publish(() => ({ event: 'open', origin: plan.origin }))
  }

  get dropped(): number {
    return this.#queue.dropped
  }

  async send(message: string | Uint8Array): Promise<void> {
    try {
      await this.transmit(bytesOf(message))
    } catch (raw) {
      throw this.#named(raw, false)
    }
  }

  async request(message: string | Uint8Array, options?: DatagramRequestOptions): Promise<Buffer> {
    const { limits, idempotent, retry, match, signal } = checkRequestOptions(options)
    const target = this.#target
    const sender = new RequestSender(this, { target, bytes: bytesOf(message), match })
    const requestClass = idempotent ? 'idempotent' : 'unsafe'
    return runCall({ ...plainCall, requestClass, sender, target: () => target, signal, limits, retry }, this.#host)
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => this.#queue.next(),
      return: () => Promise.resolve({ done: true, value: undefined }),
    }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#open.socket.close(resolve)
      for (const waiter of [...this.#waiters]) waiter.reject(new LineClosed())
      this.#queue.close()
      channels.datagram.publish(() => ({ event: 'close', origin: this.#plan.origin }))
    })
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get place() {
    return this.#open.place
  }

  async transmit(bytes: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) throw new LineClosed()
    await transmit(this.#open, this.#plan, bytes)
  }

  wait(waiter: Waiter): () => void {
    this.#waiters.add(waiter)
    return () => this.#waiters.delete(waiter)
  }

  #onMessage(message: Buffer): void {
    for (const waiter of this.#waiters) {
      if (!takes(waiter, message)) continue
      waiter.resolve(message)
      return
    }
    if (!this.#queue.push(message)) {
      const { dropped } = this.#queue
      channels.datagram.publish(() => ({ event: 'drop', origin: this.#plan.origin, dropped }))
    }
  }

  /** It answers a datagram that was sent earlier, and does not say which: all that wait are told. */
  #onError(raw: Error): void {
    const heard = this.#waiters.size > 0
    channels.datagram.publish(() => {
      const { cause: _, ...failure } = classify(raw, this.#evidence(true))
      return { event: 'error', origin: this.#plan.origin, failure, heard }
    })
    for (const waiter of [...this.#waiters]) waiter.reject(raw)
    if (heard) return
    const error = this.#named(raw, true)
    if (this.#plan.onError === undefined) this.#queue.fail(error)
    else this.#plan.onError(error as AnyOffhookError)
  }

  #named(raw: unknown, started: boolean): unknown {
    const evidence = this.#evidence(started)
    const failure = classify(raw, evidence)
    if (raw instanceof TypeError && failure.kind === 'unknown') return raw
    return explainedError({ ...this.#target, failure, evidence, attempts: [] })
  }

  #evidence(started: boolean): Evidence {
    const { protocol: _, ...connection } = this.place.socket.facts({ requestsBefore: 0, idleMs: undefined })
    return { vantage: 'socket', phase: started ? 'wait' : 'send', started, connection }
  }
}
