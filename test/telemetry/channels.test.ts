/** What is told on the diagnostics channels: every start has an end or an error, in the right order, without a secret. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  type AttemptEvent,
  type CallEvent,
  type Client,
  type ConnectionEvent,
  createClient,
  type DecisionEvent,
} from 'offhook'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failTimes, misdeeds, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'

type Heard =
  | { readonly channel: 'call'; readonly message: CallEvent }
  | { readonly channel: 'attempt'; readonly message: AttemptEvent }
  | { readonly channel: 'decision'; readonly message: DecisionEvent }
  | { readonly channel: 'connection'; readonly message: ConnectionEvent }

const names = ['call', 'attempt', 'decision', 'connection'] as const

let heard: Heard[] = []
let server: RudeServer
let client: Client
const ears = names.map((channel) => ({
  name: `offhook:${channel}`,
  hear: (message: unknown) => void heard.push({ channel, message } as Heard),
}))

beforeEach(async () => {
  heard = []
  server = await rudeServer()
  client = createClient({ random: () => 0, timeout: { headers: 300, body: 300 } })
  for (const { name, hear } of ears) subscribe(name, hear)
})

afterEach(async () => {
  for (const { name, hear } of ears) unsubscribe(name, hear)
  await client.destroy()
  await server.close()
})

const story = () =>
  heard
    .filter(({ channel }) => channel !== 'connection')
    .map(({ channel, message }) => `${channel} ${'event' in message ? message.event : 'made'}`)

async function run(init: { method?: string; body?: string } = {}): Promise<void> {
  const url = `${server.url}/orders?token=SECRET`
  const headers = { authorization: 'Bearer SECRET', 'x-request-id': 'it' }
  await client.fetch(url, { ...init, headers }).then(
    (response) => response.text().catch(() => {}),
    () => {},
  )
}

describe('the story of a call', () => {
  test('that goes well', async () => {
    await run()
    expect(story()).toEqual(['call start', 'attempt start', 'attempt end', 'call end'])
  })

  test('that goes well the second time', async () => {
    server.on(failTimes(1, misdeeds['reset-after-request']))
    await run()
    const again = ['attempt start', 'attempt error', 'decision made', 'attempt start', 'attempt end']
    expect(story()).toEqual(['call start', ...again, 'call end'])
    const decision = heard.find(({ channel }) => channel === 'decision')?.message
    expect(decision).toMatchObject({ number: 1, decision: { retry: true, charged: true, row: 15 } })
  })

  test('that is answered with an error status', async () => {
    server.on(misdeeds['status-500'])
    await run({ method: 'POST', body: 'x' })
    expect(story()).toEqual(['call start', 'attempt start', 'attempt end', 'decision made', 'call end'])
  })

  test('that fails', async () => {
    server.on(misdeeds['reset-after-request'])
    await run({ method: 'POST', body: 'x' })
    expect(story()).toEqual(['call start', 'attempt start', 'attempt error', 'decision made', 'call error'])
    const last = heard.filter(({ channel }) => channel === 'call').at(-1)?.message
    expect(last).toMatchObject({ event: 'error', attempts: 1, afterEnd: false, error: { kind: 'reset' } })
  })

  test('whose body is cut after its head was handed over', async () => {
    server.on(misdeeds['stall-mid-body-content-length'])
    await run()
    expect(story()).toEqual(['call start', 'attempt start', 'attempt end', 'call end', 'call error'])
    expect(heard.filter(({ channel }) => channel === 'call').at(-1)?.message).toMatchObject({ afterEnd: true })
  })
})

test('every misdeed: each call and attempt that starts ends once, and nothing secret is told', async () => {
  const quick = Object.entries(misdeeds).filter(
    ([name, { over }]) => over !== 'tls' && !/endless|retry-after|idle/.test(name),
  )
  for (const [, misdeed] of quick) {
    server.on(misdeed)
    await run()
    await run({ method: 'POST', body: 'x' })
  }
  const open = new Map<string, number>()
  for (const { channel, message } of heard) {
    if (channel !== 'call' && channel !== 'attempt') continue
    if (message.event === 'error' && 'afterEnd' in message && message.afterEnd) continue
    const key = channel === 'call' ? `call ${message.callId}` : `attempt ${message.callId}.${message.number}`
    open.set(key, (open.get(key) ?? 0) + (message.event === 'start' ? 1 : -1))
    expect(open.get(key)).toBeGreaterThanOrEqual(0)
  }
  expect(open.size).toBeGreaterThan(200)
  expect([...open.values()].every((count) => count === 0)).toBe(true)
  expect(JSON.stringify(heard.map(({ message }) => message))).not.toContain('SECRET')
})

test('connections are told from their opening to their end, with who ended them', async () => {
  server.on(misdeeds['reset-when-idle'])
  await run()
  await server.until(() => server.connections.open === 0)
  while (!heard.some(({ message }) => 'event' in message && message.event === 'close')) await new Promise(setImmediate)
  const events = heard
    .filter(({ channel }) => channel === 'connection')
    .map(({ message }) => message as ConnectionEvent)
  expect(events.map(({ event }) => event)).toEqual(['open', 'close'])
  expect(events[1]).toMatchObject({ ending: 'rst', requests: 1, origin: server.url })
})

test('nothing is made where nobody listens', async () => {
  for (const { name, hear } of ears) unsubscribe(name, hear)
  await run()
  expect(heard).toEqual([])
  for (const { name, hear } of ears) subscribe(name, hear)
})
