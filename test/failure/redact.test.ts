import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactLine, redactPath, redactText } from '../../src/failure/redact.js'

describe('what must not be logged is taken out', () => {
  test.each([
    ['https://user:secret@host/path?token=secret#secret=1', 'https://host/path?…'],
    ['https://user:s3cret@secret@host/', 'https://host/'],
    ['https://secret@host/', 'https://host/'],
    ['Failed to parse URL from htp:/user:secret@host', 'Failed to parse URL from htp:/host'],
    ['Invalid URL: user:secret@host:80', 'Invalid URL: host:80'],
    ['GET /orders?card=secret) failed', 'GET /orders?… failed'],
    ['"/orders?card=secret"', '"/orders?…'],
    ['/back#access_token=secret', '/back#…'],
    ['Authorization: Bearer secret.secret', 'Authorization: …'],
    ['sent Bearer secret1secret2', 'sent Bearer …'],
    ['sent basic dXNlcjpzZWNyZXQ=', 'sent basic …'],
    ['cookie: sid=secret; other=secret', 'cookie: …'],
    ['{"password":"secret"}', '{"password":…'],
    ['x-api-key = secret', 'x-api-key = …'],
    ['client_secret=secret&grant=secret', 'client_secret=…'],
  ])('%s', (text, clean) => {
    expect(redactText(text)).toBe(clean)
    expect(clean).not.toMatch(/: secret|secret\b(?!=)/)
  })

  test.each([
    'connect ECONNREFUSED 127.0.0.1:443',
    'getaddrinfo ENOTFOUND api.example.com',
    'connect ECONNREFUSED ::1:443 - Local (0.0.0.0:0)',
    'Is it up? Nobody knows.',
    'basic authentication is not supported',
    "Hostname/IP does not match certificate's altnames: Host: a.test. is not in the cert's altnames: DNS:b.test",
    'Proxy response (407) !== 200 when HTTP Tunneling',
    'https://host:8443/path',
    'issue #7 of 9',
  ])('and nothing else: %s', (text) => {
    expect(redactText(text)).toBe(text)
  })

  const part = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 })
    .filter((text) => !/[\s/?#]/.test(text))

  test('a secret in the user part, the query or the fragment of any URL', () => {
    fc.assert(
      fc.property(part, part, fc.constantFrom('', 'failed: ', '"', '(see '), (user, noise, before) => {
        const url = `${before}https://${user}:hunter2@host.test/path?${noise}=hunter2&hunter2#${noise}=hunter2`
        expect(redactText(url)).not.toContain('hunter2')
        expect(redactText(url)).toContain('host.test/path')
      }),
    )
  })

  test('what is clean stays as it is', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        expect(redactText(redactText(url))).toBe(redactText(url))
      }),
    )
  })
})

describe('a line', () => {
  test('is one line, without control characters, and no longer than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (text, length) => {
        const line = redactLine(text, length)
        expect(line.length).toBeLessThanOrEqual(length)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
      }),
    )
  })

  test('forges no other', () => {
    expect(redactLine('failed\n2026-01-01 INFO all is well\u001b[2K', 100)).toBe(
      'failed 2026-01-01 INFO all is well [2K',
    )
  })

  test('a URL that the end of what is read cuts in two goes as a whole', () => {
    for (let before = 3960; before < 4010; before++) {
      const text = `?${'q'.repeat(before)} https://user:hunter2hunter2@host/ end`
      expect(redactLine(text, 200)).not.toContain('hunter')
    }
  })
})

test.each([
  ['/a/b?c=d#e', '/a/b'],
  ['/a#b?c', '/a'],
  ['/a', '/a'],
  ['?a', ''],
  ['', ''],
])('the path of %s', (path, clean) => {
  expect(redactPath(path)).toBe(clean)
})
