/** Where the command line writes to: how wide it is, whether it has colour, and whether a line on it can be redrawn. */

/** A place for text. Tests hand in one of their own. */
export interface Terminal {
  write(text: string): void
  /** Characters a line; absent where nobody knows, as in a file. */
  readonly columns?: number | undefined
  /** A line can be taken back and written anew. */
  readonly live: boolean
  readonly colour: boolean
}

/** What a piece of text is, from which its colour follows. */
export type Tone = 'good' | 'bad' | 'careful' | 'strong' | 'faint'

const codes: Record<Tone, readonly [on: number, off: number]> = {
  good: [32, 39],
  bad: [31, 39],
  careful: [33, 39],
  strong: [1, 22],
  faint: [2, 22],
}

/** The text in its colour, where the terminal has colours. */
export function paint(terminal: Terminal, text: string, tone: Tone | undefined): string {
  if (tone === undefined || !terminal.colour || text === '') return text
  const [on, off] = codes[tone]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

/** A terminal over one of the process's own streams. */
export function terminalOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal {
  const live = stream.isTTY === true && env['TERM'] !== 'dumb'
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.columns
    },
    live,
    colour: hasColour(live, env),
  }
}

/**
 * FORCE_COLOR wins over NO_COLOR, as in Node itself; an empty NO_COLOR counts as absent (https://no-color.org); without
 * either, a terminal has colour and a file has none.
 */
export function hasColour(live: boolean, env: NodeJS.ProcessEnv): boolean {
  const force = env['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  if ((env['NO_COLOR'] ?? '') !== '') return false
  return live
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** One line that says what is going on and is gone when it is over. Where lines cannot be redrawn it shows nothing. */
export class LiveLine {
  readonly #terminal: Terminal
  #timer: NodeJS.Timeout | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  show(text: string): void {
    if (!this.#terminal.live) return
    this.clear()
    const room = (this.#terminal.columns ?? 80) - 3
    let frame = 0
    const draw = () => {
      const sign = frames[frame++ % frames.length] ?? ''
      this.#terminal.write(`\r\u001b[2K${sign} ${paint(this.#terminal, text.slice(0, room), 'faint')}`)
    }
    draw()
    this.#timer = setInterval(draw, 100)
    // Whatever the demo waits for keeps the process alive; its ornament must not.
    this.#timer.unref()
  }

  clear(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#terminal.write('\r\u001b[2K')
  }
}
