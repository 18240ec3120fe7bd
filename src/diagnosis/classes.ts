/**
 * Stories that look the same from here, and what would tell them apart. Found in a lab: on the wire, and often in a
 * capture, the members of a class leave the same traces on the client's side.
 */

import { hadRested, isCut, isDial, isSilent, type Scene } from './scene.js'
import type { StoryName } from './stories.js'

export interface LikeClass {
  readonly name: string
  /** What can be said of all of them. */
  readonly says: string
  readonly members: readonly StoryName[]
  readonly wouldDecide: readonly string[]
  readonly when: (scene: Scene) => boolean
}

/** The first that fits. */
export const classes: readonly LikeClass[] = [
  {
    name: 'refused',
    says: 'something answered the dial with a refusal: nobody listens there, or a filter says so',
    members: [
      'nothing-listening',
      'peer-process-gone',
      'peer-host-filter',
      'filter-rejects',
      'balancer-target-gone',
      'nothing-listening-here',
    ],
    wouldDecide: [
      'whether the process runs and listens there (ss -ltn on the host)',
      'a dial from another network',
      'the TTL of the refusal in a capture',
    ],
    when: ({ mechanism }) => mechanism === 'refused',
  },
  {
    name: 'dial-unanswered',
    says: 'nothing answered the dial: the host, the way, or a full accept queue look the same from here',
    members: [
      'peer-host-down',
      'peer-host-overloaded',
      'peer-host-filter',
      'path-down',
      'filter-drops',
      'local-filter',
    ],
    wouldDecide: ['a dial to another port of the host', 'a dial from another network', 'ListenOverflows on the host'],
    when: (scene) => isSilent(scene) && isDial(scene) && scene.situation !== 'names',
  },
  {
    name: 'nearer-than-the-server',
    says: 'the reset came from nearer than the server: a filter, an inspecting device, a balancer, or this host',
    members: [
      'filter-rejects',
      'injected-reset',
      'balancer-flow-expired',
      'balancer-target-gone',
      'nat-state-expired',
      'local-filter',
    ],
    wouldDecide: [
      'the TTL of the reset against that of earlier packets (tcpdump)',
      'the same request over another way',
    ],
    when: (scene) => scene.manner === 'too-fast' && !hadRested(scene.situation),
  },
  {
    name: 'forgotten-state',
    says: "the connection's state was forgotten somewhere between here and the server: a reboot, a load balancer's or a NAT's expiry look the same from here",
    members: [
      'peer-host-lost-state',
      'balancer-flow-expired',
      'balancer-target-gone',
      'nat-state-expired',
      'nat-remapped',
      'peer-host-filter',
      'peer-idle-timer',
      'proxy-idle-timer',
    ],
    wouldDecide: [
      "the uptime of the server's host",
      'reset metrics of the balancer or NAT gateway (for example TCP_ELB_Reset_Count)',
      'a capture at both ends',
      'the idle times of several such failures',
    ],
    when: (scene) => scene.mechanism === 'rst' && scene.manner !== 'unsolicited' && hadRested(scene.situation),
  },
  {
    name: 'ended-unseen',
    says: 'a connection had ended, and nobody saw how: the application, its end, somebody on the way and this program itself look the same from here',
    members: [
      'peer-application-aborted',
      'peer-idle-timer',
      'peer-connection-cap',
      'peer-process-gone',
      'peer-host-lost-state',
      'proxy-idle-timer',
      'proxy-upstream-failed',
      'balancer-flow-expired',
      'balancer-target-gone',
      'nat-state-expired',
      'self',
    ],
    wouldDecide: [
      'the event of the socket itself (end, or error with its code)',
      'whether this program had closed the client',
      "the server's log and restarts",
    ],
    when: ({ mechanism, evidence }) => mechanism === 'unknown' && evidence?.vantage === 'none',
  },
  {
    name: 'reset-out-of-the-blue',
    says: 'somebody who held the connection reset it: the application, its kernel at the end of the process, or a balancer look the same from here',
    members: [
      'peer-application-aborted',
      'peer-rejected-early',
      'peer-process-gone',
      'peer-host-overloaded',
      'peer-connection-killed',
      'balancer-target-gone',
      'proxy-upstream-failed',
      'filter-rejects',
    ],
    wouldDecide: [
      "the server's log at that time",
      'its restarts',
      'the reason in its kernel (tracepoint tcp:tcp_send_reset)',
    ],
    when: ({ mechanism }) => mechanism === 'rst' || mechanism === 'unknown',
  },
  {
    name: 'closed-before-the-answer',
    says: 'whoever ends TCP there closed the connection in an orderly way: the application, its end, or a proxy in front look the same from here',
    members: [
      'peer-idle-timer',
      'proxy-idle-timer',
      'peer-connection-cap',
      'peer-process-gone',
      'peer-application-aborted',
      'peer-rejected-early',
      'proxy-upstream-failed',
      'balancer-target-gone',
    ],
    wouldDecide: ["the server's log and restarts", 'whether a proxy stands in front of it, and its log'],
    when: (scene) => isCut(scene),
  },
  {
    name: 'acknowledged-and-not-answered',
    says: "the server's side has the request and does not answer: an application and a proxy before it look the same from here",
    members: ['peer-application-silent', 'proxy-silent', 'proxy-upstream-failed'],
    wouldDecide: ["the server's log", 'whether a proxy stands in front of it, and its log'],
    when: (scene) => isSilent(scene) && scene.around.row?.unacknowledged === 0 && scene.situation !== 'body',
  },
  {
    name: 'no-answer',
    says: 'no answer came: a silent application, a lost flow and a broken way look the same from here',
    members: [
      'peer-application-silent',
      'proxy-silent',
      'proxy-refused-tunnel',
      'proxy-unreachable',
      'peer-host-down',
      'peer-host-filter',
      'path-down',
      'packets-too-large',
      'filter-drops',
      'nat-state-dropped',
      'filter-rejects',
      'balancer-target-gone',
      'local-filter',
      'local-network-changed',
    ],
    wouldDecide: [
      "whether the peer's kernel acknowledged the request (ss -ti, /proc/net/tcp)",
      'a request on a new connection',
      "the server's log",
    ],
    when: isSilent,
  },
  {
    name: 'unreachable',
    says: 'somebody on the way said that there is no way: a host that is off, a lost route and a filter look the same from here',
    members: [
      'path-down',
      'filter-rejects',
      'peer-host-down',
      'peer-host-filter',
      'local-network-changed',
      'local-filter',
    ],
    wouldDecide: ['who sent the ICMP message (tcpdump icmp)', 'a dial from another network'],
    when: ({ mechanism }) => mechanism === 'icmp',
  },
]

export function classOf(scene: Scene): LikeClass | undefined {
  return classes.find(({ when }) => when(scene))
}
