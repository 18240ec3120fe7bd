import { describe, expect, test } from 'vitest'
import { checkScript } from '../../src/testing/check-script.js'

const ACTS = ['rst', 'fin', 'bare-fin', 'half-close', 'close', 'pause', 'stall', 'deaf', 'execute']

describe('a script is checked before it is taken', () => {
  test.each([
    { given: 'rst', message: "script must be a script, a list of steps, turns or a function, got 'rst'" },
    { given: null, message: 'script must be a script, a list of steps, turns or a function, got null' },
    { given: { requests: [] }, message: /^script: key must be says, certificate, accept, .*, got 'requests'$/ },
    { given: { request: 'rst' }, message: "script: request must be a list of steps, got 'rst'" },
    { given: { certificate: 'bad' }, message: /^script: certificate must be 'good', 'expired', .*, got 'bad'$/ },
    {
      given: ['explode'],
      message: /^script: request\[0\] must be one of 'rst', .* or an object with read, .*, got 'explode'$/,
    },
    { given: ['rst', { wirte: 'x' }], message: /^script: request\[1\] must be one of .*, got \{ wirte: 'x' \}$/ },
    { given: [7], message: /^script: request\[0\] must be one of .*, got 7$/ },
    { given: [null], message: /^script: request\[0\] must be one of .*, got null$/ },
    { given: ['constructor'], message: /must be one of/ },
    { given: [{ toString: 1 }], message: /must be one of/ },
    {
      given: [{ read: 0 }],
      message: "script: request[0].read must be a number of bytes from 1, 'head' or 'request', got 0",
    },
    { given: [{ read: 'body' }], message: /request\[0\]\.read must be .*, got 'body'/ },
    { given: [{ wait: -1 }], message: 'script: request[0].wait must be an integer from 0 to 2147483647, got -1' },
    { given: [{ wait: 2 ** 31 }], message: /wait must be an integer from 0 to 2147483647, got 2147483648/ },
    {
      given: [{ write: '€' }],
      message: /write must be a text whose characters are bytes \(U\+0000 to U\+00FF\), got '€'/,
    },
    { given: [{ write: 'x', times: 1.5 }], message: /request\[0\]\.times must be an integer from 0, got 1.5/ },
    {
      given: [{ write: 'x', every: 5 }],
      message: "script: request[0]: key must be write, times, everyMs, got 'every'",
    },
    { given: [{ inform: 101 }], message: /inform must be 100, 102, 103, got 101/ },
    { given: [{ inform: 103, headers: { a: 'b\r\nc: d' } }], message: /headers must be an object of header names/ },
    { given: [{ served: '1' }], message: /served must be an integer from 0, got '1'/ },
    { given: { clientHello: [{ alert: 'oops' }] }, message: /alert must be 'handshake_failure', .*, got 'oops'/ },
    { given: [{ respond: 503 }], message: 'script: request[0].respond must be an answer, got 503' },
    { given: [{ respond: { code: 503 } }], message: /request\[0\]\.respond: key must be status, .*, got 'code'/ },
    { given: [{ respond: { status: 99 } }], message: /respond\.status must be an integer from 200 to 999, got 99/ },
    { given: [{ respond: { reason: 'a\nb' } }], message: /respond\.reason must be a text without line breaks/ },
    { given: [{ respond: { headers: { 'a b': 'c' } } }], message: /respond\.headers must be/ },
    { given: [{ respond: { body: 5 } }], message: /respond\.body must be a text or \{ bytes \}, got 5/ },
    { given: [{ respond: { body: { bytes: -5 } } }], message: /respond\.body must be/ },
    { given: [{ respond: { framing: 'gzip' } }], message: /framing must be 'length', 'chunked', 'close', got 'gzip'/ },
    { given: [{ respond: { retryAfter: {} } }], message: /retryAfter must be a number of seconds, a Date/ },
    { given: [{ respond: { close: 'yes' } }], message: /close must be true, false, got 'yes'/ },
    {
      given: [{ respond: { cut: { head: 1, body: 1 } } }],
      message: /cut must be \{ head: bytes \} or \{ body: bytes \}/,
    },
    {
      given: [{ respond: { drip: { bytes: 0, everyMs: 1 } } }],
      message: /drip must be \{ bytes, everyMs \}, at least one byte/,
    },
  ])('$message', ({ given, message }) => {
    expect(() => checkScript(given, true, 'script')).toThrow(TypeError)
    expect(() => checkScript(given, true, 'script')).toThrow(message)
  })

  const STAGES = ['accept', 'clientHello', 'open', 'request', 'idle'] as const
  const STEPS: [name: string, step: unknown, stages: readonly string[]][] = [
    ...['rst', 'fin', 'bare-fin', 'close', 'deaf'].map(
      (act) => [act, act, STAGES] as [string, unknown, readonly string[]],
    ),
    ['half-close', 'half-close', ['open', 'request', 'idle']],
    ['pause', 'pause', ['open', 'request', 'idle']],
    ['stall', 'stall', ['accept', 'clientHello', 'open', 'request']],
    ['execute', 'execute', ['request']],
    ['read', { read: 'head' }, ['request']],
    ['respond', { respond: {} }, ['open', 'request', 'idle']],
    ['inform', { inform: 100 }, ['request']],
    ['write', { write: 'x' }, STAGES],
    ['wait', { wait: 1 }, STAGES],
    ['served', { served: 1 }, ['request', 'idle']],
    ['alert', { alert: 'internal_error' }, ['clientHello']],
  ]
  const cells = STEPS.flatMap(([name, step, stages]) =>
    STAGES.map((stage) => ({ name, stage, step, fits: stages.includes(stage) })),
  )

  test.each(cells)('$name in $stage: $fits', ({ name, stage, step, fits }) => {
    const check = () => checkScript({ [stage]: [step] }, true, 'script')
    if (fits) expect(check).not.toThrow()
    else expect(check).toThrow(new RegExp(`^script: ${stage}\\[0\\]: ${name} is for .*, not for ${stage}$`))
  })

  test('the table above knows every act', () => {
    expect(
      STEPS.map(([name]) => name)
        .filter((name) => ACTS.includes(name))
        .sort(),
    ).toEqual([...ACTS].sort())
  })

  test('a bare list of steps is the stage request, and undefined values are as good as absent', () => {
    expect(checkScript(['rst'], false, 'script')).toEqual({ request: ['rst'] })
    expect(() =>
      checkScript({ clientHello: undefined, request: [{ respond: { status: undefined } }] }, false, 'x'),
    ).not.toThrow()
  })
})
