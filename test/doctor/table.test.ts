import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cell, Table, widthFor, wrap } from '../../src/doctor/table.js'
import { MemoryTerminal } from './memory-terminal.js'

const words = fc
  .array(fc.stringMatching(/^[a-zA-Z_]{1,40}$/), { minLength: 1, maxLength: 12 })
  .map((all) => all.join(' '))

describe('wrap', () => {
  test('no line is longer than the width, and nothing is lost', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 60 }), (text, width) => {
        const lines = wrap(text, width)
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
      }),
    )
  })

  test.each([
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 13, ['one two three']],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 16, ['DEPTH_ZERO_SELF_', 'SIGNED_CERT']],
    ['unbreakable', 5, ['unbre', 'akabl', 'e']],
    ['', 5, ['']],
  ])('%j in %i columns', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines)
  })
})

describe('Table', () => {
  const columns = [
    { heading: '', least: 1, share: 0 },
    { heading: 'left', least: 20, share: 1 },
    { heading: 'right', least: 40, share: 2 },
  ]
  const cell: fc.Arbitrary<Cell> = fc.array(
    words.map((text) => ({ text, tone: 'good' as const })),
    { maxLength: 3 },
  )

  test('fits the terminal, however wide it is and whatever stands in it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.array(cell, { maxLength: 3 }), words, (width, cells, note) => {
        const terminal = new MemoryTerminal({ columns: width })
        const table = new Table(terminal, columns)
        const text = table.head() + table.row(cells) + table.note(note, 'bad') + table.rule()
        expect(widthFor(terminal)).toBeGreaterThanOrEqual(80)
        expect(widthFor(terminal)).toBeLessThanOrEqual(120)
        for (const line of text.split('\n')) {
          expect(line.length).toBeLessThanOrEqual(widthFor(terminal))
          expect(line).toBe(line.trimEnd())
        }
      }),
    )
  })

  test('columns stand below each other', () => {
    const table = new Table(new MemoryTerminal({ columns: 80 }), columns)
    expect(table.row([[{ text: '✓' }], [{ text: 'one' }, { text: 'two' }], [{ text: 'three' }]])).toBe(
      `✓  one${' '.repeat(24)}three\n   two\n`,
    )
  })

  test('colour is put around the text after it was measured', () => {
    const cells: Cell[] = [[{ text: '✓', tone: 'good' }], [{ text: 'one', tone: 'bad' }], [{ text: 'three' }]]
    const plain = new Table(new MemoryTerminal({ columns: 90 }), columns).row(cells)
    const coloured = new Table(new MemoryTerminal({ columns: 90, colour: true }), columns).row(cells)
    expect(coloured).not.toBe(plain)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain)
  })
})
