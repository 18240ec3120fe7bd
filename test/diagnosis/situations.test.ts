/** Some two hundred situations, near and far, on a quiet loop and a late one: whom may one name who knows networks? */

import { describe, expect, test } from 'vitest'
import { attribute } from '../../src/diagnosis/attribute.js'
import { cuts } from './situations/cuts.js'
import { dials } from './situations/dials.js'
import { resets } from './situations/resets.js'
import { silences } from './situations/silences.js'
import { words } from './situations/words.js'
import type { Situation } from './situations/world.js'

const worlds = [0, 30, 200].flatMap((late) => [0.2, 1, 5, 20, 60, 150, 300].map((rtt) => ({ rtt, late })))

const all: Readonly<Record<string, readonly Situation[]>> = { dials, resets, cuts, silences, words }

describe.each(Object.entries(all))('%s', (_name, situations) => {
  test.each(situations.map((one) => [one.what, one] as const))('%s', (_what, { may, from, mustFrom, seen }) => {
    for (const world of worlds) {
      if (from !== undefined && (world.rtt < from || world.late > 0)) continue
      const { failure, evidence, attempts } = seen(world)
      const { party, hypotheses } = attribute(failure, evidence, attempts)
      const told = hypotheses.slice(0, 3).map(({ story, probability }) => `${story} ${probability.toFixed(2)}`)
      const where = `${world.rtt} ms away, the loop late by ${world.late} ms: ${told.join(', ')}`
      // Whoever is named is one of those who can be; and where the evidence decides, somebody is.
      if (party !== undefined) expect(may, where).toContain(party)
      if (mustFrom !== undefined && world.late === 0 && world.rtt >= mustFrom) expect(party, where).toBeDefined()
    }
  })
})

test('every situation is told apart by its name', () => {
  const names = Object.values(all).flatMap((situations) => situations.map(({ what }) => what))
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThan(190)
})
