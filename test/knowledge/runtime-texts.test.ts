/** What Deno 2.9.6 and Bun 1.4.5 said, word for word, of failures over real sockets. */

import { classify } from 'offhook'
import { describe, expect, test } from 'vitest'
import { runtimeTextRows } from '../../src/knowledge/runtime-texts.js'

const deno = (message: string) => new TypeError('fetch failed', { cause: new Error(message) })
const bun = (code: string, message: string) => Object.assign(new TypeError(message), { code })

const seen: readonly (readonly [name: string, error: Error, kind: string, phase: string])[] = [
  [
    'Deno: refused',
    deno(
      'error sending request for url (http://127.0.0.1:35842/): client error (Connect): tcp connect error: Connection refused (os error 111)',
    ),
    'refused',
    'connect',
  ],
  [
    'Deno: no such name',
    deno(
      'error sending request for url (http://no-such-name.invalid/): client error (Connect): dns error: failed to lookup address information: Name or service not known',
    ),
    'dns',
    'dns',
  ],
  ['Deno: reset', deno('Connection reset by peer (os error 104)'), 'reset', 'wait'],
  [
    'Deno: closed',
    deno(
      'error sending request from 127.0.0.1:48140 for http://127.0.0.1:45797/a (127.0.0.1:45797): client error (SendRequest): connection closed before message completed',
    ),
    'closed',
    'wait',
  ],
  [
    'Deno: no HTTP',
    deno(
      'error sending request from 127.0.0.1:48152 for http://127.0.0.1:45797/b (127.0.0.1:45797): client error (SendRequest): invalid HTTP version parsed',
    ),
    'protocol',
    'head',
  ],
  [
    'Bun: closed or reset, nobody knows',
    bun(
      'ECONNRESET',
      'ECONNRESET: The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()',
    ),
    'closed',
    'wait',
  ],
  [
    'Bun: no HTTP',
    bun('Malformed_HTTP_Response', 'Malformed_HTTP_Response fetching "http://127.0.0.1:36279/garbage".'),
    'protocol',
    'head',
  ],
]

describe('the words of other runtimes', () => {
  test.each(seen)('%s', (_name, error, kind, phase) => {
    const failure = classify(error)
    expect(failure).toMatchObject({ kind, phase })
    expect(failure.delivery, 'a redirect may have been followed before').not.toBe('unsent')
  })

  test('each row reads one of them', () => {
    const words = seen.map(([, error]) => (error.cause as Error | undefined)?.message ?? error.message)
    for (const { text } of runtimeTextRows) expect(words.some((word) => text.test(word))).toBe(true)
  })
})
