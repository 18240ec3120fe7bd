/** What an examination has found: each finding in a sentence, with what to do about it. */

import { isOffhookError } from '../index.js'
import { familyOfCap, familyOfTimer } from '../knowledge/idle-timeouts.js'
import { decide } from '../policy/retry.js'
import { defaultRetryPolicy } from '../policy/retry-options.js'
import type { Checkup } from './checkup.js'
import { milliseconds } from './demo-words.js'
import type { IdleFacts } from './idle-probe.js'

/** One finding. `bad` makes the exit code 1. */
export interface Finding {
  readonly level: 'good' | 'careful' | 'bad'
  readonly says: string
  readonly advice?: string
}

const soonDays = 21

/** Everything that was found, in the order in which it was looked at. */
export function findingsOf(checkup: Checkup): Finding[] {
  return [
    ...ofName(checkup),
    ...ofAddresses(checkup),
    ...ofAnswer(checkup),
    ...ofIdle(checkup),
    ...ofCap(checkup),
    ...(checkup.stopped ? [{ level: 'careful', says: 'The examination was ended before its time.' } as const] : []),
  ]
}

function ofName({ name }: Checkup): Finding[] {
  if (name.addresses.length > 0) return []
  return [{ level: 'bad', says: `${name.host} has no address: ${codeOf(name.error)}.` }]
}

function ofAddresses({ addresses, name }: Checkup): Finding[] {
  const failed = addresses.filter(({ error }) => error !== undefined)
  const all = failed.length === addresses.length
  const ofFailed = failed.map(({ address, error }): Finding => {
    const { remedy } = (isOffhookError(error) && error.diagnosis?.hypotheses[0]) || {}
    const advice = all ? remedy : `Clients may come upon it first. ${remedy ?? ''}`.trim()
    return {
      level: all ? 'bad' : 'careful',
      says: `${address} cannot be used: ${wordsOf(error)}.`,
      ...(advice !== undefined && { advice }),
    }
  })
  const ends = addresses.flatMap(({ tls }) => tls?.daysLeft ?? [])
  const days = Math.min(...ends)
  const certificate: Finding[] =
    days < soonDays
      ? [{ level: 'careful', says: `The certificate of ${name.host} ends in ${days} days.`, advice: 'Renew it.' }]
      : []
  return [...ofFailed, ...certificate]
}

function ofAnswer({ answer, error }: Checkup): Finding[] {
  if (error !== undefined) {
    const { remedy } = (isOffhookError(error) && error.diagnosis?.hypotheses[0]) || {}
    return [{ level: 'bad', says: `GET was not answered: ${wordsOf(error)}.`, ...(remedy && { advice: remedy }) }]
  }
  if (answer === undefined || answer.status < 500) return []
  return [{ level: 'careful', says: `GET was answered by ${answer.status}.`, advice: 'Look at the server first.' }]
}

function ofIdle({ idle, answer }: Checkup): Finding[] {
  if (idle === undefined) return []
  const { how, timerMs, between, boundMs, held } = idle
  if (how === undefined) {
    if (held.every(({ end }) => end === 'unfit'))
      return [{ level: 'careful', says: 'Connections are not kept: the server ends each after one answer to HEAD.' }]
    if (!held.some(({ end }) => end === 'kept')) return []
    return [
      { level: 'good', says: `Idle connections were kept for ${milliseconds(boundMs)}, the longest that was tried.` },
    ]
  }
  const name = [answer?.headers['server'], answer?.headers['via']].filter((value) => value !== undefined).join(' ')
  const family = familyOfTimer(timerMs ?? between?.[1] ?? 0, how, name)
  const fits = family !== undefined && family.value * 1000 >= (between?.[0] ?? 0)
  const matches = fits ? ` That fits ${family.says}.` : ''
  return [timerMs === undefined ? foundLater(idle, matches) : atOnce(idle, matches), ...ofUneven(idle)]
}

function atOnce({ timerMs = 0, how, held }: IdleFacts, matches: string): Finding {
  const spoke = held.some((one) => one.spoke === true)
    ? ', after an answer that nobody had asked for (408, most likely),'
    : ''
  const by = how === 'closed' ? 'a FIN' : 'a RST'
  const says = `Idle connections are ended after ${milliseconds(timerMs)}${spoke} by ${by}.${matches}`
  const advice =
    `Clients must let go first: keep idle connections for less than ${milliseconds(timerMs * 0.8)}, or raise that ` +
    'timer above those of its clients.'
  return { level: how === 'closed' ? 'good' : 'careful', says, advice }
}

function foundLater({ between: [kept, lost] = [0, 0], how, alive }: IdleFacts, matches: string): Finding {
  const when = `between ${milliseconds(kept)} and ${milliseconds(lost)}`
  if (how === 'silent') {
    if (alive === false)
      return { level: 'bad', says: `Nothing answered any more ${when}, on fresh connections either: an outage.` }
    const says =
      `Idle connections are forgotten without a word ${when}: what is sent on one after that is answered by nobody.` +
      matches
    return { level: 'bad', says, advice: silentAdvice(kept) }
  }
  const says = `Idle connections are forgotten ${when}: what is sent on one after that is answered by the end of it.${matches}`
  return { level: 'careful', says, advice: silentAdvice(kept) }
}

function silentAdvice(keptMs: number): string {
  const keep = keptMs > 0 ? `for less than ${milliseconds(keptMs)}` : 'not at all'
  return (
    `Something between (a balancer, a NAT, a firewall) drops the flow and tells nobody. Keep idle connections ${keep}, ` +
    'or have TCP keepalive probes sent more often than that.'
  )
}

function ofUneven({ uneven, held }: IdleFacts): Finding[] {
  if (uneven !== true) return []
  const ages = held.flatMap(({ end, idleMs }) => (end === 'kept' || idleMs === undefined ? [] : milliseconds(idleMs)))
  return [
    {
      level: 'careful',
      says: `They are not ended at one age (${ages.join(', ')}).`,
      advice: 'Several machines with several timers, or a restart meanwhile: look once more.',
    },
  ]
}

function ofCap({ cap }: Checkup): Finding[] {
  if (cap === undefined || cap.cap === undefined) return []
  const { how, cap: requests } = cap
  if (requests === 0) return [{ level: 'careful', says: `HEAD was not answered on a connection of its own (${how}).` }]
  const family = familyOfCap(requests)
  const matches = family === undefined ? '' : ` That fits ${family.says}.`
  if (how === 'announced')
    return [{ level: 'good', says: `A connection carries ${requests} requests, and its end is announced.${matches}` }]
  return [
    {
      level: 'careful',
      says: `A connection carries ${requests} requests, and then ends unannounced (${how}).${matches}`,
      advice: 'Have the server announce it (Connection: close), or clients let go one request earlier.',
    },
  ]
}

/** What offhook's client makes of a request that comes upon such an end: asked of the policy itself. */
export function retriesOf({ how }: Pick<IdleFacts, 'how'>): { readonly request: string; readonly says: string }[] {
  const kind = how === 'silent' ? 'timeout' : how === 'reset' ? 'reset' : 'closed'
  const failure = { kind, phase: 'wait', delivery: 'unknown', cause: undefined } as const
  const asked = { failure, reused: true, replayable: true, attempts: 1, transparent: 0, dice: 0.5 }
  const classes = [
    ['GET, PUT, DELETE', 'idempotent'],
    ['POST with an Idempotency-Key', 'keyed'],
    ['POST', 'unsafe'],
  ] as const
  return classes.map(([request, requestClass]) => {
    const { retry, because } = decide({ ...asked, requestClass }, defaultRetryPolicy)
    return { request, says: `${retry ? 'sent again' : 'not sent again'}: ${because}` }
  })
}

/** What offhook says of an error, in a clause. */
export function wordsOf(error: unknown): string {
  if (!isOffhookError(error)) return codeOf(error)
  const code = error.code === undefined ? '' : ` (${error.code})`
  return `${error.kind} in ${error.phase}${code}`
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? error)
}
