/**
 * The decision table: which failure may be followed by another attempt, for which class of request, and how.
 *
 * It rests on one rule: proof, not probability. An unsafe request is repeated only when it is proved that it was not
 * processed (`unsent`, `rejected`), or when the caller asked for less by name. That a connection was old makes it
 * likely that the server never saw the request; it proves nothing, for a server may close after reading.
 *
 * Rows are asked from top to bottom, and the first that matches decides. Their numbers are those of the documentation.
 * Some rows differ in how, not in whether (25: as 14 or as 15), and stand here once for each form. Row 41 takes what
 * no other row does, so every failure finds one.
 */

import type { FailureKind } from '../failure/kinds.js'
import { type DecisionRow, isUnsent, never, permanent } from './decision-row.js'
import { rowsAnswered } from './decision-rows-answered.js'
import { isCutAtClose, rowsDeclared, rowsSent } from './decision-rows-sent.js'
import { rowsUnsent } from './decision-rows-unsent.js'
import type { RetryPolicy } from './retry-options.js'
import type { RetryQuestion } from './retry-question.js'
import { serverDelayMs } from './server-signals.js'

/** Whatever else happened, these end the call. */
const ends: readonly DecisionRow[] = [
  {
    number: 2,
    says: 'the caller aborted, or the total deadline is over',
    matches: ({ failure }) => failure.aborted === true || (failure.kind === 'timeout' && failure.phase === 'call'),
    ...never,
    stop: (failure) => (failure.aborted === true ? 'abort' : 'deadline'),
  },
  {
    number: 23,
    says: 'a reset cut a body whose end is the end of the connection, while the caller was reading it',
    matches: (question) => question.committed === true && isCutAtClose(question),
    idempotent: [{ manner: 'C', optIn: 'resume', when: 'resumable' }],
    keyed: 'never',
    unsafe: 'never',
    stop: 'committed',
    fresh: true,
  },
  {
    number: 22,
    says: 'the answer broke off while the caller was reading its body',
    matches: ({ committed }) => committed === true,
    idempotent: [{ manner: 'C', optIn: 'resume', when: 'resumable' }],
    keyed: 'never',
    unsafe: 'never',
    stop: 'committed',
    fresh: true,
  },
  {
    number: 39,
    says: 'the server forbade another try',
    matches: ({ failure, signals }) => signals?.stop === true || failure.advice === 'do-not-retry',
    ...never,
    stop: 'server-said',
  },
  {
    number: 1,
    says: 'the request cannot be sent as it is',
    matches: ({ failure }) =>
      failure.admission === 'invalid' || (failure.permanent === true && !hasPermanentRow.includes(failure.kind)),
    ...permanent,
  },
  {
    number: 3,
    says: 'this client did not dial',
    matches: ({ failure }) =>
      failure.kind === 'not-admitted' || (isUnsent(failure, 'timeout') && failure.phase === 'admit'),
    ...never,
    stop: (failure) => (failure.admission === 'budget' ? 'budget' : 'local'),
  },
]

/** Kinds whose lasting failures have a row of their own. */
const hasPermanentRow: readonly FailureKind[] = ['tls', 'protocol', 'dns', 'proxy', 'status']

/** Asked last of all, when the wait is known: never sleep into the deadline. */
export const tooLate: DecisionRow = {
  number: 40,
  says: 'the next try would have to wait too long',
  matches: (question, policy, waitMs) =>
    waitMs !== undefined &&
    ((question.remainingMs !== undefined && waitMs >= question.remainingMs) ||
      (serverDelayMs(question.signals) ?? 0) > (policy.maxRetryAfterMs ?? Number.POSITIVE_INFINITY)),
  ...never,
  stop: 'deadline',
}

/** Repeated as row 15 is, but whatever was proved unsent may be sent again, name or no name. */
const nameless: DecisionRow = {
  number: 41,
  says: 'the request failed for a reason that has no row of its own',
  matches: () => true,
  idempotent: 'C',
  keyed: 'C',
  unsafe: [{ manner: 'C', when: 'unsent' }],
  fresh: true,
}

/** All rows, in the order in which they are asked. */
export const decisionTable: readonly DecisionRow[] = Object.freeze([
  ...ends,
  ...rowsAnswered,
  ...rowsDeclared,
  ...rowsUnsent,
  ...rowsSent,
  tooLate,
  nameless,
])

/**
 * The row that decides about a failure. For row 17, whose answer came early, `as-status` leads on to the row of the
 * status: see {@link rowOfStatus}.
 */
export function findRow(question: RetryQuestion, policy: RetryPolicy): DecisionRow {
  return decisionTable.find((row) => row.matches(question, policy)) ?? nameless
}

/** The row of the status of an answer that came early, as if it had come in time. */
export function rowOfStatus(question: RetryQuestion, policy: RetryPolicy): DecisionRow {
  return findRow({ ...question, failure: { ...question.failure, kind: 'status', phase: 'wait' } }, policy)
}
