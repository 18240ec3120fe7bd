/** The second half of the sentence that explains a decision; the row of the table says the first. The text is not an API. */

import type { RequestClass, StopReason } from '../failure/kinds.js'
import type { Cell } from './decision-row.js'
import type { OptIn } from './retry-options.js'
import type { RetryQuestion } from './retry-question.js'

/** Why another attempt may be made. */
export function permits(retry: {
  readonly question: RetryQuestion
  readonly transparent: boolean
  readonly elsewhere: boolean
  readonly optIn?: OptIn
}): string {
  const { question, transparent, elsewhere, optIn } = retry
  const soon = elsewhere ? ' at once, to another address' : transparent ? ' at once' : ''
  if (optIn !== undefined) return `${byOption[optIn]} (retry.${optIn})`
  switch (question.failure.delivery) {
    case 'unsent':
      return `nothing was sent, so it may be tried again${soon}`
    case 'rejected':
      return `it was not processed, so any method may be sent again${soon}`
    default:
      return `${harmless[question.requestClass]}${soon}`
  }
}

/** Why there may not be another. */
export function forbids(stop: {
  readonly question: RetryQuestion
  readonly stopReason: StopReason
  readonly cell: Cell
}): string {
  const { question, stopReason, cell } = stop
  const why = stopReason === 'unsafe' ? whyUnsafe[question.requestClass] : byReason[stopReason]
  const options = typeof cell === 'string' ? [] : cell.flatMap(({ optIn }) => optIn ?? [])
  return options.length === 0 ? why : `${why} (to be allowed by retry.${options.join(' or retry.')})`
}

const whyUnsafe: Record<RequestClass, string> = {
  idempotent: 'a second time could do harm',
  keyed: 'its result is lost, and that a replay of the key gives it back is not certain',
  unsafe: 'the request may have been executed, and a second time could do harm',
}

const harmless: Record<RequestClass, string> = {
  idempotent: 'an idempotent request may be sent again',
  keyed: 'the Idempotency-Key lets the server know it again, so it may be sent again',
  // Only an option opens this way, and an option speaks for itself.
  unsafe: 'it may be sent again',
}

const byOption: Record<OptIn, string> = {
  unsafeOnStaleConnection: 'that it was most likely not executed was chosen to be enough',
  unsafeOn429: 'that a 429 means "not executed" was chosen to be believed',
  unsafeOn503: 'that a 503 means "not executed" was chosen to be believed',
  unsafeOnHttp11Required: 'that it was not executed over HTTP/2 was chosen to be believed',
  trustProxyStatus: 'the gateway says that the request never reached the origin, and is trusted',
  idempotentOnInvalidResponse: 'an idempotent request may be sent again, even to a server that looks broken',
  keyedAfterCutBody: 'the server was chosen to be trusted to replay the result of the key',
  resume: 'the rest of the body can be asked for',
  nackHeader: 'the server says that it did not process the request, and is trusted',
}

/** For the reasons that a row can give; `unsafe` depends on more. */
const byReason: Record<Exclude<StopReason, 'unsafe'>, string> = {
  abort: 'that ends the call',
  deadline: 'that ends the call',
  committed: 'what was handed over cannot be taken back',
  permanent: 'trying again cannot help',
  'server-said': 'that is its word',
  local: 'the request was not tried, and may safely be tried elsewhere or later',
  budget: 'the retry budget is empty',
  attempts: 'all attempts were used',
  body: 'the body was a stream and its beginning is gone',
  disabled: 'retries are switched off',
}
