/** What a diagnosis is made from: the failure and what was seen around it, read once, with the impossible taken out. */

import type { Circumstances } from '../failure/circumstances.js'
import type { AttemptReport, Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'
import { read } from '../failure/property.js'

/** What is to be explained. */
export interface Given {
  readonly failure: Failure
  readonly evidence: Evidence | undefined
  /** Every attempt of the call, the last one included. */
  readonly attempts: readonly AttemptReport[]
}

/** Numbers are finite and not negative, or absent. */
export interface Facts extends Given {
  readonly around: Circumstances
  readonly code?: string
  readonly syscall?: string
  /** The kernel made the error: it has an `errno`. */
  readonly fromKernel: boolean
  /** `connect(2)` itself failed: no packet left. */
  readonly localSuffix: boolean
  /** Where the peer was, or was to be. */
  readonly address?: string
  /** The connection leads to a proxy, or through one. */
  readonly throughProxy: boolean
  /** The attempts before the last one. */
  readonly earlier: readonly AttemptReport[]
  readonly rttMs?: number
  /** What the round trip takes at the least: the loop may have been late when it was taken. */
  readonly shortestMs?: number
  /** How far the round trip may be mistaken, 0 to 1: one that was taken once may have been late by what nobody saw. */
  readonly rttDoubt: number
  readonly sinceWriteMs?: number
  readonly sinceReadMs?: number
  readonly loopMs?: number
  /** The same for the time since the last write. */
  readonly lateMs: number
  readonly jumpMs?: number
  readonly idleMs?: number
  readonly ageMs?: number
  /** How long the phase of the dial lasted in which it failed. */
  readonly dialMs?: number
  readonly limitMs?: number
  /** After how long an idle connection is closed: as announced by the server, and as learned from earlier closes. */
  readonly announcedIdleMs?: number
  readonly learnedIdleMs?: number
  readonly requestsBefore: number
  readonly sentBytes?: number
}

/** Reads what is given. */
export function factsOf(given: Given): Facts {
  const { failure, evidence, attempts } = given
  const around = evidence?.circumstances ?? {}
  const { connection, bytes, limitMs } = evidence ?? {}
  const { raw } = around
  // Not spread: what is named after a spread is put into the object one by one, at a microsecond each.
  return known({
    failure,
    evidence,
    attempts,
    around,
    code: raw?.code ?? failure.code,
    syscall: raw?.syscall ?? failure.syscall,
    fromKernel: (raw?.errno ?? failure.errno) !== undefined,
    localSuffix: raw === undefined ? / - Local \(/.test(messageOf(failure.cause)) : raw.localSuffix === true,
    address: connection?.remoteAddress ?? raw?.address,
    throughProxy: connection?.proxy !== undefined || around.tunnel !== undefined,
    earlier: attempts.slice(0, -1),
    rttMs: positive(around.minRttMs),
    rttDoubt: doubtOf(around),
    sinceWriteMs: amount(around.sinceLastWriteMs),
    sinceReadMs: amount(around.sinceLastReadMs),
    shortestMs: shortest(around),
    loopMs: amount(around.loopDelayMs),
    lateMs: amount(around.lateMs) ?? amount(around.loopDelayMs) ?? 0,
    jumpMs: around.clockJumpMs === undefined ? undefined : amount(Math.abs(around.clockJumpMs)),
    idleMs: amount(connection?.idleMs),
    ageMs: amount(connection?.ageMs),
    dialMs: dialTime(evidence),
    limitMs: amount(limitMs),
    announcedIdleMs: positive(around.headers?.keepAliveMs),
    learnedIdleMs: positive(around.learned?.idleMs),
    requestsBefore: amount(connection?.requestsBefore) ?? 0,
    sentBytes: amount(bytes?.sent),
  })
}

/** By how much a counter of the kernel moved. `undefined` where nobody looked; 0 where it stood still. */
export function moved({ around }: Facts, ...names: readonly string[]): number | undefined {
  const { counters } = around
  if (counters === undefined) return undefined
  return names.reduce((sum, name) => sum + (amount(counters[name]) ?? 0), 0)
}

/** Whether the peer is this very host. `undefined` when the address is not known. */
export function isLoopback({ address }: Facts): boolean | undefined {
  if (address === undefined) return undefined
  return /^(?:127\.|::1$|::ffff:127\.|localhost$)/i.test(address)
}

/** Whether the address is one of the public internet. `undefined` when it is not known. */
export function isPublic({ address }: Facts): boolean | undefined {
  if (address === undefined) return undefined
  const four = address.replace(/^::ffff:/i, '')
  if (
    /^(?:127|10|0)\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^169\.254\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
      four,
    )
  )
    return false
  return /^\d+\.\d+\.\d+\.\d+$/.test(four) || /^[23][\da-f]{3}:/i.test(address)
}

function shortest({ minRttMs, rttAtLeastMs, loopDelayMs }: Circumstances): number | undefined {
  const rtt = positive(minRttMs)
  if (rtt === undefined) return undefined
  const known = amount(rttAtLeastMs)
  return known === undefined ? Math.max(0, rtt - (amount(loopDelayMs) ?? 0)) : Math.min(known, rtt)
}

/** What a process takes to see that something came, in milliseconds: seldom more, while it has the processor. */
const noiseMs = 4

/** The more often it was taken, and the longer it is than what a process takes by itself, the less. */
function doubtOf({ rttOf, minRttMs }: Circumstances): number {
  const times = amount(rttOf)
  const rtt = positive(minRttMs)
  if (times === undefined || times > 3 || rtt === undefined) return 0
  return Math.min(0.5, (0.15 + Math.exp(-rtt / noiseMs)) / 2 ** Math.max(0, times - 1))
}

function dialTime(evidence: Evidence | undefined): number | undefined {
  const { timings, phase, circumstances } = evidence ?? {}
  const time = phase === 'dns' ? timings?.dns : phase === 'tls' ? timings?.tls : timings?.connect
  return amount(circumstances?.stepMs ?? time)
}

function messageOf(cause: unknown): string {
  const message = read(cause, 'message')
  return typeof message === 'string' ? message.slice(0, 1000) : ''
}

/** A number that can be: finite and not negative. */
export function amount(value: number | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function positive(value: number | undefined): number | undefined {
  return amount(value) === 0 ? undefined : amount(value)
}

type Undefined<T> = { [K in keyof T]: T[K] | (undefined extends T[K] ? undefined : never) }

function known(facts: { [K in keyof Undefined<Required<Facts>>]: Facts[K] | undefined }): Facts {
  return facts as Facts
}
