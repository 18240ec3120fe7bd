/** A connection as evidence. */

import type { ConnectionFacts } from '../failure/evidence.js'
import type { Via } from './via.js'

/** What is told of a connection. */
export interface KnownConnection {
  readonly id: number
  readonly protocol: 'http/1.1' | 'h2'
  readonly establishedAt: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly via: Via | undefined
}

/** How a request found it. */
export interface ConnectionUse {
  readonly requestsBefore: number
  readonly idleMs: number | undefined
}

/** The facts of a connection for one request, at `now`. */
export function connectionFacts(of: KnownConnection, use: ConnectionUse, now: number): ConnectionFacts {
  const { establishedAt, localAddress, localPort, remoteAddress, remotePort, via } = of
  return {
    id: of.id,
    reused: use.requestsBefore > 0,
    requestsBefore: use.requestsBefore,
    ...(establishedAt !== undefined && { protocol: of.protocol }),
    ...(localAddress !== undefined && { localAddress }),
    ...(localPort !== undefined && { localPort }),
    ...(remoteAddress !== undefined && { remoteAddress }),
    ...(remotePort !== undefined && { remotePort }),
    ...(establishedAt !== undefined && { ageMs: now - establishedAt }),
    ...(use.idleMs !== undefined && { idleMs: use.idleMs }),
    ...(via?.by === 'unix' ? { socketPath: via.path } : via && { proxy: via.proxy.name }),
  }
}
