/** Arbitrary errors, evidence, and things that are neither. */

import fc from 'fast-check'
import type { Evidence } from '../../src/failure/evidence.js'
import { phases } from '../../src/failure/kinds.js'
import { codeRows } from '../../src/knowledge/error-codes.js'

/** An error with a code and whatever else. */
export function coded(code: string, fields: { errno?: number; syscall?: string; message?: string } = {}): Error {
  const { message = '', ...rest } = fields
  return Object.assign(new Error(message), { code, ...rest })
}

export const anyCode = fc.oneof(
  fc.constantFrom(...codeRows.flatMap((row) => row.codes.map((code) => code.replaceAll('*', 'X')))),
  fc.constantFrom('E_MINE', '', '23505', 'a code with spaces'),
)
const anySyscall = fc.constantFrom('connect', 'read', 'write', 'getaddrinfo', 'queryA', 'open', 'recvmsg')
const anyMessage = fc.constantFrom(
  'other side closed',
  'bad response',
  'terminated',
  'fetch failed',
  'aborted',
  'Proxy response (502) !== 200 when HTTP Tunneling',
  'Stream closed with error code NGHTTP2_REFUSED_STREAM',
  'HTTP/2: "GOAWAY" frame received with code 0',
  'redirect count exceeded',
  '',
)

/** Errors as runtimes make them. */
export const anyRaw: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .record({ code: anyCode, syscall: anySyscall, errno: fc.integer(), message: anyMessage }, { requiredKeys: [] })
    .map(({ message = '', ...fields }) => Object.assign(new Error(message), fields)),
  fc.constantFrom('AbortError', 'TimeoutError', 'DataError').map((name) => new DOMException('', name)),
  anyMessage.map((message) => new TypeError(message)),
  fc.constant(undefined),
)

/** Evidence as a wire may record it: coherent, but of anything. */
export const anyEvidence: fc.Arbitrary<Evidence> = fc
  .record({
    vantage: fc.constantFrom('socket', 'dispatcher', 'none'),
    phase: fc.constantFrom(...phases),
    started: fc.boolean(),
    status: fc.option(fc.constantFrom(200, 302, 404, 503), { nil: undefined }),
    complete: fc.boolean(),
    closeDelimited: fc.boolean(),
    ending: fc.option(fc.constantFrom('rst', 'fin', 'fin-then-rst', 'local'), { nil: undefined }),
    limit: fc.option(fc.constantFrom('connect', 'attempt', 'headers', 'body', 'total'), { nil: undefined }),
  })
  .map(({ vantage, phase, started, status, complete, ending, limit, ...rest }) => {
    const seen = vantage !== 'none'
    const answered = started && status !== undefined
    return {
      ...rest,
      vantage,
      phase: answered ? 'body' : phase,
      ...(seen && { started }),
      ...(answered && { status }),
      complete: answered && complete,
      ...(seen && ending !== undefined && { ending }),
      ...(limit !== undefined && { limit, limitMs: 100 }),
    } as Evidence
  })
