import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestParser, UnreadableRequest } from '../../src/testing/request-parser.js'

const LIMITS = { headBytes: 1000, bodyBytes: 5000 }

/** Feeds the pieces as the server does: what a push did not take comes again in front of the next piece. */
function parse(pieces: readonly Buffer[], limits = LIMITS) {
  const hash = createHash('sha256')
  let bytes = 0
  const parser = new RequestParser(limits, (payload) => {
    hash.update(payload)
    bytes += payload.length
  })
  let rest = Buffer.alloc(0)
  for (const piece of pieces) {
    rest = Buffer.concat([rest, piece])
    while (rest.length > 0 && !parser.complete) rest = rest.subarray(parser.push(rest))
  }
  return {
    head: parser.head,
    complete: parser.complete,
    bytes,
    digest: hash.digest('hex'),
    rest: rest.toString('latin1'),
  }
}

/** The bytes cut at the given places. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const places = fc.array(fc.nat(2000), { maxLength: 12 })

/** A body in chunks, with an extension here and there. */
function chunked(bytes: Buffer, cuts: readonly number[]): Buffer {
  const chunks = cutAt(bytes, cuts).filter((chunk) => chunk.length > 0)
  const parts = chunks.map((chunk, at) => {
    const extension = at % 2 === 0 ? '' : ';name=value'
    return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from('\r\n')])
  })
  return Buffer.concat([...parts, Buffer.from('0\r\ntrailer: yes\r\n\r\n')])
}

describe('the request parser', () => {
  test('reads a request with a length, however it is cut, and leaves what follows', () => {
    fc.assert(
      fc.property(body, body, places, (payload, next, cuts) => {
        const head = `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${payload.length}\r\n\r\n`
        const parsed = parse(cutAt(Buffer.concat([Buffer.from(head), payload, next]), cuts))
        expect(parsed).toMatchObject({ complete: true, bytes: payload.length, rest: next.toString('latin1') })
        expect(parsed.digest).toBe(createHash('sha256').update(payload).digest('hex'))
        expect(parsed.head).toMatchObject({
          method: 'POST',
          path: '/a',
          minorVersion: 1,
          announcedBytes: payload.length,
        })
      }),
    )
  })

  test('reads a chunked request, however it is chunked and cut, and leaves what follows', () => {
    fc.assert(
      fc.property(body, places, body, places, (payload, chunks, next, cuts) => {
        const head = Buffer.from('PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n')
        const parsed = parse(cutAt(Buffer.concat([head, chunked(payload, chunks), next]), cuts))
        expect(parsed).toMatchObject({ complete: true, bytes: payload.length, rest: next.toString('latin1') })
        expect(parsed.digest).toBe(createHash('sha256').update(payload).digest('hex'))
        expect(parsed.head).not.toHaveProperty('announcedBytes')
      }),
    )
  })

  test('a request that is cut off is not complete, at any place', () => {
    const text = Buffer.from('PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
    for (let length = 0; length < text.length; length += 1) {
      expect(parse([text.subarray(0, length)])).toMatchObject({ complete: false, rest: '' })
    }
    expect(parse([text]).complete).toBe(true)
  })

  test('reads headers: lower-case names, repeated ones joined, names of Object.prototype too', () => {
    const { head } = parse([Buffer.from('GET /?q HTTP/1.0\r\nA: 1\r\na:2  \r\nConstructor: x\r\n__proto__: y\r\n\r\n')])
    expect(head?.minorVersion).toBe(0)
    expect(Object.entries(head?.headers ?? {})).toEqual([
      ['a', '1, 2'],
      ['constructor', 'x'],
      ['__proto__', 'y'],
    ])
  })

  test('a chunked body wins over a content-length', () => {
    const text = 'PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nrest'
    expect(parse([Buffer.from(text)])).toMatchObject({ complete: true, bytes: 1, rest: 'rest' })
  })

  test.each([
    { text: 'GET /\r\n\r\n', status: 400 },
    { text: 'GET / HTTP/2.0\r\n\r\n', status: 400 },
    { text: 'GET  / HTTP/1.1\r\n\r\n', status: 400 },
    { text: 'GET / HTTP/1.1\r\nno colon\r\n\r\n', status: 400 },
    { text: 'PUT / HTTP/1.1\r\ncontent-length: -1\r\n\r\n', status: 400 },
    { text: 'PUT / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', status: 400 },
    { text: 'PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', status: 400 },
    { text: 'PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx\r\n', status: 400 },
    { text: `GET / HTTP/1.1\r\nx: ${'x'.repeat(1000)}`, status: 431 },
    { text: `PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;${'x'.repeat(1000)}`, status: 431 },
    { text: 'PUT / HTTP/1.1\r\ncontent-length: 5001\r\n\r\n', status: 413 },
    { text: `PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1389\r\n${'x'.repeat(5001)}`, status: 413 },
  ])('$status for $text', ({ text, status }) => {
    const bytes = Buffer.from(text)
    for (const pieces of [[bytes], cutAt(bytes, [3, 18, 40])]) {
      expect(() => parse(pieces)).toThrow(expect.objectContaining({ status }) as UnreadableRequest)
    }
  })

  test('never fails otherwise, whatever it is fed', () => {
    const token = fc.constantFrom(
      'GET / HTTP/1.1',
      '\r\n',
      '\n',
      ':',
      'a: b',
      'transfer-encoding: chunked',
      '5',
      ';',
      '\0',
      'x',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), places, (tokens, cuts) => {
        try {
          parse(cutAt(Buffer.from(tokens.join('')), cuts))
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableRequest)
        }
      }),
    )
  })
})
