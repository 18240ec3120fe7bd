/** A request as each side makes it, bare fetch and offhook, and what each of them says of its end. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout } from 'node:timers/promises'
import {
  type AttemptEvent,
  type Client,
  type DecisionEvent,
  type Delivery,
  type FailureKind,
  isOffhookError,
  type Mechanism,
  type Phase,
  type StopReason,
} from '../index.js'
import type { Ask, Target } from './demo-line.js'

/** How a request ended, as the code that made it sees it. */
export type End =
  | { readonly how: 'answer'; readonly status: number; readonly bytes: number }
  | { readonly how: 'error'; readonly error: unknown }
  | { readonly how: 'silence'; readonly afterMs: number }

/** What offhook did on the way to that end. */
export interface Deeds {
  readonly attempts: number
  readonly waitedMs: number
  /** The error's own, or those of the attempt that failed last when an answer came in the end. */
  readonly failure?: {
    readonly kind: FailureKind
    readonly phase: Phase
    readonly delivery: Delivery
    readonly mechanism?: Mechanism
  }
  /** The status that a repeated attempt was answered with. */
  readonly refusedWith?: number
  readonly stop?: StopReason
}

/** As much of a request as both sides understand. */
interface Init {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | (() => ReadableStream<Uint8Array>)
  readonly idempotencyKey?: string
}

type Fetch = (url: string, init: Init) => Promise<Response>

/** Does with `fetch` what the line asks for; one end for each request. */
export async function play(fetch: Fetch, target: Target, ask: Ask): Promise<End[]> {
  const rounds = ask.onResetConnections ?? 1
  const ends: End[] = []
  for (let round = 1; round <= rounds; round++) {
    if (ask.onResetConnections !== undefined) await leaveResetConnection(fetch, target)
    ends.push(await exchange(fetch, target.url, initOf(ask, `request-${round}`)))
  }
  return ends
}

/** Bare fetch waits five minutes for a head. The demo does not. */
const patienceMs = 1_000

/** The global fetch, given up on when nothing has come of it for a second. */
export async function bareFetch(url: string, { method, headers, body }: Init): Promise<Response> {
  return globalThis.fetch(url, {
    signal: AbortSignal.timeout(patienceMs),
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body: typeof body === 'function' ? body() : body }),
    ...(typeof body === 'function' && { duplex: 'half' }),
  })
}

/** Plays with an offhook client, and notes what the client tells on its diagnostics channels meanwhile. */
export async function playWatched(client: Client, target: Target, ask: Ask): Promise<{ ends: End[]; deeds: Deeds }> {
  const attempts: AttemptEvent[] = []
  const decisions: DecisionEvent[] = []
  const onAttempt = (message: unknown) => {
    const event = message as AttemptEvent
    // What prepares a connection is not what the line is about.
    if (event.method === ask.method) attempts.push(event)
  }
  const onDecision = (message: unknown) => void decisions.push(message as DecisionEvent)
  subscribe('offhook:attempt', onAttempt)
  subscribe('offhook:decision', onDecision)
  try {
    const ends = await play(client.fetch, target, ask)
    return { ends, deeds: deedsOf(ends, attempts, decisions) }
  } finally {
    unsubscribe('offhook:attempt', onAttempt)
    unsubscribe('offhook:decision', onDecision)
  }
}

function deedsOf(ends: readonly End[], attempts: readonly AttemptEvent[], decisions: readonly DecisionEvent[]): Deeds {
  const counts = {
    attempts: attempts.filter(({ event }) => event === 'start').length,
    waitedMs: decisions.reduce((sum, { decision }) => sum + (decision.waitMs ?? 0), 0),
  }
  const last = ends.at(-1)
  if (last?.how === 'error' && isOffhookError(last.error)) {
    const { kind, phase, delivery, stopReason, diagnosis } = last.error
    const mechanism = diagnosis && { mechanism: diagnosis.mechanism }
    return {
      ...counts,
      failure: { kind, phase, delivery, ...mechanism },
      ...(stopReason !== undefined && { stop: stopReason }),
    }
  }
  const failed = attempts.findLast((event) => event.event === 'error')
  const refused = attempts.findLast((event) => event.event === 'end' && (event.status ?? 0) >= 400)
  return {
    ...counts,
    ...(failed?.event === 'error' &&
      failed.failure !== undefined && {
        failure: { ...failed.failure, ...(failed.mechanism && { mechanism: failed.mechanism }) },
      }),
    ...(refused?.event === 'end' && refused.status !== undefined && { refusedWith: refused.status }),
  }
}

async function exchange(fetch: Fetch, url: string, init: Init): Promise<End> {
  try {
    const response = await fetch(url, init)
    const body = await response.arrayBuffer()
    return { how: 'answer', status: response.status, bytes: body.byteLength }
  } catch (error) {
    if ((error as Error).name === 'TimeoutError' && !isOffhookError(error)) {
      return { how: 'silence', afterMs: patienceMs }
    }
    return { how: 'error', error }
  }
}

/** A connection that is kept after a good answer, and that the server has reset when this returns. */
async function leaveResetConnection(fetch: Fetch, { url, server }: Target): Promise<void> {
  if (server === undefined) throw new TypeError('a connection can only be reset by a server')
  for (let tries = 1; tries <= mostTries; tries++) {
    await exchange(fetch, url, {})
    // The client may have its answer a moment before either side has put the connection back.
    await setTimeout(settleMs)
    if (server.resetIdle() > 0) return
  }
  throw new Error('no connection was kept, so none could be reset while idle')
}

const settleMs = 10
const mostTries = 10

function initOf({ method, body, idempotencyKey }: Ask, id: string): Init {
  return {
    method,
    headers: { 'x-request-id': id },
    ...(body !== undefined && { body }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  }
}
