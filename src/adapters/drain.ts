/**
 * An answer that nobody will read still holds its connection. A short one is read to its end, so that the connection
 * can serve again; a long or a slow one is dropped with its connection.
 */

import type { Clock } from '../clock.js'

const most = 64 * 1024
const longestMs = 100

/** A body as far as it is to be got rid of. */
export interface Drainable {
  read(): Promise<{ done: boolean; value?: { length: number } | undefined }>
  cancel(): Promise<void>
}

/** Reads what is left, within bounds, and never fails. */
export function drain(body: Drainable, clock: Clock): void {
  const drop = () => {
    body.cancel().catch(() => {})
  }
  const timer = clock.after(longestMs, drop)
  let seen = 0
  const next = (): Promise<void> =>
    body.read().then(({ done, value }) => {
      if (done) return
      seen += value?.length ?? 0
      return seen > most ? drop() : next()
    })
  next()
    .catch(() => {})
    .finally(() => clock.cancel(timer))
}
