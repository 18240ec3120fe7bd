/**
 * The decision table, written down a second time: by hand, from the document that specifies it, and not from the code.
 * `decide` is held against it cell by cell.
 */

import { answers } from './oracle-answers.js'
import { exchanges } from './oracle-exchanges.js'
import type { OracleRow } from './oracle-words.js'

export const oracle: readonly OracleRow[] = [...exchanges, ...answers]
