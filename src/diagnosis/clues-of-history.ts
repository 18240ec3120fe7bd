/** Clues in what had happened before at the same origin: ends that came together, a request that is always cut. */

import { ms } from '../failure/story.js'
import { type Clue, look } from './clue.js'
import { goneAfter } from './clues-of-siblings.js'
import { amount } from './facts.js'
import { isCut } from './scene.js'

/** After so long nobody waits for a process that has been ended. */
const soonMs = 60_000

const together: Clue = {
  of: ['circumstances', 'learned', 'endedTogether'],
  group: 'others-there',
  look: (scene) => {
    const { endedTogether } = scene.around.learned ?? {}
    const connections = amount(endedTogether?.connections) ?? 0
    const agoMs = amount(endedTogether?.agoMs)
    const times = amount(endedTogether?.times) ?? 1
    if (connections < 2 || agoMs === undefined) return undefined
    const before = `${connections} connections to it had ended all at once ${ms(agoMs)} before`
    if (scene.mechanism === 'refused' && agoMs < soonMs)
      return look('ended-together-then-refused', `${before}: the process that listened is gone`, {
        ...goneAfter,
        'nothing-listening': -1.5,
      })
    if (!isCut(scene) || times < 2) return undefined
    return look('ends-together-again', `${before}, and that for the ${ordinal(times)} time: it is restarted often`, {
      'peer-process-gone': Math.min(1.5, 0.5 * times),
      'injected-reset': -0.7,
    })
  },
}

/** One request that is cut whenever it is sent, while others get through: it is about what is sent. */
const sameRequest: Clue = {
  of: ['circumstances', 'learned', 'sameRequest'],
  look: (scene) => {
    const { cut: before = 0, answered = 0, othersAnswered = 0 } = scene.around.learned?.sameRequest ?? {}
    const cut = amount(before) ?? 0
    if (!isCut(scene) || cut < 2) return undefined
    const others = amount(othersAnswered) ?? 0
    if ((amount(answered) ?? 0) > 0)
      return look(
        'request-passes-at-times',
        `this very request was cut ${cut} times before and answered ${answered} times`,
        {
          'injected-reset': -1.5,
          'peer-rejected-early': -0.7,
        },
      )
    if (others < cut) return undefined
    return look(
      'request-always-cut',
      `this very request was cut each of the ${cut} times before, while ${others} others were answered: it is about what it asks or sends`,
      {
        'peer-application-aborted': 1.2,
        'peer-rejected-early': 2,
        'injected-reset': 2.2,
        'by-idling': -2.3,
        'by-limit': -1.8,
        forgotten: -2.3,
        'filter-rejects': 0.5,
        'local-stall': -2,
        'peer-host-overloaded': -1.5,
      },
    )
  },
}

function ordinal(times: number): string {
  return ['first', 'second', 'third', 'fourth', 'fifth'][times - 1] ?? `${times}th`
}

export const cluesOfHistory: readonly Clue[] = [together, sameRequest]
