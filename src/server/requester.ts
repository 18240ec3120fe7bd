/** Who asked: browser, program or probe, directly or through a proxy. Read from headers, of which nothing is kept. */

import type { IncomingHttpHeaders } from 'node:http'
import type { AgentClass } from '../failure/hangup.js'

/** Health checks of load balancers and orchestrators, monitors, and scanners, by their User-Agent. */
const probes =
  /kube-probe|ELB-HealthChecker|GoogleHC|Google-Cloud-Monitoring|Consul Health|Envoy\/HC|HealthCheck|Pingdom|UptimeRobot|StatusCake|Blackbox Exporter|Nagios|check_http|zgrab|masscan|Nmap|Nikto|Nuclei|CensysInspect|Shodan|Expanse/i

/** Headers that only something between client and server sets. */
const marksOfProxies = [
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-real-ip',
  'cf-ray',
  'x-amzn-trace-id',
  'x-amz-cf-id',
  'x-envoy-external-address',
  'x-envoy-expected-rq-timeout-ms',
  'x-cloud-trace-context',
  'fly-client-ip',
  'true-client-ip',
] as const

/** What the headers of a request say. */
export interface Requester {
  readonly agent: AgentClass
  readonly proxied: boolean
  /** Tells clients of the same address apart; made of the User-Agent, which it does not contain. */
  readonly agentMark: string
  /** The same for the user behind a proxy. */
  readonly userMark: string
}

export function readRequester(headers: IncomingHttpHeaders): Requester {
  const userAgent = headers['user-agent'] ?? ''
  const { probe, agentMark } = knownAgent(userAgent)
  const forwardedFor = headers['x-forwarded-for'] ?? headers['x-real-ip'] ?? headers['forwarded']
  return {
    agent: probe ? 'probe' : agentClass(userAgent, headers),
    proxied: marksOfProxies.some((name) => headers[name] !== undefined),
    agentMark,
    userMark: forwardedFor === undefined ? agentMark : mark(`${userAgent} ${String(forwardedFor)}`),
  }
}

/** User-Agents that were read already: most requests come from few. */
const agents = new Map<string, { readonly probe: boolean; readonly agentMark: string }>()
const mostAgents = 200

function knownAgent(userAgent: string): { readonly probe: boolean; readonly agentMark: string } {
  const known = agents.get(userAgent)
  if (known !== undefined) return known
  const fresh = { probe: probes.test(userAgent), agentMark: mark(userAgent) }
  if (agents.size >= mostAgents) agents.clear()
  agents.set(userAgent, fresh)
  return fresh
}

/** Programs borrow the name of a browser; what they seldom borrow is the rest of its manners. */
function agentClass(userAgent: string, headers: IncomingHttpHeaders): AgentClass {
  const manners = headers['sec-fetch-mode'] !== undefined || headers['accept-language'] !== undefined
  return userAgent.startsWith('Mozilla/') && manners ? 'browser' : 'program'
}

/** FNV-1a, 32 bits: enough to tell a server's clients apart, too little to read one back. */
function mark(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}
