import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Endings } from '../../src/diagnosis/endings.js'
import type { Failure } from '../../src/failure/kinds.js'
import { createClient } from '../../src/index.js'
import { anyEvidence, anyFailure } from './any-evidence.js'
import { rst, withPeer } from './provoke.js'

const reset: Failure = {
  kind: 'reset',
  phase: 'wait',
  delivery: 'unknown',
  code: 'ECONNRESET',
  syscall: 'read',
  errno: -104,
  cause: undefined,
}

test('failures are counted by what happened, and the latest by who did it', () => {
  const endings = new Endings()
  for (let count = 0; count < 100; count++) {
    const fresh = { id: count, reused: false, requestsBefore: 0 }
    endings.failed(reset, { vantage: 'socket', phase: 'wait', ending: 'rst', connection: fresh })
  }
  endings.failed(
    { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: false, code: 'ENOTFOUND', cause: undefined },
    undefined,
  )
  const { failures, mechanisms, origins } = endings.together()
  expect(failures).toBe(101)
  expect(mechanisms).toEqual({ rst: 100, 'app-protocol': 1 })
  expect(origins).toEqual({ peer: 63, network: 1 })
})

test('idle ends make a histogram, and the timer that was learned names a family', () => {
  const endings = new Endings()
  for (const idleMs of [5_100, 5_200, 900, 6_300, 4_000_000]) endings.endedIdle(idleMs)
  const { idleEnds, timer } = endings.together(60_300)
  expect(idleEnds).toEqual([
    { upToMs: 1_000, count: 1 },
    { upToMs: 10_000, count: 3 },
    { upToMs: Number.POSITIVE_INFINITY, count: 1 },
  ])
  expect(timer).toEqual({ idleMs: 60_300, matches: expect.stringMatching(/^60 s: the family of /) })
  expect(endings.together(33_000).timer).toEqual({ idleMs: 33_000 })
})

test('whatever failed, every failure is counted once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyFailure, anyEvidence), { maxLength: 80 }), (all) => {
      const endings = new Endings()
      for (const [failure, evidence] of all) {
        endings.failed(failure, evidence)
        endings.endedIdle(evidence.connection?.idleMs ?? Number.NaN)
      }
      const { failures, mechanisms, origins } = endings.together()
      const sum = (counts: object) => Object.values(counts).reduce((a: number, b: number) => a + b, 0)
      expect(failures).toBe(all.length)
      expect(sum(mechanisms)).toBe(all.length)
      expect(sum(origins)).toBe(Math.min(64, all.length))
    }),
    { numRuns: 30 },
  )
})

test('a client tells them by origin', async () => {
  await using client = createClient({ retry: false })
  const origin = await withPeer(rst, async (port) => {
    for (let count = 0; count < 3; count++) await client.fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    return `http://127.0.0.1:${port}`
  })
  const { hangups } = client.stats().origins[origin] ?? {}
  expect(hangups).toMatchObject({ failures: 3, mechanisms: { rst: 3 }, idleEnds: [] })
  // Who it was depends on how late this process was; that it was nobody between here and here does not.
  const { peer = 0, local = 0, unknown = 0 } = hangups?.origins ?? {}
  expect(peer + local + unknown).toBe(3)
})
