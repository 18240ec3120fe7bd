/**
 * Asks the peer's kernel whether it still lives, while nothing is under way that it would have to acknowledge: in the
 * middle of an answer, or long after a request was acknowledged. A keepalive probe is asked for a moment before a limit
 * of ours runs out, and the socket's own row tells whether it was answered (tcp(7), TCP_KEEPIDLE). Linux only.
 */

import type { Exchange } from './exchange.js'

/** The kernel sends a probe at once where nothing has come for as long as this, the shortest that it can be set to. */
const quietMs = 1_000

/** How long a connection is silent before the kernel asks by itself whether the peer is still there; undici's own figure. */
export const tcpKeepAliveMs = 60_000

/** What of the time is left for the answer; the rest is for reading the row. */
const share = 0.6

/** How long before the end of a limit to ask; `undefined` where the silence would be too short to be asked in. */
export function askedBeforeMs(limitMs: number): number | undefined {
  const ahead = Math.min(limitMs / 4, 1_500)
  return limitMs - ahead > quietMs + 50 ? ahead : undefined
}

/**
 * Asks once, and leaves what was learned with the connection. Probes that stay without an answer end a connection only
 * when there have been ten of them: there is no time for more than two.
 *
 * @param withinMs how soon the limit runs out
 */
export function askPeer(exchange: Exchange, withinMs: number): void {
  const record = exchange.socket
  const { lookout, raw } = record?.sight ?? {}
  if (record === undefined || lookout === undefined || raw === undefined || process.platform !== 'linux') return
  const { progressAt } = exchange
  const still = () => exchange.progressAt === progressAt && exchange.endedAt === undefined && !raw.destroyed
  raw.setKeepAlive(true, quietMs)
  lookout.clock.after(share * withinMs, () => {
    const ends = still() ? record.sight.ends(record.remoteAddress, record.remotePort) : undefined
    const asked = ends === undefined ? Promise.resolve(undefined) : lookout.rows.of(ends, 0.3 * withinMs)
    void asked.then((row) => {
      if (!raw.destroyed) raw.setKeepAlive(true, tcpKeepAliveMs)
      // While something is unacknowledged the kernel sends that again, and no probes.
      if (row?.timer === 'keepalive' && row.unacknowledged === 0 && still())
        record.sight.probed = { at: progressAt, row: { ...row, probed: true } }
    })
  })
}
