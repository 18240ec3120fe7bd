/** The place of one connection, and no other after it. */

import type { Exchange, Line } from '../wire/exchange.js'
import type { SocketRecord } from '../wire/socket-record.js'

export class OneLine<Socket extends SocketRecord = SocketRecord> implements Line {
  readonly socket: Socket
  waiting = 0
  readonly begun = new Set<Exchange>()

  constructor(socket: Socket) {
    this.socket = socket
  }

  used(): void {}

  answered(): void {}

  failed(): void {}
}
