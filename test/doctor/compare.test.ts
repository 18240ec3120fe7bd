import { describe, expect, test } from 'vitest'
import { codeOf, differences, type Played, wordOf } from '../../src/doctor/compare.js'
import type { DemoLine, OwnExpectation } from '../../src/doctor/demo-line.js'

const expected: OwnExpectation = {
  end: 'ConnectionResetError',
  kind: 'reset',
  phase: ['wait', 'send'],
  delivery: ['unknown'],
  mechanism: ['rst'],
  attempts: 1,
  stop: 'unsafe',
}

const line: DemoLine = {
  does: 'resets',
  ask: { method: 'POST' },
  open: () => Promise.reject(new Error('nobody plays this line')),
  expect: { bare: ['ECONNRESET'], offhook: [expected], executed: { bare: 1, offhook: 1 } },
}

const failed = (fields: object) => ({ how: 'error', error: Object.assign(new TypeError('failed'), fields) }) as const

const played: Played = {
  bare: [failed({ cause: { code: 'ECONNRESET' } })],
  offhook: [failed({ name: 'ConnectionResetError' })],
  deeds: {
    attempts: 1,
    waitedMs: 0,
    stop: 'unsafe',
    failure: { kind: 'reset', phase: 'wait', delivery: 'unknown', mechanism: 'rst' },
  },
  executed: { bare: 1, offhook: 1 },
}

const { failure } = played.deeds
if (failure === undefined) throw new Error('the model case has a failure')

describe('differences', () => {
  test('none in how often the server executed for bare fetch, where that is luck', () => {
    const lucky = { ...line, expect: { ...line.expect, executed: { bare: 'any', offhook: 1 } as const } }
    const executed = { bare: 7, offhook: 1 }
    expect(differences(lucky, { ...played, executed })).toEqual([])
    expect(differences(lucky, { ...played, executed: { bare: 7, offhook: 2 } })).toHaveLength(1)
    expect(differences(line, { ...played, executed })).toHaveLength(1)
  })

  test('none where everything came as expected', () => {
    expect(differences(line, played)).toEqual([])
  })

  test.each<[string, Partial<Played>, RegExp]>([
    ['bare', { bare: [{ how: 'silence', afterMs: 1 }] }, /^bare fetch: .*came silence/],
    ['one of many', { bare: [...played.bare, { how: 'answer', status: 200, bytes: 0 }] }, /^bare fetch: .*came 200/],
    ['end', { offhook: [{ how: 'answer', status: 200, bytes: 2 }] }, /end: expected ConnectionResetError, came 200/],
    ['class', { offhook: [failed({ name: 'TimeoutError' })] }, /came TimeoutError/],
    ['attempts', { deeds: { ...played.deeds, attempts: 2 } }, /attempts: expected 1, came 2/],
    ['kind', { deeds: { ...played.deeds, failure: { ...failure, kind: 'closed' } } }, /kind: .*came closed/],
    ['phase', { deeds: { ...played.deeds, failure: { ...failure, phase: 'body' } } }, /phase: .*came body/],
    [
      'delivery',
      { deeds: { ...played.deeds, failure: { ...failure, delivery: 'unsent' } } },
      /delivery: .*came unsent/,
    ],
    [
      'mechanism',
      { deeds: { ...played.deeds, failure: { ...failure, mechanism: 'fin' } } },
      /mechanism: expected rst, came fin/,
    ],
    ['stop', { deeds: { ...played.deeds, stop: 'attempts' } }, /stopReason: expected unsafe, came attempts/],
    ['ledger of bare', { executed: { bare: 0, offhook: 1 } }, /ledger of bare: .*expected 1, came 0/],
    ['ledger of ours', { executed: { bare: 1, offhook: 2 } }, /ledger of offhook: .*expected 1, came 2/],
  ])('%s', (_, change, says) => {
    const faults = differences(line, { ...played, ...change })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(says)
  })

  test('a missing ledger is a difference of both sides', () => {
    expect(differences(line, { ...played, executed: undefined })).toHaveLength(2)
  })

  test('of several alternatives the nearest counts', () => {
    const offhook = [{ ...expected, kind: 'timeout', attempts: 3 } as const, expected]
    expect(differences({ ...line, expect: { ...line.expect, offhook } }, played)).toEqual([])
    const far = [{ ...expected, kind: 'timeout', attempts: 3 } as const, { ...expected, attempts: 2 }]
    expect(differences({ ...line, expect: { ...line.expect, offhook: far } }, played)).toEqual([
      'offhook: attempts: expected 2, came 1',
    ])
  })
})

describe('wordOf', () => {
  test.each([
    [{ how: 'answer', status: 200, bytes: 1000 } as const, 1000, '200'],
    [{ how: 'answer', status: 200, bytes: 999 } as const, 1000, 'cut'],
    [{ how: 'answer', status: 503, bytes: 0 } as const, 1000, '503'],
    [{ how: 'answer', status: 200, bytes: 0 } as const, undefined, '200'],
    [failed({ cause: { cause: { code: 'EPIPE' } } }), undefined, 'EPIPE'],
    [failed({ cause: { name: 'HTTPParserError', code: undefined } }), undefined, 'HTTPParserError'],
    [failed({ cause: { name: 'HTTPParserError', code: 'HPE_INTERNAL' } }), undefined, 'HPE_INTERNAL'],
    [failed({}), undefined, 'TypeError: failed'],
  ])('%j of %s bytes is %s', (end, wholeBytes, word) => {
    expect(wordOf(end, wholeBytes)).toBe(word)
  })

  test('a chain of causes that bites its tail has an end', () => {
    const snake: { cause?: unknown } = {}
    snake.cause = snake
    expect(codeOf(snake)).toBeUndefined()
  })
})
