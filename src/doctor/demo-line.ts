/** What a line of the demo is made of: a scene that can be played, and what must come of it. */

import type { ClientOptions, Delivery, FailureKind, Mechanism, Phase, StopReason } from '../index.js'
import type { RudeServer } from '../testing/rude-server.js'

/** Where a request goes. */
export interface Target extends AsyncDisposable {
  readonly url: string
  /** Absent where nobody is there to keep a ledger. */
  readonly server?: RudeServer
}

/** The request that both sides make. */
export interface Ask {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** A function makes a fresh stream. */
  readonly body?: string | (() => ReadableStream<Uint8Array>)
  readonly idempotencyKey?: string
  /** As many requests, each on a kept connection that the server has reset the moment before. Default: one, on a fresh one. */
  readonly onResetConnections?: number
  /** Bytes of the whole answer, so that a cut one can be told. */
  readonly wholeBytes?: number
}

/** What may come of the request as offhook makes it. */
export interface OwnExpectation {
  /** The name of the error's class, or the status of the answer. */
  readonly end: string | number
  /** Of the error; or, when there was an answer in the end, of the attempt that failed last. */
  readonly kind?: FailureKind
  readonly phase?: readonly Phase[]
  readonly delivery?: readonly Delivery[]
  /** What happened on the wire, by `error.diagnosis` or the channel of attempts. */
  readonly mechanism?: readonly Mechanism[]
  readonly attempts: number
  readonly stop?: StopReason
}

/** One line of the demo. */
export interface DemoLine {
  /** What the server does, or who is not there. */
  readonly does: string
  readonly ask: Ask
  /** Both sides get a target of their own, so that each meets the same server in the same mood. */
  readonly open: () => Promise<Target>
  readonly options?: (target: Target) => ClientOptions
  readonly expect: {
    /** Any of these: the code of bare fetch's cause, a status, `cut` (passed off as whole), `silence`. */
    readonly bare: readonly string[]
    /** Any of these. */
    readonly offhook: readonly OwnExpectation[]
    /** How often the server executed the request, by its ledger; `any` where that is luck. Absent where there is none. */
    readonly executed?: { readonly bare: number | 'any'; readonly offhook: number }
  }
}
