/** Clues in what other tries at the same thing met with: the attempts before this one, and the next dial. */

import { ms } from '../failure/story.js'
import { type Clue, look, type Shifts } from './clue.js'
import { alive, goneAfter } from './clues-of-siblings.js'
import { amount } from './facts.js'
import { hadRested, isCut, isDial, isSilent } from './scene.js'

/** Failed in the same way once more, on a connection of its own: no matter of one connection's age or state. */
const again: Shifts = {
  'by-limit': -2.5,
  'by-idling': -2.5,
  forgotten: -1.5,
  'peer-application-aborted': 0.7,
  'peer-rejected-early': 0.8,
  'injected-reset': 0.5,
  'filter-rejects': 0.8,
  'tls-refused': 0.7,
  'peer-host-overloaded': 0.5,
  'peer-process-gone': -0.3,
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
        // Whoever spoke sooner than the server can was no server that ends.
        if (scene.manner === 'too-fast' && !hadRested(scene.situation))
          return look('reconnect-refused-nearer', `a new connection to it was refused as well ${when}`, {
            'filter-rejects': 2.3,
            'local-filter': 0.7,
            'injected-reset': -1.5,
          })
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

export const cluesOfRetries: readonly Clue[] = [reconnect, attempts]
