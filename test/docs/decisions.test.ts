/** docs/decisions.md says what the table decides. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decisionPage } from '../../scripts/decision-page.js'
import { decisionTable } from '../../src/policy/decision-table.js'
import { optInNames } from '../../src/policy/retry-options.js'

const page = readFileSync(new URL('../../docs/decisions.md', import.meta.url), 'utf8')
const lines = page.split('\n').filter((line) => /^\| \d/.test(line))

describe('docs/decisions.md', () => {
  test('is what the table says now: run `npm run decisions` when it is not', () => {
    expect(page).toBe(decisionPage(decisionTable))
  })

  test('has a line for each row, and nothing that could not be told', () => {
    expect(lines).toHaveLength(decisionTable.length)
    expect(new Set(lines.map((line) => Number(line.split(' ')[1])))).toEqual(
      new Set(Array.from({ length: 41 }, (_, at) => at + 1)),
    )
    for (const line of lines) {
      expect(line.split(' | ')).toHaveLength(7)
      expect(line).not.toMatch(/undefined|\[object|function/)
    }
  })

  test('names every option that opens a way', () => {
    for (const name of optInNames) expect(page).toContain(`retry.${name}`)
  })

  test.each([
    [6, 'paid', 'paid', 'paid'],
    [13, 'free, at once', 'free, at once', 'free, at once'],
    [15, 'paid', 'paid', '**no**'],
    [
      32,
      'paid (0.4), after a long wait',
      'paid (0.4), after a long wait',
      '**no**; with `retry.unsafeOn429` paid (0.4), after a long wait',
    ],
  ])('row %i', (number, ...cells) => {
    expect(
      lines
        .find((line) => line.startsWith(`| ${number} |`))
        ?.split(' | ')
        .slice(2, 5),
    ).toEqual(cells)
  })
})
