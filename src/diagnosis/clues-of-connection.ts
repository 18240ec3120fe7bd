/** Clues in the life of the connection: fresh or used, how long idle, how often used, what its answers said. */

import { redactLine } from '../failure/redact.js'
import { ms } from '../failure/story.js'
import { type Family, familyOfCap, familyOfTimer } from '../knowledge/idle-timeouts.js'
import type { TimerRole } from '../knowledge/timer-row.js'
import { type Clue, endsAtProxy, type Look, look, type Shifts } from './clue.js'
import { amount } from './facts.js'
import { hadRested, isCut, isSilent, type Scene } from './scene.js'

const fresh: Clue = {
  of: ['connection', 'reused'],
  look: (scene) => {
    // What was reset in a dial is as fresh, and then no fact of a connection says so.
    if (scene.situation !== 'fresh' || scene.evidence?.connection?.reused !== false) return undefined
    return look('first-request', 'it was the first request on a new connection: no idle time, no limit of use', {})
  },
}

/** Of how long the connection had been idle, and whether a known timer fits. */
const idle: Clue = {
  of: ['connection', 'idleMs'],
  look: (scene) => {
    const { idleMs, situation } = scene
    if (idleMs === undefined || !(isCut(scene) || isSilent(scene))) return undefined
    if (situation === 'busy')
      return look('used-just-before', `it had been used ${ms(idleMs)} before: no timer had run out`, {
        'by-idling': -1.5,
      })
    if (!hadRested(situation)) return undefined
    const says = `it had been idle for ${ms(idleMs)}`
    const family = familyOf(scene)
    if (family === undefined)
      // No known device that forwards packets forgets a flow so soon by itself.
      return look('idle-before', says, idleMs < 60_000 ? soonForFlows : {})
    const closed = scene.mechanism === 'fin' || scene.mechanism === 'fin-then-rst'
    const how = closed ? 'which fits' : 'which is beyond'
    return look('idle-fits-known-timer', `${says}, ${how} ${family.says}`, fits(family))
  },
}

/** And no machine restarts meanwhile; an address can move to another. */
const soonForFlows = {
  'balancer-flow-expired': -0.8,
  'nat-state-expired': -0.6,
  'nat-state-dropped': -0.5,
  'peer-host-lost-state': -0.3,
} as const

/** What a timer of such a product speaks for. */
function fits({ members }: Family): Shifts {
  const has = (...roles: readonly TimerRole[]) => members.some(({ role }) => roles.includes(role))
  return {
    ...(has('server') && { 'peer-idle-timer': 0.7 }),
    ...(has('proxy') && { 'proxy-idle-timer': 0.7 }),
    ...(has('flow-balancer') && { 'balancer-flow-expired': 0.7 }),
    ...(has('nat', 'firewall') && { 'nat-state-expired': 0.7, 'nat-state-dropped': 0.7 }),
  }
}

/** The known products whose idle timer fits what was seen. */
export function familyOf(scene: Scene): Family | undefined {
  const { idleMs, mechanism, situation, around } = scene
  if (idleMs === undefined || !hadRested(situation)) return undefined
  const name = around.headers?.server ?? around.headers?.via
  if (mechanism === 'fin' || mechanism === 'fin-then-rst') return familyOfTimer(idleMs, 'closed', name)
  if (mechanism === 'rst') return familyOfTimer(idleMs, 'reset', name)
  return isSilent(scene) ? familyOfTimer(idleMs, 'silent', name) : undefined
}

/** How near an idle time is to a timer: `at` it, or `below`. A timer's end is seen at it or a little later. */
function against(idleMs: number, timerMs: number): 'at' | 'below' | 'beyond' {
  const slack = Math.max(0.05 * timerMs, Math.min(1500, 0.5 * timerMs))
  if (idleMs < timerMs - slack) return 'below'
  return idleMs <= timerMs + slack ? 'at' : 'beyond'
}

const keepAlive: Clue = {
  of: ['circumstances', 'headers', 'keepAliveMs'],
  group: 'idle-timer',
  look: (scene) => {
    const { idleMs, announcedIdleMs: timer } = scene
    if (!isCut(scene) || timer === undefined || idleMs === undefined) return undefined
    return timed(idleMs, timer, {
      at: `it had been idle for ${ms(idleMs)}, and its server announces that it closes idle ones after ${ms(timer)}`,
      below: `it had been idle for ${ms(idleMs)} only, and its server announces that it closes idle ones after ${ms(timer)}`,
      name: 'announced-timer',
      weight: 2.4,
      flows: 0,
    })
  },
}

const learnedIdle: Clue = {
  of: ['circumstances', 'learned', 'idleMs'],
  group: 'idle-timer',
  look: (scene) => {
    const { idleMs, learnedIdleMs: timer } = scene
    const closes = amount(scene.around.learned?.closes) ?? 1
    if (!isCut(scene) || timer === undefined || idleMs === undefined) return undefined
    const seen = closes > 1 ? `${closes} earlier ones were` : 'an earlier one was'
    return timed(idleMs, timer, {
      at: `it had been idle for ${ms(idleMs)}, and ${seen} ended after about ${ms(timer)} of idling`,
      below: `it had been idle for ${ms(idleMs)} only, and ${seen} ended after about ${ms(timer)} of idling`,
      name: 'learned-timer',
      weight: Math.min(2.3, 0.8 + 0.4 * Math.max(0, closes)),
      flows: 0.5,
    })
  },
}

interface Timed {
  readonly at: string
  readonly below: string
  readonly name: string
  readonly weight: number
  /** The share of it that holds for devices that only forward packets: what a server announces is its own timer. */
  readonly flows: number
}

function timed(idleMs: number, timerMs: number, { at, below, name, weight, flows }: Timed): Look | undefined {
  const where = against(idleMs, timerMs)
  if (where === 'below')
    return look(`below-${name}`, below, {
      'peer-idle-timer': -1.8,
      'proxy-idle-timer': -1.8,
      'by-idling': -1,
      'local-stall': -0.5,
    })
  // Had the timer run out long ago, its end would have been seen, unless this process looked away.
  if (where === 'beyond')
    return look(`beyond-${name}`, at, { 'peer-idle-timer': -0.5, 'proxy-idle-timer': -0.5, 'local-stall': weight })
  return look(`at-${name}`, at, {
    'by-idling': flows * weight,
    'peer-idle-timer': weight,
    'proxy-idle-timer': weight,
    'local-stall': 0.7 * weight,
  })
}

const requests: Clue = {
  of: ['connection', 'requestsBefore'],
  group: 'cap',
  look: (scene) => {
    const { requestsBefore } = scene
    const family = isCut(scene) ? familyOfCap(requestsBefore) : undefined
    return family === undefined
      ? undefined
      : look('at-known-cap', `it had carried exactly as many as ${family.says} carry`, { 'peer-connection-cap': 2.3 })
  },
}

const learnedCap: Clue = {
  of: ['circumstances', 'learned', 'requestCap'],
  group: 'cap',
  look: (scene) => {
    const cap = amount(scene.around.learned?.requestCap) ?? 0
    if (!isCut(scene) || cap === 0 || scene.requestsBefore < cap) return undefined
    return look(
      'at-learned-cap',
      `it had carried ${scene.requestsBefore} requests, and earlier ones were closed after ${cap}`,
      { 'peer-connection-cap': 2 },
    )
  },
}

const announcedCap: Clue = {
  of: ['circumstances', 'headers', 'keepAliveMax'],
  group: 'cap',
  look: (scene) => {
    const left = scene.around.headers?.keepAliveMax
    if (!isCut(scene) || left !== 0) return undefined
    return look('announced-cap', 'its last answer said that no further request may follow (Keep-Alive: max=0)', {
      'peer-connection-cap': 2.5,
    })
  },
}

const announcedEnd: Clue = {
  of: ['circumstances', 'headers', 'connectionClose'],
  group: 'cap',
  look: (scene) =>
    isCut(scene) && scene.around.headers?.connectionClose === true
      ? look('announced-end', 'its last answer announced the end (Connection: close)', {
          'peer-connection-cap': 2.5,
          'peer-process-gone': 0.5,
        })
      : undefined,
}

const forwards =
  /cloudflare|awselb|envoy|squid|varnish|akamai|gws|google frontend|haproxy|bigip|vegur|heroku|fly\/|railway|application-gateway|cloudfront|fastly|traefik|apigee|kong/i
const maybeForwards = /nginx|openresty|caddy/i
const serves = /apache|uvicorn|gunicorn|hypercorn|kestrel|jetty|tomcat|werkzeug|iis|puma|node|express|cowboy/i

const server: Clue = {
  of: ['circumstances', 'headers', 'server'],
  group: 'between',
  look: ({ around }) => {
    const name = around.headers?.server
    if (name === undefined) return undefined
    const shown = redactLine(name, 40)
    if (forwards.test(name))
      return look('server-is-a-proxy', `what answers calls itself "${shown}": a proxy`, endsAtProxy)
    if (maybeForwards.test(name))
      return look('server-may-be-a-proxy', `what answers calls itself "${shown}": a server, or a proxy before one`, {
        forwarder: 0.8,
      })
    return serves.test(name)
      ? look('server-is-an-application', `what answers calls itself "${shown}": an application server`, {
          forwarder: -0.5,
        })
      : undefined
  },
}

const via: Clue = {
  of: ['circumstances', 'headers', 'via'],
  group: 'between',
  look: ({ around }) => {
    const name = around.headers?.via
    return name === undefined
      ? undefined
      : look('via-a-proxy', `its answers come through a proxy (Via: ${redactLine(name, 40)})`, endsAtProxy)
  },
}

const marks: Clue = {
  of: ['circumstances', 'headers', 'marks'],
  group: 'between',
  look: ({ around }) => {
    const names = around.headers?.marks ?? []
    return names.length === 0
      ? undefined
      : look(
          'marks-of-a-proxy',
          `its answers carry marks of a balancer or CDN (${redactLine(names.slice(0, 3).join(', '), 60)})`,
          endsAtProxy,
        )
  },
}

const upload: Clue = {
  of: ['circumstances', 'requestWritten'],
  look: (scene) => {
    const { around, sentBytes } = scene
    if (around.requestWritten !== false || !isCut(scene)) return undefined
    const sent = sentBytes === undefined ? '' : ` (${sentBytes} bytes of it were sent)`
    return look('request-not-written', `the request was still being sent${sent}`, {})
  },
}

export const cluesOfConnection: readonly Clue[] = [
  fresh,
  idle,
  keepAlive,
  learnedIdle,
  requests,
  learnedCap,
  announcedCap,
  announcedEnd,
  server,
  via,
  marks,
  upload,
]
