/** A table of a fixed width, row by row: a row can be printed as soon as it is known. */

import { paint, type Terminal, type Tone } from './terminal.js'

/** One line of a cell, before it is wrapped. */
export interface CellLine {
  readonly text: string
  readonly tone?: Tone | undefined
}

/** What stands in one column of one row. */
export type Cell = readonly CellLine[]

/** A column: its heading, and its share of the room that is left when each has its least width. */
export interface Column {
  readonly heading: string
  readonly least: number
  readonly share: number
}

const gap = '  '
const narrowest = 80
const widest = 120

/** The width to draw for: that of the terminal, between 80 and 120 columns; 100 where nobody knows. */
export function widthFor(terminal: Terminal): number {
  return Math.min(widest, Math.max(narrowest, terminal.columns || 100))
}

/** Draws rows of the same columns. */
export class Table {
  readonly #terminal: Terminal
  readonly #columns: readonly Column[]
  readonly #widths: readonly number[]

  constructor(terminal: Terminal, columns: readonly Column[]) {
    this.#terminal = terminal
    this.#columns = columns
    this.#widths = widths(columns, widthFor(terminal))
  }

  /** A text over the whole width, set in from the left by the first column. */
  note(text: string, tone?: Tone): string {
    const indent = ' '.repeat((this.#widths[0] ?? 0) + gap.length)
    const lines = wrap(text, widthFor(this.#terminal) - indent.length)
    return lines.map((line) => `${indent}${paint(this.#terminal, line, tone)}\n`).join('')
  }

  /** The headings, with a line below. */
  head(): string {
    const headings = this.#columns.map(({ heading }): Cell => [{ text: heading, tone: 'strong' }])
    return `${this.row(headings)}${this.rule()}`
  }

  /** A line from edge to edge. */
  rule(): string {
    const length = this.#widths.reduce((sum, width) => sum + width + gap.length, -gap.length)
    return `${paint(this.#terminal, '─'.repeat(length), 'faint')}\n`
  }

  /** One row, as high as its highest cell. */
  row(cells: readonly Cell[]): string {
    const wrapped = this.#widths.map((width, at) => (cells[at] ?? []).flatMap((line) => wrapLine(line, width)))
    const height = Math.max(...wrapped.map((lines) => lines.length))
    const lines = Array.from({ length: height }, (_, at) => this.#line(wrapped.map((cell) => cell[at])))
    return `${lines.join('\n')}\n`
  }

  #line(parts: readonly (CellLine | undefined)[]): string {
    // Padding after the last text of a line would be invisible ballast in a file.
    const last = parts.findLastIndex((part) => part !== undefined && part.text !== '')
    const padded = parts.slice(0, last + 1).map((part, at) => {
      const text = part?.text ?? ''
      const padding = at === last ? '' : ' '.repeat((this.#widths[at] ?? 0) - text.length)
      return paint(this.#terminal, text, part?.tone) + padding
    })
    return padded.join(gap)
  }
}

function widths(columns: readonly Column[], total: number): number[] {
  const least = columns.reduce((sum, column) => sum + column.least + gap.length, -gap.length)
  const shares = columns.reduce((sum, column) => sum + column.share, 0)
  const spare = Math.max(0, total - least)
  return columns.map(({ least: own, share }) => own + Math.floor((spare * share) / Math.max(1, shares)))
}

function wrapLine({ text, tone }: CellLine, width: number): CellLine[] {
  return wrap(text, width).map((part) => ({ text: part, tone }))
}

/** Breaks a text between words; a word that is longer than the width is broken where it must be. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    while (line.length > width) {
      // Codes are words joined by underscores.
      const joint = line.lastIndexOf('_', width - 1) + 1
      const end = joint > 0 ? joint : width
      lines.push(line.slice(0, end))
      line = line.slice(end)
    }
  }
  lines.push(line)
  return lines
}

/** Whether a row came out as expected. */
export function markCell(right: boolean): Cell {
  return [right ? { text: '✓', tone: 'good' } : { text: '✗', tone: 'bad' }]
}
