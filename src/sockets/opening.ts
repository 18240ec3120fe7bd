/** Opens one connection, and writes down how far it came: look-up, addresses in turn, TCP, TLS. Judges nothing. */

import net, { isIP, type NetConnectOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Clock } from '../clock.js'
import type { AddressBook } from '../wire/address-book.js'
import type { Exchange } from '../wire/exchange.js'
import type { Lookout } from '../wire/lookout.js'
import { SocketRecord } from '../wire/socket-record.js'
import type { DialTarget } from './dial-options.js'
import { OneLine } from './one-line.js'

/** A connection that is ready to be used, and what is known of it. */
export interface Opened {
  readonly socket: Socket
  readonly record: SocketRecord
  /** The dial, as it was written down. */
  readonly exchange: Exchange
}

/** What a connection is opened with. */
export interface OpeningTools {
  readonly clock: Clock
  readonly addresses: AddressBook
  readonly lookout: Lookout
  /** Which try of its call it is, from 1. */
  readonly attempt: number
}

/** Opens the connection; rejects with the raw error. The exchange can be asked at any time how far it has come. */
export function openSocket(target: DialTarget, exchange: Exchange, tools: OpeningTools): Promise<Opened> {
  const secure = target.tls !== undefined
  const named = target.path === undefined && isIP(target.host) === 0
  const record = new SocketRecord(tools.clock, { secure, named })
  exchange.assigned(new OneLine(record))
  if (!named && target.path === undefined) record.dials(target.host, target.port)
  record.sight.lookout = tools.lookout
  tools.lookout.dials(record, target.origin)
  const addresses = tools.addresses.dial(target.port)
  record.addresses = addresses
  return new Promise((resolve, reject) => {
    const raw = net.connect(connectOptions(target, addresses.lookup, tools.attempt))
    addresses.watch(raw)
    record.watchDial(raw)
    const fail = (error: Error) => {
      if (!record.closedByUs) addresses.failed((error as NodeJS.ErrnoException).code)
      tools.lookout.ended(record)
      reject(error)
    }
    const done = (socket: Socket) => {
      raw.off('error', fail)
      addresses.worked()
      record.established(socket, raw)
      tools.lookout.stands(record)
      socket.once('close', () => tools.lookout.ended(record))
      resolve({ socket, record, exchange })
    }
    raw.once('error', fail)
    raw.once('connect', () => {
      if (target.tls === undefined) done(raw)
      else handshake({ ...target.tls, ...identity(target) }, { raw, done, fail })
    })
  })
}

function handshake(
  options: ConnectionOptions,
  on: { readonly raw: Socket; done(socket: Socket): void; fail(error: Error): void },
): void {
  const secure = connectTls({ ...options, socket: on.raw })
  secure.once('error', on.fail)
  secure.once('secureConnect', () => {
    secure.off('error', on.fail)
    on.done(secure)
  })
}

/** Whom the certificate must name. An address is no server name (RFC 6066 §3), but the certificate is held against it. */
function identity({ host, path, tls }: DialTarget): ConnectionOptions {
  const name = path === undefined ? host : 'localhost'
  return { host: name, servername: tls?.servername ?? (isIP(name) === 0 ? name : '') }
}

/**
 * Node gives each address but the last a quarter of a second, and then closes it. Where the way is longer than that, and
 * the last address is dead, no try would ever come to an end: each gives four times as long as the one before.
 */
function patienceMs(attempt: number): number {
  return net.getDefaultAutoSelectFamilyAttemptTimeout() * 4 ** Math.min(attempt - 1, 4)
}

function connectOptions(target: DialTarget, lookup: net.LookupFunction, attempt: number): NetConnectOpts {
  const { allowHalfOpen, path, host, port, family, localAddress, keepAliveMs, noDelay } = target
  if (path !== undefined) return { path, allowHalfOpen }
  return {
    host,
    port,
    lookup,
    family,
    allowHalfOpen,
    noDelay,
    autoSelectFamily: family === 0,
    autoSelectFamilyAttemptTimeout: patienceMs(attempt),
    ...(localAddress !== undefined && { localAddress }),
    ...(keepAliveMs !== undefined && { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
  }
}
