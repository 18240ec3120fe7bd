/** The sections that are numbers with bounds: each option is taken as given, refused by its name, and left alone by the others. */

import { describe, expect, test } from 'vitest'
import { breakerDefaults, checkBreakerOptions } from '../../src/policy/breaker.js'
import { checkConcurrencyOptions, concurrencyDefaults } from '../../src/policy/concurrency.js'
import { checkHedgeOptions, hedgeDefaults } from '../../src/policy/hedge.js'
import { checkThrottleOptions, throttleDefaults } from '../../src/policy/throttle.js'

const hour = 3_600_000
const day = 24 * hour
const million = 1_000_000

/** Least and most, as the documentation has them; `whole` ones are no fractions. */
type Bounds = Record<string, { least: number; most: number; whole?: true; with?: object }>

interface Section {
  readonly name: string
  readonly check: (value: unknown) => object | undefined
  readonly defaults: object
  readonly bounds: Bounds
  readonly words: Record<string, readonly string[]>
}

const who = { least: 1, most: million, whole: true } as const
const sections: readonly Section[] = [
  {
    name: 'breaker',
    check: checkBreakerOptions,
    defaults: breakerDefaults,
    bounds: {
      failures: who,
      successRate: { least: 0, most: 1 },
      windowMs: { least: 1, most: day },
      minRequests: who,
      openMs: { least: 1, most: day, with: { maxOpenMs: day } },
      maxOpenMs: { least: 1, most: day, with: { openMs: 1 } },
    },
    words: { breaks: ['retries', 'all'] },
  },
  {
    name: 'throttle',
    check: checkThrottleOptions,
    defaults: throttleDefaults,
    bounds: {
      windowMs: { least: 1, most: day },
      tolerance: { least: 1, most: 100 },
      ceiling: { least: 0, most: 0.99 },
      minRequests: { least: 0, most: million, whole: true },
    },
    words: { throttles: ['retries', 'all'] },
  },
  {
    name: 'concurrency',
    check: checkConcurrencyOptions,
    defaults: concurrencyDefaults,
    bounds: {
      min: { ...who, with: { max: million, initial: million } },
      max: { ...who, with: { min: 1, initial: 1 } },
      initial: { least: 1, most: 200 },
      backoff: { least: 0.1, most: 1 },
      queue: { least: 0, most: million, whole: true },
    },
    words: {},
  },
  {
    name: 'hedge',
    check: checkHedgeOptions,
    defaults: hedgeDefaults,
    bounds: {
      percentile: { least: 0.5, most: 0.999 },
      maxExtra: { least: 0.001, most: 0.1 },
      minSamples: { least: 10, most: million, whole: true },
      windowMs: { least: 100, most: hour },
      minDelayMs: { least: 1, most: hour },
    },
    words: {},
  },
]

describe.each(sections)('$name', ({ name, check, defaults, bounds, words }) => {
  test.each(Object.entries(bounds))('%s is taken from its least to its most, and changes nothing else', (key, of) => {
    for (const value of [of.least, of.most]) {
      const given = { ...of.with, [key]: value }
      expect(check(given)).toEqual({ ...defaults, ...given })
    }
  })

  test.each(Object.entries(bounds))('%s is refused by its name below, above and where it is no number', (key, of) => {
    const refused: unknown[] = [of.least - 0.001, of.most + 0.001, Number.NaN, '5', null, ...(of.whole ? [12.5] : [])]
    for (const value of refused) {
      const attempt = () => check({ ...of.with, [key]: value })
      expect(attempt, String(value)).toThrow(TypeError)
      expect(attempt, String(value)).toThrow(`${name}.${key} must`)
    }
    if (of.whole === undefined) expect(check({ [key]: (of.least + of.most) / 2, ...of.with })).toHaveProperty(key)
  })

  test('a word is one of those that are known', () => {
    for (const [key, known] of Object.entries(words)) {
      for (const word of known) expect(check({ [key]: word })).toEqual({ ...defaults, [key]: word })
      const attempt = () => check({ [key]: 'none' })
      expect(attempt).toThrow(`${name}.${key}`)
      for (const word of [...known, 'none']) expect(attempt).toThrow(word)
    }
  })

  test('true is the defaults, false and nothing is off, and what is no section is refused', () => {
    expect(check(true)).toEqual(defaults)
    expect(check({})).toEqual(defaults)
    expect([check(false), check(undefined)]).toEqual([undefined, undefined])
    for (const value of [5, 'yes', null, []]) expect(() => check(value)).toThrow(name)
    expect(() => check({ unheardOf: 1 })).toThrow(`${name}.unheardOf`)
  })
})
