/**
 * Looks at whether a place can be reached right after something failed there: a TCP connection that is opened and closed
 * again, without a byte. Only where the caller allows it.
 */

import { connect, type Socket } from 'node:net'
import { type Clock, roundMs } from '../clock.js'
import type { Circumstances, ReachOutcome } from '../failure/circumstances.js'
import type { Evidence } from '../failure/evidence.js'
import type { Siblings } from './siblings.js'

/** Where a probe goes. */
export interface Place {
  readonly address: string
  readonly port: number
}

/** How long a probe may take at most, in milliseconds: who has not answered by then does not soon. */
const longestMs = 1_000

/** Below this there is no time for one. */
const shortestMs = 50

/** A connection that stands for so long has not been cut at once. */
const standsMs = 30

/** Calls that fail together ask once. */
const sharedMs = 1_000

/** Places whose last probe is remembered. */
const mostPlaces = 64

interface Probe {
  readonly at: number
  readonly result: Promise<{ readonly outcome: ReachOutcome; readonly tookMs: number }>
}

export class Probes {
  readonly #siblings: Siblings
  readonly #clock: Clock
  readonly #localAddress: string | undefined
  readonly #made = new Map<string, Probe>()
  readonly #open = new Set<Socket>()
  #closed = false

  /** @param localAddress where connections are made from, where that was chosen */
  constructor(siblings: Siblings, clock: Clock, localAddress?: string) {
    this.#siblings = siblings
    this.#clock = clock
    this.#localAddress = localAddress
  }

  /**
   * Asks the place of a failure, and one other that has answered of late.
   *
   * @param withinMs how much time there is
   * @returns the evidence, with what was found
   */
  async after(evidence: Evidence, withinMs: number): Promise<Evidence> {
    const { remoteAddress: address, remotePort: port } = evidence.connection ?? {}
    const limitMs = Math.min(longestMs, withinMs)
    if (limitMs < shortestMs || this.#closed) return evidence
    const place = address === undefined || port === undefined ? undefined : { address, port }
    const other = this.#siblings.lastGood(place)
    const began = this.#clock.now()
    const [again, elsewhere] = await Promise.all([
      place && this.#ask(place, limitMs),
      other && this.#ask(other, limitMs),
    ])
    const found: Circumstances = {
      ...(again && { reconnect: { ...again, afterMs: Math.round(this.#clock.now() - began) } }),
      ...(elsewhere && { elsewhere: elsewhere.outcome }),
    }
    return { ...evidence, circumstances: { ...evidence.circumstances, ...found } }
  }

  /** Ends the probes that are under way; there will be no others. */
  close(): void {
    this.#closed = true
    for (const socket of this.#open) socket.destroy()
  }

  #ask(place: Place, limitMs: number): Probe['result'] {
    const key = `${place.address} ${place.port}`
    const now = this.#clock.now()
    const last = this.#made.get(key)
    if (last !== undefined && now - last.at < sharedMs) return last.result
    const result = this.#reach(place, limitMs)
    this.#made.delete(key)
    this.#made.set(key, { at: now, result })
    const [oldest] = this.#made.keys()
    if (this.#made.size > mostPlaces && oldest !== undefined) this.#made.delete(oldest)
    return result
  }

  #reach({ address, port }: Place, limitMs: number): Probe['result'] {
    const began = performance.now()
    return new Promise((resolve) => {
      const local = this.#localAddress
      const socket = connect({ host: address, port, ...(local !== undefined && { localAddress: local }) })
      this.#open.add(socket)
      let tookMs: number | undefined
      const told = (outcome: ReachOutcome) => {
        clearTimeout(timer)
        this.#open.delete(socket)
        socket.destroy()
        resolve({ outcome, tookMs: roundMs(tookMs ?? performance.now() - began) })
      }
      let timer = setTimeout(told, limitMs, 'timeout')
      socket.on('error', (error) => told(outcomeOf(error, tookMs !== undefined)))
      socket.on('end', () => told('closed'))
      socket.on('close', () => told('local'))
      socket.on('connect', () => {
        tookMs = performance.now() - began
        clearTimeout(timer)
        timer = setTimeout(told, standsMs, 'connected')
        socket.resume()
      })
    })
  }
}

function outcomeOf({ code = '', message }: NodeJS.ErrnoException, stood: boolean): ReachOutcome {
  if (/ - Local \(/.test(message)) return 'local'
  if (stood) return 'reset'
  return outcomes[code] ?? 'unreachable'
}

const outcomes: Record<string, ReachOutcome> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EACCES: 'local',
  EPERM: 'local',
  EADDRINUSE: 'local',
  EADDRNOTAVAIL: 'local',
  ECONNABORTED: 'local',
  EMFILE: 'local',
  ENFILE: 'local',
  ENOBUFS: 'local',
  ENOMEM: 'local',
}
