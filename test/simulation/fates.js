// What can become of one request, and what the reference says about sending it again. Written from the decision table of
// the documentation, in words of its own: what the code under test decides is judged by this.

/**
 * @typedef {'idempotent' | 'keyed' | 'unsafe'} RequestClass
 * @typedef {'no' | 'free' | 'free-once' | 'free-first' | 'paid' | 'paid-once' | { readonly optIn: string, readonly manner: 'free-once' | 'paid' }} Again
 * @typedef {{ code?: string, syscall?: string, errno?: number, statusCode?: number, message?: string }} Raw
 * @typedef {{
 *   row: number,
 *   where: 'before' | 'dial' | 'reused' | 'write' | 'wait' | 'head' | 'answer' | 'silence' | 'dial-silence' | 'nested' | 'mistake',
 *   dial?: 'dns' | 'connect' | 'proxy' | 'tls',
 *   raw?: Raw,
 *   ending?: 'rst' | 'fin',
 *   processed: 'never' | 'maybe' | 'always',
 *   proved: boolean,
 *   idempotent: Again, keyed: Again, unsafe: Again,
 *   cheap?: boolean,
 * }} Fate
 */

const reset = { code: 'ECONNRESET', errno: -104, syscall: 'read' }
const closed = { code: 'UND_ERR_SOCKET', message: 'other side closed' }
/** @param {string} name */
const stream = (name) => ({
  code: 'ERR_HTTP2_STREAM_ERROR',
  message: `Stream closed with error code NGHTTP2_${name}`,
})

/** @type {{ idempotent: Again, keyed: Again, unsafe: Again }} */
const anyMethod = { idempotent: 'paid', keyed: 'paid', unsafe: 'paid' }
/** @type {{ idempotent: Again, keyed: Again, unsafe: Again }} */
const harmless = { idempotent: 'paid', keyed: 'paid', unsafe: 'no' }
/** @type {{ idempotent: Again, keyed: Again, unsafe: Again }} */
const never = { idempotent: 'no', keyed: 'no', unsafe: 'no' }
const unsent = /** @type {const} */ ({ processed: 'never', proved: true })
const heard = /** @type {const} */ ({ processed: 'maybe', proved: false })

/** Everything that is no answer. @type {Record<string, Fate>} */
export const fates = {
  'name not resolved for now': {
    row: 4,
    where: 'dial',
    dial: 'dns',
    raw: { code: 'EAI_AGAIN', errno: -3001, syscall: 'getaddrinfo' },
    ...unsent,
    ...anyMethod,
  },
  'no such name': {
    row: 5,
    where: 'dial',
    dial: 'dns',
    raw: { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo' },
    ...unsent,
    idempotent: 'paid-once',
    keyed: 'paid-once',
    unsafe: 'paid-once',
  },
  refused: {
    row: 6,
    where: 'dial',
    dial: 'connect',
    raw: { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' },
    ...unsent,
    ...anyMethod,
  },
  unreachable: {
    row: 7,
    where: 'dial',
    dial: 'connect',
    raw: { code: 'EHOSTUNREACH', errno: -113, syscall: 'connect' },
    ...unsent,
    ...anyMethod,
  },
  'a dial without an answer': { row: 7, where: 'dial-silence', dial: 'connect', ...unsent, ...anyMethod },
  'no file descriptors': {
    row: 8,
    where: 'dial',
    dial: 'connect',
    raw: { code: 'EMFILE', errno: -24, syscall: 'connect' },
    ...unsent,
    ...anyMethod,
  },
  'reset in the TLS handshake': {
    row: 9,
    where: 'dial',
    dial: 'tls',
    raw: reset,
    ending: 'rst',
    ...unsent,
    ...anyMethod,
  },
  'a certificate that is over': {
    row: 10,
    where: 'dial',
    dial: 'tls',
    raw: { code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' },
    ...unsent,
    ...never,
  },
  'a dead connection, before the request': {
    row: 13,
    where: 'reused',
    raw: reset,
    ending: 'rst',
    ...unsent,
    idempotent: 'free',
    keyed: 'free',
    unsafe: 'free',
  },
  'an old connection, after the request': {
    row: 14,
    where: 'wait',
    raw: closed,
    ending: 'fin',
    ...heard,
    idempotent: 'paid',
    keyed: 'paid',
    unsafe: { optIn: 'unsafeOnStaleConnection', manner: 'paid' },
  },
  'a new connection, after the request': { row: 15, where: 'wait', raw: reset, ending: 'rst', ...heard, ...harmless },
  'cut while writing': {
    row: 16,
    where: 'write',
    raw: { code: 'EPIPE', errno: -32, syscall: 'write' },
    ending: 'rst',
    ...heard,
    ...harmless,
  },
  silence: { row: 18, where: 'silence', ...heard, ...harmless },
  'cut in the head': {
    row: 19,
    where: 'head',
    raw: reset,
    ending: 'rst',
    processed: 'always',
    proved: false,
    ...harmless,
  },
  'not HTTP': {
    row: 20,
    where: 'head',
    raw: { code: 'HPE_INVALID_CONSTANT', message: 'Expected HTTP/' },
    ...heard,
    idempotent: { optIn: 'idempotentOnInvalidResponse', manner: 'paid' },
    keyed: 'no',
    unsafe: 'no',
  },
  'stream refused': {
    row: 24,
    where: 'wait',
    raw: stream('REFUSED_STREAM'),
    ...unsent,
    idempotent: 'free-first',
    keyed: 'free-first',
    unsafe: 'free-first',
  },
  'calm asked for': { row: 26, where: 'wait', raw: stream('ENHANCE_YOUR_CALM'), ...heard, ...harmless, cheap: true },
  'HTTP/1.1 asked for': {
    row: 27,
    where: 'wait',
    raw: stream('HTTP_1_1_REQUIRED'),
    ...heard,
    idempotent: 'free-once',
    keyed: 'free-once',
    unsafe: { optIn: 'unsafeOnHttp11Required', manner: 'free-once' },
  },
  'stream cancelled': { row: 28, where: 'wait', raw: stream('CANCEL'), ...heard, ...harmless },
  'a mistake of the caller': {
    row: 1,
    where: 'mistake',
    raw: { code: 'UND_ERR_INVALID_ARG', message: 'invalid method' },
    ...unsent,
    ...never,
  },
}

/** What an inner call has failed with: it says itself whether it has done its share. @type {Fate} */
export const nested = { row: 0, where: 'nested', processed: 'maybe', proved: false, ...harmless }

/** A reused connection and a new one differ in one cell. */
export const ofReused = 'an old connection, after the request'
export const ofFresh = 'a new connection, after the request'

/**
 * What the reference says of an answer.
 *
 * @param {number} status
 * @param {{ cls: RequestClass, reused: boolean, listed: boolean, hinted: boolean, nack: boolean }} of
 * @returns {{ row: number, again: Again, proved: boolean, cheap: boolean }}
 */
export function afterStatus(status, { cls, reused, listed, hinted, nack }) {
  const row = (/** @type {number} */ number, /** @type {Again} */ again, proved = false, cheap = false) => ({
    row: number,
    again: /** @type {Again} */ (again),
    proved,
    cheap,
  })
  const paid = cls === 'unsafe' ? 'no' : 'paid'
  switch (status) {
    case 421:
      return row(30, 'free-once', true)
    case 425:
      return row(29, listed ? 'free-once' : 'no', true)
    case 408:
      if (reused) return row(31, cls === 'unsafe' || !listed ? 'no' : 'free-once')
      return row(35, listed ? paid : 'no')
    case 429:
      if (!listed) return row(32, 'no')
      return row(32, cls === 'unsafe' ? { optIn: 'unsafeOn429', manner: 'paid' } : 'paid', false, true)
    case 503:
      if (!listed) return row(33, 'no')
      if (cls !== 'unsafe') return row(33, 'paid', false, hinted)
      return row(33, { optIn: nack ? 'nackHeader' : 'unsafeOn503', manner: 'paid' }, false, hinted)
    case 502:
    case 504:
      return row(34, listed ? paid : 'no')
    case 409:
      if (cls === 'keyed') return row(36, 'paid')
      return row(35, listed ? paid : 'no')
    case 400:
    case 422:
      return row(35, listed && cls !== 'keyed' ? paid : 'no')
    default:
      return row(35, listed ? paid : 'no')
  }
}
