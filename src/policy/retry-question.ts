/** What is asked after a failed attempt, and what is answered. */

import type { Decision } from '../failure/evidence.js'
import type { Failure, RequestClass } from '../failure/kinds.js'
import type { ServerSignals } from './server-signals.js'

/** Everything that a decision about another attempt depends on. */
export interface RetryQuestion {
  readonly failure: Failure
  readonly requestClass: RequestClass
  /** The connection had carried an earlier request. Absent: nobody could see. */
  readonly reused?: boolean | undefined
  /** The protocol of the connection. Absent: nobody could see. */
  readonly protocol?: 'http/1.1' | 'h2' | undefined
  /** The end of the response body was marked by the end of the connection alone. */
  readonly closeDelimited?: boolean | undefined
  /**
   * An earlier exchange of the same attempt, a redirect, was answered. What the last exchange says about itself then
   * does not speak for the whole: an unsafe request is not repeated, whatever was declared at the end.
   */
  readonly earlierAnswered?: boolean | undefined
  /** The name has an address that has not failed of late, and was not the one tried now. */
  readonly otherAddress?: boolean | undefined
  /** The request body can be sent again now: there is none, it is in memory, a factory makes it, or it was not touched yet. */
  readonly replayable: boolean
  /** Attempts made so far that count. Those begun by a transparent retry do not. */
  readonly attempts: number
  /** Transparent retries in a row so far. A charged retry ends the row. */
  readonly transparent: number
  /** How many retries this call was already granted by a row of the table, by the row's number. Absent: none by any. */
  readonly retriesOfRow?: ((row: number) => number) | undefined
  /** Milliseconds until the total deadline. Absent: there is none. */
  readonly remainingMs?: number | undefined
  /** What the server's headers said, if there were any. */
  readonly signals?: ServerSignals | undefined
  /** The response head was handed to the caller. */
  readonly committed?: boolean | undefined
  /** A GET whose answer carried a strong ETag: the rest of the body can be asked for. */
  readonly resumable?: boolean | undefined
  /** A throw from 0 (included) to 1 (excluded), for the jitter. */
  readonly dice: number
  /** What the origin's budget takes for a retry after a sign of overload, in tokens. Absent: 0.4. */
  readonly throttleCost?: number | undefined
}

/** The answer: the decision for the record, and what the next attempt needs to know. */
export interface Verdict extends Decision {
  /** Tokens of the retry budget: 0 for a transparent retry, `throttleCost` after a sign of overload, 1 otherwise. */
  readonly cost: number
  /** The retry is free and at once, because the request was proved not to have been processed. */
  readonly transparent: boolean
  /** The next attempt must open a connection of its own. */
  readonly freshConnection: boolean
  /** The next attempt must speak HTTP/1.1. */
  readonly overHttp1?: boolean
}
