// Holds what offhook said of a trial against the truth of its scenario.

import { partiesOf } from './score.js'

/** @typedef {import('../../src/failure/diagnosis.js').Party} Party */
/** @typedef {import('./stage.js').Report} Report */

/** Below this a round trip is too short to be told from the time that a process takes. */
const nearMs = 5

/**
 * @param {import('./scenarios/scenario.js').Scenario} scenario
 * @param {Report} report
 * @param {number} roundTripMs
 * @returns {import('./score.js').Verdict}
 */
export function judge({ name, label: { looksNear, looks, ...label } }, report, roundTripMs) {
  const { diagnosis } = report
  const looksAlike = [diagnosis?.hypotheses[0]?.story, ...(diagnosis?.indistinguishable ?? [])]
  return {
    scenario: name,
    label: { ...label, looks: roundTripMs < nearMs ? (looksNear ?? looks) : looks },
    mechanism: diagnosis !== undefined && [label.mechanism].flat().includes(diagnosis.mechanism),
    story: [label.story].flat().some((story) => looksAlike.includes(story)),
    parties: partiesOf(diagnosis),
    byMessage: { [byMessage(report)]: 1 },
    claimed: diagnosis?.party,
  }
}

/**
 * What one makes of it who believes what the message says, as most people have to at three in the morning.
 *
 * @param {Pick<Report, 'code' | 'kind'>} report
 * @returns {Party}
 */
export function byMessage({ code = '', kind }) {
  // "Connection reset by peer", "other side closed", "connection refused": the peer, its message says.
  if (/ECONNRESET|EPIPE|UND_ERR_SOCKET/.test(code)) return 'peer-application'
  if (code === 'ECONNREFUSED') return 'peer-host'
  if (/EHOSTUNREACH|ENETUNREACH|CONNECT_TIMEOUT|ETIMEDOUT/.test(code)) return 'path'
  if (/EMFILE|EADDRNOTAVAIL|EACCES|EPERM|ENOBUFS|ECONNABORTED/.test(code)) return 'local-host'
  if (kind === 'dns') return 'name-service'
  if (kind === 'tls') return 'tls-peer'
  if (kind === 'proxy') return 'proxy'
  return 'peer-application'
}
