/**
 * What one client keeps an eye on, so that it can be told at a failure what went on around it: its other connections,
 * the round trips, the event loop, the kernel's counters. All of it is kept at connects and ends, or by a timer that
 * runs while calls are under way; a request that goes well costs nothing here.
 */

import { networkInterfaces } from 'node:os'
import type { Clock } from '../clock.js'
import { type AnswerMarks, answerMarks } from './answer-marks.js'
import type { HeaderReader } from './handler-shapes.js'
import { HostCounters } from './host-counters.js'
import { LoopWatch } from './loop-watch.js'
import { Probes } from './probes.js'
import { type RoundTrip, RoundTrips } from './round-trips.js'
import { type Sibling, Siblings } from './siblings.js'
import { SocketRows } from './socket-row.js'

/** A connection, and how it came to be. */
export interface Dialled extends Sibling {
  readonly connectMs: number | undefined
  readonly tlsMs: number | undefined
  /** The way, where it is not straight. */
  readonly via: unknown
  readonly sight: Sibling['sight'] & { readonly header: HeaderReader | undefined }
}

/** Origins whose marks are remembered. */
const mostOrigins = 256

/** Local addresses are asked for at most so often, in milliseconds. */
const addressesKeptMs = 500

export class Lookout {
  readonly clock: Clock
  readonly siblings = new Siblings()
  readonly counters: HostCounters
  readonly rows = new SocketRows()
  readonly loop: LoopWatch
  readonly #roundTrips: RoundTrips
  readonly #probes: Probes | undefined
  readonly #marks = new Map<string, AnswerMarks>()
  #addresses: ReadonlySet<string> | undefined
  #addressesAt = Number.NEGATIVE_INFINITY

  /**
   * @param busy whether calls are under way
   * @param probes set where places of failures may be asked: the address to do it from, where one was chosen
   */
  constructor(clock: Clock, busy: () => boolean, probes?: { readonly localAddress: string | undefined }) {
    this.clock = clock
    this.counters = new HostCounters()
    this.loop = new LoopWatch(busy, () => void this.counters.refresh())
    this.#roundTrips = new RoundTrips(clock)
    this.#probes = probes && new Probes(this.siblings, clock, probes.localAddress)
  }

  /** Asks the place of a failure, where that is allowed. */
  get probe(): Probes['after'] | undefined {
    const probes = this.#probes
    return probes && ((evidence, withinMs) => probes.after(evidence, withinMs))
  }

  /** A call begins. */
  wake(): void {
    this.loop.wake()
  }

  /** Nothing will happen any more. */
  close(): void {
    this.loop.stop()
    this.#probes?.close()
  }

  /** Call it before the time of a dial is taken: it may look at the counters, which is the dial's to be measured by. */
  beforeDial(): void {
    this.counters.beforeDial()
  }

  /** A connection to an origin is about to be made. */
  dials(record: Sibling, origin: string): void {
    this.siblings.dialled(record, origin)
  }

  /** It stands. */
  stands({ remoteAddress, connectMs, tlsMs, via }: Dialled): void {
    // Through a proxy a handshake of TLS goes further than to the address that was dialled.
    const ms = Math.min(connectMs ?? Number.POSITIVE_INFINITY, (via === undefined && tlsMs) || Number.POSITIVE_INFINITY)
    if (remoteAddress !== undefined && Number.isFinite(ms)) this.#roundTrips.seen(remoteAddress, this.taken(ms))
  }

  /** A round trip that has just ended. */
  taken(ms: number): RoundTrip {
    const late = this.loop.delayWithin(ms)
    return { ms, from: 'connect', ...(late !== undefined && { atLeastMs: Math.max(0, ms - late) }) }
  }

  /** It has ended, or could not be made. */
  ended(record: Dialled): void {
    const { remoteAddress, sight } = record
    const origin = this.siblings.ended(record, this.clock.now())
    if (sight.header !== undefined && origin !== undefined) this.#remember(origin, answerMarks(sight.header))
    if (remoteAddress !== undefined && Number.isFinite(sight.fastestMs))
      this.#roundTrips.seen(remoteAddress, { ms: sight.fastestMs, from: 'answer' })
  }

  /** What the answers of an origin said before of who is on the way, on connections that have ended. */
  marksOf(origin: string): AnswerMarks | undefined {
    return this.#marks.get(origin)
  }

  #remember(origin: string, marks: AnswerMarks | undefined): void {
    this.#marks.delete(origin)
    if (marks === undefined) return
    // That an end was announced, it was for that connection alone.
    const { connectionClose: _, ...lasting } = marks
    this.#marks.set(origin, lasting)
    const [oldest] = this.#marks.keys()
    if (this.#marks.size > mostOrigins && oldest !== undefined) this.#marks.delete(oldest)
  }

  /** The shortest round trip to the peer of a connection. */
  roundTrip({ remoteAddress, sight }: Sibling): RoundTrip | undefined {
    const least = remoteAddress === undefined ? undefined : this.#roundTrips.least(remoteAddress)
    if (sight.fastestMs < (least?.ms ?? Number.POSITIVE_INFINITY))
      return { ms: sight.fastestMs, from: 'answer', of: 1 + (least?.of ?? 0) }
    return least
  }

  /** Whether an address is one of this host's; `undefined` where the system does not say. */
  isLocal(address: string): boolean | undefined {
    const now = this.clock.now()
    if (now - this.#addressesAt > addressesKeptMs) {
      this.#addressesAt = now
      this.#addresses = localAddresses()
    }
    return this.#addresses?.has(address)
  }
}

function localAddresses(): Set<string> | undefined {
  try {
    const interfaces = Object.values(networkInterfaces())
    return new Set(interfaces.flatMap((one) => (one ?? []).map(({ address }) => address)))
  } catch {
    // Sandboxes may forbid the question.
    return undefined
  }
}
