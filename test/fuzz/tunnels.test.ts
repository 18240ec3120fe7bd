/** Whatever a proxy answers, in whatever pieces: a tunnel is made only by the right words, and each asking ends once. */

import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openTunnel, TunnelError } from '../../src/wire/connect-tunnel.js'
import { openSocksTunnel } from '../../src/wire/socks-tunnel.js'
import { nearly, patienceMs, tries } from './runs.js'

/** A socket that reads what the proxy says, and swallows what it is told. */
function socketThatHears(): { readonly socket: Socket; readonly proxy: PassThrough } {
  const proxy = new PassThrough()
  const socket = Object.assign(proxy, {})
  const write = PassThrough.prototype.write.bind(proxy)
  const hears = new Proxy(socket, {
    get: (target, name) => {
      if (name === 'write') return () => true
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { socket: hears as unknown as Socket, proxy: Object.assign(proxy, { write }) }
}

/** Says it in pieces of these lengths, then ends; how often and how it was told. */
async function spoken(
  open: (socket: Socket, done: (error?: Error) => void) => void,
  answer: Buffer,
  cuts: readonly number[],
): Promise<(Error | undefined)[]> {
  const { socket, proxy } = socketThatHears()
  const told: (Error | undefined)[] = []
  open(socket, (error) => told.push(error))
  let at = 0
  for (const cut of cuts) {
    if (told.length > 0 || at >= answer.length) break
    proxy.write(answer.subarray(at, at + cut))
    at += cut
    await new Promise(setImmediate)
  }
  if (told.length === 0 && at < answer.length) proxy.write(answer.subarray(at))
  await new Promise(setImmediate)
  // A tunnel that stands is read by others from here on.
  if (told.length === 0) proxy.end()
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  proxy.destroy()
  return told
}

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 })
const head = nearly([
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 407 No\r\n\r\n',
  'HTTP/1.1 100 \r\n\r\n',
  'HTTP/1.',
  '\r\n\r\n',
  '200',
])

test(
  'CONNECT',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(head, fc.constant('HTTP/1.0 204 Fine\r\nA: b\r\n\r\n')), pieces, async (text, cuts) => {
        const open = (socket: Socket, done: (error?: Error) => void) =>
          openTunnel(socket, { authority: 'a.example:443', headers: [] }, done)
        const told = await spoken(open, Buffer.from(text, 'latin1'), cuts)
        expect(told).toHaveLength(1)
        const [error] = told
        if (error === undefined) expect(text).toMatch(/^HTTP\/1\.[01] [12]\d\d[ \r\n]/)
        else expect(error).toBeInstanceOf(TunnelError)
      }),
      tries(150),
    )
  },
  patienceMs,
)

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(
      fc.constantFrom(0, 2, 255),
      fc.constantFrom([], [1, 0], [1, 1]),
      fc.nat(9),
      fc.constantFrom(1, 3, 4, 9),
      fc.uint8Array({ maxLength: 20 }),
    )
    .map(([method, login, reply, type, rest]) => Uint8Array.from([5, method, ...login, 5, reply, 0, type, ...rest])),
)

test(
  'SOCKS',
  async () => {
    await fc.assert(
      fc.asyncProperty(bytes, pieces, fc.boolean(), async (answer, cuts, named) => {
        const login = named ? (['user', 'hunter2'] as const) : undefined
        const open = (socket: Socket, done: (error?: Error) => void) =>
          openSocksTunnel(socket, { host: 'a.example', port: 443, login }, done)
        const told = await spoken(open, Buffer.from(answer), cuts)
        expect(told).toHaveLength(1)
        const [error] = told
        if (error !== undefined) {
          expect(error).toBeInstanceOf(TunnelError)
          expect(error.message).not.toContain('hunter2')
          return
        }
        const reply = answer[1] === 2 ? 4 : 2
        expect([answer[0], answer[reply], answer[reply + 1]]).toEqual([5, 5, 0])
        if (!named) expect(answer[1]).toBe(0)
      }),
      tries(300),
    )
  },
  patienceMs,
)
