/**
 * An answer that nobody will read still holds its connection. A short one is read to its end, so that the connection
 * can serve again; a long or a slow one is dropped with its connection.
 */

import { systemClock } from '../clock.js'

const most = 64 * 1024
const longestMs = 100

/** Reads what is left, within bounds, and never fails. */
export function drain(reader: {
  read(): Promise<{ done: boolean; value?: { length: number } | undefined }>
  cancel(): Promise<void>
}): void {
  const drop = () => {
    reader.cancel().catch(() => {})
  }
  const timer = systemClock.after(longestMs, drop)
  let seen = 0
  const next = (): Promise<void> =>
    reader.read().then(({ done, value }) => {
      if (done) return
      seen += value?.length ?? 0
      return seen > most ? drop() : next()
    })
  next()
    .catch(() => {})
    .finally(() => systemClock.cancel(timer))
}
