/** What the headers of an answer say of who is on the way. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AnswerMarks, answerMarks, keepAlive } from '../../src/wire/answer-marks.js'
import { recordReader } from '../../src/wire/handler-shapes.js'

const rows: [headers: Record<string, string>, marks: AnswerMarks | undefined][] = [
  [{}, undefined],
  [{ 'content-type': 'text/plain', 'set-cookie': 'secret=1' }, undefined],
  [{ server: 'nginx/1.25.3' }, { server: 'nginx/1.25.3' }],
  [
    { server: 'cloudflare', 'cf-ray': '85f-AMS' },
    { server: 'cloudflare', marks: ['cf-ray'] },
  ],
  [
    { server: 'awselb/2.0', 'x-amzn-trace-id': 'Root=1-67' },
    { server: 'awselb/2.0', marks: ['x-amzn-trace-id'] },
  ],
  [
    { via: '1.1 google', 'x-envoy-upstream-service-time': '3' },
    { via: '1.1 google', marks: ['x-envoy-upstream-service-time'] },
  ],
  [{ 'keep-alive': 'timeout=5, max=99' }, { keepAliveMs: 5_000, keepAliveMax: 99 }],
  [{ 'keep-alive': 'timeout="65"' }, { keepAliveMs: 65_000 }],
  [{ 'keep-alive': 'timeout=soon' }, undefined],
  [{ connection: 'close' }, { connectionClose: true }],
  [{ connection: 'keep-alive' }, undefined],
  [{ connection: 'Upgrade, Close' }, { connectionClose: true }],
  [{ server: `${'x'.repeat(200)}` }, { server: 'x'.repeat(80) }],
  [{ server: ' \u001b[31mred\u0007 ' }, { server: '[31mred' }],
  [{ server: '\u0000' }, undefined],
]

test.each(rows)('%j', (headers, marks) => {
  expect(answerMarks(recordReader(headers))).toEqual(marks)
})

test('no value of another header is kept, and nothing long', () => {
  const name = fc.oneof(fc.constantFrom('server', 'via', 'keep-alive', 'connection', 'cf-ray', 'x-cache'), fc.string())
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (headers) => {
      const told = JSON.stringify(answerMarks(recordReader(headers)) ?? {})
      expect(told.length).toBeLessThan(1_000)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(told).not.toMatch(/[\x00-\x1f\x7f-\uffff]/)
      const hidden = answerMarks(recordReader({ ...headers, 'cf-ray': 'a-secret', 'x-other': 'a-secret' }))
      expect(JSON.stringify(hidden)).not.toContain('a-secret')
    }),
  )
})

test('no hint, no number', () => {
  expect(keepAlive(undefined)).toBeUndefined()
  expect(keepAlive('timeout=99999999999')).toEqual({ timeoutMs: 999_999_999_000 })
  expect(keepAlive('')).toEqual({})
})
