/**
 * What the shape of an error that offhook did not make tells beside its name: the address that was dialled, whether the
 * connection had been used before, what the answer said of who is on the way. Little, and none of it invented.
 */

import type { Circumstances } from '../failure/circumstances.js'
import type { ConnectionFacts, Evidence, Timings } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import { read } from '../failure/property.js'

/** The errors of a chain of causes that are looked at. */
const mostCauses = 8

/** Evidence of an error's own shape. */
export function evidenceByShape(error: unknown, failure: Failure): Evidence {
  const chain = chainOf(error, failure.cause)
  const connection = connectionOf(chain)
  const timings = timingsOf(chain)
  const raw = rawOf(failure, chain)
  const headers = headersOf(chain)
  return {
    vantage: 'none',
    phase: failure.phase,
    ...(connection !== undefined && { connection }),
    ...(timings !== undefined && { timings }),
    circumstances: { raw, ...(headers !== undefined && { headers }), ...(isUnseen(failure) && { showsResets: false }) },
  }
}

/**
 * What clients say when a connection is no more, whatever has ended it: a FIN, a reset, or their own caller's `quit`.
 * (ioredis event_handler.ts and MaxRetriesPerRequestError.ts, kafkajs network/connection.js, mongodb cmap/connection.ts.)
 */
const unseenEnds =
  /^(?:Connection is closed\.|Stream connection ended and command aborted\.|Reached the max retries per request limit|Closed connection$|connection \S+ to \S+ closed$)/

function isUnseen({ kind, cause }: Failure): boolean {
  return kind === 'closed' && unseenEnds.test(text(read(cause, 'message')) ?? '')
}

/** The error, what it wraps, and the one that decided. */
function chainOf(error: unknown, decisive: unknown): unknown[] {
  const chain: unknown[] = []
  for (let at = error; at !== undefined && at !== null && chain.length < mostCauses; at = read(at, 'cause')) {
    if (chain.includes(at)) break
    chain.push(at)
  }
  if (decisive !== undefined && !chain.includes(decisive)) chain.push(decisive)
  return chain
}

/** The first of the chain that has it. */
function find<T>(chain: readonly unknown[], of: (error: unknown) => T | undefined): T | undefined {
  for (const error of chain) {
    const found = of(error)
    if (found !== undefined) return found
  }
  return undefined
}

function rawOf({ code, errno, syscall }: Failure, chain: readonly unknown[]): NonNullable<Circumstances['raw']> {
  const address = find(chain, (error) => text(read(error, 'address')))
  const port = find(chain, (error) => number(read(error, 'port')))
  const local = chain.some((error) => / - Local \(/.test(text(read(error, 'message')) ?? ''))
  return {
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...(address !== undefined && { address }),
    ...(port !== undefined && { port }),
    ...(local && { localSuffix: true as const }),
  }
}

/**
 * undici's SocketError has the socket's addresses; the request of node:http, which axios and got hang on their errors,
 * knows whether its connection had been used before. For how long it was idle nobody tells.
 */
function connectionOf(chain: readonly unknown[]): ConnectionFacts | undefined {
  const reused = find(chain, (error) => {
    const request = read(error, 'request')
    return boolean(read(request, 'reusedSocket') ?? read(read(request, '_currentRequest'), 'reusedSocket'))
  })
  const socket = find(chain, (error) =>
    read(read(error, 'socket'), 'bytesWritten') === undefined ? undefined : read(error, 'socket'),
  )
  const localAddress = text(read(socket, 'localAddress'))
  const remoteAddress = text(read(socket, 'remoteAddress'))
  if (reused === undefined && remoteAddress === undefined) return undefined
  const known = {
    ...(reused !== undefined && { reused }),
    ...(localAddress !== undefined && { localAddress }),
    ...(remoteAddress !== undefined && { remoteAddress }),
  }
  // What offhook's own connections always know is not known of others: absent, not zero.
  return known as ConnectionFacts
}

/** got's timings of the phases. */
function timingsOf(chain: readonly unknown[]): Timings | undefined {
  const phases = find(chain, (error) => read(read(error, 'timings'), 'phases'))
  const of = (name: string) => number(read(phases, name))
  const [dns, connect, tls, wait, total] = [of('dns'), of('tcp'), of('tls'), of('firstByte'), of('total')]
  if (total === undefined) return undefined
  return {
    ...(dns !== undefined && { dns }),
    ...(connect !== undefined && { connect }),
    ...(tls !== undefined && { tls }),
    ...(wait !== undefined && { wait }),
    total,
  }
}

/** Of the answer's headers those that tell who is on the way; axios has an object with `get` or without, got a plain one. */
function headersOf(chain: readonly unknown[]): Circumstances['headers'] {
  const headers = find(chain, (error) => read(read(error, 'response'), 'headers'))
  const server = text(read(headers, 'server'))
  const via = text(read(headers, 'via'))
  if (server === undefined && via === undefined) return undefined
  return { ...(server !== undefined && { server }), ...(via !== undefined && { via }) }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 1000) : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function boolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}
