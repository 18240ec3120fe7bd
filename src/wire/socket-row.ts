/**
 * A connection's own row in Linux's `/proc/net/tcp` or `tcp6`: whether what was written has been acknowledged by the
 * peer's kernel. Needs no privilege, and other programs do not disturb it.
 *
 * The table costs what it costs: the kernel walks its whole hash of connections for it (measured: 5 ms with a hundred
 * rows, 14 ms with 4,000), and cannot be asked for one row. So it is read a page at a time in the thread pool, the event
 * loop never waits for it, failures that come together are looked up in one pass, and who has waited long enough is told
 * that nobody knows.
 */

import { open } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { endianness } from 'node:os'
import type { SocketRowFacts } from '../failure/circumstances.js'
import { type Ends, findRow, rowKey } from './proc-net.js'

/** The kernel hands out a page at a time, whatever is asked for. */
const pageBytes = 16_384

/** A row that somebody waits for. */
interface Wanted {
  readonly key: string
  given: boolean
  readonly give: (row: SocketRowFacts | undefined) => void
}

export class SocketTable {
  readonly #path: string
  #waiting: Wanted[] = []
  #reading = false

  constructor(path: string) {
    this.#path = path
  }

  /**
   * The row with this key; `absent` when the whole table was read and has none, `undefined` when it was not.
   *
   * @param patienceMs how long to wait for it
   */
  row(key: string, patienceMs: number): Promise<SocketRowFacts | undefined> {
    return new Promise((resolve) => {
      const give = (row: SocketRowFacts | undefined) => {
        wanted.given = true
        clearTimeout(timer)
        resolve(row)
      }
      const wanted: Wanted = { key, given: false, give }
      const timer = setTimeout(() => give(undefined), patienceMs)
      this.#waiting.push(wanted)
      if (!this.#reading) void this.#readAll()
    })
  }

  async #readAll(): Promise<void> {
    this.#reading = true
    while (this.#waiting.length > 0) {
      const wanted = this.#waiting
      this.#waiting = []
      await this.#pass(wanted)
    }
    this.#reading = false
  }

  /** One pass over the table, for all who wait. Never fails. */
  async #pass(wanted: readonly Wanted[]): Promise<void> {
    const waiting = () => wanted.filter((one) => !one.given)
    try {
      const file = await open(this.#path)
      try {
        const page = Buffer.allocUnsafe(pageBytes)
        let rest = ''
        while (waiting().length > 0) {
          const { bytesRead } = await file.read(page, 0, pageBytes, null)
          if (bytesRead === 0) break
          const text = rest + page.toString('latin1', 0, bytesRead)
          for (const one of waiting()) {
            const row = findRow(text, one.key)
            if (row !== undefined) one.give(row)
          }
          rest = text.slice(text.lastIndexOf('\n') + 1)
        }
      } finally {
        await file.close()
      }
      for (const one of waiting()) one.give({ state: 'absent' })
    } catch {
      for (const one of waiting()) one.give(undefined)
    }
  }
}

/** The tables of this host's connections. */
export class SocketRows {
  readonly #four = new SocketTable('/proc/net/tcp')
  readonly #six = new SocketTable('/proc/net/tcp6')

  /** Reads the row of a connection. Linux only; elsewhere, and where the table cannot be read in time, `undefined`. */
  async of(ends: Ends, patienceMs: number): Promise<SocketRowFacts | undefined> {
    if (process.platform !== 'linux') return undefined
    const key = rowKey(ends, endianness() === 'LE')
    if (key === undefined) return undefined
    return (isIPv4(ends.remoteAddress) ? this.#four : this.#six).row(key, patienceMs)
  }
}
