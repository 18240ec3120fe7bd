import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/diagnosis/attribute.js'
import { classes } from '../../src/diagnosis/classes.js'
import type { Observation } from '../../src/diagnosis/clue.js'
import type { Given } from '../../src/diagnosis/facts.js'
import { stories, storyNames } from '../../src/diagnosis/stories.js'
import { clues, weigh } from '../../src/diagnosis/weigh.js'
import type { Mechanism } from '../../src/failure/diagnosis.js'
import { anyAttempts, anyCircumstances, anyEvidence, anyFailure } from './any-evidence.js'

const anyGiven: fc.Arbitrary<Given> = fc.record({
  failure: anyFailure,
  evidence: fc.option(anyEvidence, { nil: undefined }),
  attempts: anyAttempts,
})

const mechanisms: Readonly<Record<Mechanism, true>> = {
  rst: true,
  fin: true,
  'fin-then-rst': true,
  refused: true,
  icmp: true,
  'local-refused': true,
  'local-aborted': true,
  'local-timeout': true,
  silence: true,
  'app-protocol': true,
  self: true,
  unknown: true,
}

const diagnose = ({ failure, evidence, attempts }: Given) => attribute(failure, evidence, attempts)

describe('whatever was seen', () => {
  test('there is a diagnosis, and its probabilities sum to one', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const { mechanism, hypotheses, headline, indistinguishable, origin, party } = diagnose(given)
        expect(mechanisms).toHaveProperty(mechanism)
        expect(hypotheses.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9)
        for (const { probability, because, remedy, says, story } of hypotheses) {
          expect(probability).toBeGreaterThan(0)
          expect(probability).toBeLessThanOrEqual(1)
          expect(stories).toHaveProperty(story)
          expect(remedy.length * says.length).toBeGreaterThan(0)
          for (const { weight } of because) expect(Number.isFinite(weight)).toBe(true)
        }
        expect(headline).toMatch(/^[A-Z].*\.$/s)
        expect(headline).not.toMatch(/NaN|undefined|Infinity/)
        expect(indistinguishable).not.toContain(hypotheses[0]?.story)
        const share = (of: (one: (typeof hypotheses)[number]) => unknown, name: unknown) =>
          hypotheses.filter((one) => of(one) === name).reduce((sum, { probability }) => sum + probability, 0)
        if (origin !== 'unknown') expect(share(({ side }) => side, origin)).toBeGreaterThanOrEqual(0.6)
        if (party !== undefined) expect(share(({ party }) => party, party)).toBeGreaterThanOrEqual(0.6)
      }),
      { numRuns: 300 },
    )
  })

  test('its words are of one line, and hold no number that cannot be', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        for (const { because, remedy } of diagnose(given).hypotheses) {
          for (const says of [remedy, ...because.map(({ says }) => says)]) {
            // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
            expect(says).not.toMatch(/[\n\u0000-\u0008]|NaN|undefined|Infinity/)
            expect(says.length).toBeLessThan(500)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Takes an observation away: by hand, not by the code that is tested. */
function takeAway({ failure, evidence, attempts }: Given, of: Observation): Given {
  if (of === 'attempts') return { failure, evidence, attempts: attempts.slice(-1) }
  const copy = structuredClone({ ...evidence })
  const remove = (path: readonly string[]) => {
    let at: Record<string, unknown> | undefined = copy
    for (const name of path.slice(0, -1)) at = at?.[name] as Record<string, unknown> | undefined
    if (at !== undefined) delete at[path.at(-1) ?? '']
  }
  if (of === 'address') {
    remove(['connection', 'remoteAddress'])
    remove(['circumstances', 'raw', 'address'])
  } else if (of === 'failure') {
    remove(['ending'])
    remove(['circumstances', 'raw'])
    const { phase, delivery } = failure
    return {
      failure: { kind: 'unknown', phase, delivery, cause: undefined },
      evidence: copy as Given['evidence'],
      attempts,
    }
  } else remove(of)
  return { failure, evidence: copy as Given['evidence'], attempts }
}

function isRecorded({ evidence, attempts }: Given, of: Observation): boolean {
  if (of === 'failure') return true
  if (of === 'attempts') return attempts.length > 1
  if (of === 'address')
    return (evidence?.connection?.remoteAddress ?? evidence?.circumstances?.raw?.address) !== undefined
  return of.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], evidence) !== undefined
}

describe('a reason', () => {
  const where = new Map<string, Observation>()

  test('stands for something that was recorded, and without it the story is less likely', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const { hypotheses } = diagnose(given)
        const { sightings, probabilities } = weigh(given)
        for (const { story, because } of hypotheses.slice(0, 2)) {
          for (const { clue, says, weight } of because) {
            const sighting = sightings.find((one) => one.clue === clue && one.says === says)
            expect(sighting).toBeDefined()
            const of = (sighting as NonNullable<typeof sighting>).of
            where.set(clue, of)
            expect(isRecorded(given, of)).toBe(true)
            const place = storyNames.indexOf(story as (typeof storyNames)[number])
            const less = weigh(takeAway(given, of)).probabilities[place] ?? 1
            const all = probabilities[place] ?? 0
            if (weight > 0) expect(less).toBeLessThan(all)
            else expect(less).toBeGreaterThan(all)
          }
        }
      }),
      { numRuns: 300 },
    )
    // The property has met most of the clues there are.
    expect(where.size).toBeGreaterThan(30)
  })

  test('is never made of what is absent', () => {
    fc.assert(
      fc.property(anyFailure, anyEvidence, anyAttempts, (failure, { vantage, phase }, attempts) => {
        const given = { failure, evidence: { vantage, phase }, attempts: attempts.slice(-1) }
        for (const { of } of weigh(given).sightings) expect(of).toBe('failure')
        const empty = { ...given, evidence: { ...given.evidence, circumstances: {} } }
        expect(diagnose(empty)).toEqual(diagnose(given))
      }),
    )
  })

  test('comes from one of the clues, each of which looks at one observation', () => {
    for (const { of, look } of clues) {
      expect(look).toBeTypeOf('function')
      if (typeof of !== 'string') expect(of[0]).toMatch(/^(?:circumstances|connection|limitMs)$/)
    }
  })
})

/** Never named, whoever it was: the network, or a balancer. */
const third = ['network', 'load-balancer']

describe('a third party is not blamed for what the application did', () => {
  const loopDelay = fc.constantFrom(0, 30, 200)
  const share = fc.double({ min: 0, max: 1, noNaN: true })

  /** What is seen of an application that resets after thinking, on a machine whose loop is late now and then. */
  const aborted = fc.record({
    rtt: fc.constantFrom(0.1, 5, 40, 60, 200),
    think: fc.double({ min: 0, max: 500, noNaN: true }),
    loop: loopDelay,
    lateYardstick: share,
    lateWrite: share,
    idleMs: fc.option(fc.double({ min: 0, max: 900, noNaN: true }), { nil: undefined }),
  })

  test('when it resets', () => {
    fc.assert(
      fc.property(aborted, ({ rtt, think, loop, lateYardstick, lateWrite, idleMs }) => {
        const reused = idleMs !== undefined
        const diagnosis = attribute(
          {
            kind: 'reset',
            phase: 'wait',
            delivery: 'unknown',
            code: 'ECONNRESET',
            syscall: 'read',
            errno: -104,
            cause: undefined,
          },
          {
            vantage: 'socket',
            phase: 'wait',
            ending: 'rst',
            connection: {
              id: 1,
              remoteAddress: '10.1.0.2',
              reused,
              requestsBefore: reused ? 3 : 0,
              ...(reused && { idleMs }),
            },
            circumstances: {
              minRttMs: rtt + lateYardstick * loop,
              // It is never read before it came; the loop reads it late.
              sinceLastWriteMs: rtt + think + lateWrite * loop,
              loopDelayMs: loop,
              requestWritten: true,
            },
          },
        )
        expect(diagnosis.mechanism).toBe('rst')
        expect(diagnosis.manner).not.toBe('too-fast')
        expect(third).not.toContain(diagnosis.origin)
      }),
      { numRuns: 300 },
    )
  })

  test('when it closes, or does not answer', () => {
    fc.assert(
      fc.property(aborted, fc.boolean(), ({ rtt, think, loop, lateWrite }, hangs) => {
        const { origin } = attribute(
          { kind: hangs ? 'timeout' : 'closed', phase: 'wait', delivery: 'unknown', cause: undefined },
          {
            vantage: 'socket',
            phase: 'wait',
            ...(hangs ? { limit: 'headers', limitMs: 1_000 } : { ending: 'fin' }),
            connection: { id: 1, remoteAddress: '10.1.0.2', reused: false, requestsBefore: 0 },
            circumstances: {
              minRttMs: rtt,
              sinceLastWriteMs: hangs ? 1_000 : rtt + think + lateWrite * loop,
              loopDelayMs: loop,
              ...(hangs && { row: { state: 'established', unacknowledged: 0, timer: 'none' } }),
            },
          },
        )
        expect(third).not.toContain(origin)
      }),
    )
  })

  test('when this program ended it', () => {
    fc.assert(
      fc.property(anyCircumstances, fc.boolean(), (circumstances, aborted) => {
        const failure = aborted
          ? ({ kind: 'unknown', aborted: true } as const)
          : ({ kind: 'not-admitted', admission: 'destroyed' } as const)
        const { tls: _tls, tunnel: _tunnel, raw: _raw, ...rest } = circumstances
        const { mechanism, origin } = attribute(
          { phase: 'wait', delivery: 'unknown', cause: undefined, ...failure },
          { vantage: 'socket', phase: 'wait', circumstances: rest },
        )
        expect(mechanism).toBe('self')
        expect(third).not.toContain(origin)
      }),
    )
  })
})

test('what looks the same is decided by something, and every story of a class exists', () => {
  for (const { members, wouldDecide, says } of classes) {
    expect(wouldDecide.length).toBeGreaterThan(0)
    expect(says.length).toBeGreaterThan(20)
    for (const member of members) expect(stories).toHaveProperty(member)
  }
})
