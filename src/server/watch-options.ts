/** The options of `watchClients`, checked once. */

import { type Clock, systemClock } from '../clock.js'
import type { Hangup } from '../failure/hangup.js'
import { routeKey } from './route-key.js'
import type { RouteRequest } from './watcher.js'

/** Options of `watchClients`. All are optional. */
export interface WatchClientsOptions {
  /** Told of each hang-up, `settleMs` after it. */
  readonly onHangup?: (hangup: Hangup) => void
  /**
   * Names the route under which a request is counted, for example `GET /orders/:id`. Default: the method and the path, in
   * which numbers, UUIDs, hashes and other names of single things are folded to `:id`.
   */
  readonly route?: (request: RouteRequest) => string
  /** Routes that are told apart; requests of further ones are counted as `(other routes)`. Default 200. */
  readonly maxRoutes?: number
  /**
   * Milliseconds for which a hang-up is looked into before it is judged and told: whether the client's other connections
   * end as well, and whether it asks again. The signals don't wait. Default 250; 0 judges at once, by less.
   */
  readonly settleMs?: number
  /** Also tell of connections that a client made and ended without a byte (phase `connect`). Default false. */
  readonly probes?: boolean
  /** Default: this machine's. */
  readonly clock?: Clock
}

/** What is left when all was checked and filled in. */
export interface CheckedOptions {
  readonly onHangup: ((hangup: Hangup) => void) | undefined
  readonly route: (request: RouteRequest) => string
  readonly maxRoutes: number
  readonly settleMs: number
  readonly probes: boolean
  readonly clock: Clock
}

const known = ['onHangup', 'route', 'maxRoutes', 'settleMs', 'probes', 'clock'] as const

/** @throws TypeError that names the option, what was given and what is allowed */
export function checkWatchOptions(given: WatchClientsOptions): CheckedOptions {
  const options = ownCopy(given)
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) refuse(name, name, `one of ${known.join(', ')}`)
  }
  const { onHangup, route, maxRoutes = 200, settleMs = 250, probes = false, clock = systemClock } = options
  if (onHangup !== undefined && typeof onHangup !== 'function') refuse('onHangup', onHangup, 'a function')
  if (route !== undefined && typeof route !== 'function') refuse('route', route, 'a function')
  if (!Number.isInteger(maxRoutes) || maxRoutes < 1) refuse('maxRoutes', maxRoutes, 'a whole number from 1 on')
  if (!Number.isFinite(settleMs) || settleMs < 0) refuse('settleMs', settleMs, 'milliseconds from 0 on')
  if (typeof probes !== 'boolean') refuse('probes', probes, 'true or false')
  if (!isClock(clock)) refuse('clock', clock, 'a clock')
  return {
    onHangup,
    route: route ?? (({ method, path }) => routeKey(method, path)),
    maxRoutes,
    settleMs,
    probes,
    clock,
  }
}

/** Read once, own properties alone: a getter or a proxy may throw, or say something else the next time. */
function ownCopy(given: unknown): WatchClientsOptions {
  if (typeof given !== 'object' || given === null) return refuse('the second argument', given, 'an object')
  try {
    return Object.assign(Object.create(null) as object, given)
  } catch (cause) {
    throw new TypeError('watchClients: the options cannot be read', { cause })
  }
}

function isClock(clock: Clock): boolean {
  try {
    return typeof clock?.now === 'function'
  } catch {
    return false
  }
}

function refuse(name: string, given: unknown, allowed: string): never {
  // An object may not bear to be made a text of.
  const shown = Object(given) === given ? typeof given : String(given).slice(0, 60)
  throw new TypeError(`watchClients: ${name} is ${shown}; allowed is ${allowed}`)
}
