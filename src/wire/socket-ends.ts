/** The errors by which we end a connection, or give a name to an end that came without one; and which error is an RST. */

import { constants } from 'node:os'

/** Not an error to undici, by its code: what has been put on the connection meanwhile goes to the next one. */
export class Retired extends Error {
  readonly code = 'UND_ERR_INFO'
  constructor() {
    super('the connection has been idle for too long')
  }
}

export class DialAbandoned extends Error {
  override readonly name = 'DialAbandoned'
  constructor() {
    super('nobody waits for this connection any more')
  }
}

/** What `read` would have failed with, had libuv not shown the reset as an end. */
export class UnseenReset extends Error {
  readonly code = 'ECONNRESET'
  readonly errno = -constants.errno.ECONNRESET
  readonly syscall = 'read'
  constructor() {
    super('read ECONNRESET')
  }
}

/**
 * Only an error that the kernel reported is an RST: `ECONNRESET` with `errno` and `syscall`. Without them it is
 * Node's own word for an early FIN ("socket hang up", a handshake that was cut).
 */
export function isReset(error: NodeJS.ErrnoException): boolean {
  return (
    (error.code === 'ECONNRESET' || error.code === 'EPIPE') && error.errno !== undefined && error.syscall !== undefined
  )
}
