/** `decide` held against the oracle, cell by cell: 40 rows, three classes, with and without options, first and second time. */

import { describe, expect, it } from 'vitest'
import type { RequestClass, StopReason } from '../../src/failure/kinds.js'
import { decisionTable, findRow } from '../../src/policy/decision-table.js'
import { decide } from '../../src/policy/retry.js'
import { defaultRetryPolicy, type OptIn, optInNames, type RetryPolicy } from '../../src/policy/retry-options.js'
import type { RetryQuestion, Verdict } from '../../src/policy/retry-question.js'
import { oracle } from './decision-oracle.js'
import type { Ask, Example, OracleCell, OracleRow, Words } from './oracle-words.js'

const classes = ['idempotent', 'keyed', 'unsafe'] as const satisfies readonly RequestClass[]

const policyWith = (...optIns: readonly string[]): RetryPolicy => ({
  ...defaultRetryPolicy,
  optIns: new Set(optIns as OptIn[]),
})
const everyOption = policyWith(...optInNames)

/** One way to ask about an example: the class, the options, and how often the row has granted a retry before. */
interface Asking {
  readonly requestClass: RequestClass
  readonly policy: RetryPolicy
  readonly times: 0 | 1
  readonly with?: Partial<RetryQuestion> | undefined
}

const questionOf = (example: Example, asking: Asking): RetryQuestion => ({
  replayable: true,
  attempts: asking.times + 1,
  transparent: asking.times,
  dice: 0.5,
  retriesOfRow: () => asking.times,
  ...example,
  ...asking.with,
  requestClass: asking.requestClass,
  failure: { ...example.failure, cause: undefined },
})

const ask = (example: Example, asking: Asking): Verdict => decide(questionOf(example, asking), asking.policy)

const stopped = (reason: StopReason) => ({ retry: false, stopReason: reason, cost: 0, transparent: false })
const free = { retry: true, transparent: true, charged: false, cost: 0, waitMs: 0 }
const charged = (waitMs: number, cost = 1) => ({ retry: true, transparent: false, charged: true, cost, waitMs })

/** What a word means the first and the second time, with dice that show 0.5 and the default policy. */
const meaning: Record<Words, (used: StopReason) => readonly [object, object]> = {
  T: () => [free, free],
  'T once': (used) => [free, stopped(used)],
  'T once, then C': () => [free, charged(50)],
  C: () => [charged(25), charged(50)],
  'C0, then C': () => [charged(0), charged(50)],
  'C once': (used) => [charged(25), stopped(used)],
  'C slow': () => [charged(500), charged(1000)],
  'C throttle': () => [charged(500, 0.4), charged(1000, 0.4)],
}

function expectWords(words: Words, row: OracleRow, verdictOf: (times: 0 | 1) => Verdict): void {
  const [first, second] = meaning[words](row.used ?? 'permanent')
  expect(verdictOf(0)).toMatchObject(first)
  expect(verdictOf(1)).toMatchObject(second)
}

function expectOpening(opening: Ask, row: OracleRow, example: Example, requestClass: RequestClass): void {
  const { o, how } = opening
  const option = o ?? ''
  const withOnly = (times: 0 | 1) =>
    ask(example, { requestClass, policy: policyWith(option), times, with: opening.with })
  expectWords(how, row, withOnly)
  expect(withOnly(0)).toMatchObject({ row: row.number, optIn: option })
}

function expectCell(cell: OracleCell, row: OracleRow, example: Example, requestClass: RequestClass): void {
  for (const policy of [defaultRetryPolicy, everyOption]) {
    const verdictOf = (times: 0 | 1) => ask(example, { requestClass, policy, times })
    if (cell === 'as status') {
      const inTime: Example = { ...example, failure: { ...example.failure, kind: 'status', phase: 'body' } }
      const { because, ...verdict } = verdictOf(0)
      expect(verdict).toEqual((({ because: _, ...rest }) => rest)(ask(inTime, { requestClass, policy, times: 0 })))
      expect(because).toContain('before the whole request was written')
    } else if (typeof cell === 'string') {
      expectWords(cell, row, verdictOf)
      expect(verdictOf(0)).not.toHaveProperty('optIn')
    } else if ('never' in cell) {
      expect(verdictOf(0)).toMatchObject(stopped(cell.never))
      expect(verdictOf(1)).toMatchObject(stopped(cell.never))
    }
  }
  if (typeof cell === 'string' || 'never' in cell) return
  const [closed, ...openings] = cell
  expect(ask(example, { requestClass, policy: defaultRetryPolicy, times: 0 })).toMatchObject(stopped(closed))
  for (const opening of openings) expectAlone(opening, cell, row, example, requestClass)
}

/** The opening opens with its own option, and with no other that does not name this cell. */
function expectAlone(
  opening: Ask,
  cell: readonly [StopReason, ...Ask[]],
  row: OracleRow,
  example: Example,
  requestClass: RequestClass,
): void {
  const [closed, ...openings] = cell
  const facts = { ...example, ...opening.with }
  expectOpening(opening, row, facts, requestClass)
  const others = optInNames.filter((name) => openings.every(({ o }) => o !== name))
  expect(ask(facts, { requestClass, policy: policyWith(...others), times: 0 })).toMatchObject(stopped(closed))
  if (opening.with !== undefined) {
    // The fact alone, or the option alone, is not enough.
    expect(ask(example, { requestClass, policy: policyWith(opening.o ?? ''), times: 0 })).toMatchObject(stopped(closed))
  }
}

describe('the decision table, cell by cell', () => {
  for (const row of oracle) {
    for (const requestClass of classes) {
      it.each(row.examples.map((example, at) => ({ example, at })))(
        `row ${row.number} (${row.what}), ${requestClass}, example $at`,
        ({ example }) => expectCell(row.cells[requestClass], row, example, requestClass),
      )
    }
  }
})

describe('the decision table as a whole', () => {
  it('is transcribed completely: 40 rows, each with an example', () => {
    expect([...new Set(oracle.map((row) => row.number))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, at) => at + 1),
    )
    expect(oracle.every((row) => row.examples.length > 0)).toBe(true)
  })

  it('has the rows of the document, and one more for what has none', () => {
    expect([...new Set(decisionTable.map((row) => row.number))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 41 }, (_, at) => at + 1),
    )
  })

  it.each(
    oracle.filter((row) => row.number !== 17).flatMap((row) => row.examples.map((example) => ({ row, example }))),
  )('reports row $row.number for $example.failure', ({ row, example }) => {
    for (const requestClass of classes) {
      expect(ask(example, { requestClass, policy: defaultRetryPolicy, times: 0 }).row).toBe(row.number)
    }
  })

  // Where the connection, or all that were opened with it, cannot be relied on; and 421 (RFC 9110 §15.5.20).
  const freshRows = [14, 15, 16, 18, 19, 20, 21, 22, 23, 25, 27, 30, 31]

  it('opens a connection of its own after a connection failed, and only then', () => {
    const resumable = { resumable: true }
    for (const row of oracle) {
      for (const example of row.examples) {
        const verdict = ask(example, { requestClass: 'idempotent', policy: everyOption, times: 0, with: resumable })
        expect([row.number, verdict.freshConnection]).toEqual([
          row.number,
          verdict.retry && freshRows.includes(row.number),
        ])
      }
    }
  })

  it('shadows no row: each entry is the first that matches some example', () => {
    const nameless: Example = { failure: { kind: 'unknown', phase: 'wait', delivery: 'unknown' } }
    const reached = new Set(
      [...oracle.flatMap((row) => row.examples), nameless].flatMap((example) =>
        classes.map((requestClass) =>
          findRow(questionOf(example, { requestClass, policy: defaultRetryPolicy, times: 0 }), defaultRetryPolicy),
        ),
      ),
    )
    const unreached = decisionTable.filter((row) => !reached.has(row)).map((row) => row.number)
    // Row 40 is not found by the failure but by the wait; its cells are walked above.
    expect(unreached).toEqual([40])
  })
})
