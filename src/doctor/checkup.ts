/** The examination of an endpoint, from its name to its idle timer. Harmless: HEAD and one GET, one after the other. */

import { type ClientStats, createClient } from '../index.js'
import { ReuseLearner, type ReuseLimits } from '../policy/reuse.js'
import { type CapFacts, countRequests } from './cap-probe.js'
import { holdIdle, type IdleFacts, ladder } from './idle-probe.js'
import { type AddressFacts, lookUp, mostAddresses, type NameFacts, reach } from './reach.js'
import type { Ward } from './ward.js'

/** How far an examination is to go. */
export interface CheckupPlan {
  /** The longest time for which a connection is held, in milliseconds; 0: none is. */
  readonly idleMs: number
  /** The most requests put on one connection; 0: they are not counted. */
  readonly requests: number
  /** The times for which connections are held. Default: a ladder up to `idleMs`. */
  readonly times?: readonly number[]
}

/** An answer to GET, as offhook's own client has it. */
export interface AnswerFacts {
  readonly status: number
  /** Those headers that tell who is there and how long it keeps connections. */
  readonly headers: Readonly<Record<string, string>>
}

/** What was seen. What was not looked at is absent. */
export interface Checkup {
  /** Without query and credentials. */
  readonly url: string
  readonly name: NameFacts
  readonly addresses: readonly AddressFacts[]
  readonly answer?: AnswerFacts
  /** Why there was no answer. */
  readonly error?: unknown
  readonly cap?: CapFacts
  readonly idle?: IdleFacts
  /** For how long offhook's client would use idle connections again, having seen that. */
  readonly reuse?: ReuseLimits
  /** It was ended before its time. */
  readonly stopped: boolean
}

/** Headers that are shown: who speaks, and what becomes of the connection. */
const telling = ['server', 'via', 'x-powered-by', 'x-cache', 'alt-svc', 'connection', 'keep-alive']
const answerPatienceMs = 10_000

/**
 * Examines.
 *
 * @param says told what is under way
 */
export async function examine(ward: Ward, plan: CheckupPlan, says: (what: string) => void): Promise<Checkup> {
  const url = `${ward.url.origin}${ward.url.pathname}`
  says('looking the name up')
  const name = await lookUp(ward)
  says(`dialling ${name.addresses.length} addresses`)
  const addresses = await Promise.all(name.addresses.slice(0, mostAddresses).map((address) => reach(ward, address)))
  const good = addresses.find(({ error }) => error === undefined)
  const stopped = () => ward.signal.aborted
  if (good === undefined || stopped()) return { url, name, addresses, stopped: stopped() }
  says('asking')
  const { stats, ...answer } = await askOnce(ward)
  if (answer.error !== undefined || stopped()) return { url, name, addresses, ...answer, stopped: stopped() }
  const held = plan.idleMs > 0 ? holdIdle(ward, good.address, plan.times ?? ladder(plan.idleMs)) : undefined
  says(held === undefined ? 'counting requests' : `holding idle connections for up to ${plan.idleMs / 1000} s`)
  const [idle, cap] = await Promise.all([
    held,
    plan.requests > 0 ? countRequests(ward, good.address, plan.requests).catch(() => undefined) : undefined,
  ])
  const reuse = learned(ward, idle, stats)
  return {
    url,
    name,
    addresses,
    ...answer,
    ...(cap && { cap }),
    ...(idle && { idle }),
    ...(reuse && { reuse }),
    stopped: stopped(),
  }
}

async function askOnce(ward: Ward): Promise<{ answer?: AnswerFacts; error?: unknown; stats?: ClientStats }> {
  const options = { timeout: { total: answerPatienceMs }, ...(ward.tls && { tls: ward.tls }) }
  const client = createClient(options)
  try {
    const { statusCode, headers, body } = await client.request(ward.url, { signal: ward.signal })
    await body.dump({ limit: 256 * 1024 }).catch(() => {})
    const shown = telling.flatMap((header) => (headers[header] === undefined ? [] : [[header, line(headers[header])]]))
    return { answer: { status: statusCode, headers: Object.fromEntries(shown) }, stats: client.stats() }
  } catch (error) {
    return { error }
  } finally {
    await client.destroy()
  }
}

/** A header's value comes from a stranger, and goes to a terminal. */
function line(value: string | string[]): string {
  return String(value)
    .replace(/[^\x20-\x7e]/g, '')
    .slice(0, 120)
}

/** What the policy makes of the ends that were seen; what was announced it has from the answer. */
function learned(ward: Ward, idle: IdleFacts | undefined, stats: ClientStats | undefined): ReuseLimits | undefined {
  const told = stats?.origins[ward.url.origin]?.reuse
  const ends = idle?.held.filter(({ end }) => end === 'closed' || end === 'reset' || end === 'silent') ?? []
  if (ends.length === 0) return told
  const learner = new ReuseLearner()
  const now = ward.clock.now()
  for (const { idleMs = 0, end, atOnce } of ends) {
    const how = end === 'closed' ? 'fin' : end === 'reset' ? 'rst' : 'silence'
    if (atOnce && how !== 'silence') learner.closedWhileIdle(now, { idleMs, requests: 1, how })
    else learner.staleOnUse(now, { idleMs, how })
    learner.freshWorked(now)
  }
  const limits = learner.limits(now)
  return told !== undefined && told.idleMs < limits.idleMs ? told : limits
}
