/** Every misdeed that makes sense below HTTP × {TCP, TLS} × {IPv4, IPv6}, through dial and through redial. */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type AnyOffhookError, isOffhookError } from 'offhook'
import { type DialOptions, dial, redial } from 'offhook/socket'
import { type Misdeed, type MisdeedName, misdeeds, type RudeServer, rudeServer } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { tlsKnowsSix } from '../tls-to-six.js'
import { type RawExpectation, rawExpectations, type Shows } from './raw-expectations.js'

const ways = [false, true].flatMap((tls) =>
  (tls && !tlsKnowsSix ? (['127.0.0.1'] as const) : (['127.0.0.1', '::1'] as const)).map((host) => ({
    tls,
    host,
    name: `${tls ? 'TLS' : 'TCP'} to ${host}`,
  })),
)

test('at least thirty-five faults stand in the table', () => {
  expect(Object.keys(rawExpectations).length).toBeGreaterThanOrEqual(35)
})

for (const way of ways) {
  describe.concurrent(way.name, () => {
    for (const [name, expected] of Object.entries(rawExpectations) as [MisdeedName, RawExpectation][]) {
      if (misdeeds[name].over === 'tls' && !way.tls) continue
      test(`${name}: dial says what happened`, async () => {
        await using server = await rudeServer({ tls: way.tls, host: way.host, script: misdeeds[name] })
        check(await use(() => dial({ ...options(server), retry: false })), expected)
      })
      test(`${name}: redial goes on, or says why not`, async () => {
        await using server = await rudeServer({ tls: way.tls, host: way.host, script: once1(misdeeds[name]) })
        const { outcomes, error } = await stay(server)
        expect(error === undefined).toBe(expected.passes)
        for (const outcome of outcomes) check(outcome, expected)
        if (error !== undefined) check({ shows: 'dial', error }, expected)
      })
    }
  })
}

interface Outcome {
  readonly shows: Shows
  readonly error?: unknown
}

const payload = 'x'.repeat(200_000)
const request = `POST /orders HTTP/1.1\r\nhost: test\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`

function options(server: RudeServer): DialOptions {
  const { host, port, ca } = server
  return { host, port, timeout: { connect: 2500 }, random: () => 0, ...(ca !== undefined && { tls: { ca } }) }
}

/** Dials, sends a request, and reads to the end. */
async function use(open: () => Promise<Socket>): Promise<Outcome> {
  try {
    return await talk(await open())
  } catch (error) {
    return { shows: 'dial', error }
  }
}

async function talk(socket: Socket): Promise<Outcome> {
  socket.on('error', () => {})
  socket.resume()
  socket.write(request)
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return socket.errored === null ? { shows: 'end' } : { shows: 'error', error: socket.errored }
}

function check({ shows, error }: Outcome, expected: RawExpectation): void {
  expect(expected.shows).toContain(shows)
  if (shows === 'end') return
  if (!isOffhookError(error)) throw error
  expect(expected.kind).toContain(error.kind)
  expect(expected.phase).toContain(error.phase)
  expect(expected.delivery).toContain(error.delivery)
  if (shows === 'error') checkLife(error)
  else expect(error.message).toMatch(/^dial (?:tcp|tls):\/\//)
}

/** What an error of a connection that stood must know. */
function checkLife(error: AnyOffhookError): void {
  expect(error.message).toMatch(/^socket (?:tcp|tls):\/\//)
  expect(error.connection).toMatchObject({ id: expect.any(Number), remotePort: expect.any(Number), reused: false })
  expect(error.connection).not.toHaveProperty('protocol')
  expect(error.bytes?.sent).toBeGreaterThan(0)
  expect(error.timings?.connect).toBeGreaterThanOrEqual(0)
  expect(error.cause).toBeInstanceOf(Error)
  expect(error.attempts).toEqual([])
}

/** Done to the first connection alone. */
function once1(misdeed: Misdeed) {
  return { turns: [misdeed, {}], per: 'connection' } as const
}

/** What became of the first connection, where one was made, and the error that ended the loop, if one did. */
async function stay(server: RudeServer): Promise<{ outcomes: Outcome[]; error: unknown }> {
  const outcomes: Outcome[] = []
  try {
    for await (const socket of redial({ ...options(server), retry: { attempts: 3 } })) {
      if (server.connections.accepted > 1) {
        socket.on('error', () => {})
        socket.write(request)
        expect(String(await once(socket, 'data'))).toContain('200 OK')
        break
      }
      outcomes.push(await talk(socket))
    }
    return { outcomes, error: undefined }
  } catch (error) {
    return { outcomes, error }
  }
}
