// Makes one call as its plan says, and writes down what came of it.

import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { knownText } from './known-text.js'
import { h2Owner } from './scripts.js'

/**
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {{ fetch: (url: string, init: any) => Promise<Response>, request: (url: string, options: any) => Promise<any>, stats(): { inFlight: number }, close(): Promise<void>, destroy(): Promise<void> }} Client
 * @typedef {{ status?: number, text?: string, left?: boolean, broken?: boolean, error?: any, abortedAt?: number, reason?: unknown, startedAt: number, settledAt: number }} Outcome
 */

/** How long any call may take, whatever limits it has: all of them have some. In milliseconds of the loop. */
export const longestMs = 30_000

/** @param {CallPlan} call the body it sends, where that is one text */
export function sentText(call) {
  return call.body.kind === 'none' ? '' : knownText(`body-of-${call.id}`, call.body.bytes)
}

/**
 * Never rejects.
 *
 * @param {Client} client
 * @param {CallPlan} call
 * @param {{ url: string, shared: AbortSignal }} place
 * @returns {Promise<Outcome>}
 */
export async function perform(client, call, { url, shared }) {
  /** @type {Outcome} */
  const outcome = { startedAt: performance.now(), settledAt: 0 }
  const controller = new AbortController()
  const { abortAfter, sharedSignal } = call
  const timer =
    abortAfter === undefined
      ? undefined
      : setTimeout(() => {
          outcome.abortedAt = performance.now()
          outcome.reason = new Error(`${call.id} was given up`)
          controller.abort(outcome.reason)
        }, abortAfter)
  const signal = abortAfter !== undefined ? controller.signal : sharedSignal ? shared : undefined
  try {
    await (call.host === 'fetch' ? byFetch : byRequest)(client, call, {
      url: `${url}/call?${call.number}`,
      signal,
      outcome,
    })
  } catch (error) {
    outcome.error = error
  }
  outcome.settledAt = performance.now()
  clearTimeout(timer)
  return outcome
}

/**
 * @typedef {{ url: string, signal: AbortSignal | undefined, outcome: Outcome }} Place
 * @param {CallPlan} call
 * @param {AbortSignal | undefined} signal
 */
function options(call, signal) {
  const { method, id, keyed, idempotent, total } = call
  return {
    method,
    headers: { 'x-request-id': id },
    ...(keyed && { idempotencyKey: id }),
    ...(idempotent !== undefined && { idempotent }),
    ...(total !== undefined && { timeout: total }),
    ...(signal !== undefined && { signal }),
  }
}

/**
 * @param {Client} client
 * @param {CallPlan} call
 * @param {Place} place
 */
async function byFetch(client, call, { url, signal, outcome }) {
  const body = bodyOf(call)
  const response = await client.fetch(url, {
    ...options(call, signal),
    ...(body !== undefined && { body }),
    ...(call.body.kind === 'stream' && { duplex: 'half' }),
  })
  outcome.status = response.status
  outcome.broken = response.headers.has('x-broken')
  if (call.read === 'text') outcome.text = await response.text()
  else if (call.read === 'buffer') outcome.text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  else if (call.read === 'leave') {
    outcome.left = true
    await response.body?.cancel()
  } else
    outcome.text = await joined(/** @type {AsyncIterable<Uint8Array>} */ (/** @type {unknown} */ (response.body ?? [])))
}

/**
 * @param {Client} client
 * @param {CallPlan} call
 * @param {Place} place
 */
async function byRequest(client, call, { url, signal, outcome }) {
  const body = bodyOf(call)
  const {
    statusCode,
    headers,
    body: answer,
  } = await client.request(url, {
    ...options(call, signal),
    ...(body !== undefined && { body }),
    ...(call.redirect !== undefined && call.number % 4 !== 0 && { maxRedirections: 3 }),
  })
  outcome.status = statusCode
  outcome.broken = headers['x-broken'] !== undefined
  if (call.read === 'text') outcome.text = await answer.text()
  else if (call.read === 'buffer') outcome.text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
  else if (call.read === 'leave') {
    outcome.left = true
    answer.on('error', () => {}).destroy()
  } else outcome.text = await joined(answer)
}

/** @param {AsyncIterable<Uint8Array>} pieces */
async function joined(pieces) {
  const list = []
  for await (const piece of pieces) list.push(Buffer.from(piece))
  return Buffer.concat(list).toString('latin1')
}

/** @param {CallPlan} call */
function bodyOf(call) {
  const { host, body } = call
  const text = sentText(call)
  switch (body.kind) {
    case 'none':
      return undefined
    case 'string':
      return text
    case 'buffer':
      return Buffer.from(text)
    case 'params':
      return new URLSearchParams({ text })
    case 'form': {
      const form = new FormData()
      form.set('text', text)
      return form
    }
    case 'factory':
      return () => (host === 'fetch' ? Readable.toWeb(Readable.from(pieces(call))) : Readable.from(pieces(call)))
    case 'stream':
      return host === 'fetch' ? Readable.toWeb(Readable.from(pieces(call))) : Readable.from(pieces(call))
    case 'iterator':
      return pieces(call)
  }
}

/** @param {CallPlan} call */
async function* pieces(call) {
  const bytes = Buffer.from(sentText(call))
  const size = Math.max(1, Math.ceil(bytes.length / 5))
  for (let at = 0; at < bytes.length; at += size) {
    if (call.body.pauses) await new Promise((resolve) => setTimeout(resolve, 2))
    yield bytes.subarray(at, at + size)
  }
}

/** Whose text a good answer has to be. */
export function ownerOf(/** @type {'h1' | 'h2'} */ protocol, /** @type {CallPlan} */ call) {
  return protocol === 'h2' ? h2Owner : call.id
}
