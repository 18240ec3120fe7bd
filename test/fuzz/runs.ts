/** How often properties are tried: a little in the suite, for minutes with `npm run fuzz -- --minutes 5`. */

import fc from 'fast-check'

const minutes = Number(process.env['OFFHOOK_FUZZ_MINUTES'] ?? 0)

/** What a property of this folder is tried with; `share` of the minutes is its own. Its test must wait for it. */
export function tries(few: number, share = 1 / 16): fc.Parameters<unknown> {
  if (minutes === 0) return { numRuns: few }
  const ms = minutes * 60_000 * share
  return { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: ms, markInterruptAsFailure: false }
}

/** Long enough for a test of this folder. */
export const patienceMs = 60_000 + minutes * 60_000

/** Text that is nearly a header's value, and what nobody would send: other letters, control characters, miles of one sign. */
export function nearly(words: readonly string[]): fc.Arbitrary<string> {
  const sign = fc.constantFrom(
    ...words,
    ' ',
    ',',
    ';',
    '=',
    '"',
    '\\',
    '(',
    ')',
    '?',
    ':',
    '@',
    '-',
    '\t',
    '\0',
    'é',
    '𝄞',
  )
  const number = fc.oneof(fc.integer(), fc.constantFrom('0', '-0', '1e999', '999999999999999999999', 'NaN', 'Infinity'))
  return fc.oneof(
    fc
      .array(fc.oneof(sign, number.map(String), fc.string({ maxLength: 5 })), { maxLength: 20 })
      .map((all) => all.join('')),
    fc.string({ unit: 'binary', maxLength: 60 }),
    // What backtracks for ever does it here.
    fc
      .tuple(fc.constantFrom(...words, ''), sign, fc.integer({ min: 1, max: 20_000 }))
      .map(([head, one, times]) => head + one.repeat(times)),
  )
}
