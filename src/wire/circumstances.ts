/** Puts together what was seen around a failure: `failure/circumstances.ts` says what each fact means. */

import { roundMs } from '../clock.js'
import type { Circumstances, SocketRowFacts, TlsFacts } from '../failure/circumstances.js'
import type { Evidence } from '../failure/evidence.js'
import { read } from '../failure/property.js'
import { answerMarks } from './answer-marks.js'
import type { Exchange } from './exchange.js'
import { alertOf, rawErrorFacts } from './raw-error.js'
import type { RoundTrip } from './round-trips.js'
import type { SocketRecord } from './socket-record.js'

/** What failed, and when. */
export interface Sight {
  readonly exchange: Exchange
  /** What it failed with; `undefined` when it did not. */
  readonly raw: unknown
  /** By the clock of the exchange: when its attempt began, and when it failed. */
  readonly startedAt: number
  readonly at: number
  /** The limit of ours that ran out, in milliseconds. */
  readonly limitMs?: number | undefined
}

const { platform } = process

/** From libuv 1.52 on an RST behind unread data is shown as one (libuv #4997). */
const showsResets = /^1\.(?:5[2-9]|[6-9]\d|\d{3,})\.|^(?:[2-9]|\d{2,})\./.test(process.versions.uv ?? '')

/** Ends of connections within so many milliseconds before a failure have to do with it. */
const togetherMs = 500

/** What can be told at once. */
export function circumstancesOf(sight: Sight): Circumstances {
  const { exchange, raw, limitMs } = sight
  const record = exchange.socket ?? exchange.line?.socket
  // What says that a limit of ours ran out is of our own making.
  const heard = record?.error ?? (limitMs === undefined ? raw : undefined)
  const facts = raw === undefined ? undefined : rawErrorFacts(heard)
  return {
    platform,
    showsResets,
    ...(facts !== undefined && { raw: facts }),
    ...times(sight, record),
    ...(record !== undefined && ofConnection(exchange, record, heard)),
  }
}

/** What the neighbourhood says: other connections, and the kernel. */
export function neighbourhood(sight: Sight): Pick<Circumstances, 'siblings' | 'counters' | 'countersOverMs'> {
  const { exchange } = sight
  const record = exchange.socket ?? exchange.line?.socket
  const lookout = record?.sight.lookout
  if (lookout === undefined) return {}
  const began = exchange.startedAt ?? exchange.dispatchedAt
  const since = Math.min(began, sight.at - togetherMs)
  // What was before the dial has nothing to do with it.
  const from = exchange.requestsBefore > 0 ? sight.startedAt : Math.max(sight.startedAt, record?.startedAt ?? 0)
  const now = lookout.clock.now()
  const moved = lookout.counters.moved({ beganMs: now - from, failedMs: now - sight.at })
  return {
    siblings: lookout.siblings.since({ record, origin: exchange.origin }, since),
    ...(moved !== undefined && { counters: moved.counters, countersOverMs: Math.round(moved.overMs) }),
  }
}

/**
 * Looks around once more after a failure: when the sockets that ended together have all been heard, and, where a limit
 * of ours ran out, when the kernel has said what it knows of the connection. Call it before that is destroyed.
 *
 * @returns the evidence with what was found, never a failure; `undefined` where there is nobody to ask
 */
export function lookAround(sight: Sight, evidence: Evidence): Promise<Evidence> | undefined {
  const record = sight.exchange.socket ?? sight.exchange.line?.socket
  const lookout = record?.sight.lookout
  if (record === undefined || lookout === undefined) return undefined
  // Whether the request was acknowledged is the question only while no answer has begun.
  const silentMs = evidence.status === undefined ? evidence.limitMs : undefined
  const ends = silentMs === undefined ? undefined : record.sight.ends(record.remoteAddress, record.remotePort)
  const turned = new Promise<void>((resolve) => lookout.clock.nextTurn(resolve))
  return (
    Promise.all([ends && lookout.rows.of(ends, patience(silentMs ?? 0, evidence.limit)), turned])
      .then(([found]) => {
        // A row that says that all was acknowledged says less than the one that was seen when the peer had been asked.
        const row =
          found?.unacknowledged === 0 && found.unread === 0 ? (probedRow(sight.exchange, record) ?? found) : found
        return {
          ...evidence,
          circumstances: { ...evidence.circumstances, ...neighbourhood(sight), ...(row !== undefined && { row }) },
        }
      })
      // Whatever becomes of the look, the call must settle.
      .catch(() => evidence)
  )
}

/**
 * Who has waited for long can wait a little longer: a tenth of the limit that ran out, within 50 and 100 ms. Not so when it was
 * the deadline of the call, which is kept to 50 ms.
 */
function patience(waitedMs: number, limit: Evidence['limit']): number {
  if (limit === 'total') return 30
  return Math.min(100, Math.max(50, waitedMs / 10))
}

/** How long before the failure things happened, and how late this process was. */
function times({ exchange, startedAt, at }: Sight, record: SocketRecord | undefined): Circumstances {
  const lookout = record?.sight.lookout
  const failedAt = Math.min(record?.endedAt ?? at, at)
  const trip = tripOf(record)
  const step = record?.stepMs(failedAt)
  const wroteAt = lastWrite(exchange) ?? greeting(record)
  const readAt = lastRead(exchange, record)
  // What happened while the connection lay idle belongs to it.
  const since = Math.min(startedAt, (exchange.startedAt ?? at) - (exchange.idleMs ?? 0))
  const window = (lookout?.clock.now() ?? at) - since
  const late = lookout?.loop.delayWithin(window)
  const lately = wroteAt === undefined ? undefined : lookout?.loop.delayWithin(lookout.clock.now() - wroteAt)
  const jump = lookout?.loop.jumpWithin(window)
  return {
    ...(trip !== undefined && { minRttMs: roundMs(trip.ms), rttFrom: trip.from }),
    ...(trip?.atLeastMs !== undefined && { rttAtLeastMs: roundMs(trip.atLeastMs) }),
    ...(trip?.of !== undefined && { rttOf: trip.of }),
    ...(wroteAt !== undefined && { sinceLastWriteMs: roundMs(Math.max(0, failedAt - wroteAt)) }),
    ...(readAt !== undefined && { sinceLastReadMs: roundMs(Math.max(0, failedAt - readAt)) }),
    ...(step !== undefined && { stepMs: roundMs(step) }),
    ...(late !== undefined && { loopDelayMs: roundMs(late) }),
    ...(lately !== undefined && { lateMs: roundMs(lately) }),
    ...(jump !== undefined && { clockJumpMs: Math.round(jump) }),
  }
}

/** The shortest to the peer; of a first dial that failed later on, that of its own connect. */
function tripOf(record: SocketRecord | undefined): RoundTrip | undefined {
  if (record === undefined) return undefined
  const { connectMs, sight } = record
  return (
    sight.lookout?.roundTrip(record) ??
    (connectMs === undefined ? undefined : { ms: connectMs, from: 'connect', of: 1 })
  )
}

function lastWrite({ startedAt, sentAt, headAt, progressAt }: Exchange): number | undefined {
  if (startedAt === undefined) return undefined
  // Until an answer comes, what moves is the request.
  return sentAt ?? (headAt === undefined ? progressAt : startedAt)
}

/** The ClientHello, while it is the last that was written. */
function greeting(record: SocketRecord | undefined): number | undefined {
  return record?.dialPhase === 'tls' && !record.sight.heard ? record.sight.greetedAt : undefined
}

function lastRead(exchange: Exchange, record: SocketRecord | undefined): number | undefined {
  const { headAt, progressAt, startedAt, idleMs, responding, requestsBefore } = exchange
  if (headAt !== undefined) return progressAt
  if (startedAt === undefined || responding) return undefined
  // Nothing came for this request: then it was the end of the one before, or of the handshake.
  if (requestsBefore > 0) return idleMs === undefined ? undefined : startedAt - idleMs
  return record?.establishedAt
}

function ofConnection(exchange: Exchange, record: SocketRecord, heard: unknown): Circumstances {
  const { sight, localAddress, via, dialPhase } = record
  const written = requestWritten(exchange, record, heard)
  const { bytes } = sight
  const header = exchange.headAt === undefined ? sight.header : exchange.header
  const marks = header === undefined ? sight.lookout?.marksOf(exchange.origin) : answerMarks(header)
  const tls = tlsFacts(record, heard)
  const row = probedRow(exchange, record)
  const gone = localAddress !== undefined && sight.lookout?.isLocal(localAddress) === false
  const lookedUp = record.dnsMs !== undefined && dialPhase !== 'dns' ? true : dialPhase === 'dns' ? false : undefined
  return {
    ...(written !== undefined && { requestWritten: written }),
    ...(bytes !== undefined && { connectionBytes: bytes }),
    ...(tls !== undefined && { tls }),
    ...(row !== undefined && { row }),
    ...(marks !== undefined && { headers: marks }),
    ...(gone && { localAddressGone: true }),
    ...(via?.by === 'tunnel' && { tunnel: record.proxyMs === undefined ? ('asked' as const) : ('made' as const) }),
    ...(lookedUp !== undefined && { lookedUp }),
  }
}

/** What the kernel knew of the connection in this very silence. */
function probedRow({ progressAt }: Exchange, { sight }: SocketRecord): SocketRowFacts | undefined {
  return sight.probed?.at === progressAt ? sight.probed.row : undefined
}

/** Whether all of the request was given to the kernel. Over HTTP/2 what waits may belong to other streams. */
function requestWritten(exchange: Exchange, { sight, protocol }: SocketRecord, heard: unknown): boolean | undefined {
  if (exchange.startedAt === undefined || !exchange.tellsSent) return undefined
  if (exchange.sentAt === undefined) return exchange.headAt === undefined ? false : undefined
  if (protocol === 'h2') return undefined
  // What the kernel refused to take is not held any more.
  return !sight.holdsUnwritten && (exchange.headAt !== undefined || read(heard, 'syscall') !== 'write')
}

function tlsFacts(record: SocketRecord, heard: unknown): TlsFacts | undefined {
  const { sight, secure, dialPhase, closeNotify, establishedAt } = record
  if (!secure) return undefined
  const shaking = dialPhase === 'tls' ? (sight.heard ? 'server-answered' : 'hello-sent') : 'none'
  const alert = alertOf(heard)
  return {
    stage: establishedAt === undefined ? shaking : 'established',
    ...(alert !== undefined && { alert }),
    ...(sight.resumed !== undefined && { resumed: sight.resumed }),
    ...(closeNotify !== undefined && { closeNotify }),
  }
}
