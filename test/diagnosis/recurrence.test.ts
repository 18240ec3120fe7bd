import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/diagnosis/attribute.js'
import { Recurrence } from '../../src/diagnosis/recurrence.js'
import type { Circumstances } from '../../src/failure/circumstances.js'
import type { Diagnosis } from '../../src/failure/diagnosis.js'

describe('connections that end all at once', () => {
  const ended = (ends: readonly (readonly [at: number, idleMs: number | undefined])[]) => {
    const recurrence = new Recurrence()
    for (const [at, idleMs] of ends) recurrence.ended(at, idleMs)
    return recurrence
  }

  test.each([
    ['in use', [undefined, undefined, undefined], 3],
    ['some in use, some idle', [undefined, 4_000, 4_000], 3],
    ['idle for different times', [200, 4_000, 9_000], 3],
    ['idle for the same time: a timer', [5_000, 5_100, 5_300], undefined],
    ['two are chance', [undefined, undefined], undefined],
  ] as const)('%s', (_what, idles, connections) => {
    const recurrence = ended(idles.map((idleMs, place) => [1_000 + place, idleMs]))
    expect(recurrence.facts(6_000, undefined)?.endedTogether?.connections).toBe(connections)
  })

  test('one after the other is no burst', () => {
    const recurrence = ended([0, 1, 2, 3, 4].map((place) => [2_000 * place, undefined]))
    expect(recurrence.facts(20_000, undefined)).toBeUndefined()
  })

  test('are counted by burst, and forgotten after an hour', () => {
    const bursts = [0, 60_000, 120_000].flatMap((at) => [0, 1, 2, 3].map((ms) => [at + ms, undefined] as const))
    const recurrence = ended(bursts)
    expect(recurrence.facts(130_000, undefined)?.endedTogether).toEqual({ connections: 4, agoMs: 9_997, times: 3 })
    expect(recurrence.facts(3_700_000, undefined)?.endedTogether?.times).toBe(1)
    expect(recurrence.facts(9_000_000, undefined)).toBeUndefined()
  })

  test('those that end together with the failure itself are not told twice', () => {
    const recurrence = ended([0, 1, 2].map((at) => [at, undefined]))
    expect(recurrence.facts(5, undefined)).toBeUndefined()
  })
})

describe('a request that is always cut', () => {
  test('is told with what became of others', () => {
    const recurrence = new Recurrence()
    recurrence.cut(0, 'POST /upload')
    for (let place = 0; place < 7; place++) recurrence.answered(100, 'GET /')
    recurrence.cut(5_000, 'POST /upload')
    expect(recurrence.facts(6_000, 'POST /upload')).toEqual({ sameRequest: { cut: 2, answered: 0, othersAnswered: 7 } })
    expect(recurrence.facts(6_000, 'GET /')).toBeUndefined()
  })

  test('its own answers are not those of others, and it is forgotten', () => {
    const recurrence = new Recurrence()
    recurrence.cut(0, 'GET /')
    recurrence.answered(1, 'GET /')
    recurrence.answered(1, 'GET /other')
    expect(recurrence.facts(1, 'GET /')).toEqual({ sameRequest: { cut: 1, answered: 1, othersAnswered: 1 } })
    expect(recurrence.facts(700_000, 'GET /')).toBeUndefined()
    expect(recurrence.follows).toBe(true)
    recurrence.answered(700_000, 'GET /other')
    expect(recurrence.follows).toBe(false)
  })
})

test('whatever happens, it stays small and its numbers are true', () => {
  const event = fc.record({ at: fc.nat(1_000), request: fc.nat(200), kind: fc.nat(2) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 400 }), (events) => {
      const recurrence = new Recurrence()
      let now = 0
      let cuts = 0
      let answers = 0
      for (const { at, request, kind } of events) {
        now += at
        if (kind === 0) recurrence.ended(now, request > 100 ? undefined : request)
        else if (kind === 1) {
          cuts++
          recurrence.cut(now, `GET /${request}`)
        } else {
          answers++
          recurrence.answered(now, `GET /${request}`)
        }
      }
      const requests = Array.from({ length: 201 }, (_, place) => recurrence.facts(now, `GET /${place}`)?.sameRequest)
      const followed = requests.filter((one) => one !== undefined)
      expect(followed.length).toBeLessThanOrEqual(32)
      expect(followed.reduce((sum, { cut }) => sum + cut, 0)).toBeLessThanOrEqual(cuts)
      for (const { answered, othersAnswered } of followed)
        expect(answered + othersAnswered).toBeLessThanOrEqual(answers)
    }),
  )
})

describe('what repeats itself sharpens a diagnosis', () => {
  const reset = { kind: 'reset', phase: 'wait', delivery: 'unknown', code: 'ECONNRESET', syscall: 'read' } as const
  const told = (failure: Partial<Parameters<typeof attribute>[0]>, learned: Circumstances['learned']) =>
    attribute(
      { ...reset, cause: undefined, ...failure },
      {
        vantage: 'socket',
        phase: failure.phase ?? 'wait',
        ending: 'rst',
        connection: { id: 1, reused: true, idleMs: 3_000, requestsBefore: 2, remoteAddress: '10.1.0.2' },
        circumstances: { minRttMs: 60, rttFrom: 'connect', sinceLastWriteMs: 61, ...(learned && { learned }) },
      },
    )
  const share = ({ hypotheses }: Diagnosis, ...stories: string[]) =>
    hypotheses.filter(({ story }) => stories.includes(story)).reduce((sum, { probability }) => sum + probability, 0)

  test('a request that is cut each time, while others pass, is about its content', () => {
    const about = ['peer-application-aborted', 'peer-rejected-early', 'injected-reset']
    const once = told({}, undefined)
    const always = told({}, { sameRequest: { cut: 4, answered: 0, othersAnswered: 40 } })
    expect(share(once, ...about)).toBeLessThan(0.2)
    expect(share(always, ...about)).toBeGreaterThan(0.6)
    const reasons = always.hypotheses[0]?.because.map(({ says }) => says).join('\n')
    expect(reasons).toContain('cut each of the 4 times before, while 40 others were answered')
  })

  test('a server that was seen to end with all its connections is the one that refuses', () => {
    const refused = { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ECONNREFUSED' } as const
    const before = told(refused, undefined)
    const after = told(refused, { endedTogether: { connections: 6, agoMs: 4_000, times: 1 } })
    expect(share(after, 'peer-process-gone')).toBeGreaterThan(0.8)
    expect(share(before, 'peer-process-gone')).toBeLessThan(0.6)
  })

  test('a server that was restarted again and again is likelier to be again', () => {
    const often = told({}, { endedTogether: { connections: 6, agoMs: 300_000, times: 3 } })
    expect(share(often, 'peer-process-gone')).toBeGreaterThan(2 * share(told({}, undefined), 'peer-process-gone'))
    expect(JSON.stringify(often.hypotheses)).toContain('for the third time')
  })
})
