import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type AnsweredRequest, composeAnswer } from '../../src/testing/answer.js'
import type { Answer } from '../../src/testing/rude-server.js'

function bytes(answer: Answer, request: AnsweredRequest = { method: 'GET' }): string {
  return Buffer.concat(composeAnswer(answer, request).pieces).toString('latin1')
}

describe('an answer in bytes', () => {
  test.each([
    { answer: {}, text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n' },
    { answer: { status: 299 }, text: 'HTTP/1.1 299 Unknown\r\ncontent-length: 0\r\n\r\n' },
    { answer: { reason: 'Fine', body: 'é' }, text: 'HTTP/1.1 200 Fine\r\ncontent-length: 2\r\n\r\n\xc3\xa9' },
    {
      answer: { headers: { a: ['1', '2'], b: 3 } },
      text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\na: 1\r\na: 2\r\nb: 3\r\n\r\n',
    },
    {
      answer: { body: 'hi', headers: { 'Content-Length': 9 } },
      text: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi',
    },
    {
      answer: { body: 'hi', headers: { 'transfer-encoding': 'gzip, chunked' } },
      text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\nhi',
    },
    { answer: { framing: 'chunked' }, text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n' },
    {
      answer: { framing: 'chunked', body: 'hello' },
      text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    },
    {
      answer: { framing: 'chunked', body: 'hello', cut: { body: 5 } },
      text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
    },
    { answer: { framing: 'close', body: 'hi' }, text: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi' },
    { answer: { status: 204, body: 'hi' }, text: 'HTTP/1.1 204 No Content\r\n\r\n' },
    { answer: { body: 'hi', cut: { head: 8 } }, text: 'HTTP/1.1' },
    { answer: { body: 'hi', cut: { body: 0 } }, text: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n' },
    { answer: { retryAfter: 0 }, text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nretry-after: 0\r\n\r\n' },
    { answer: { retryAfter: 'soon' }, text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nretry-after: soon\r\n\r\n' },
    {
      answer: { retryAfter: new Date(0) },
      text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nretry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n',
    },
  ] as { answer: Answer; text: string }[])('$answer', ({ answer, text }) => {
    expect(bytes(answer)).toBe(text)
  })

  test('a date in so many seconds is counted from the moment of the answer', () => {
    vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) })
    expect(bytes({ retryAfter: { dateInSeconds: 90 } })).toContain('retry-after: Tue, 01 Jan 2030 00:01:30 GMT\r\n')
    vi.useRealTimers()
  })

  test('HEAD gets the head of the answer to GET, and no body', () => {
    for (const framing of ['length', 'chunked', 'close'] as const) {
      const answer = { body: 'hello', framing }
      const head = bytes(answer).split('\r\n\r\n')[0]
      expect(bytes(answer, { method: 'HEAD' })).toBe(`${head}\r\n\r\n`)
    }
  })

  test.each([
    { answer: {}, request: {}, close: false },
    { answer: {}, request: { close: true }, close: true },
    { answer: { close: false }, request: { close: true }, close: false },
    { answer: { close: true }, request: {}, close: true },
    { answer: { framing: 'close' }, request: {}, close: true },
    { answer: { close: true, cut: { body: 1 } }, request: {}, close: false },
  ] as { answer: Answer; request: AnsweredRequest; close: boolean }[])(
    'closes after $answer to $request: $close',
    ({ answer, request, close }) => {
      const composed = composeAnswer(answer, request)
      expect(composed.close).toBe(close)
      if (!answer.cut) expect(bytes(answer, request).includes('connection: close')).toBe(close)
    },
  )

  test('cut after n bytes of the body: exactly n of them are sent, in any framing and any pieces', () => {
    const framing = fc.constantFrom('length' as const, 'chunked' as const, 'close' as const)
    fc.assert(
      fc.property(framing, fc.nat(500), fc.nat(600), fc.integer({ min: 1, max: 200 }), (framed, size, cut, piece) => {
        const answer = {
          framing: framed,
          body: { bytes: size },
          cut: { body: cut },
          drip: { bytes: piece, everyMs: 1 },
        }
        const composed = composeAnswer(answer, {})
        const body = Buffer.concat(composed.pieces.slice(1)).toString('latin1')
        const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(20).slice(0, Math.min(size, cut))
        expect(framed === 'chunked' ? unchunk(body) : body).toBe(letters)
        expect(composed).toMatchObject({ complete: false, close: false, everyMs: 1 })
      }),
    )
  })

  test('dripping changes the pieces, not the bytes', () => {
    const whole = { body: { bytes: 100 } }
    const composed = composeAnswer({ ...whole, drip: { bytes: 7, everyMs: 3 } }, {})
    expect(Buffer.concat(composed.pieces).toString()).toBe(bytes(whole))
    expect(composed.pieces).toHaveLength(1 + Math.ceil(100 / 7))
    expect(composeAnswer(whole, {}).pieces).toHaveLength(1)
  })
})

/** The payload of chunks, the last of which may be cut. */
function unchunk(text: string): string {
  let payload = ''
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, end), 16)
    payload += text.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
  return payload
}
