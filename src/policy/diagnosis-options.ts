/** What may be done to find out who hung up, beyond looking on. */

import { openSection } from './option-check.js'

/**
 * Diagnosis, section `diagnosis` of `createClient`. Who hung up is told from what was seen anyway; more can be told when
 * somebody asks.
 */
export interface DiagnosisOptions {
  /**
   * After a failure that will be thrown, opens a TCP connection to the same address and one to another server that has
   * answered of late, and closes them again; not a byte is sent. The error comes up to 1 s later for it, never after
   * `timeout.total`; calls that fail together ask once a second. Default false.
   */
  readonly probe?: boolean | undefined
}

/** {@link DiagnosisOptions}, complete. */
export interface DiagnosisSettings {
  readonly probe: boolean
}

/**
 * The settings for what a user gave.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkDiagnosisOptions(value: unknown): DiagnosisSettings {
  if (value === undefined) return { probe: false }
  return { probe: openSection('diagnosis', value, ['probe']).boolean('probe') ?? false }
}
