/** A terminal that remembers what was written to it. */

import type { Terminal } from '../../src/doctor/terminal.js'

export class MemoryTerminal implements Terminal {
  readonly columns: number | undefined
  readonly live: boolean
  readonly colour: boolean
  text = ''

  constructor({ columns, live = false, colour = false }: { columns?: number; live?: boolean; colour?: boolean } = {}) {
    this.columns = columns
    this.live = live
    this.colour = colour
  }

  write(text: string): void {
    this.text += text
  }

  get lines(): string[] {
    return this.text.split('\n')
  }
}
