import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/attempt/sender.js'
import { hedgedTry } from '../../src/call/hedged-try.js'
import { type Delivery, deliveries } from '../../src/failure/kinds.js'
import { ManualClock } from '../manual-clock.js'

const failed = (delivery: Delivery, which: string): Outcome<string> => ({
  end: 'failure',
  failure: { kind: 'reset', phase: 'wait', delivery, cause: which },
  evidence: { vantage: 'none', phase: 'wait' },
})

/** Both attempts run, and end in this order. */
async function race(first: Outcome<string>, second: Outcome<string>, secondEndsFirst: boolean, goodAnswers = false) {
  const clock = new ManualClock()
  const ends: ((outcome: Outcome<string>) => void)[] = []
  const result = hedgedTry<string>({
    clock,
    delayMs: 10,
    start: () => ({ outcome: new Promise((resolve) => ends.push(resolve)), cancel: () => {} }),
    status: Number,
    mayHedge: () => true,
    isGood: ({ end }) => goodAnswers && end === 'answer',
    isRetryable: () => true,
  })
  await clock.advance(10)
  const [endFirst, endSecond] = ends
  const turns = [() => endFirst?.(first), () => endSecond?.(second)]
  for (const turn of secondEndsFirst ? turns.reverse() : turns) {
    turn()
    await Promise.resolve()
  }
  return result
}

describe('when both attempts fail, the one counts whose request was heard more surely', () => {
  const pairs = deliveries.flatMap((one) => deliveries.map((other) => [one, other] as const))
  test.each(pairs)('%s and %s', async (one, other) => {
    for (const secondEndsFirst of [false, true]) {
      const { outcome, wonByHedge } = await race(failed(one, 'first'), failed(other, 'second'), secondEndsFirst)
      const surer = Math.max(deliveries.indexOf(one), deliveries.indexOf(other))
      expect(outcome).toMatchObject({ failure: { delivery: deliveries[surer] } })
      expect(outcome).toMatchObject({ failure: { cause: wonByHedge ? 'second' : 'first' } })
    }
  })

  test('and an answer that is to be repeated counts more than any failure', async () => {
    const answer = { end: 'answer', answer: '503' } as const
    for (const secondEndsFirst of [false, true])
      expect((await race(answer, failed('unsent', 'second'), secondEndsFirst)).outcome).toBe(answer)
  })

  test.each(['421', '425'])(
    'and a %s, which says that nothing was done, counts less than what may have been',
    async (status) => {
      const answer = { end: 'answer', answer: status } as const
      for (const delivery of deliveries)
        for (const secondEndsFirst of [false, true]) {
          const { outcome } = await race(answer, failed(delivery, 'second'), secondEndsFirst)
          // Nor does it where nothing is ever repeated, so that every answer is good.
          const { outcome: same } = await race(answer, failed(delivery, 'second'), secondEndsFirst, true)
          if (delivery !== 'rejected') expect(same).toEqual(outcome)
          if (delivery === 'unsent') expect(outcome).toBe(answer)
          else if (delivery !== 'rejected') expect(outcome).toMatchObject({ failure: { delivery } })
        }
    },
  )
})
