// Holds what offhook said of a trial against the truth of its scenario.

import { partiesOf } from './score.js'

/** @typedef {import('../../src/failure/diagnosis.js').Party} Party */
/** @typedef {import('./stage.js').Report} Report */
/** @typedef {import('./scenarios/scenario.js').Label} Label */

/**
 * @param {string} scenario
 * @param {Label} label
 * @param {Report} report
 * @returns {import('./score.js').Verdict}
 */
export function judge(scenario, label, report) {
  const { diagnosis } = report
  const looksAlike = [diagnosis?.hypotheses[0]?.story, ...(diagnosis?.indistinguishable ?? [])]
  return {
    scenario,
    label,
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
