/** Which error was nearest to the operating system, and what it says. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RawErrorFacts } from '../../src/failure/circumstances.js'
import { alertOf, rawErrorFacts } from '../../src/wire/raw-error.js'

function made(message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), fields)
}

const reset = made('read ECONNRESET', { code: 'ECONNRESET', errno: -104, syscall: 'read' })
const refused = made('connect ECONNREFUSED 127.0.0.1:1', {
  code: 'ECONNREFUSED',
  errno: -111,
  syscall: 'connect',
  address: '127.0.0.1',
  port: 1,
})
const saysRefused = { code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port: 1 }

const circle = made('circle', { code: 'A' })
circle.cause = made('inner', { code: 'B', cause: circle })

const rows: [what: string, error: unknown, facts: RawErrorFacts | undefined][] = [
  ['a reset', reset, { code: 'ECONNRESET', errno: -104, syscall: 'read' }],
  ['a FIN that Node calls a reset', made('socket hang up', { code: 'ECONNRESET' }), { code: 'ECONNRESET' }],
  ['a wrapper of fetch', new TypeError('fetch failed', { cause: refused }), saysRefused],
  [
    'a wrapper with a code of its own',
    made('x', { code: 'UND_ERR_SOCKET', cause: reset }),
    { code: 'ECONNRESET', errno: -104, syscall: 'read' },
  ],
  ['a wrapper of nothing', made('other side closed', { code: 'UND_ERR_SOCKET' }), { code: 'UND_ERR_SOCKET' }],
  [
    'an aggregate: the last address',
    new AggregateError([made('a', { code: 'ETIMEDOUT', syscall: 'connect' }), refused]),
    saysRefused,
  ],
  [
    'connect(2) that failed here',
    made('connect ENETUNREACH 8.8.8.8:80 - Local (0.0.0.0:0)', {
      code: 'ENETUNREACH',
      errno: -101,
      syscall: 'connect',
      address: '8.8.8.8',
      port: 80,
    }),
    { code: 'ENETUNREACH', errno: -101, syscall: 'connect', address: '8.8.8.8', port: 80, localSuffix: true },
  ],
  ['a circle', circle, { code: 'A' }],
  ['a code that is a text', made('x', { code: 'see https://example.com/?token=1' }), {}],
  ['no code', new Error('boom'), undefined],
  ['no error', undefined, undefined],
  ['a string', 'ECONNRESET', undefined],
  [
    'fields that cannot be',
    made('x', { code: 'X', errno: 'one', port: 1.5, address: 'a b', syscall: 7 }),
    { code: 'X' },
  ],
]

test.each(rows)('%s', (_, error, facts) => {
  expect(rawErrorFacts(error)).toEqual(facts)
})

describe('the name of an alert', () => {
  const alerts: [code: string, message: string, name: string | undefined][] = [
    [
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      'error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../deps/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number 40',
      'handshake failure',
    ],
    [
      'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
      'error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../x.c:1:SSL alert number 40',
      'handshake failure',
    ],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', 'certificate required'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no words', 'protocol version'],
    [
      'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
      'C0BC:error:0A000458:SSL routines:ssl3_read_bytes:tlsv1 unrecognized name:../deps/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number 112',
      'unrecognized name',
    ],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', '', 'unrecognized name'],
    ['ERR_SSL_TLSV1_UNSUPPORTED_EXTENSION', '', 'unsupported extension'],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:1:',
      undefined,
    ],
    ['ECONNRESET', 'read ECONNRESET', undefined],
  ]
  test.each(alerts)('%s', (code, message, name) => {
    expect(alertOf(made(message, { code }))).toBe(name)
    expect(alertOf(new TypeError('fetch failed', { cause: made(message, { code }) }))).toBe(name)
  })
})

test('nothing that is thrown makes them fail', () => {
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no')
      },
    },
  )
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  const odd = [trap, proxy, { errors: proxy }, { errors: { length: 1e300 } }, { errors: 'text', cause: trap }]
  // fast-check itself would look into them.
  const anything = fc.oneof(
    fc.anything(),
    fc.nat({ max: odd.length - 1 }).map((index) => ({ cause: odd[index] })),
  )
  fc.assert(
    fc.property(
      anything,
      fc.dictionary(fc.constantFrom('cause', 'errors', 'code', 'message', 'errno'), anything),
      (one, fields) => {
        for (const error of [one, fields, Object.assign(new Error('x'), { cause: fields })]) {
          const facts = rawErrorFacts(error)
          expect(JSON.stringify(facts ?? {}).length).toBeLessThan(500)
          expect(alertOf(error)?.length ?? 0).toBeLessThan(100)
        }
      },
    ),
  )
})
