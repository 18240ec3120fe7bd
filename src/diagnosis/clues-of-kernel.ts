/** Clues in what the kernel of this host knows of the connection: the row of its socket, and its addresses. */

import { ms } from '../failure/story.js'
import { type Clue, type Look, look, type Shifts, settled } from './clue.js'
import { amount, isLoopback, moved } from './facts.js'
import { isSilent, type Scene } from './scene.js'

/**
 * The one split that matters after a silence. Acknowledged: the peer's kernel has the request, and its application is
 * silent. Not acknowledged: it never got there.
 */
const row: Clue = {
  of: ['circumstances', 'row'],
  look: (scene) => {
    const { situation, loopMs } = scene
    const { row } = scene.around
    if (row === undefined || !isSilent(scene)) return undefined
    const unacknowledged = amount(row.unacknowledged)
    const unread = amount(row.unread) ?? 0
    if (unread > 0 && situation !== 'body') return unreadHere(unread, loopMs)
    const retransmits = amount(row.retransmits) ?? 0
    if (row.timer === 'zero-window' && (unacknowledged ?? Number.POSITIVE_INFINITY) < smallRequest)
      return look('row-unsent', `the kernel could not send the ${unacknowledged} bytes of the request at all`, {
        path: -3.5,
        'peer-host': -3.5,
        'peer-application': -4.5,
        proxy: -4.5,
        'local-filter': 1.5,
        'local-network-changed': 1,
      })
    if (row.timer === 'zero-window')
      return look(
        'peer-does-not-read',
        "the peer's kernel lives and has no room: its application does not read",
        reached,
      )
    if (row.state === 'syn-sent')
      return look('syn-unanswered', `the SYN was sent ${retransmits + 1} times and not answered`, {
        'name-service': -5,
        self: -1,
        // Where a tunnel was wanted, it was the proxy that was dialled.
        ...(situation === 'tunnel' && { 'proxy-unreachable': 8, 'proxy-silent': -5, 'proxy-refused-tunnel': -5 }),
      })
    if (row.timer === 'keepalive' && retransmits > 0)
      return look(
        'keepalive-unanswered',
        `${retransmits === 1 ? 'a keepalive probe was' : `${retransmits} keepalive probes were`} not answered by the peer's kernel`,
        { ...notReached, 'packets-too-large': -4 },
      )
    if (row.state !== 'established' && row.state !== 'close-wait') return undefined
    // Where the peer's kernel had spoken of its own accord within a second, none was sent.
    if (row.probed === true && (moved(scene, 'TcpExt.TCPKeepAlive') ?? 0) > 0)
      return look(
        'probe-answered',
        "the peer's kernel, asked again just before our limit ran out, answered: its host and the way are alive",
        reached,
      )
    if (unacknowledged === 0) return acknowledged(scene)
    const overdue = retransmits > 0 || (scene.sinceWriteMs ?? 0) > 300 + 2 * (scene.rttMs ?? 0)
    if (unacknowledged === undefined || !overdue) return undefined
    const tries = retransmits > 0 ? `, sent again ${retransmits} times` : ''
    return look(
      'row-unacknowledged',
      `${unacknowledged} bytes of ours were never acknowledged by the peer's kernel${tries}`,
      // What fits into a small packet is not lost for its size.
      { ...notReached, 'packets-too-large': unacknowledged < smallPacket ? -4 : 1 },
    )
  },
}

/**
 * So much fits into any window that a peer opens. Less that waits for the window probe does not wait for the peer: the
 * kernel sets the same timer when this host itself does not let the packet out.
 */
const smallRequest = 4096

/** Smaller ones get through any tunnel that IPv6 gets through (RFC 8200 §5), near enough. */
const smallPacket = 1_200

const reached: Shifts = {
  path: -3.5,
  'peer-host': -3.5,
  'local-host': -3,
  'peer-host-overloaded': -1.5,
  'proxy-unreachable': -4,
  // What stalled here does not show there.
  'local-stall': 0,
}
const notReached: Shifts = {
  'peer-application': -5,
  proxy: -5,
  'tls-peer': -5,
  self: -2,
  'local-stall': -2,
  'peer-host-overloaded': -1.5,
}

/** An answer that came, and that nobody fetched. It may have come just now, unless this process had no time to look. */
function unreadHere(unread: number, loopMs = 0): Look {
  const says = `${unread} bytes had come from the peer and lay unread on this host`
  if (loopMs < 50) return look('row-unread', says, { ...reached, 'local-stall': 2, self: 2 })
  return settled('row-unread', `${says}: this process had no time to look`, { ...reached, 'local-stall': 9 })
}

function acknowledged({ situation, around, sinceReadMs }: Scene): Look | undefined {
  if (situation === 'body')
    // Nothing of ours was under way, so that the row cannot show whether the way still holds.
    return look('row-nothing-outstanding', 'nothing of ours was unacknowledged', {})
  if (around.requestWritten === false)
    return look('row-acknowledged', "what was sent of the request was acknowledged by the peer's kernel", reached)
  const since = sinceReadMs === undefined ? '' : `; not a byte came for ${ms(sinceReadMs)}`
  return look('row-acknowledged', `the peer's kernel acknowledged the request${since}`, reached)
}

const addressGone: Clue = {
  of: ['circumstances', 'localAddressGone'],
  look: ({ around, evidence }) =>
    around.localAddressGone === true
      ? {
          clue: 'local-address-gone',
          says: `the local address ${evidence?.connection?.localAddress ?? 'of the connection'} is no longer one of this host's`,
          shifts: { 'local-network-changed': 6, path: -1, 'peer-host': -2, 'peer-application': -2 },
          settles: true,
        }
      : undefined,
}

/** On loopback there is no way and no other host. */
const loopback: Clue = {
  of: 'address',
  look: (scene) => {
    if (isLoopback(scene) !== true) return undefined
    return look('loopback', `${scene.address} is this host itself: there is no network in between`, {
      path: -6,
      'peer-host': -5,
      'name-service': -4,
      'local-network-changed': -3,
      'nothing-listening-here': 4.8,
    })
  },
}

export const cluesOfKernel: readonly Clue[] = [row, addressGone, loopback]
