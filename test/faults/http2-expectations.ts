/**
 * What must come of each misdeed of the rude HTTP/2 server, written by hand from RFC 9113 and the decision table (rows
 * 21 to 28), and not derived from the code under test.
 */

import type { Delivery, FailureKind, Phase } from '../../src/failure/kinds.js'
import type { H2MisdeedName } from '../../src/testing/rude-server.js'

export interface H2Failure {
  readonly kind: FailureKind
  readonly phase: readonly Phase[]
  readonly delivery: Delivery
  /** The HTTP/2 code or frame that the error names. */
  readonly http2?: string
  /** Which requests are tried again: all, all but unsafe ones, none; `timing`: none when the head had been handed over. */
  readonly repeats: 'all' | 'harmless' | 'none' | 'timing'
}

const wait = ['send', 'wait'] as const

/** Proved not to be processed: anything may be sent again. */
const rejected = (http2: string): H2Failure => ({
  kind: 'rejected',
  phase: wait,
  delivery: 'rejected',
  http2,
  repeats: 'all',
})
/** No answer, and no proof. */
const lost = (kind: FailureKind, http2?: string): H2Failure => ({
  kind,
  phase: wait,
  delivery: 'unknown',
  ...(http2 !== undefined && { http2 }),
  repeats: 'harmless',
})
/** The head had come. */
const cut = (kind: FailureKind, http2?: string): H2Failure => ({
  kind,
  phase: ['body'],
  delivery: 'partial',
  ...(http2 !== undefined && { http2 }),
  repeats: 'timing',
})

/** What undici 7 and 8 let be seen. `answer`: nothing of the misdeed, the request is answered at once. */
export interface H2Row {
  readonly undici7: H2Failure | 'answer'
  readonly undici8: H2Failure | 'answer'
}

const both = (failure: H2Failure): H2Row => ({ undici7: failure, undici8: failure })

export const h2Expectations: Record<H2MisdeedName, H2Row> = {
  // Row 24.
  'refused-stream': both(rejected('REFUSED_STREAM')),
  'goaway-none': both(rejected('GOAWAY')),
  'goaway-none-then-fin': both(rejected('GOAWAY')),
  'goaway-none-enhance-your-calm': both(rejected('ENHANCE_YOUR_CALM')),
  'goaway-before': both(rejected('GOAWAY')),
  // Row 25. undici 7 ends a connection with its first GOAWAY, whatever stream it names.
  'goaway-this-then-answer': { undici7: lost('closed', 'GOAWAY'), undici8: 'answer' },
  'goaway-any-then-answer': { undici7: lost('closed', 'GOAWAY'), undici8: 'answer' },
  'goaway-this-then-fin': both(lost('closed', 'GOAWAY')),
  'rst-before-head': both(lost('reset')),
  'fin-before-head': both(lost('closed')),
  'no-error': both(lost('closed', 'NO_ERROR')),
  // Row 26.
  'enhance-your-calm': both(lost('reset', 'ENHANCE_YOUR_CALM')),
  'goaway-this-enhance-your-calm': {
    undici7: lost('closed', 'ENHANCE_YOUR_CALM'),
    undici8: lost('reset', 'ENHANCE_YOUR_CALM'),
  },
  // Row 27: over HTTP/1.1, which this server does not speak.
  'http-1-1-required': both({ ...lost('reset', 'HTTP_1_1_REQUIRED'), repeats: 'none' }),
  // Row 28.
  cancel: both(lost('reset', 'CANCEL')),
  'internal-error': both(lost('reset', 'INTERNAL_ERROR')),
  'protocol-error': both(lost('protocol', 'PROTOCOL_ERROR')),
  // Row 18: our own limit.
  'stall-before-head': both(lost('timeout')),
  'ignore-pings': both(lost('timeout')),
  mute: both(lost('timeout')),
  // Rows 21 and 22.
  'cancel-mid-body': both(cut('reset', 'CANCEL')),
  'cancel-mid-body-with-length': both(cut('reset', 'CANCEL')),
  'no-error-mid-body': both(cut('closed', 'NO_ERROR')),
  'no-error-mid-body-with-length': both(cut('closed', 'NO_ERROR')),
  'internal-error-mid-body': both(cut('reset', 'INTERNAL_ERROR')),
  'protocol-error-mid-body': both(cut('protocol', 'PROTOCOL_ERROR')),
  'refused-stream-mid-body': both(cut('reset', 'REFUSED_STREAM')),
  'rst-mid-body': both(cut('reset')),
  'rst-mid-body-with-length': both(cut('reset')),
  'fin-mid-body': both(cut('closed')),
  'fin-mid-body-with-length': both(cut('closed')),
  'stall-mid-body': both(cut('timeout')),
  'short-body': both(cut('protocol', 'PROTOCOL_ERROR')),
}
