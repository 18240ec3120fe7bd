// The judge: what must hold of every call, whatever the far side did. Each rule gives a sentence for what broke it.

import { createHash } from 'node:crypto'
import { ownerOf, sentText } from './caller.js'
import { faultOf } from './known-text.js'

/**
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {import('./plan.js').WorldPlan} WorldPlan
 * @typedef {import('./caller.js').Outcome} Outcome
 * @typedef {import('./far-side.js').Entry} Entry
 * @typedef {import('./loop-clock.js').LoopClock} LoopClock
 */

/** How much later than its deadline a call may settle, in milliseconds in which the loop turned. */
export const graceMs = 50
/** What the clock of the loop cannot tell: a tick at either end. */
const blurMs = 20

/**
 * What can be said as soon as the call has settled.
 *
 * @param {CallPlan} call
 * @param {Outcome} outcome
 * @param {{ world: WorldPlan, loop: LoopClock, isOurs: (error: unknown) => boolean }} court
 */
export function judgeOutcome(call, outcome, { world, loop, isOurs }) {
  const faults = []
  const { startedAt, settledAt, abortedAt, error, reason } = outcome
  const limits = /** @type {{ total?: number }} */ (world.client['timeout'])
  const total = call.total ?? limits.total
  if (total !== undefined) {
    const late = loop.between(startedAt + total, settledAt)
    if (late > graceMs + blurMs) faults.push(`it settled ${Math.round(late)} ms after its deadline of ${total} ms`)
  }
  if (abortedAt !== undefined) {
    const late = loop.between(abortedAt, settledAt)
    if (late > graceMs + blurMs) faults.push(`it settled ${Math.round(late)} ms after it was aborted`)
  }
  if (error !== undefined && !isOurs(error) && (reason === undefined || error !== reason))
    faults.push(
      `it failed with what is neither an error of offhook's nor the reason of its abort: ${error?.stack ?? error}`,
    )
  if (error !== undefined && isOurs(error) && error.kind === 'unknown')
    faults.push(`nobody knows what it failed with: ${error.cause?.stack ?? error.message}`)
  const fault = error === undefined ? faultOfAnswer(call, outcome, world.protocol) : undefined
  if (fault !== undefined) faults.push(fault)
  return faults
}

/**
 * @param {CallPlan} call
 * @param {Outcome} outcome
 * @param {'h1' | 'h2'} protocol
 */
function faultOfAnswer(call, { status = 0, text, left, broken }, protocol) {
  if (left || text === undefined) return undefined
  const redirected = status >= 300 && status < 400
  if (call.method === 'HEAD' || redirected)
    return text === '' ? undefined : `an answer without a body brought ${text.length} bytes`
  // undici's request decodes nothing.
  if (broken) return call.host === 'fetch' ? 'content that cannot be decoded passed as a success' : undefined
  // A 408 that nobody asked for answers whatever was sent on its connection in the meantime (RFC 9110 §15.5.9).
  if (status === 408 && text === '') return undefined
  const fault = faultOf(text, ownerOf(protocol, call))
  if (fault !== undefined) return `an answer of ${status} passed as a success with ${fault}`
  if (protocol === 'h2' || status >= 300 || text.length === call.answer.bytes) return undefined
  return `a success brought ${text.length} bytes, not ${call.answer.bytes}`
}

/**
 * What the ledger says, when nothing can happen any more.
 *
 * @param {CallPlan} call
 * @param {Outcome} outcome
 * @param {{ entries: readonly Entry[], world: WorldPlan, isOurs: (error: unknown) => boolean }} court `entries`: of this call
 */
export function judgeLedger(call, outcome, { entries, world, isOurs }) {
  const { error, status = 0 } = outcome
  const faults = entries.flatMap((entry) => faultsOfEntry(call, entry))
  const executed = entries.reduce((sum, entry) => sum + entry.executed, 0)
  const began = entries.reduce((sum, entry) => sum + entry.began, 0)
  if (error === undefined) {
    if (status >= 200 && status < 300 && executed === 0)
      faults.push(`success (${status}) was reported of what was never executed`)
    if (began === 0 && status !== 408) faults.push(`an answer (${status}) was reported of what never came`)
    return faults
  }
  if (!isOurs(error)) return faults
  if (!error.mayHaveExecuted && executed > 0)
    faults.push(`it was said that it cannot have been executed, and it was, ${executed} times`)
  return faults.concat(faultsOfAttempts(error, entries, world))
}

/**
 * Each attempt that is said to be unsent or rejected leaves one less that can have begun, or executed.
 *
 * @param {any} error
 * @param {readonly Entry[]} entries
 * @param {WorldPlan} world
 */
function faultsOfAttempts(error, entries, world) {
  /** @type {{ delivery?: string }[]} */
  const attempts = error.attempts
  /** @type {string[]} */
  const faults = []
  // A hedge that lost was not an attempt that failed, and a body that is continued comes from another request.
  const { hedge, retry } = /** @type {{ hedge?: boolean, retry?: { resume?: boolean } | undefined }} */ (world.client)
  if (hedge || retry?.resume || attempts.length === 0) return faults
  const sent = attempts.filter(({ delivery }) => delivery !== 'unsent').length
  const maybe = attempts.filter(({ delivery }) => delivery !== 'unsent' && delivery !== 'rejected').length
  for (const { method, path, began, executed } of entries) {
    if (began > sent)
      faults.push(
        `${method} ${path} came ${began} times, and ${sent} of ${attempts.length} attempts were said to be sent`,
      )
    if (executed > maybe)
      faults.push(
        `${method} ${path} was executed ${executed} times, and ${maybe} attempts were said to be processed, perhaps`,
      )
  }
  return faults
}

/**
 * @param {CallPlan} call
 * @param {Entry} entry
 */
function faultsOfEntry(call, { method, path, executed, executions }) {
  const faults = []
  const once =
    call.idempotent === false || (call.idempotent !== true && !call.keyed && (method === 'POST' || method === 'PATCH'))
  if (once && executed > 1) faults.push(`${method} ${path} must not be repeated, and was executed ${executed} times`)
  const whole = executions.filter(({ complete }) => complete)
  const digests = method === call.method ? digestsOf(call, whole) : new Set([emptyDigest])
  for (const { bytes, digest } of whole)
    if (!digests.has(digest))
      faults.push(`${method} ${path} was executed with a body of ${bytes} bytes that nobody sent`)
  return faults
}

const digest = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex')
const emptyDigest = digest('')

/**
 * @param {CallPlan} call
 * @param {Entry['executions']} whole
 */
function digestsOf(call, whole) {
  const text = sentText(call)
  if (call.body.kind === 'params') return new Set([digest(new URLSearchParams({ text }).toString())])
  if (call.body.kind !== 'form') return new Set([digest(text)])
  // Where the boundary is random, the length is what can be known: the same each time, and more than the text.
  const lengths = new Set(whole.map(({ bytes }) => bytes))
  return lengths.size <= 1 && whole.every(({ bytes }) => bytes > text.length)
    ? new Set(whole.map((one) => one.digest))
    : new Set()
}
