// What is mutated together, and by which tests it is to be found out: those that need no sockets. A group is small, so
// that a run of it is a matter of minutes.

/** @typedef {{ folder: 'policy' | 'diagnosis', sources: readonly string[], tests: readonly string[] }} Group */

/** @type {Record<string, Group>} */
export const groups = {
  budget: {
    folder: 'policy',
    sources: ['budget', 'budget-options', 'window'],
    tests: ['budget', 'window'],
  },
  gates: {
    folder: 'policy',
    sources: ['breaker', 'concurrency', 'outcome', 'throttle'],
    tests: ['breaker', 'concurrency', 'outcome', 'section-options', 'throttle'],
  },
  times: {
    folder: 'policy',
    sources: ['backoff', 'deadline', 'hedge', 'http-date'],
    tests: ['backoff', 'deadline', 'hedge', 'http-date', 'section-options'],
  },
  asking: {
    folder: 'policy',
    sources: ['addresses', 'idempotency', 'ip-address', 'no-proxy'],
    tests: ['addresses', 'idempotency', 'ip-address', 'no-proxy'],
  },
  deciding: {
    folder: 'policy',
    sources: ['decision-*', 'retry', 'retry-reasons', 'retry-question'],
    tests: ['retry', 'retry.table'],
  },
  hearing: {
    folder: 'policy',
    sources: ['proxy-status', 'server-signals', 'structured-fields'],
    tests: ['server-signals', 'structured-fields'],
  },
  reusing: {
    folder: 'policy',
    sources: ['idle-ages', 'idle-ends', 'idle-switches', 'request-cap', 'reuse'],
    tests: ['reuse'],
  },
  options: {
    folder: 'policy',
    sources: [
      ...['diagnosis-options', 'option-check', 'option-coherence', 'proxy-options', 'retry-options'],
      'way-options',
    ],
    tests: ['option-coherence', 'proxy-options', 'retry-options', 'budget', 'breaker'],
  },
  recurring: { folder: 'diagnosis', sources: ['recurrence'], tests: ['recurrence'] },
  hangups: { folder: 'diagnosis', sources: ['hangup-*'], tests: ['hangup-verdict'] },
  mechanisms: { folder: 'diagnosis', sources: ['mechanism'], tests: ['mechanism'] },
  naming: {
    folder: 'diagnosis',
    sources: ['classify', 'error-chain', 'http2-stream', 'our-errors'],
    tests: ['anything', 'evidence', 'http2-stream', 'our-errors'],
  },
}

/** @param {string} name */
export function groupOf(name) {
  const group = groups[name]
  if (group === undefined) throw new Error(`no group of mutants is called ${name}: ${Object.keys(groups).join(', ')}`)
  return group
}
