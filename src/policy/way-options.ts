/** By which way an origin is reached, where it is not a connection to its host: the options `socketPath` and `proxy` joined. */

import { isPlainObject, mismatch } from './option-check.js'
import { checkProxyOptions, type Environment, type ProxyRoute } from './proxy-options.js'

/** The way to an origin; `undefined`: straight to its host. */
export type Way = (origin: string) => ReturnType<ProxyRoute> | { readonly by: 'unix'; readonly path: string }

/**
 * Checks `socketPath` and `proxy`.
 *
 * @throws TypeError that names the option and what is allowed
 */
export function checkWayOptions(
  given: { readonly proxy: unknown; readonly socketPath: unknown },
  env: Environment,
): Way | undefined {
  const proxied = checkProxyOptions(given.proxy, env)
  const paths = checkSocketPath(given.socketPath)
  if (paths === undefined) return proxied
  if (typeof paths === 'object') return (origin) => paths.get(origin) ?? proxied?.(origin)
  if (proxied !== undefined)
    throw new TypeError('options.socketPath sends everything to one socket, so there is nothing for options.proxy')
  return () => ({ by: 'unix', path: paths })
}

function checkSocketPath(value: unknown): string | ReadonlyMap<string, { by: 'unix'; path: string }> | undefined {
  if (value === undefined) return undefined
  if (isPath(value)) return value
  if (!isPlainObject(value)) throw mismatch('options.socketPath', 'a path, or an object of paths by origin', value)
  const ways = new Map<string, { by: 'unix'; path: string }>()
  for (const [origin, path] of Object.entries(value)) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw mismatch('a name in options.socketPath', "an origin, like 'http://docker'", origin)
    if (!isPath(path)) throw mismatch(`options.socketPath['${origin}']`, 'a path', path)
    ways.set(origin, { by: 'unix', path })
  }
  return ways
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
