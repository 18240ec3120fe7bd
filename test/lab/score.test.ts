// The figures of the lab, on verdicts whose figures can be worked out by hand.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../src/failure/diagnosis.js'
import { byMessage } from './judge.js'
import { bestAchievable, brier, calibrationBins, partiesOf, scoreOf, type Verdict } from './score.js'

type Parties = Partial<Record<Party, number>>

function verdict(truth: Party, parties: Parties, more: Partial<Verdict> = {}): Verdict {
  return {
    scenario: 'made-up',
    label: { mechanism: 'rst', story: 'a', party: truth, side: 'peer', looks: 'one' },
    mechanism: true,
    story: true,
    parties,
    byMessage: { 'peer-application': 1 },
    claimed: undefined,
    ...more,
  }
}

test('a Brier score is 0 for certain and right, 2 for certain and wrong, and counts every party that was suspected', () => {
  expect(brier({ path: 1 }, 'path')).toBe(0)
  expect(brier({ path: 1 }, 'proxy')).toBe(2)
  expect(brier({}, 'proxy')).toBe(1)
  expect(brier({ path: 0.5, proxy: 0.25, 'local-host': 0.25 }, 'path')).toBeCloseTo(0.375)
})

test('stories of one party count together', () => {
  const story = (party: Party, probability: number) => ({ party, probability }) as never
  expect(partiesOf({ hypotheses: [story('path', 0.5), story('proxy', 0.25), story('path', 0.25)] })).toEqual({
    path: 0.75,
    proxy: 0.25,
  })
  expect(partiesOf(undefined)).toEqual({})
})

test('the best achievable knows how often each party is behind a look, and nothing else', () => {
  const three = [verdict('path', {}), verdict('path', {}), verdict('proxy', {})]
  const other = verdict('local-host', {})
  const all = [...three, { ...other, label: { ...other.label, looks: 'another' } }]
  expect(bestAchievable(all).get('another')).toEqual({ 'local-host': 1 })
  // 2 × (1/3² + 1/3²) + 1 × (2/3² + 2/3²) over the four of them; the fourth is certain.
  expect(scoreOf(all).best).toBeCloseTo((2 * (2 / 9) + 8 / 9) / 4)
})

test('nobody who says the same of all that looks the same scores below the best achievable', () => {
  const parties = fc.constantFrom<Party>('path', 'proxy', 'peer-host', 'local-host')
  fc.assert(
    fc.property(
      fc.array(parties, { minLength: 1, maxLength: 20 }),
      fc.dictionary(parties, fc.integer({ min: 1, max: 9 })),
      (truths, weights) => {
        const whole = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
        const said = Object.fromEntries(Object.entries(weights).map(([party, weight]) => [party, weight / whole]))
        const score = scoreOf(truths.map((truth) => verdict(truth, said)))
        expect(score.brier).toBeGreaterThanOrEqual(score.best - 1e-9)
      },
    ),
  )
})

test('a third party is blamed wrongly where one was named for what the peer or we ourselves have done', () => {
  const rows: [Party, Party | undefined, number][] = [
    ['peer-application', 'path', 1],
    ['local-host', 'proxy', 1],
    ['self', 'name-service', 1],
    ['peer-application', 'peer-host', 0],
    ['peer-application', undefined, 0],
    ['self', 'self', 0],
  ]
  for (const [truth, claimed, blamed] of rows) {
    expect(scoreOf([verdict(truth, {}, { claimed })]).thirdBlamed, `${truth} ${claimed}`).toBe(blamed)
  }
  expect(scoreOf([verdict('path', {}, { claimed: 'proxy' })]).thirdBlamed).toBeNaN()
})

test('calibration holds what was said against what was so', () => {
  const sure = Array.from({ length: 20 }, (_, turn) => verdict(turn % 2 === 0 ? 'path' : 'proxy', { path: 0.9 }))
  const bins = calibrationBins(sure)
  expect(bins).toHaveLength(10)
  expect(bins.reduce((sum, { trials }) => sum + trials, 0)).toBe(20)
  expect(scoreOf(sure).calibration).toBeCloseTo(0.4)
  expect(scoreOf([verdict('path', { path: 1 })]).calibration).toBe(0)
})

test('the naive answer believes the message', () => {
  const rows: [string, string, Party][] = [
    ['ECONNRESET', 'reset', 'peer-application'],
    ['ECONNREFUSED', 'refused', 'peer-host'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', 'path'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout', 'peer-application'],
    ['EMFILE', 'local-resource', 'local-host'],
    ['ENOTFOUND', 'dns', 'name-service'],
    ['CERT_HAS_EXPIRED', 'tls', 'tls-peer'],
  ]
  for (const [code, kind, party] of rows) expect(byMessage({ code, kind }), code).toBe(party)
})
