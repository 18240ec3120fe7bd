import { describe, expect, it } from 'vitest'
import { type Failure, failureKinds, phases } from '../../src/failure/kinds.js'
import { type LoadOutcome, loadOutcomes, outcomeOfFailure, outcomeOfStatus } from '../../src/policy/outcome.js'

const failure = (facts: Partial<Failure>): Failure => ({
  kind: 'reset',
  phase: 'wait',
  delivery: 'unknown',
  cause: undefined,
  ...facts,
})

describe('the outcome of a status', () => {
  it.each<[number, LoadOutcome]>([
    [200, 'success'],
    [204, 'success'],
    [304, 'success'],
    [400, 'answered'],
    [404, 'answered'],
    [408, 'answered'],
    [425, 'answered'],
    [429, 'overload'],
    [499, 'answered'],
    [500, 'failed'],
    [502, 'failed'],
    [503, 'overload'],
    [504, 'failed'],
  ])('%i is %s, whether returned or thrown', (status, outcome) => {
    expect(outcomeOfStatus(status)).toBe(outcome)
    expect(outcomeOfFailure(failure({ kind: 'status', delivery: 'answered', status }))).toBe(outcome)
  })
})

describe('the outcome of a failure', () => {
  it.each<[Partial<Failure>, LoadOutcome]>([
    [{ kind: 'reset' }, 'connection'],
    [{ kind: 'closed', phase: 'body' }, 'connection'],
    [{ kind: 'refused', phase: 'connect' }, 'connection'],
    [{ kind: 'unreachable', phase: 'connect' }, 'connection'],
    [{ kind: 'proxy', phase: 'proxy', proxyStatus: 502 }, 'connection'],
    [{ kind: 'timeout', phase: 'connect' }, 'connection'],
    [{ kind: 'timeout', phase: 'tls' }, 'connection'],
    [{ kind: 'timeout', phase: 'wait' }, 'timeout'],
    [{ kind: 'timeout', phase: 'body' }, 'timeout'],
    [{ kind: 'timeout', phase: 'admit' }, 'ignored'],
    [{ kind: 'dns', phase: 'dns', temporary: true }, 'connection'],
    [{ kind: 'dns', phase: 'dns' }, 'ignored'],
    [{ kind: 'tls', phase: 'tls', tls: 'handshake' }, 'connection'],
    [{ kind: 'tls', phase: 'tls', tls: 'certificate' }, 'ignored'],
    [{ kind: 'tls', phase: 'tls', tls: 'mismatch', permanent: true }, 'ignored'],
    [{ kind: 'protocol', phase: 'head' }, 'failed'],
    [{ kind: 'protocol', http2: 'ENHANCE_YOUR_CALM' }, 'overload'],
    [{ kind: 'rejected', http2: 'REFUSED_STREAM' }, 'ignored'],
    [{ kind: 'local-resource', phase: 'connect' }, 'ignored'],
    [{ kind: 'not-admitted', phase: 'admit', admission: 'breaker' }, 'ignored'],
    [{ kind: 'unknown' }, 'failed'],
    [{ kind: 'reset', aborted: true }, 'ignored'],
  ])('%j is %s', (facts, outcome) => expect(outcomeOfFailure(failure(facts))).toBe(outcome))

  it('exists for every kind in every phase', () => {
    for (const kind of failureKinds) {
      for (const phase of phases) expect(loadOutcomes).toContain(outcomeOfFailure(failure({ kind, phase })))
    }
  })
})
