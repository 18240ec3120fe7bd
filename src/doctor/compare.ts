/** Whether a line came out as it should, and if not, in what it differs. */

import type { Hangups, OffhookError } from '../index.js'
import type { DemoLine, OwnExpectation } from './demo-line.js'
import type { Deeds, End } from './sides.js'

/** What came of a line. */
export interface Played {
  readonly bare: readonly End[]
  readonly offhook: readonly End[]
  readonly deeds: Deeds
  /** What `client.stats()` counted. */
  readonly stats?: Pick<Hangups, 'failures' | 'mechanisms'>
  /** By the ledgers of the two servers, if there were servers. */
  readonly executed: { readonly bare: number; readonly offhook: number } | undefined
}

/** One sentence for each difference; none when the line came out as expected. */
export function differences({ ask, expect }: DemoLine, played: Played): string[] {
  const words = [...new Set(played.bare.map((end) => wordOf(end, ask.wholeBytes)))]
  const strange = words.filter((word) => !expect.bare.includes(word))
  const alternatives = expect.offhook.map((expected) => ownDifferences(expected, played))
  const nearest = alternatives.reduce((best, next) => (next.length < best.length ? next : best))
  return [
    ...strange.map((word) => `bare fetch: expected ${expect.bare.join(' or ')}, came ${word}`),
    ...nearest.map((difference) => `offhook: ${difference}`),
    ...(['bare', 'offhook'] as const).flatMap((side) => {
      const expected = expect.executed?.[side]
      return expected === 'any' ? [] : differs(`the ledger of ${side}: executions`, expected, played.executed?.[side])
    }),
  ]
}

function ownDifferences(expected: OwnExpectation, { offhook, deeds }: Played): string[] {
  const { failure } = deeds
  return [
    ...offhook.flatMap((end) => differs('end', expected.end, nameOf(end))),
    ...differs('attempts', expected.attempts, deeds.attempts),
    ...(expected.kind === undefined ? [] : differs('kind', expected.kind, failure?.kind)),
    ...oneOf('phase', expected.phase, failure?.phase),
    ...oneOf('delivery', expected.delivery, failure?.delivery),
    ...oneOf('mechanism', expected.mechanism, failure?.mechanism),
    ...(expected.stop === undefined ? [] : differs('stopReason', expected.stop, deeds.stop)),
  ]
}

/** An end in one word: the code of the cause, the status, `cut` or `silence`. */
export function wordOf(end: End, wholeBytes: number | undefined): string {
  switch (end.how) {
    case 'silence':
      return 'silence'
    case 'answer':
      return end.status < 400 && wholeBytes !== undefined && end.bytes < wholeBytes ? 'cut' : String(end.status)
    case 'error':
      return codeOf(end.error) ?? String(end.error)
  }
}

/** The code of an error, or of the nearest cause that has one. The parser of undici 7 and 8 gives none, but a name. */
export function codeOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 10; depth++) {
    const { code, name, cause } = at as { code?: unknown; name?: unknown; cause?: unknown }
    if (typeof code === 'string') return code
    if (name === 'HTTPParserError') return name
    at = cause
  }
  return undefined
}

function nameOf(end: End): string | number {
  if (end.how === 'answer') return end.status
  return end.how === 'silence' ? 'silence' : (end.error as OffhookError).name
}

function differs(what: string, expected: string | number | undefined, came: string | number | undefined): string[] {
  return expected === came ? [] : [`${what}: expected ${expected ?? 'none'}, came ${came ?? 'none'}`]
}

function oneOf(what: string, expected: readonly string[] | undefined, came: string | undefined): string[] {
  if (expected === undefined || (came !== undefined && expected.includes(came))) return []
  return [`${what}: expected ${expected.join(' or ')}, came ${came ?? 'none'}`]
}
