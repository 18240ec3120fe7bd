/** The answer to CONNECT, however it is cut into pieces: the same bytes come to the same end, and nothing is left behind. */

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openTunnel, TunnelError } from '../../src/wire/connect-tunnel.js'

interface Told {
  readonly end: 'made' | 'failed' | 'waits'
  readonly status?: number | undefined
  /** What was written to the proxy. */
  readonly asked: string
  readonly listeners: number
  /** What the tunnel's user will read. */
  readonly left: string
}

/** Lets a proxy say these pieces, one a turn, and then end the connection or not. */
async function hear(pieces: readonly string[], ends: boolean): Promise<Told> {
  let asked = ''
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      asked += chunk.toString('latin1')
      done()
    },
  })
  const outcomes: (Error | undefined)[] = []
  openTunnel(socket as Socket, { authority: 'origin.test:443', headers: [['x-a', 'b']] }, (error) =>
    outcomes.push(error),
  )
  for (const piece of pieces) {
    socket.push(Buffer.from(piece, 'latin1'))
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (ends) socket.push(null)
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(outcomes.length).toBeLessThanOrEqual(1)
  const [error] = outcomes
  const end = outcomes.length === 0 ? 'waits' : error === undefined ? 'made' : 'failed'
  if (error !== undefined) expect(error).toBeInstanceOf(TunnelError)
  const left = end === 'made' ? String((socket.read() as Buffer | null) ?? '') : ''
  const listeners = socket.listenerCount('readable') + socket.listenerCount('end')
  const status = error instanceof TunnelError ? error.statusCode : undefined
  socket.destroy()
  return { end, status, asked, listeners, left }
}

/** Cuts a text in random places. */
const cuts = (text: string, at: readonly number[]) => {
  const places = [...new Set(at.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => text.slice(from, places[index])).filter((piece) => piece !== '')
}

const newline = fc.constantFrom('\r\n', '\n')
const head = (status: fc.Arbitrary<number>) =>
  fc
    .tuple(
      fc.constantFrom('HTTP/1.1', 'HTTP/1.0'),
      status,
      fc.constantFrom('', ' OK', ' No\tthing'),
      newline,
      fc.array(fc.constantFrom('a: b', 'Content-Length: 5', 'x:')),
    )
    .map(([version, code, reason, end, fields]) => [`${version} ${code}${reason}`, ...fields, '', ''].join(end))
const interim = head(fc.constantFrom(100, 102, 103))
const answers = fc.tuple(fc.array(interim, { maxLength: 3 }), head(fc.integer({ min: 200, max: 599 })))

describe('an answer', () => {
  test('is the same in any pieces: a tunnel for 2xx, its status for everything else', async () => {
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.boolean(),
        async ([before, final], at, ends) => {
          const told = await hear(cuts(before.join('') + final, at), ends)
          const status = Number(final.split(' ')[1]?.slice(0, 3))
          expect(told).toMatchObject({ end: status < 300 ? 'made' : 'failed', listeners: 0, left: '' })
          expect(told.status).toBe(status < 300 ? undefined : status)
          expect(told.asked).toBe('CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\nx-a: b\r\n\r\n')
        },
      ),
    )
  })

  test('that is not complete is waited for, and has failed when the connection ends', async () => {
    await fc.assert(
      fc.asyncProperty(answers, fc.nat(), fc.boolean(), async ([before, final], at, ends) => {
        const text = before.join('') + final
        // A bare line feed may end a head one byte earlier than it seems.
        const part = text.slice(0, Math.min(at % text.length, text.length - 2))
        fc.pre(before.join('').length + final.trimEnd().length >= part.length)
        const told = await hear(cuts(part, [at]), ends)
        expect(told.end).toBe(ends ? 'failed' : 'waits')
      }),
    )
  })

  test('that is anything else fails, or is waited for no further than 16 KiB', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: 'binary-ascii' }), async (noise) => {
        const told = await hear([noise, `${'x'.repeat(20_000)}`], false)
        expect(told).toMatchObject({ end: 'failed', listeners: 0 })
      }),
    )
  })

  test("what comes with it is refused, what comes after it is the user's", async () => {
    expect(await hear(['HTTP/1.1 200 OK\r\n\r\nmore'], false)).toMatchObject({ end: 'failed', status: undefined })
    expect(await hear(['HTTP/1.1 200 OK\r\n\r\n', 'more'], false)).toMatchObject({ end: 'made', left: 'more' })
  })
})
