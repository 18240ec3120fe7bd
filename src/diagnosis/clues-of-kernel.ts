/** Clues in what the kernel of this host knows: the row of the socket, its counters, its addresses. */

import { ms } from '../failure/story.js'
import { type Clue, type Look, look, type Shifts } from './clue.js'
import { amount, isLoopback, moved } from './facts.js'
import { isDial, isSilent, type Scene } from './scene.js'

/**
 * The one split that matters after a silence. Acknowledged: the peer's kernel has the request, and its application is
 * silent. Not acknowledged: it never got there.
 */
const row: Clue = {
  of: ['circumstances', 'row'],
  look: (scene) => {
    const { row } = scene.around
    if (row === undefined || !isSilent(scene)) return undefined
    const unacknowledged = amount(row.unacknowledged)
    const retransmits = amount(row.retransmits) ?? 0
    if (row.timer === 'zero-window' && (unacknowledged ?? Number.POSITIVE_INFINITY) < smallRequest)
      return look('row-unsent', `the kernel could not send the ${unacknowledged} bytes of the request at all`, {
        path: -3.5,
        'peer-host': -3.5,
        'peer-application': -2.5,
        proxy: -3.5,
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
      })
    if (row.timer === 'keepalive' && retransmits > 0)
      return look('keepalive-unanswered', `${retransmits} keepalive probes were not answered`, notReached)
    if (row.state !== 'established' && row.state !== 'close-wait') return undefined
    if (unacknowledged === 0) return acknowledged(scene)
    const overdue = retransmits > 0 || (scene.sinceWriteMs ?? 0) > 300 + 2 * (scene.rttMs ?? 0)
    if (unacknowledged === undefined || !overdue) return undefined
    const tries = retransmits > 0 ? `, sent again ${retransmits} times` : ''
    return look(
      'row-unacknowledged',
      `${unacknowledged} bytes of ours were never acknowledged by the peer's kernel${tries}`,
      notReached,
    )
  },
}

/**
 * So much fits into any window that a peer opens. Less that waits for the window probe does not wait for the peer: the
 * kernel sets the same timer when this host itself does not let the packet out.
 */
const smallRequest = 4096

const reached: Shifts = {
  path: -3.5,
  'peer-host': -3.5,
  'local-host': -3,
  'peer-host-overloaded': -1.5,
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

function acknowledged({ situation, around, sinceReadMs }: Scene): Look | undefined {
  if (situation === 'body')
    // Nothing of ours was under way, so that the row cannot show whether the way still holds.
    return look('row-nothing-outstanding', 'nothing of ours was unacknowledged', {})
  if (around.requestWritten === false)
    return look('row-acknowledged', "what was sent of the request was acknowledged by the peer's kernel", reached)
  const since = sinceReadMs === undefined ? '' : `; not a byte came for ${ms(sinceReadMs)}`
  return look('row-acknowledged', `the peer's kernel acknowledged the request${since}`, reached)
}

const counter = (name: string) => ['circumstances', 'counters', name] as const

/** Packets that this host could not even send. */
const retransFail: Clue = {
  of: counter('TcpExt.TCPRetransFail'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'TcpExt.TCPRetransFail')
    if (!isSilent(scene) || count === undefined || count === 0) return undefined
    return look(
      'could-not-send',
      `the kernel could not send ${count} packets (TCPRetransFail): they were stopped on this host`,
      {
        'local-filter': 4,
        'local-network-changed': 1.5,
      },
    )
  },
}

const noRoutes: Clue = {
  of: counter('Ip.OutNoRoutes'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'Ip.OutNoRoutes')
    if (count === undefined || count === 0 || scene.mechanism === 'app-protocol') return undefined
    return look('no-route', `${count} packets of this host found no route (OutNoRoutes)`, {
      'local-network-changed': 3.5,
    })
  },
}

const noRoutes6: Clue = {
  of: counter('Ip6OutNoRoutes'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'Ip6OutNoRoutes')
    if (count === undefined || count === 0 || scene.mechanism === 'app-protocol') return undefined
    return look('no-route', `${count} packets of this host found no route (Ip6OutNoRoutes)`, {
      'local-network-changed': 3,
    })
  },
}

/** The kernel gave up without having sent anything again. */
const retransmitted: Clue = {
  of: counter('TcpExt.TCPAbortOnTimeout'),
  group: 'not-sent',
  look: (scene) => {
    if (scene.mechanism !== 'local-timeout' || isDial(scene)) return undefined
    const gaveUp = moved(scene, 'TcpExt.TCPAbortOnTimeout')
    if (gaveUp === undefined || gaveUp === 0 || moved(scene, 'TcpExt.TCPKeepAlive') !== 0) return undefined
    const again = moved(scene, 'Tcp.RetransSegs') ?? 0
    if (again > 0)
      return look('retransmitted', `${again} segments were sent again until the kernel gave up: they left this host`, {
        'local-filter': -2.5,
        'local-network-changed': -1.5,
      })
    return look('never-left', 'the kernel gave up, and not one segment was sent again: nothing left this host', {
      'local-filter': 3,
      'local-network-changed': 2,
    })
  },
}

/** What was sent again did leave this host. */
const sentAgain: Clue = {
  of: counter('Tcp.RetransSegs'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'Tcp.RetransSegs')
    const { row } = scene.around
    if (scene.mechanism !== 'silence' || count === undefined || count === 0 || row === undefined) return undefined
    if ((amount(row.retransmits) ?? 0) === 0 || row.timer !== 'retransmit') return undefined
    return look('sent-again', `${count} segments were sent again: they left this host`, {
      'local-filter': -1,
      'local-network-changed': -1,
    })
  },
}

/** ICMP "destination unreachable": from outside, or of this host's own making. */
const unreachables: Clue = {
  of: counter('Icmp.InDestUnreachs'),
  look: (scene) => {
    const came = moved(scene, 'Icmp.InDestUnreachs', 'Icmp6InDestUnreachs')
    const own = moved(scene, 'Icmp.OutDestUnreachs', 'Icmp6OutDestUnreachs') ?? 0
    const relevant = isSilent(scene) || scene.mechanism === 'refused' || scene.mechanism === 'icmp'
    if (!relevant || came === undefined || came === 0) return undefined
    if (own >= came) return ownIcmp(scene, own)
    if (scene.mechanism === 'refused')
      return look(
        'icmp-came-in',
        `ICMP unreachable came in (${came}): a filter refused it, not a host without a listener`,
        {
          'peer-host': -3,
          'peer-application': -3,
          'local-host': -3,
          'filter-rejects': 1.5,
          'peer-host-filter': 0.5,
        },
      )
    return look('icmp-came-in', `ICMP unreachable came in from outside (${came})`, {
      'path-down': 1.5,
      'filter-rejects': 1.5,
      'peer-host-filter': 0.7,
      'peer-host-down': 0.5,
      'filter-drops': -2,
      'nat-state-dropped': -2,
      'local-filter': -2.5,
      'peer-application-silent': -2,
      'proxy-silent': -2,
    })
  },
}

/** Made here: by a REJECT rule, or because a neighbour does not answer ARP. */
function ownIcmp(scene: Scene, own: number): Look {
  const says = `the ICMP unreachable was made by this host itself (${own})`
  if (scene.code === 'EHOSTUNREACH' && (scene.dialMs === undefined || scene.dialMs >= 900))
    return look('own-icmp-arp', `${says}: a neighbour does not answer`, {
      'peer-host-down': 2.5,
      path: -1.5,
      'local-filter': -1,
    })
  return look('own-icmp', says, { 'local-filter': 3.5, 'peer-host': -2, 'peer-application': -3, path: -2 })
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
      'nothing-listening-here': 4.5,
    })
  },
}

export const cluesOfKernel: readonly Clue[] = [
  row,
  retransFail,
  noRoutes,
  noRoutes6,
  retransmitted,
  sentAgain,
  unreachables,
  addressGone,
  loopback,
]
