/** `offhook doctor URL`: finds out who hangs up. */

import type { ConnectionOptions } from 'node:tls'
import { type Clock, systemClock } from '../clock.js'
import { type CheckupPlan, examine } from './checkup.js'
import { report, reportJson } from './checkup-report.js'
import { findingsOf } from './findings.js'
import { LiveLine, paint, type Terminal } from './terminal.js'
import { Ward } from './ward.js'

export interface DoctorOptions extends CheckupPlan {
  readonly json: boolean
  /** Ends the examination; what is known by then is reported. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly tls?: ConnectionOptions
}

/** Ended by Ctrl-C: 128 and the number of SIGINT, as shells have it. */
const interrupted = 130

/**
 * Examines an endpoint, and reports on `terminal`.
 *
 * @returns the exit code: 0 when nothing bad was found, 1 when something was, 130 when it was ended before its time
 */
export async function runDoctor(terminal: Terminal, url: URL, options: DoctorOptions): Promise<number> {
  const { json, signal, tls, clock = systemClock } = options
  const live = new LiveLine(json ? { ...quiet, write: () => {} } : terminal)
  const ward = new Ward({ url, clock, signal, tls })
  if (!json) terminal.write(`\n${paint(terminal, 'offhook doctor', 'strong')}: ${url.origin}${url.pathname}\n\n`)
  try {
    const checkup = await examine(ward, options, (what) => live.show(what))
    live.clear()
    const findings = findingsOf(checkup)
    terminal.write(json ? reportJson(checkup, findings) : `${report(terminal, checkup, findings)}\n`)
    if (checkup.stopped) return interrupted
    return findings.some(({ level }) => level === 'bad') ? 1 : 0
  } finally {
    live.clear()
    ward.close()
  }
}

const quiet = { live: false, colour: false }
