/** The way to an origin, where it is not a connection to its own host: what the dial is told, and what is shown of it. */

import type { ConnectionOptions } from 'node:tls'

/** A proxy, as it is dialled. What is secret in it (headers, password) is shown nowhere. */
export interface ProxySettings {
  readonly protocol: 'http:' | 'https:' | 'socks5:'
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** Its URL without credentials, for people. */
  readonly name: string
  /** Headers for the proxy alone, its credentials among them. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** User and password of a SOCKS proxy. */
  readonly login?: readonly [user: string, password: string]
  /** Options of `node:tls` for the connection to an `https:` proxy. */
  readonly tls?: ConnectionOptions
}

/**
 * - `unix`: a Unix socket, or a named pipe of Windows.
 * - `tunnel`: a proxy makes a tunnel to the origin, and what goes through it is not its business.
 * - `forward`: a proxy takes the request itself and passes it on.
 */
export type Via =
  | { readonly by: 'unix'; readonly path: string }
  | { readonly by: 'tunnel' | 'forward'; readonly proxy: ProxySettings }

/** The way to each origin; `undefined`: straight to its host. */
export type ViaOf = (origin: string) => Via | undefined
