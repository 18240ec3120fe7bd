/** Clues in what the kernel of this host counted meanwhile. Other programs move its counters too: none of them is proof. */

import { ms } from '../failure/story.js'
import { type Clue, type Look, look } from './clue.js'
import { amount, isLoopback, moved } from './facts.js'
import { isDial, isSilent, type Scene } from './scene.js'

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
        'local-filter': 5,
        'local-network-changed': 2,
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
  of: counter('Ip6.OutNoRoutes'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'Ip6.OutNoRoutes')
    if (count === undefined || count === 0 || scene.mechanism === 'app-protocol') return undefined
    return look('no-route', `${count} packets of this host found no route (Ip6.OutNoRoutes)`, {
      'local-network-changed': 3,
    })
  },
}

/** Packets that this host made and did not let out. */
const stopped: Clue = {
  of: counter('Ip.OutStopped'),
  group: 'not-sent',
  look: (scene) => stoppedHere(scene, 'Ip.OutStopped'),
}

const stopped6: Clue = {
  of: counter('Ip6.OutStopped'),
  group: 'not-sent',
  look: (scene) => stoppedHere(scene, 'Ip6.OutStopped'),
}

function stoppedHere(scene: Scene, name: string): Look | undefined {
  const count = moved(scene, name)
  const { mechanism } = scene
  const relevant = isSilent(scene) || mechanism === 'refused' || mechanism === 'icmp' || mechanism === 'rst'
  if (!relevant || count === undefined || count === 0 || isLoopback(scene) === true) return undefined
  return look('stopped-here', `${count} packets of this host were made and did not leave it: it stopped them itself`, {
    'local-filter': 5.2,
    'local-network-changed': 0,
    path: -1,
    'peer-host': -1,
    'peer-application': -1,
  })
}

/** Answers that came as far as this host. */
const heldBack: Clue = {
  of: counter('Ip.InStopped'),
  group: 'not-sent',
  look: (scene) => {
    const count = moved(scene, 'Ip.InStopped')
    if (!isSilent(scene) || count === undefined || count === 0 || isLoopback(scene) === true) return undefined
    return look(
      'held-back-here',
      `${count} packets came to this host and were given to nobody: its own filter stopped them`,
      { 'local-filter': count > 1 ? 5.2 : 3.5, path: -1, 'peer-host': -1, 'peer-application': -1 },
    )
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
      'local-filter': 4,
      'local-network-changed': 3,
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
    // Those that could not be sent are counted too.
    if ((moved(scene, 'TcpExt.TCPRetransFail') ?? 0) > 0) return undefined
    if (scene.mechanism !== 'silence' || count === undefined || count === 0 || row === undefined) return undefined
    if ((amount(row.retransmits) ?? 0) === 0 || row.timer !== 'retransmit') return undefined
    return look('sent-again', `${count} segments were sent again: they left this host`, {
      'local-filter': -1,
      'local-network-changed': -1,
    })
  },
}

/** Without the row of the socket: what is not acknowledged within a fraction of a second is sent again, and counted. */
const againOrNot: Clue = {
  of: counter('Tcp.RetransSegs'),
  group: 'not-sent',
  look: (scene) => {
    const { around, sinceWriteMs = 0, rttMs = 0 } = scene
    const count = moved(scene, 'Tcp.RetransSegs')
    const timeouts = moved(scene, 'TcpExt.TCPTimeouts') ?? 0
    if (scene.mechanism !== 'silence' || around.row !== undefined || isDial(scene) || isLoopback(scene) === true)
      return undefined
    if (count === undefined || count < 2 || timeouts === 0 || sinceWriteMs < 700 + 2 * rttMs) return undefined
    return look(
      'sent-again-by-somebody',
      `this host sent ${count} segments again meanwhile: the request may not have been acknowledged`,
      { 'peer-application': -1.8, proxy: -1.8, 'local-filter': -1 },
    )
  },
}

/** The same: had the request not been acknowledged, something would have been sent again. */
const nothingAgain: Clue = {
  of: ['circumstances', 'counters'],
  group: 'not-sent',
  look: (scene) => {
    const { around, sinceWriteMs = 0, rttMs = 0, situation } = scene
    const { platform, requestWritten, row } = around
    if (scene.mechanism !== 'silence' || row !== undefined || isDial(scene) || situation === 'body') return undefined
    if (platform !== 'linux' || requestWritten !== true || isLoopback(scene) === true) return undefined
    if (moved(scene, 'Tcp.RetransSegs', 'Ip.OutStopped', 'Ip6.OutStopped') !== 0) return undefined
    if (sinceWriteMs < 1000 + 3 * rttMs) return undefined
    return look(
      'nothing-sent-again',
      `this host sent no segment again within ${ms(sinceWriteMs)}: the request was acknowledged`,
      { path: -2.5, 'peer-host': -2.5, 'local-filter': -1, 'local-network-changed': -1 },
    )
  },
}

/** ICMP "destination unreachable": from outside, or of this host's own making. */
const unreachables: Clue = {
  of: counter('Icmp.InDestUnreachs'),
  look: (scene) => {
    const came = moved(scene, 'Icmp.InDestUnreachs', 'Icmp6.InDestUnreachs')
    const own = moved(scene, 'Icmp.OutDestUnreachs', 'Icmp6.OutDestUnreachs') ?? 0
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
    const waitedMs = (isDial(scene) ? scene.dialMs : scene.sinceWriteMs) ?? 0
    return look('icmp-came-in', `ICMP unreachable came in from outside (${came})`, {
      'path-down': 2,
      'filter-rejects': 3,
      'peer-host-filter': 1.5,
      // Its router asks for it in vain for three seconds before it says so.
      'peer-host-down': waitedMs > 2900 ? 1.5 : -0.3,
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

/** After a reset its sender is silent. Where packets still come for the connection, somebody else had spoken for it. */
const spokeOn: Clue = {
  of: counter('Tcp.OutRsts'),
  look: (scene) => {
    const sent = moved(scene, 'Tcp.OutRsts')
    if (scene.mechanism !== 'rst' || sent === undefined || isLoopback(scene) === true) return undefined
    const own = moved(scene, ...ownAborts) ?? 0
    if (sent <= own) return undefined
    return look(
      'spoke-on',
      `after the reset this host had to answer ${sent - own} more packets with resets: somebody still held the connection open`,
      { 'injected-reset': 2, 'peer-application': -1, 'peer-host-lost-state': -1 },
    )
  },
}

/** Resets that this host sends of its own accord. */
const ownAborts = [
  'TcpExt.TCPAbortOnData',
  'TcpExt.TCPAbortOnClose',
  'TcpExt.TCPAbortOnLinger',
  'TcpExt.TCPAbortOnMemory',
  'TcpExt.TCPAbortOnTimeout',
]

export const cluesOfCounters: readonly Clue[] = [
  retransFail,
  noRoutes,
  noRoutes6,
  stopped,
  stopped6,
  heldBack,
  retransmitted,
  sentAgain,
  againOrNot,
  nothingAgain,
  unreachables,
  spokeOn,
]
