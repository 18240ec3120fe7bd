/** What became of the other connections, counted over any history. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Sibling, Siblings } from '../../src/wire/siblings.js'

interface Life {
  readonly address: string | undefined
  readonly origin: string
  readonly establishedAt: number | undefined
  readonly endedAt: number | undefined
  readonly ending: Sibling['ending']
  readonly byUs: boolean
  readonly answeredAt: number | undefined
  readonly silentAt?: number
}

function sibling({ address, establishedAt, endedAt, ending, byUs, answeredAt, silentAt }: Life): Sibling {
  return {
    remoteAddress: address,
    remotePort: address === undefined ? undefined : 443,
    establishedAt,
    endedAt,
    ending,
    closedByUs: byUs,
    sight: { answeredAt, silentAt, fastestMs: Number.POSITIVE_INFINITY },
  }
}

const standing: Life = {
  address: '10.0.0.1',
  origin: 'https://a.test',
  establishedAt: 10,
  endedAt: undefined,
  ending: undefined,
  byUs: false,
  answeredAt: undefined,
}
const nothing = { stood: 0, reset: 0, closed: 0, answered: 0, connected: 0, failed: 0 }

/** Asked at 100 of what was since 50. */
const rows: [what: string, life: Partial<Life>, same: object, elsewhere: object][] = [
  ['one that stands', {}, { stood: 1 }, {}],
  ['one of another peer', { address: '10.0.0.2' }, {}, { stood: 1 }],
  ['one that was reset', { endedAt: 60, ending: 'rst' }, { stood: 1, reset: 1 }, {}],
  ['one that was closed', { endedAt: 60, ending: 'fin' }, { stood: 1, closed: 1 }, {}],
  ['one that was closed, then reset', { endedAt: 60, ending: 'fin-then-rst' }, { stood: 1, closed: 1 }, {}],
  ['one that ended before', { endedAt: 40, ending: 'rst' }, {}, {}],
  ['one that we closed', { endedAt: 60, ending: 'local', byUs: true }, { stood: 1 }, {}],
  ['one that answers', { answeredAt: 70 }, { stood: 1, answered: 1 }, {}],
  ['one that answered before', { answeredAt: 20 }, { stood: 1 }, {}],
  ['one on which a limit of ours ran out', { silentAt: 70 }, { stood: 1, silent: 1 }, {}],
  ['one on which one ran out before', { silentAt: 20 }, { stood: 1 }, {}],
  [
    'one whose dial ran into a limit',
    { address: '10.0.0.2', establishedAt: undefined, endedAt: 80, byUs: true, silentAt: 80 },
    {},
    { silent: 1 },
  ],
  ['a new one', { establishedAt: 80 }, { connected: 1 }, {}],
  ['one that is being made', { establishedAt: undefined }, {}, {}],
  ['one that could not be made', { establishedAt: undefined, endedAt: 90 }, { failed: 1 }, {}],
  ['one that we gave up making', { establishedAt: undefined, endedAt: 90, byUs: true }, {}, {}],
  [
    'an unknown address of the same origin',
    { address: undefined, establishedAt: undefined, endedAt: 90 },
    { failed: 1 },
    {},
  ],
  [
    'an unknown address of another',
    { address: undefined, origin: 'https://b.test', establishedAt: undefined, endedAt: 90 },
    {},
    { failed: 1 },
  ],
]

describe.each(['still listed', 'gone'] as const)('%s', (place) => {
  test.each(rows)('%s', (_, changed, same, elsewhere) => {
    const life = { ...standing, ...changed }
    if (place === 'gone' && life.endedAt === undefined) return
    const siblings = new Siblings()
    const record = sibling(life)
    const own = sibling(standing)
    siblings.dialled(own, standing.origin)
    siblings.dialled(record, life.origin)
    if (place === 'gone') siblings.ended(record, 999)
    const told = siblings.since({ record: own, origin: standing.origin }, 50)
    expect(told).toEqual({ same: { ...nothing, ...same }, elsewhere: { ...nothing, ...elsewhere } })
  })
})

test('a dial that failed without a word has failed when it was given up', () => {
  const siblings = new Siblings()
  const record = sibling({ ...standing, establishedAt: undefined })
  siblings.dialled(record, standing.origin)
  siblings.ended(record, 90)
  const { same } = siblings.since({ record: undefined, origin: standing.origin }, 50)
  expect(same).toEqual({ ...nothing, failed: 1 })
})

test('no more than there are, and each once, over any history', () => {
  const life = fc.record<Life>({
    address: fc.constantFrom(undefined, '10.0.0.1', '10.0.0.2'),
    origin: fc.constantFrom('https://a.test', 'https://b.test'),
    establishedAt: fc.option(fc.nat(100), { nil: undefined }),
    endedAt: fc.option(fc.nat(100), { nil: undefined }),
    ending: fc.constantFrom('rst', 'fin', 'fin-then-rst', 'local', undefined),
    byUs: fc.boolean(),
    answeredAt: fc.option(fc.nat(100), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(life, { maxLength: 600 }), fc.nat(100), (lives, since) => {
      const siblings = new Siblings()
      for (const one of lives) {
        const record = sibling(one)
        siblings.dialled(record, one.origin)
        if (one.endedAt !== undefined) siblings.ended(record, one.endedAt)
      }
      const { same, elsewhere } = siblings.since({ record: undefined, origin: 'https://a.test' }, since)
      const all = same.stood + same.connected + same.failed + elsewhere.stood + elsewhere.connected + elsewhere.failed
      expect(all).toBeLessThanOrEqual(Math.min(lives.length, 512))
      for (const side of [same, elsewhere])
        expect(side.reset + side.closed).toBeLessThanOrEqual(side.stood + side.connected)
      if (lives.length <= 256) {
        const counted = lives.filter(({ endedAt, establishedAt, byUs }) => {
          if (endedAt !== undefined && endedAt < since) return false
          return establishedAt !== undefined || (endedAt !== undefined && !byUs)
        })
        expect(all).toBe(counted.length)
      }
    }),
  )
})
