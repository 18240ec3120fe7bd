import type { H2Code } from './h2-frames.js'
import type { H2Answer, H2Script, H2Step } from './h2-script.js'

/** A script with a line that says what it does. */
export type H2Misdeed = H2Script & { readonly says: string }

/** Half of what a whole answer would be; `length` whether it was announced how long that is. */
const half = (length: boolean): H2Step => ({ respond: { body: { bytes: 1000 }, length, cut: 400 } satisfies H2Answer })

const resets = (code: H2Code, says: string): H2Misdeed => ({ says, request: [{ reset: code }] })
const executesThenResets = (code: H2Code): H2Misdeed => ({
  says: `executes the request, then RST_STREAM ${code}`,
  request: ['execute', { reset: code }],
})
const cuts = (end: H2Step, length: boolean, says: string): H2Misdeed => ({
  says: `sends 400 of 1000 bytes ${length ? 'with' : 'without'} content-length, then ${says}`,
  request: [half(length), 'heard', end],
})

/**
 * Ready-made misdeeds of an HTTP/2 server by name: scripts that can be given to a rude HTTP/2 server as they stand, or in turns.
 * Where nothing is said of executing, the request is not executed. What ends the connection waits until the client has read what
 * came before: an end that overtakes it would be another misdeed.
 *
 * @example
 * ```ts
 * import { h2Misdeeds, rudeH2Server } from 'offhook/testing'
 *
 * await using server = await rudeH2Server({
 *   script: { turns: [h2Misdeeds['refused-stream'], {}], per: 'request-id' },
 * })
 * console.log(server.url, h2Misdeeds['refused-stream'].says)
 * ```
 */
export const h2Misdeeds = {
  'refused-stream': resets('REFUSED_STREAM', 'RST_STREAM REFUSED_STREAM: it was not processed'),
  'enhance-your-calm': resets('ENHANCE_YOUR_CALM', 'RST_STREAM ENHANCE_YOUR_CALM'),
  'http-1-1-required': resets('HTTP_1_1_REQUIRED', 'RST_STREAM HTTP_1_1_REQUIRED'),
  cancel: executesThenResets('CANCEL'),
  'internal-error': executesThenResets('INTERNAL_ERROR'),
  'protocol-error': executesThenResets('PROTOCOL_ERROR'),
  'no-error': executesThenResets('NO_ERROR'),
  'goaway-none': {
    says: 'GOAWAY, no stream was processed; the connection stays open and silent',
    request: [{ goaway: 'NO_ERROR', last: 'none' }, 'stall'],
  },
  'goaway-none-then-fin': {
    says: 'GOAWAY, no stream was processed, then FIN',
    request: [{ goaway: 'NO_ERROR', last: 'none' }, 'fin'],
  },
  'goaway-none-enhance-your-calm': {
    says: 'GOAWAY ENHANCE_YOUR_CALM, no stream was processed',
    request: [{ goaway: 'ENHANCE_YOUR_CALM', last: 'none' }, 'stall'],
  },
  'goaway-before': {
    says: 'GOAWAY, the streams before this one were processed, this one was not',
    request: [{ goaway: 'NO_ERROR', last: 'before' }, 'stall'],
  },
  'goaway-this-then-answer': {
    says: 'GOAWAY, this stream is the last, and is answered',
    request: [{ goaway: 'NO_ERROR', last: 'this' }, 'heard', { respond: { body: 'ok' } }],
  },
  'goaway-this-then-fin': {
    says: 'executes the request, GOAWAY, this stream is the last, then FIN without an answer',
    request: ['execute', { goaway: 'NO_ERROR', last: 'this' }, 'fin'],
  },
  'goaway-this-enhance-your-calm': {
    says: 'executes the request, then GOAWAY ENHANCE_YOUR_CALM, this stream is the last',
    request: ['execute', { goaway: 'ENHANCE_YOUR_CALM', last: 'this' }, 'stall'],
  },
  'goaway-any-then-answer': {
    says: 'GOAWAY with the highest stream there can be, as a graceful shutdown begins, then answers',
    request: [{ goaway: 'NO_ERROR', last: 'any' }, 'heard', { respond: { body: 'ok' } }],
  },
  'stall-before-head': { says: 'executes the request and never answers; PINGs are', request: ['execute', 'stall'] },
  'ignore-pings': {
    says: 'executes the request and never answers, PINGs neither',
    request: ['execute', 'ignore-pings', 'stall'],
  },
  mute: {
    says: 'executes the request, then the connection falls silent for good',
    request: ['execute', 'mute', 'stall'],
  },
  'rst-before-head': { says: 'executes the request, then RST of the connection', request: ['execute', 'heard', 'rst'] },
  'fin-before-head': { says: 'executes the request, then FIN of the connection', request: ['execute', 'heard', 'fin'] },
  'cancel-mid-body': cuts({ reset: 'CANCEL' }, false, 'RST_STREAM CANCEL'),
  'cancel-mid-body-with-length': cuts({ reset: 'CANCEL' }, true, 'RST_STREAM CANCEL'),
  'no-error-mid-body': cuts({ reset: 'NO_ERROR' }, false, 'RST_STREAM NO_ERROR'),
  'no-error-mid-body-with-length': cuts({ reset: 'NO_ERROR' }, true, 'RST_STREAM NO_ERROR'),
  'internal-error-mid-body': cuts({ reset: 'INTERNAL_ERROR' }, false, 'RST_STREAM INTERNAL_ERROR'),
  'protocol-error-mid-body': cuts({ reset: 'PROTOCOL_ERROR' }, false, 'RST_STREAM PROTOCOL_ERROR'),
  'refused-stream-mid-body': cuts({ reset: 'REFUSED_STREAM' }, false, 'RST_STREAM REFUSED_STREAM, which it may not'),
  'rst-mid-body': cuts('rst', false, 'RST of the connection'),
  'rst-mid-body-with-length': cuts('rst', true, 'RST of the connection'),
  'fin-mid-body': cuts('fin', false, 'FIN of the connection'),
  'fin-mid-body-with-length': cuts('fin', true, 'FIN of the connection'),
  'stall-mid-body': { says: 'sends 400 of 1000 bytes, then nothing', request: [half(true), 'stall'] },
  'short-body': {
    says: 'announces 1000 bytes, sends 400 and ends the stream as if that were all',
    request: [{ respond: { body: { bytes: 1000 }, cut: 400, end: true } }],
  },
} as const satisfies Record<string, H2Misdeed>

/** The name of a ready-made misdeed of an HTTP/2 server. */
export type H2MisdeedName = keyof typeof h2Misdeeds
