/** What to do about each story, with this failure's own numbers. */

import { redactLine } from '../failure/redact.js'
import { ms } from '../failure/story.js'
import { amount } from './facts.js'
import type { Scene } from './scene.js'
import type { StoryName } from './stories.js'

type Remedy = (scene: Scene) => string

const always = (text: string) => () => text

export const remedies: Readonly<Record<StoryName, Remedy>> = {
  'peer-application-aborted': ({ sinceWriteMs }) =>
    `Look in the server's log${sinceWriteMs === undefined || sinceWriteMs < 20 ? '' : `, ${ms(sinceWriteMs)} after the request`}: an exception, a handler that destroys the socket, SO_LINGER 0.`,
  'peer-rejected-early': ({ sentBytes }) =>
    `The server stopped reading${sentBytes === undefined ? '' : ` after at most ${sentBytes} bytes`}; it probably answered (413, 401, 429) and closed. Check its body limit, send Expect: 100-continue; the server should drain before it closes.`,
  'peer-idle-timer': (scene) => idleAdvice(scene, 'the server'),
  'proxy-idle-timer': (scene) => idleAdvice(scene, `the proxy${serverName(scene)}`),
  'peer-connection-cap': ({ requestsBefore, ageMs }) =>
    `The connection had carried ${requestsBefore} requests${ageMs === undefined ? '' : ` in ${ms(ageMs)}`}. Give connections up before that; heed Connection: close and GOAWAY.`,
  'peer-process-gone': always(
    'Check the server for restarts, crashes and OOM kills at that time. For deploys: stop accepting, announce Connection: close or GOAWAY, wait, then exit.',
  ),
  'peer-application-silent': ({ limitMs }) =>
    `Find out what kept the server${limitMs === undefined ? '' : ` for more than ${ms(limitMs)}`}: locks, its own upstreams, a full thread pool. A longer limit helps only if it is merely slow.`,
  'peer-said-no': ({ failure }) =>
    failure.status === undefined
      ? 'Read what the server said; it is a matter between this request and that server.'
      : `Read the answer (${failure.status}): the server says why.`,
  'peer-speaks-otherwise': (scene) =>
    `See with a raw client what is sent there${target(scene)}: it may be the wrong port, TLS where none is expected, or a broken server.`,
  'peer-host-lost-state': always(
    'Check whether the host was rebooted, replaced or failed over. Dial again; TCP keepalive notices this while idle.',
  ),
  'peer-host-down': ({ address }) =>
    `Check whether the host${address === undefined ? '' : ` ${shown(address)}`} is up. Try another address or region.`,
  'peer-host-overloaded': always(
    'On the host look at ListenOverflows, somaxconn and tcp_abort_on_overflow, and at whether the application accepts fast enough.',
  ),
  'peer-host-filter': always("Look at the packet filter of the server's host (nft list ruleset, security groups)."),
  'peer-connection-killed': always(
    "Look at the server's host at that time: memory (TCPAbortOnMemory), who may destroy sockets there (ss -K, the container network), and the reason that its kernel gives (tracepoint tcp:tcp_send_reset).",
  ),
  'nothing-listening': (scene) =>
    `Check the port and whether the server is up and ready${target(scene)}; a firewall that rejects looks the same.`,
  'nothing-listening-here': (scene) =>
    `Nothing on this machine listens${target(scene)}: start it, or check the port and the address (in a container, localhost is the container).`,
  'tls-refused': ({ code }) =>
    `Compare what both sides can (${code ?? 'see the cause'}): certificate and its names, versions, ciphers, a client certificate; and whether the port speaks TLS at all.`,
  'proxy-upstream-failed': (scene) =>
    `The proxy${serverName(scene)} is up, what stands behind it is not${scene.failure.status === undefined ? '' : ` (it answered ${scene.failure.status})`}. Ask its owner; its log says which upstream.`,
  'proxy-silent': (scene) => `Look at the proxy${serverName(scene)}: its limits, and what it waits for behind it.`,
  'proxy-unreachable': (scene) => `Check the proxy${target(scene)}: is it up, and is it the right address?`,
  'proxy-refused-tunnel': ({ failure }) =>
    `Check the proxy${failure.proxyStatus === undefined ? '' : ` (it answered ${failure.proxyStatus})`}: its address, credentials and what it allows.`,
  'balancer-flow-expired': (scene) => flowAdvice(scene),
  'balancer-target-gone': always(
    'Check deregistrations and health checks at that time; compare the reset metrics of the balancer and its targets; lengthen the deregistration delay.',
  ),
  'nat-state-expired': (scene) => flowAdvice(scene),
  'nat-state-dropped': (scene) => flowAdvice(scene),
  'nat-remapped': (scene) => `${flowAdvice(scene)} Check the NAT for exhausted ports.`,
  'filter-rejects': (scene) => `Ask who runs the firewall on the way${target(scene)}; compare from another network.`,
  'filter-drops': (scene) =>
    `Ask who runs the firewall on the way${target(scene)}; compare from another network. A lower connect limit fails sooner.`,
  'injected-reset': ({ sinceWriteMs, rttMs }) =>
    `A device on the way reacts to what is sent${sinceWriteMs === undefined || rttMs === undefined ? '' : ` (its reset took ${ms(sinceWriteMs)} of a round trip of ${ms(rttMs)})`}. Confirm with a capture: the TTL of the reset against earlier packets.`,
  'path-down': always('Try another address, region or network; check routes and VPN.'),
  'packets-too-large': always(
    'Compare a small request with a large one, and check the MTU on the way (ping -M do -s 1472; tunnels and VPNs take some of it, and ICMP "fragmentation needed" must get through).',
  ),
  'name-unknown': always('Check the name and the search domains; ask another resolver (dig @1.1.1.1).'),
  'name-service-failed': always(
    'Check the resolver (/etc/resolv.conf, the cluster DNS): is it up, and is it overloaded?',
  ),
  'local-filter': ({ code, fromKernel }) =>
    `Look at this host's own filters (nft or iptables OUTPUT, endpoint security, a VPN's kill switch)${code === undefined || !fromKernel ? '' : `: its kernel said ${code}`}.`,
  'local-socket-killed': always(
    'Look at what on this host ends connections: ss -K, VPN, network manager, container network.',
  ),
  'local-network-changed': ({ evidence }) =>
    `Check this host's own network${evidence?.connection?.localAddress === undefined ? '' : ` (it had ${shown(evidence.connection.localAddress)})`}: addresses, routes, VPN, sleep. Dial again when it is back; nothing is wrong with the server.`,
  'local-stall': ({ loopMs }) =>
    `Find what blocked the event loop${loopMs === undefined ? '' : ` for ${ms(loopMs)}`} and move it off; nothing is wrong with the server.`,
  'local-resources': ({ code }) =>
    `Find out what this host has run out of (${code ?? 'see the cause'}): raise the limit, reuse connections, look for leaks.`,
  self: ({ limitMs }) =>
    limitMs === undefined
      ? 'Look at what in this program ended it.'
      : `Our own limit was ${ms(limitMs)}: raise it, if it was meant to be kept.`,
}

function idleAdvice({ idleMs, announcedIdleMs, learnedIdleMs }: Scene, who: string): string {
  const timer = learnedIdleMs ?? announcedIdleMs
  const idle = idleMs === undefined ? '' : ` It had been idle for ${ms(idleMs)}.`
  const below =
    timer === undefined
      ? `below the idle limit of ${who}`
      : `below ${ms(Math.max(0.8 * timer, timer - 1000))} (${who} closes after about ${ms(timer)})`
  return `Keep idle connections for a time ${below}.${idle} Order the timers: client < proxy < server.`
}

function flowAdvice({ idleMs }: Scene): string {
  const idle = idleMs === undefined ? 'the flow limit on the way' : `half of the ${ms(idleMs)} that it had been idle`
  return `Close idle connections sooner, or use TCP keepalive with an interval below ${idle}.`
}

function serverName({ around }: Scene): string {
  const name = around.headers?.server
  return name === undefined ? '' : ` ("${redactLine(name, 40)}")`
}

function target({ address, evidence, around }: Scene): string {
  if (address === undefined) return ''
  const port = amount(evidence?.connection?.remotePort ?? around.raw?.port)
  return ` at ${shown(address)}${port === undefined ? '' : `:${port}`}`
}

function shown(address: string): string {
  return redactLine(address, 60)
}
