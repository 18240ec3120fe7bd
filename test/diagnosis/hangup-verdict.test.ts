/** Why a client hung up: facts in, verdict out, row by row; and what holds for any facts. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeHangup } from '../../src/diagnosis/hangup-verdict.js'
import type { HangupFacts, HangupReason, HangupStory } from '../../src/failure/hangup.js'

/** A program that leaves a request after a while of no meaning. */
const plain: HangupFacts = {
  kind: 'closed',
  ending: 'fin',
  phase: 'wait',
  protocol: 'http/1.1',
  secure: false,
  at: 1_800_000_000_000,
  afterMs: 1237,
  method: 'GET',
  path: '/orders',
  route: 'GET /orders',
  bytes: { received: 80, sent: 0, unsent: 0 },
  inFlight: 3,
  usuallyInFlight: 2,
  loopDelayMs: 0,
  startedLateMs: 0,
  connection: { remoteAddress: '192.0.2.1', remotePort: 5000, ageMs: 60_000, requestsBefore: 4 },
  agent: 'program',
  proxied: false,
}

const usual = { answers: 500, p50Ms: 90, p95Ms: 400 }
const oneOfMany = { stood: 6, ended: 1, lost: 1 }
const browser = { agent: 'browser', siblings: oneOfMany } as const

interface Row {
  readonly name: string
  readonly facts: Partial<HangupFacts>
  readonly is: HangupReason | 'unclear'
  readonly story?: HangupStory
  /** A clue that must be among the reasons of the likeliest story. */
  readonly because?: string
}

const rows: readonly Row[] = [
  {
    name: 'a program after 5 s',
    facts: { afterMs: 5003 },
    is: 'gave-up-waiting',
    story: 'client-timeout',
    because: 'round-age',
  },
  {
    name: 'a program after 30 s',
    facts: { afterMs: 29_990 },
    is: 'gave-up-waiting',
    story: 'client-timeout',
    because: 'round-age',
  },
  {
    name: 'a timer that was set before the connection was made',
    facts: { afterMs: 4713, connection: { ageMs: 5002, requestsBefore: 0 } },
    is: 'gave-up-waiting',
    story: 'client-timeout',
    because: 'round-age',
  },
  {
    name: 'a timer of no round number, again and again',
    facts: { afterMs: 3737, sameAge: { others: 10, near: 6, users: 4, sameAddress: false } },
    is: 'gave-up-waiting',
    story: 'client-timeout',
    because: 'same-age',
  },
  {
    name: 'a timer behind a loop that was late',
    facts: { afterMs: 5240, loopDelayMs: 250, usual },
    is: 'gave-up-waiting',
    because: 'round-age',
  },
  {
    name: 'a proxy after 60 s',
    facts: { afterMs: 60_004, proxied: true, siblings: oneOfMany },
    is: 'gave-up-waiting',
    story: 'proxy-timeout',
    because: 'proxied',
  },
  {
    name: 'many users behind a proxy, all after 2.5 s',
    facts: {
      afterMs: 2504,
      proxied: true,
      agent: 'browser',
      sameAge: { others: 9, near: 8, users: 7, sameAddress: true },
    },
    is: 'gave-up-waiting',
    story: 'proxy-timeout',
    because: 'users-in-step',
  },
  {
    name: 'a person whose page is far slower than usual',
    facts: { ...browser, afterMs: 3870, usual },
    is: 'gave-up-waiting',
    story: 'impatient',
    because: 'slow',
  },
  {
    name: 'a person who leaves a page sooner than it usually comes',
    facts: { ...browser, afterMs: 870, usual: { answers: 500, p50Ms: 2000, p95Ms: 6000 } },
    is: 'user-cancelled',
    story: 'user-cancelled',
    because: 'not-slow',
  },
  {
    name: 'a stream cancelled in the middle of a download',
    facts: {
      ...browser,
      protocol: 'h2',
      ending: 'stream-reset',
      http2: 'CANCEL',
      kind: 'reset',
      phase: 'body',
      afterMs: 2870,
    },
    is: 'user-cancelled',
    because: 'stream-reset',
  },
  {
    name: 'parts of a page dropped at once, then another page',
    facts: {
      ...browser,
      siblings: { stood: 6, ended: 3, lost: 3, lostAtSameAge: false, backAfterMs: 80, backForSame: false },
    },
    is: 'user-cancelled',
    because: 'dropped-at-once',
  },
  {
    name: 'all connections of a program at once, idle ones too',
    facts: { siblings: { stood: 6, ended: 6, lost: 4, lostAtSameAge: false } },
    is: 'client-died',
    story: 'client-died',
    because: 'all-ended',
  },
  {
    name: 'retransmissions in vain',
    facts: { ending: 'silence', kind: 'timeout', code: 'ETIMEDOUT' },
    is: 'network-lost',
    because: 'silence',
  },
  {
    name: 'no route any more',
    facts: { ending: 'silence', kind: 'unreachable', code: 'EHOSTUNREACH', phase: 'close' },
    is: 'network-lost',
  },
  {
    name: 'a port scanner',
    facts: { phase: 'connect', agent: 'none', ending: 'rst', kind: 'reset', afterMs: 2 },
    is: 'probe',
  },
  {
    name: 'a health check that does not wait',
    facts: { agent: 'probe', afterMs: 3 },
    is: 'probe',
    because: 'agent-probe',
  },
  { name: 'this server', facts: { ending: 'local' }, is: 'ours', story: 'ours', because: 'local-end' },
  { name: 'a program, at an odd age, and nothing else', facts: {}, is: 'unclear' },
]

describe('the verdict', () => {
  test.each(rows)('$name: $is', ({ facts, is, story, because }) => {
    const verdict = judgeHangup({ ...plain, ...facts })
    expect(verdict.is).toBe(is)
    if (story !== undefined) expect(verdict.story).toBe(story)
    if (because !== undefined) {
      const forIt = verdict.hypotheses[0]?.because.filter(({ weight }) => weight > 0).map(({ clue }) => clue)
      expect(forIt).toContain(because)
    }
  })

  test('a round age below half a second says little, for there every age is round', () => {
    const share = (afterMs: number) =>
      judgeHangup({ ...plain, afterMs }).hypotheses.find(({ story }) => story === 'client-timeout')?.probability ?? 0
    expect(share(200)).toBeLessThan(share(5000) - 0.1)
    expect(share(5000)).toBeGreaterThan(0.85)
  })

  test('is told in one line, which says what happened and how far it had come', () => {
    expect(judgeHangup({ ...plain, afterMs: 5003 }).headline).toMatch(
      /^the client closed the connection \(FIN\) after 5 s, before the first byte of the answer: a timer of the client ran out \(\d+ %\)$/,
    )
    expect(judgeHangup(plain).headline).toMatch(/not to be told: .+, or .+/)
  })
})

const ms = fc.double({ min: 0, max: 400_000, noNaN: true })
const few = fc.integer({ min: 1, max: 20 })

/** Any facts that a server could have seen. */
const anything: fc.Arbitrary<HangupFacts> = fc
  .record({
    ending: fc.constantFrom('fin', 'rst', 'stream-reset', 'silence' as const),
    phase: fc.constantFrom('connect', 'send', 'wait', 'body', 'close' as const),
    agent: fc.constantFrom('browser', 'program', 'probe', 'none' as const),
    proxied: fc.boolean(),
    afterMs: ms,
    loopDelayMs: fc.constantFrom(0, 0, 30, 800),
    usual: fc.option(fc.record({ answers: few.map((n) => n * 5), p50Ms: ms, p95Ms: ms }), { nil: undefined }),
    siblings: fc.option(fc.record({ stood: few, ended: few, lost: few, lostAtSameAge: fc.boolean() }), {
      nil: undefined,
    }),
    sameAge: fc.option(fc.record({ others: few, near: few, users: few, sameAddress: fc.boolean() }), {
      nil: undefined,
    }),
  })
  .map(({ usual: times, siblings, sameAge, ...rest }) => ({
    ...plain,
    ...rest,
    ...(times !== undefined && { usual: times }),
    ...(siblings !== undefined && { siblings }),
    ...(sameAge !== undefined && { sameAge: { ...sameAge, near: Math.min(sameAge.near, sameAge.others) } }),
  }))

describe('for any facts', () => {
  test('probabilities sum to one, the likeliest comes first, and a name is given from 0.6 on only', () => {
    fc.assert(
      fc.property(anything, (facts) => {
        const { hypotheses, is, probability, story } = judgeHangup(facts)
        expect(hypotheses.reduce((sum, one) => sum + one.probability, 0)).toBeCloseTo(1, 9)
        for (const [at, one] of hypotheses.entries()) {
          expect(one.probability).toBeLessThanOrEqual(hypotheses[Math.max(0, at - 1)]?.probability ?? 0)
        }
        expect(is === 'unclear').toBe(probability < 0.6)
        if (story !== undefined) expect(hypotheses[0]).toMatchObject({ story })
      }),
    )
  })

  test('each reason corresponds to what was observed: without the observation it is not given', () => {
    const without: Partial<Record<string, (facts: HangupFacts) => HangupFacts>> = {
      slow: ({ usual: _, ...facts }) => facts,
      'not-slow': ({ usual: _, ...facts }) => facts,
      'all-ended': ({ siblings: _, ...facts }) => facts,
      'others-stand': ({ siblings: _, ...facts }) => facts,
      'dropped-at-once': ({ siblings: _, ...facts }) => facts,
      'same-age': ({ sameAge: _, ...facts }) => facts,
      'users-in-step': ({ sameAge: _, ...facts }) => facts,
      'agent-probe': (facts) => ({ ...facts, agent: 'none' }),
    }
    fc.assert(
      fc.property(anything, (facts) => {
        for (const { story, probability, because } of judgeHangup(facts).hypotheses) {
          for (const { clue, weight } of because) {
            const take = without[clue]
            if (take === undefined) continue
            const after = judgeHangup(take(facts)).hypotheses.find((one) => one.story === story)
            expect(after?.because.map((one) => one.clue)).not.toContain(clue)
            // Clues of the same observation go with it; one that stands alone moves the story the way it says.
            const alone = because.filter((one) => without[one.clue] === take).length === 1 && !clue.includes('-in-step')
            if (alone && weight > 0.1 && clue === 'slow') expect(after?.probability).toBeLessThan(probability)
          }
        }
      }),
    )
  })

  test('it is never ours unless the end was seen to begin here', () => {
    fc.assert(fc.property(anything, (facts) => judgeHangup(facts).is !== 'ours'))
  })
})
