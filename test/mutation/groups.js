// What is mutated together, and by which tests it is to be found out: those that need no sockets. A group is small, so
// that a run of it is finite.

/** @typedef {{ folder: 'policy' | 'diagnosis', sources: readonly string[], tests: readonly string[] }} Group */

/** @type {Record<string, Group>} */
export const groups = {
  load: {
    folder: 'policy',
    sources: [
      ...['addresses', 'backoff', 'breaker', 'budget', 'budget-options', 'concurrency', 'deadline', 'hedge'],
      ...['idempotency', 'outcome', 'throttle', 'window'],
    ],
    tests: [
      ...['addresses', 'backoff', 'breaker', 'budget', 'concurrency', 'deadline', 'hedge'],
      ...['idempotency', 'outcome', 'throttle', 'window'],
    ],
  },
  deciding: {
    folder: 'policy',
    sources: ['decision-*', 'retry', 'retry-reasons', 'retry-question'],
    tests: ['retry', 'retry.table'],
  },
  hearing: {
    folder: 'policy',
    sources: ['http-date', 'idle-switches', 'proxy-status', 'retry-options', 'server-signals', 'structured-fields'],
    tests: ['http-date', 'retry-options', 'server-signals', 'structured-fields'],
  },
  reusing: {
    folder: 'policy',
    sources: ['idle-ages', 'idle-ends', 'request-cap', 'reuse'],
    tests: ['reuse'],
  },
  options: {
    folder: 'policy',
    sources: [
      ...['diagnosis-options', 'ip-address', 'no-proxy', 'option-check', 'option-coherence', 'proxy-options'],
      'way-options',
    ],
    tests: ['ip-address', 'no-proxy', 'option-coherence', 'proxy-options', 'retry-options', 'budget', 'breaker'],
  },
}

/** @param {string} name */
export function groupOf(name) {
  const group = groups[name]
  if (group === undefined) throw new Error(`no group of mutants is called ${name}: ${Object.keys(groups).join(', ')}`)
  return group
}
