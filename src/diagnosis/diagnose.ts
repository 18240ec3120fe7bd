import type { Diagnosis } from '../failure/diagnosis.js'
import { isBranded } from '../failure/offhook-error.js'
import { read } from '../failure/property.js'
import { attribute } from './attribute.js'
import { classify } from './classify.js'
import { evidenceByShape } from './shape.js'

/**
 * Who hung up, of any error: of one of offhook's its own `diagnosis`; of one that offhook did not make (of `net`,
 * `http`, fetch, axios, got, pg, ioredis, kafkajs, the AWS SDK, …) as much as its shape allows. That is the mechanism
 * and a spread over the stories: without having watched the connection, culprits are seldom named. Never throws.
 *
 * @param error anything
 *
 * @example
 * ```ts
 * import { diagnose } from 'offhook'
 *
 * try {
 *   await globalThis.fetch('http://127.0.0.1:1')
 * } catch (error) {
 *   const { mechanism, headline } = diagnose(error)
 *   console.error(mechanism, headline)
 * }
 * ```
 */
export function diagnose(error: unknown): Diagnosis {
  return ownDiagnosis(error) ?? byShape(error)
}

/** Of an error of this copy, or of another that has one as well. */
function ownDiagnosis(error: unknown): Diagnosis | undefined {
  const own = isBranded(error) ? read(error, 'diagnosis') : undefined
  const whole = typeof read(own, 'headline') === 'string' && Array.isArray(read(own, 'hypotheses'))
  return whole ? (own as Diagnosis) : undefined
}

/** What the error alone says. */
export function byShape(error: unknown): Diagnosis {
  const failure = classify(error)
  return attribute(failure, evidenceByShape(error, failure))
}
