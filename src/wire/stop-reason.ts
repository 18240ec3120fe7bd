/**
 * The reason for which a request is stopped, as undici may hear it. Over HTTP/2 undici 8 takes an abort for the failure of
 * a connection that is being made, and fails whatever waits for that with the reason of the one: unless it has this code.
 */

/** Stands for a reason on its way through undici. */
class Stopped extends Error {
  readonly code = 'UND_ERR_INFO'
  readonly reason: unknown
  constructor(reason: unknown) {
    super('the request was stopped')
    this.reason = reason
  }
}

/** The reason as undici is to hear it. @param socket that carries the request, if any does */
export function asStop(reason: unknown, socket: { readonly protocol: string | undefined } | undefined): unknown {
  return socket?.protocol === 'h2' && !(reason instanceof Stopped) ? new Stopped(reason) : reason
}

/** The reason itself, where it has come back. */
export function reasonOf(raw: unknown): unknown {
  return raw instanceof Stopped ? raw.reason : raw
}
