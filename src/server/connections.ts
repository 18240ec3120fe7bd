/** The connections of a server, from accept on, and the handshakes that came to nothing. */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientWatcher } from './watcher.js'

/** Handshakes that the client cut: without a byte, or in the middle. */
export interface Handshakes {
  silent: number
  cut: number
}

/** Listens to a server's connections, before anything else does. @returns stops listening */
export function hearConnections(
  server: EventEmitter,
  watcher: ClientWatcher,
  handshakes: Handshakes | undefined,
): () => void {
  if (handshakes === undefined) {
    server.prependListener('connection', watcher.connectionOf)
    return () => server.off('connection', watcher.connectionOf)
  }
  // TLS takes the socket over; what it was is told by the port that both have.
  const shaking = new Map<number, () => void>()
  const accepted = (raw: Socket): void => {
    const port = raw.remotePort
    if (port === undefined) return
    const closed = (): void => {
      shaking.delete(port)
      handshakes[raw.bytesRead === 0 ? 'silent' : 'cut'] += 1
    }
    raw.once('close', closed)
    shaking.set(port, () => raw.off('close', closed))
  }
  const secured = (socket: Socket): void => {
    const port = socket.remotePort
    if (port !== undefined) {
      shaking.get(port)?.()
      shaking.delete(port)
    }
    watcher.connectionOf(socket)
  }
  server.prependListener('connection', accepted)
  server.prependListener('secureConnection', secured)
  return () => {
    server.off('connection', accepted)
    server.off('secureConnection', secured)
    for (const forget of shaking.values()) forget()
    shaking.clear()
  }
}
