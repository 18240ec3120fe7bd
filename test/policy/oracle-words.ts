/**
 * The words of the oracle. The cells are the document's: `T` transparent · `T once` · `T once, then C` · `C` charged with
 * backoff · `C0, then C` the first time without it · `C once` · `C slow` with the backoff of overload · `C throttle` the
 * same, cheaper · `never` · `o` when asked for by name · `as status` whatever the status says.
 */

import type { Failure, RequestClass, StopReason } from '../../src/failure/kinds.js'
import type { RetryQuestion } from '../../src/policy/retry-question.js'

export type Words = 'T' | 'T once' | 'T once, then C' | 'C' | 'C0, then C' | 'C once' | 'C slow' | 'C throttle'

/** A cell that is open only by an option, or only where the facts of the example add something. */
export interface Ask {
  readonly o?: string
  readonly with?: Partial<RetryQuestion>
  readonly how: Words
}

export type OracleCell = Words | 'as status' | { readonly never: StopReason } | readonly [StopReason, ...Ask[]]

export interface OracleRow {
  readonly number: number
  readonly what: string
  readonly cells: Readonly<Record<RequestClass, OracleCell>>
  /** What is said when a "once" is asked for a second time. */
  readonly used?: StopReason
  readonly examples: readonly Example[]
}

/** A failure that belongs to the row, with what must be known besides. */
export interface Example extends Partial<Omit<RetryQuestion, 'failure'>> {
  readonly failure: Omit<Failure, 'cause'>
}

/** One row: number, words, cells of the classes S, K and U, examples. */
export const row = (
  number: number,
  what: string,
  cells: { readonly S: OracleCell; readonly K: OracleCell; readonly U: OracleCell; readonly used?: StopReason },
  ...examples: readonly Example[]
): OracleRow => ({
  number,
  what,
  cells: { idempotent: cells.S, keyed: cells.K, unsafe: cells.U },
  ...(cells.used === undefined ? undefined : { used: cells.used }),
  examples,
})

/** The same for every class. */
export const all = (cell: OracleCell) => ({ S: cell, K: cell, U: cell })
/** Never, for every class. */
export const never = (reason: StopReason) => all({ never: reason })
/** Never, because it could be executed twice. */
export const unsafe = { never: 'unsafe' } as const
/** For the classes that a second execution does not harm. */
export const harmless = { S: 'C', K: 'C', U: unsafe } as const
/** A complete answer with a status. */
export const status = (code: number, facts: Omit<Example, 'failure'> = {}): Example => ({
  failure: { kind: 'status', phase: 'body', delivery: 'answered', status: code },
  ...facts,
})
/** What gateways say in `Proxy-Status`. */
export const proxyStatus = (...errors: readonly string[]) => ({
  signals: { proxyStatus: errors.map((error) => ({ name: 'gateway', error })) },
})
