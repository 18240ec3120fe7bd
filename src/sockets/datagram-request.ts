/** A request by datagram: one try sends it and waits for the message that answers it. */

import type { Sender, Sending } from '../attempt/sender.js'
import type { CallTarget } from '../call/spec.js'
import type { RequestPlan } from './datagram-options.js'
import type { DatagramRecord } from './datagram-socket.js'
import type { OneLine } from './one-line.js'
import { plainAnswer } from './socket-host.js'

/** A request that has no answer yet. */
export interface Waiter {
  readonly match: (message: Buffer) => boolean
  resolve(message: Buffer): void
  reject(error: unknown): void
}

/** What a request needs of its line. */
export interface RequestLine {
  /** Where exchanges of this line take place. */
  readonly place: OneLine<DatagramRecord>
  /** Hands the datagram to the kernel. */
  transmit(bytes: Uint8Array): Promise<void>
  /** Until it is taken back, the waiter is asked of each message and told of each failure. */
  wait(waiter: Waiter): () => void
}

/** Whether the message is the answer that the waiter waits for. A matcher of the caller's that throws ends the wait. */
export function takes(waiter: Waiter, message: Buffer): boolean {
  try {
    return waiter.match(message)
  } catch (error) {
    waiter.reject(error)
    return false
  }
}

/** What is sent, to whom, and how its answer is known. */
interface DatagramRequest {
  readonly target: CallTarget
  readonly bytes: Uint8Array
  readonly match: RequestPlan['match']
}

export class RequestSender implements Sender<Buffer> {
  readonly status = plainAnswer.status
  readonly header = plainAnswer.header
  readonly #line: RequestLine
  readonly #request: DatagramRequest

  constructor(line: RequestLine, request: DatagramRequest) {
    this.#line = line
    this.#request = request
  }

  send(sending: Sending): Promise<Buffer> {
    const { target, bytes, match } = this.#request
    const { place } = this.#line
    const exchange = sending.begin(target)
    exchange.assigned(place)
    return new Promise<Buffer>((resolve, reject) => {
      const over = (settle: () => void) => {
        leave()
        settle()
      }
      const leave = this.#line.wait({
        match,
        resolve: (message) =>
          over(() => {
            exchange.ended()
            resolve(message)
          }),
        reject: (error) => over(() => reject(error)),
      })
      const sent = () => {
        // An answer may overtake the word that the question is out.
        if (exchange.endedAt !== undefined) return
        exchange.started((reason) => over(() => reject(reason)))
        place.socket.written += bytes.length
      }
      this.#line
        .transmit(bytes)
        .then(sent)
        .catch((error: unknown) => over(() => reject(error)))
    })
  }

  discard(): void {}
}

/** The code is undici's, so that code that looks for it goes on working. */
export class LineClosed extends Error {
  override readonly name = 'LineClosed'
  readonly code = 'UND_ERR_CLOSED'
  constructor() {
    super('the line was closed')
  }
}
