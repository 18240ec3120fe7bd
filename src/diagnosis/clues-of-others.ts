/** Clues in what became of others: sibling connections, the attempts before this one, the next dial. */

import type { ReachOutcome, SiblingFacts } from '../failure/circumstances.js'
import { ms } from '../failure/story.js'
import { type Clue, type Look, look, type Shifts } from './clue.js'
import { amount } from './facts.js'
import { isCut, isDial, isSilent, type Scene } from './scene.js'

interface Siblings {
  readonly stood: number
  readonly reset: number
  readonly closed: number
  readonly answered: number
  readonly connected: number
  readonly failed: number
}

function counted(facts: SiblingFacts | undefined): Siblings | undefined {
  if (facts === undefined) return undefined
  const of = (value: number) => amount(value) ?? 0
  const { stood, reset, closed, answered, connected, failed } = facts
  return {
    stood: of(stood),
    reset: of(reset),
    closed: of(closed),
    answered: of(answered),
    connected: of(connected),
    failed: of(failed),
  }
}

/** Whoever gets an answer from the peer shows that host and way are alive. */
const alive: Shifts = {
  'cut-off': -3.5,
  'nothing-listening': -4,
  'nothing-listening-here': -4,
  'peer-process-gone': -1.5,
  'local-network-changed': -3,
  'local-filter': -1.5,
  'filter-drops': -1.5,
}

const same: Clue = {
  of: ['circumstances', 'siblings', 'same'],
  group: 'others-there',
  look: (scene) => {
    const all = counted(scene.around.siblings?.same)
    return all === undefined ? undefined : (ended(all) ?? lived(all, scene))
  },
}

/** Several connections to the peer that ended together. */
function ended({ stood, reset, closed, answered, connected }: Siblings): Look | undefined {
  const died = reset + closed
  const most = died >= 1 && died >= 0.5 * stood
  if (closed > 0 && most && answered === 0) {
    const how = reset > 0 ? `${closed} with a FIN and ${reset} with a reset` : `${closed} with a FIN`
    const strength = died >= 2 ? 1 : 0.5
    return look(
      'siblings-closed-together',
      `of ${Math.max(stood, died)} other connections to it ${died} ended at the same time, ${how}: that is how a process ends`,
      {
        'peer-process-gone': 2.3 * strength,
        'peer-application-aborted': -1 * strength,
        'peer-rejected-early': -1.5 * strength,
        'peer-idle-timer': -0.7 * strength,
        forgotten: -2 * strength,
        'injected-reset': -2,
      },
    )
  }
  if (reset > 0 && closed === 0 && connected > 0)
    return look(
      'siblings-reset-new-ones-work',
      `${reset} old connections to it were reset while new ones are accepted: somebody lost the table of the old ones`,
      {
        forgotten: 1.8,
        'peer-application': -1.5,
        'filter-rejects': -0.7,
        'peer-process-gone': 0,
      },
    )
  if (reset > 1 && most && answered === 0)
    return look('siblings-reset-together', `${reset} other connections to it were reset at the same time`, {
      'peer-process-gone': 0.7,
      forgotten: 0.7,
      'filter-rejects': 0.7,
      'peer-application-aborted': -1.5,
      'by-idling': -0.5,
      'injected-reset': -1,
    })
  return undefined
}

/** Whether the peer can be reached on other connections. */
function lived({ answered, connected, failed }: Siblings, scene: Scene): Look | undefined {
  if (answered > 0)
    return look(
      'siblings-answer',
      `other connections to it were answered meanwhile (${answered}): its host and the way are alive`,
      {
        ...alive,
        'peer-host-lost-state': -2.5,
        'nat-state-dropped': scene.situation === 'idle' ? 0.5 : -1,
      },
    )
  if (connected > 0)
    return look('new-connections-work', `new connections to it are accepted (${connected})`, {
      ...alive,
      'nat-state-dropped': 0.7,
    })
  if (failed > 0 && !isDial(scene))
    return look('no-new-connections', `new connections to it fail as well (${failed})`, {
      'cut-off': 1.2,
      'peer-process-gone': 0.8,
      'peer-host-down': 1.2,
      'local-network-changed': 0.7,
      'by-idling': -1,
      'peer-idle-timer': -1.5,
      'peer-application-aborted': -1,
    })
  return undefined
}

const elsewhere: Clue = {
  of: ['circumstances', 'siblings', 'elsewhere'],
  group: 'others-elsewhere',
  look: (scene) => {
    const all = counted(scene.around.siblings?.elsewhere)
    if (all === undefined) return undefined
    const { reset, closed, answered, connected, failed } = all
    if (answered + connected > 0)
      return look(
        'elsewhere-works',
        `connections to other places work (${answered + connected}): this host is connected`,
        here(true),
      )
    if (reset + closed + failed > 1)
      return look(
        'elsewhere-fails-too',
        `connections to other places fail as well (${reset + closed + failed}): what they share is this host and its way out`,
        here(false),
      )
    return undefined
  },
}

function here(works: boolean): Shifts {
  if (works) return { 'local-network-changed': -2.3, 'local-filter': -0.5, 'local-resources': -1.5, 'path-down': -0.4 }
  return {
    'local-network-changed': 2.3,
    'local-resources': 1,
    'path-down': 1,
    'name-service-failed': 0.7,
    'peer-application': -2,
    'peer-host': -1.7,
    proxy: -0.7,
    'tls-peer': -2,
  }
}

const reachedSomething: readonly ReachOutcome[] = ['connected', 'answered', 'refused', 'reset', 'closed']

const probe: Clue = {
  of: ['circumstances', 'elsewhere'],
  group: 'others-elsewhere',
  look: ({ around: { elsewhere } }) => {
    if (elsewhere === undefined) return undefined
    return reachedSomething.includes(elsewhere)
      ? look('probe-elsewhere-works', `a probe of another place got through (${elsewhere})`, here(true))
      : look('probe-elsewhere-fails', `a probe of another place failed as well (${elsewhere})`, here(false))
  },
}

/** Failed in the same way once more, on a connection of its own: no matter of one connection's age or state. */
const again: Shifts = {
  'by-limit': -2.5,
  'by-idling': -2.5,
  forgotten: -1.5,
  'peer-application-aborted': 0.7,
  'peer-rejected-early': 0.8,
  'injected-reset': 0.8,
  'filter-rejects': 0.8,
  'tls-refused': 0.7,
  'peer-host-overloaded': 0.5,
  'peer-process-gone': -0.3,
}

const goneAfter: Shifts = {
  'peer-process-gone': 2.5,
  'nothing-listening': -1,
  'peer-application-aborted': -1.5,
  'peer-rejected-early': -1.5,
  'by-limit': -2,
  'by-idling': -2.5,
  'injected-reset': -2,
  'path-down': -1,
  proxy: -0.5,
}

const unreachableAfter: Shifts = {
  'cut-off': 1.8,
  'filter-drops': 1,
  'local-network-changed': 1,
  'peer-host-lost-state': 0.7,
  'peer-application-aborted': -1.5,
  'peer-rejected-early': -1.5,
  'peer-application-silent': -1.5,
  'by-limit': -1.5,
  'by-idling': -1.5,
}

const reconnect: Clue = {
  of: ['circumstances', 'reconnect'],
  group: 'others-there',
  look: (scene) => {
    const { reconnect } = scene.around
    if (reconnect === undefined) return undefined
    const after = amount(reconnect.afterMs)
    const when = after === undefined ? 'afterwards' : `${ms(after)} later`
    switch (reconnect.outcome) {
      case 'connected':
      case 'answered':
        return look(
          'reconnect-works',
          `a new connection to it was ${reconnect.outcome === 'answered' ? 'answered' : 'accepted'} ${when}`,
          {
            ...alive,
            'filter-rejects': -1,
            forgotten: isCut(scene) ? 0.5 : 0,
            'nat-state-dropped': isSilent(scene) ? 1.5 : 0,
            'peer-process-gone': -0.5,
          },
        )
      case 'refused':
        return look(
          'reconnect-refused',
          `a new connection to it was refused ${when}: the process is gone`,
          isDial(scene) ? {} : goneAfter,
        )
      case 'reset':
      case 'closed':
        return look('reconnect-cut-too', `a new connection to it was cut as well ${when}`, again)
      case 'timeout':
      case 'unreachable':
        return look('reconnect-gets-nowhere', `a new connection to it got no answer ${when}`, unreachableAfter)
      case 'local':
        return look('reconnect-fails-here', `a new connection failed on this host ${when}`, { 'local-host': 2.3 })
      case 'dns':
        return look('name-not-found-again', `the name could not be resolved ${when}`, { 'name-service': 2.3 })
      default:
        return undefined
    }
  },
}

/** The attempts of this call before the last one. */
const attempts: Clue = {
  of: 'attempts',
  group: 'others-there',
  look: (scene) => {
    const { earlier, failure, mechanism } = scene
    const first = earlier[0]
    if (first === undefined) return undefined
    const cutBefore = earlier.some(
      ({ kind, connection }) => (kind === 'reset' || kind === 'closed') && connection !== undefined,
    )
    if (mechanism === 'refused' && cutBefore)
      return look(
        'served-then-refused',
        `an attempt before was ${first.kind === 'reset' ? 'reset' : 'closed'}, and this one refused: the process that listened is gone`,
        {
          ...goneAfter,
          'nothing-listening': -2,
        },
      )
    if (isCut(scene) && earlier.some(({ kind }) => kind === 'refused'))
      return look('refused-then-cut', 'an attempt before was refused: the server is being started or stopped', {
        'peer-process-gone': 1.5,
      })
    const alike = earlier.filter(({ kind, phase }) => kind === failure.kind && phase === failure.phase)
    if (isCut(scene) && alike.length > 0 && scene.evidence?.connection?.reused !== true)
      return look(
        'same-again',
        `${alike.length + 1} attempts ended alike, the last on a new connection: it is not one connection's age or state`,
        again,
      )
    if (earlier.some(({ kind }) => kind === 'status'))
      return look('answered-before', 'an attempt before was answered', alive)
    return undefined
  },
}

export const cluesOfOthers: readonly Clue[] = [same, elsewhere, probe, reconnect, attempts]
