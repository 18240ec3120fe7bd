/** Clues in what became of sibling connections: others to the same peer, and others to anywhere else. */

import type { ReachOutcome, SiblingFacts } from '../failure/circumstances.js'
import type { AttemptReport } from '../failure/evidence.js'
import type { FailureKind } from '../failure/kinds.js'
import { type Clue, type Look, look, type Shifts } from './clue.js'
import { amount } from './facts.js'
import { hadRested, isDial, type Scene } from './scene.js'

/** The earlier attempts of this very call are no siblings: they are told apart, by the clue of the attempts. */
function counted(facts: SiblingFacts | undefined, earlier: readonly AttemptReport[]): SiblingFacts | undefined {
  if (facts === undefined) return undefined
  const of = (value: number, ...kinds: FailureKind[]) =>
    Math.max(0, (amount(value) ?? 0) - earlier.filter(({ kind }) => kinds.includes(kind)).length)
  const { stood, reset, closed, answered, connected, failed, silent = 0 } = facts
  return {
    stood: of(stood, 'reset', 'closed'),
    reset: of(reset, 'reset'),
    closed: of(closed, 'closed'),
    answered: of(answered),
    connected: of(connected),
    failed: of(failed, 'refused', 'unreachable', 'local-resource'),
    silent: of(silent, 'timeout'),
  }
}

/** Whoever gets an answer from the peer shows that host and way are alive. */
export const alive: Shifts = {
  'cut-off': -3.5,
  'nothing-listening': -4,
  'nothing-listening-here': -4,
  'peer-process-gone': -1.5,
  'local-network-changed': -3,
  'local-filter': -1.5,
  'filter-drops': -1.5,
}

export const goneAfter: Shifts = {
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

const same: Clue = {
  of: ['circumstances', 'siblings', 'same'],
  group: 'others-there',
  look: (scene) => {
    const all = counted(scene.around.siblings?.same, scene.earlier)
    return all === undefined ? undefined : (ended(all, scene) ?? lived(all, scene))
  },
}

/** Several connections to the peer that ended together. */
function ended({ stood, reset, closed, answered, connected }: SiblingFacts, scene: Scene): Look | undefined {
  const died = reset + closed
  if (scene.mechanism === 'refused')
    // Of those that it accepted before, none stands any more.
    return died > 0 && connected <= died
      ? look(
          'siblings-ended-then-refused',
          `${died === 1 ? 'a connection' : `${died} connections`} to it ended just before, and it accepts no new ones: the process that listened is gone`,
          // A filter turns away; it ends no connection in an orderly way.
          closed > 0 ? { ...goneAfter, 'filter-rejects': -1.5, 'local-filter': -1.5 } : goneAfter,
        )
      : undefined
  const most = died >= 1 && died >= 0.5 * stood
  if (closed > 0 && most && answered <= died) {
    const whole = Math.max(stood, died)
    const which =
      died < whole
        ? `of ${whole} other connections to it ${died}`
        : died > 1
          ? `all ${died} other connections to it`
          : 'the other connection to it'
    const how = reset > 0 ? `${closed} with a FIN and ${reset} with a reset` : 'with a FIN'
    const strength = died >= 2 ? 1 : 0.5
    return look('siblings-closed-together', `${which} ended at the same time, ${how}: that is how a process ends`, {
      'peer-process-gone': 2.3 * strength,
      'peer-application-aborted': -1 * strength,
      'peer-rejected-early': -1.5 * strength,
      'peer-idle-timer': -0.7 * strength,
      forgotten: -2 * strength,
      'injected-reset': -2,
    })
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
  if (reset > 1 && most && answered <= died)
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
function lived({ answered, connected, failed, silent = 0 }: SiblingFacts, scene: Scene): Look | undefined {
  if (scene.mechanism === 'refused')
    return answered + connected > 0
      ? look(
          'siblings-stand-and-new-ones-are-refused',
          `other connections to it stand, and it accepts no new ones: it is being shut down, or somebody refuses new ones`,
          {
            'nothing-listening': -2,
            'nothing-listening-here': -2,
            'peer-process-gone': 1,
            'filter-rejects': 1,
            'peer-host-filter': 1,
          },
        )
      : undefined
  if (answered > 0)
    return look(
      'siblings-answer',
      `other connections to it were answered meanwhile (${answered}): its host and the way are alive`,
      {
        ...alive,
        'peer-host-lost-state': -2.5,
        'nat-state-dropped': hadRested(scene.situation) ? 0.5 : -1,
      },
    )
  if (connected > 0 && silent === 0)
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
    const all = counted(scene.around.siblings?.elsewhere, [])
    if (all === undefined) return undefined
    const { reset, closed, answered, connected, failed, silent = 0 } = all
    if (silent > 0 && answered <= silent)
      return look(
        'elsewhere-silent-too',
        `nothing came from other places either (${silent}): what they share is this host and its way out`,
        answered === 0 ? here(false) : {},
      )
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
        // So many in so short a time do not wait for anybody: this host refuses them itself.
        failed >= 5 ? { ...here(false), 'local-network-changed': 2.6 } : here(false),
      )
    return undefined
  },
}

function here(works: boolean): Shifts {
  if (works) return { 'local-network-changed': -2.3, 'local-filter': -0.5, 'local-resources': -1.5, 'path-down': -0.4 }
  return {
    'local-network-changed': 1.6,
    'local-resources': 1,
    'path-down': 1.2,
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

export const cluesOfSiblings: readonly Clue[] = [same, elsewhere, probe]
