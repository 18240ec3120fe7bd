/** What a call may go on from: something that had been handed over, and was cut. */

import type { Lost } from '../attempt/sender.js'
import type { CallRecord } from './record.js'

/** How a body was cut that is to be continued. */
export type CutBody = Lost & { readonly end: 'failure' }

/** How a connection ended that is to be made anew. */
export interface CutLine extends CutBody {
  /** The attempts that led to it, where they are to count. */
  readonly record: CallRecord
  /** What happened, in a clause. */
  readonly says: string
}
