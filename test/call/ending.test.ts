/**
 * A call is ended at every point at which it waits for something: by its caller, by its deadline, by its client. It
 * settles within a few turns of the event loop, with the right reason, and leaves no timer, listener or socket.
 */

import { getEventListeners } from 'node:events'
import { type Client, type ClientOptions, createClient, type FetchInit, NotAdmittedError, TimeoutError } from 'offhook'
import { describe, expect, onTestFinished, test } from 'vitest'
import { misdeeds, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'

interface Scene {
  readonly client: Client
  readonly server: RudeServer
  readonly clock: ManualClock
  readonly host: 'fetch' | 'request'
}

/** A point at which a call waits. */
interface Point {
  readonly where: string
  readonly options?: ClientOptions
  readonly tls?: boolean
  readonly init?: () => FetchInit
  /** Prepares the scene, so that the next call will wait there. */
  prepare?(scene: Scene): Promise<void> | void
  /** Resolves when the call has come to that point. */
  reached(scene: Scene): Promise<void>
  /** The response head was handed over: it is the body that is waited for. */
  readonly inBody?: true
}

const began = ({ server }: Scene) => server.until(() => server.ledger.began('it') > 0)

const points: Point[] = [
  {
    where: 'for the TLS handshake',
    tls: true,
    prepare: ({ server }) => server.on(misdeeds['tls-stall-after-client-hello']),
    reached: async ({ server }) => {
      await server.until(() => server.connections.open > 0)
      await turns(20)
    },
  },
  {
    where: 'for a connection that is free',
    options: { connections: 1 },
    prepare: async (scene) => {
      scene.server.on(misdeeds['stall-before-head'])
      void send(scene, { headers: { 'x-request-id': 'first' } }).catch(() => {})
      await scene.server.until(() => scene.server.ledger.began('first') > 0)
    },
    reached: () => turns(),
  },
  {
    where: 'in the queue of the concurrency limit',
    options: { concurrency: { initial: 1, max: 1 } },
    prepare: async (scene) => {
      scene.server.on(misdeeds['stall-before-head'])
      void send(scene, { headers: { 'x-request-id': 'first' } }).catch(() => {})
      await scene.server.until(() => scene.server.ledger.began('first') > 0)
    },
    reached: () => turns(),
  },
  {
    where: 'for a turn of the loop, before a socket is reused',
    prepare: async (scene) => {
      await answer(scene, { headers: { 'x-request-id': 'first' } })
      await scene.server.until(() => scene.server.connections.idle === 1)
    },
    init: () => ({ method: 'POST', body: 'x' }),
    reached: async () => {},
  },
  {
    where: 'for the body that a function makes',
    init: () => ({ method: 'POST', body: () => new Promise(() => {}) }),
    reached: () => turns(),
  },
  {
    where: 'for the response head',
    prepare: ({ server }) => server.on(misdeeds['stall-before-head']),
    reached: began,
  },
  {
    where: 'in the middle of the response head',
    prepare: ({ server }) => server.on(misdeeds['stall-mid-head']),
    reached: began,
  },
  {
    where: 'before another attempt',
    options: { retry: { backoff: { base: 20_000 } }, random: () => 0.45 },
    prepare: ({ server }) => server.on(misdeeds['status-503']),
    reached: async ({ server, clock }) => {
      await began({ server } as Scene)
      while (!clock.waits.includes(9_000)) await turns(1)
    },
  },
  {
    where: 'in the middle of the body',
    inBody: true,
    prepare: ({ server }) => server.on(misdeeds['stall-mid-body-content-length']),
    reached: () => turns(),
  },
  {
    where: 'in the middle of a body that is delimited by the end of the connection',
    inBody: true,
    prepare: ({ server }) => server.on(misdeeds['stall-mid-body-close-delimited']),
    reached: () => turns(),
  },
]

interface End {
  readonly by: string
  readonly init: FetchInit
  act(scene: Scene, controller: AbortController): void
  check(reason: unknown): void
}

const mark = { the: 'reason' }

const ends: End[] = [
  {
    by: 'its caller',
    init: {},
    act: (_, controller) => controller.abort(mark),
    check: (reason) => expect(reason).toBe(mark),
  },
  {
    by: 'its deadline',
    init: { timeout: 10_000 },
    act: ({ clock }) => clock.advance(10_000),
    check: (reason) => {
      expect(reason).toBeInstanceOf(TimeoutError)
      expect(reason).toMatchObject({ phase: 'call', limit: 'total', limitMs: 10_000, stopReason: 'deadline' })
    },
  },
  {
    by: 'its client',
    init: {},
    act: ({ client }) => void client.destroy(),
    check: (reason) => {
      expect(reason).toBeInstanceOf(NotAdmittedError)
      expect(reason).toMatchObject({ admission: 'destroyed' })
    },
  },
]

for (const host of ['fetch', 'request'] as const) {
  describe(host, () => {
    for (const point of points) {
      for (const end of ends) {
        // A body that is being read belongs to its reader; destroying the client under it is another story.
        if (point.inBody && end.by === 'its client') continue
        test(`waits ${point.where}, and is ended by ${end.by}`, async () => {
          await endsCleanly(await stage(point, host), point, end)
        })
      }
    }
  })
}

async function stage(point: Point, host: Scene['host']): Promise<Scene> {
  const clock = new ManualClock()
  const server = await rudeServer({ tls: point.tls ?? false })
  // No limits but the ones that a test sets: on this clock they would not run out by themselves.
  const tls = server.ca === undefined ? {} : { tls: { ca: server.ca } }
  const client = createClient({
    clock,
    timeout: { connect: false, headers: false, body: false },
    ...tls,
    ...point.options,
  })
  onTestFinished(async () => {
    await client.destroy()
    await server.close()
  })
  const scene = { client, server, clock, host }
  await point.prepare?.(scene)
  return scene
}

async function endsCleanly(scene: Scene, point: Point, end: End): Promise<void> {
  const before = scene.clock.pending
  const controller = new AbortController()
  const init = { ...point.init?.(), ...end.init, headers: { 'x-request-id': 'it' }, signal: controller.signal }
  const call = point.inBody ? answer(scene, init) : send(scene, init)
  const settled = call.then(
    () => ({ settled: 'resolved' }),
    (reason: unknown) => ({ reason }),
  )
  await point.reached(scene)
  end.act(scene, controller)
  // The kernel is asked what it knows of the connection before it is let go, and that takes real milliseconds.
  const tooLate = new Promise((resolve) => setTimeout(resolve, 2_000, 'it did not settle').unref())
  const outcome = await Promise.race([settled, tooLate])
  expect(outcome).toHaveProperty('reason')
  end.check((outcome as { reason: unknown }).reason)
  await turns()
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  expect(scene.clock.pending).toBeLessThanOrEqual(before)
  await scene.client.destroy()
  await scene.server.until(() => scene.server.connections.open === 0)
}

async function send({ client, server, host }: Scene, init: FetchInit): Promise<() => Promise<string>> {
  const url = `${server.url}/orders`
  if (host === 'fetch') {
    const response = await client.fetch(url, init)
    return () => response.text()
  }
  const { body } = await client.request(url, init as Parameters<Client['request']>[1])
  return () => body.text()
}

async function answer(scene: Scene, init: FetchInit): Promise<string> {
  const read = await send(scene, init)
  return read()
}
