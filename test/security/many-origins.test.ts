// Whoever leads us to ever new origins must not make us grow, nor push out what is known of those in use.

import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { Endings, KeptFailures } from '../../src/diagnosis/endings.js'
import type { Failure } from '../../src/failure/kinds.js'
import { checkClientOptions } from '../../src/options.js'
import { Origins } from '../../src/origin/origins.js'

const reset: Failure = {
  kind: 'reset',
  phase: 'wait',
  delivery: 'unknown',
  code: 'ECONNRESET',
  syscall: 'read',
  errno: -104,
  cause: undefined,
}
const evidence = { vantage: 'socket', phase: 'wait', ending: 'rst' } as const
const weighed = (stats: { hangups?: { origins: object } }[]) =>
  stats
    .flatMap(({ hangups }) => Object.values(hangups?.origins ?? {}) as number[])
    .reduce((sum, count) => sum + count, 0)
const made = () => new Origins(checkClientOptions({}).origin, systemClock, Math.random)

describe('endlessly many origins', () => {
  test('the one that was used least recently is forgotten', () => {
    const origins = made()
    const mine = origins.of('https://mine.test')
    mine.failed(reset, evidence)
    for (let index = 0; index < 25_000; index++) {
      origins.of(`https://o${index}.test`)
      if (index % 500 === 0) expect(origins.of('https://mine.test')).toBe(mine)
    }
    const known = Object.keys(origins.stats())
    expect(known).toHaveLength(10_000)
    expect(known).toContain('https://mine.test')
    expect(known).toContain('https://o24999.test')
    expect(known).not.toContain('https://o9000.test')
  })

  test('failures are kept to be weighed for all origins together, the latest', () => {
    const origins = made()
    for (let index = 0; index < 3_000; index++) {
      const origin = origins.of(`https://o${index}.test`)
      for (let count = 0; count < 3; count++) origin.failed(reset, evidence)
    }
    const stats = Object.values(origins.stats())
    expect(stats.reduce((sum, { hangups }) => sum + (hangups?.failures ?? 0), 0)).toBe(9_000)
    expect(weighed(stats)).toBe(1_000)
    expect(weighed(stats.slice(-333))).toBe(999)
  })

  test('what one origin keeps does not crowd out others', () => {
    const kept = new KeptFailures()
    const [quiet, loud] = [new Endings(kept), new Endings(kept)]
    quiet.failed(reset, evidence)
    for (let count = 0; count < 10_000; count++) loud.failed(reset, evidence)
    expect(weighed([{ hangups: loud.together() }])).toBe(64)
    expect(weighed([{ hangups: quiet.together() }])).toBe(1)
  })
})
