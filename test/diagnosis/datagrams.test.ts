/** Who it was, for datagrams: distributions that add up, reasons that weigh, and no side named where none can be. */

import { describe, expect, test } from 'vitest'
import { attributeDatagram } from '../../src/diagnosis/datagrams.js'
import type { Delivery, FailureKind, Phase } from '../../src/failure/kinds.js'

const rows: [FailureKind, Phase, Delivery, string, string, string][] = [
  ['refused', 'wait', 'unknown', 'icmp', 'peer', 'nothing-listening'],
  ['unreachable', 'wait', 'unknown', 'icmp', 'network', 'filter-rejects'],
  ['unreachable', 'send', 'unsent', 'local-refused', 'local', 'local-filter'],
  ['local-resource', 'send', 'unsent', 'local-refused', 'local', 'local-filter'],
  ['timeout', 'wait', 'unknown', 'silence', 'unknown', 'peer-application-silent'],
  ['timeout', 'call', 'unknown', 'silence', 'unknown', 'peer-application-silent'],
]

function diagnose(kind: FailureKind, phase: Phase, delivery: Delivery, remoteAddress = '192.0.2.1') {
  const connection = { id: 1, reused: false, requestsBefore: 0, remoteAddress }
  return attributeDatagram({ kind, phase, delivery, cause: undefined }, { vantage: 'socket', phase, connection })
}

describe('datagrams', () => {
  for (const [kind, phase, delivery, mechanism, origin, first] of rows) {
    test(`${kind} in phase ${phase}, ${delivery}`, () => {
      const diagnosis = diagnose(kind, phase, delivery)
      expect(diagnosis).toMatchObject({ mechanism, origin })
      expect(diagnosis?.hypotheses[0]?.story).toBe(first)
      const sum = diagnosis?.hypotheses.reduce((total, { probability }) => total + probability, 0)
      expect(sum).toBeCloseTo(1, 9)
      for (const { probability, because, remedy, story } of diagnosis?.hypotheses ?? []) {
        expect(probability).toBeGreaterThan(0)
        expect(remedy).not.toBe('')
        for (const { weight } of because) expect(Number.isFinite(weight)).toBe(true)
        if (story === first && mechanism !== 'silence') expect(because[0]?.weight).toBeGreaterThan(0)
      }
    })
  }

  test('silence names nobody, and says what would tell', () => {
    const diagnosis = diagnose('timeout', 'wait', 'unknown')
    expect(diagnosis).not.toHaveProperty('party')
    expect(diagnosis?.indistinguishable.length).toBeGreaterThan(2)
    expect(diagnosis?.wouldDecide.join()).toContain('capture')
  })

  test('on this host nothing is lost on the way, and no other host is down', () => {
    for (const address of ['127.0.0.1', '127.8.8.8', '::1']) {
      const here = diagnose('timeout', 'wait', 'unknown', address)
      const lost = here?.hypotheses.find(({ story }) => story === 'lost')
      expect(lost?.probability).toBeLessThan(0.01)
    }
  })

  test('what is no matter of a datagram is left to others', () => {
    expect(diagnose('dns', 'dns', 'unsent')).toBeUndefined()
    expect(diagnose('timeout', 'dns', 'unsent')).toBeUndefined()
    expect(diagnose('not-admitted', 'admit', 'unsent')).toBeUndefined()
  })
})
