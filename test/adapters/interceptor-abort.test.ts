/** An abort is heard in every phase, at once, with the caller's own reason, and leaves nothing behind. */

import { getEventListeners } from 'node:events'
import { misdeeds, type RudeServer, rudeServer, type Script, type Step } from 'offhook/testing'
import { Agent, type Dispatcher, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { resilient } from '../../src/adapters/interceptor.js'
import type { Controller, NewHandler } from '../../src/wire/handler-shapes.js'
import { ManualClock } from './manual-clock.js'

interface Scene {
  readonly server: RudeServer
  readonly agent: Agent
  readonly dispatcher: Dispatcher
  readonly clock: ManualClock
}

interface Phase {
  readonly says: string
  readonly tls?: boolean
  readonly script: Script | readonly Step[]
  readonly agent?: Agent.Options
  readonly concurrency?: true
  /** Goes on before the request that is aborted. */
  readonly before?: (scene: Scene) => Promise<unknown>
  /** Resolves when the request has come to the phase. */
  readonly reached: (scene: Scene) => Promise<unknown>
  /** What the server knows of the request then: its head was read so often. */
  readonly began: number
}

const stalled = misdeeds['stall-before-head']
const busy = (scene: Scene) => {
  void request(`${scene.server.url}/busy`, { dispatcher: scene.dispatcher }).catch(() => {})
  return scene.server.until(() => scene.server.ledger.entries().some(({ path }) => path === '/busy'))
}
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
const sent = ({ server }: Scene) => server.until(() => server.ledger.began('aborted') > 0)

const phases: readonly Phase[] = [
  { says: 'before anything was done', script: stalled, reached: async () => {}, began: 0 },
  {
    says: 'queued behind another request on the only connection',
    script: stalled,
    agent: { connections: 1 },
    before: busy,
    reached: () => turns(5),
    began: 0,
  },
  {
    says: 'waiting for a place under the concurrency limit',
    script: stalled,
    concurrency: true,
    before: busy,
    reached: () => turns(5),
    began: 0,
  },
  {
    says: 'connecting, in the TLS handshake',
    tls: true,
    script: misdeeds['tls-stall-after-client-hello'],
    reached: ({ server }) => server.until(() => server.connections.accepted > 0),
    began: 0,
  },
  { says: 'waiting for the answer', script: stalled, reached: sent, began: 1 },
  { says: 'in the middle of the head', script: misdeeds['stall-mid-head'], reached: sent, began: 1 },
  {
    says: 'in the wait before another attempt',
    script: [{ respond: { status: 503, retryAfter: 40, body: 'later' } }],
    reached: ({ clock }) => clock.until(40_000),
    began: 1,
  },
]

async function on(phase: Phase, use: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await rudeServer({ tls: phase.tls === true, script: phase.script })
  const clock = new ManualClock()
  const agent = new Agent({
    ...phase.agent,
    connect: { timeout: 500, ...(server.ca !== undefined && { ca: server.ca }) },
  })
  const concurrency = phase.concurrency === true && { initial: 1, max: 1 }
  const scene = { server, agent, clock, dispatcher: agent.compose(resilient({ clock, random: () => 0, concurrency })) }
  await phase.before?.(scene)
  const before = clock.set
  await use(scene)
  // Whatever the call had set is gone: the drain of a dropped answer alone may still be under way.
  await turns(5)
  expect(clock.set.filter((delay) => delay !== 100)).toEqual(before)
  await agent.destroy()
  // A handshake under way is undici's own to give up, when its limit is reached.
  await server.until(() => server.connections.open === 0)
}

const apis = {
  request: (url: string, init: object) => request(url, init),
  fetch: (url: string, init: object) => fetch(url, init),
} as const

describe.concurrent.each(phases)('$says', (phase) => {
  for (const [name, call] of Object.entries(apis)) {
    test(`${name} rejects with the reason of the signal`, () =>
      on(phase, async (scene) => {
        const { server, dispatcher } = scene
        const caller = new AbortController()
        const reason = new Error('the caller has gone')
        const headers = { 'x-request-id': 'aborted' }
        const settled = call(server.url, { dispatcher, signal: caller.signal, headers }).then(
          () => 'answered',
          (error: unknown) => error,
        )
        await phase.reached(scene)
        caller.abort(reason)
        expect(await settled).toBe(reason)
        expect(getEventListeners(caller.signal, 'abort')).toEqual([])
        await turns(20)
        expect(server.ledger.began('aborted')).toBe(phase.began)
      }))
  }

  test('a handler that aborts by its controller is told once', () =>
    on(phase, async (scene) => {
      const { server, dispatcher } = scene
      const told: unknown[] = []
      let controller: Controller | undefined
      const handler: NewHandler = {
        onRequestStart: (given) => {
          controller = given
        },
        onResponseStart: (_controller, status) => void told.push(status),
        onResponseData: () => {},
        onResponseEnd: () => void told.push('end'),
        onResponseError: (_controller, error) => void told.push(error),
      }
      const asked = {
        origin: server.url,
        path: '/',
        method: 'POST',
        body: 'x',
        headers: { 'x-request-id': 'aborted' },
      } as const
      dispatcher.dispatch({ ...asked, idempotent: true }, handler as Dispatcher.DispatchHandler)
      await phase.reached(scene)
      controller?.abort(undefined)
      controller?.abort(new Error('and again'))
      await turns(20)
      expect(told).toHaveLength(1)
      expect(told[0]).toMatchObject({ code: 'UND_ERR_ABORTED' })
      expect(server.ledger.began('aborted')).toBe(phase.began)
    }))
})

describe.concurrent('in the body', () => {
  const stalls = { says: 'body', script: misdeeds['stall-mid-body-content-length'], reached: sent, began: 1 }

  test('request: the body ends with the reason', () =>
    on(stalls, async ({ server, dispatcher }) => {
      const caller = new AbortController()
      const { body } = await request(server.url, { dispatcher, signal: caller.signal })
      const read = body.text().catch((error: unknown) => error)
      caller.abort(new Error('the caller has gone'))
      expect(await read).toMatchObject({ message: 'the caller has gone' })
      await server.until(() => server.connections.open === 0)
    }))

  test('request: a body that is destroyed lets go of its connection', () =>
    on(stalls, async ({ server, dispatcher }) => {
      const { body } = await request(server.url, { dispatcher })
      body.on('error', () => {})
      body.destroy()
      await server.until(() => server.connections.open === 0)
    }))

  test('fetch: the body ends with the reason', () =>
    on(stalls, async ({ server, dispatcher }) => {
      const caller = new AbortController()
      const response = await fetch(server.url, { dispatcher, signal: caller.signal } as object)
      const read = response.text().catch((error: unknown) => error)
      caller.abort(new Error('the caller has gone'))
      expect(await read).toMatchObject({ message: 'the caller has gone' })
      await server.until(() => server.connections.open === 0)
    }))

  test('fetch: a body that is cancelled lets go of its connection', () =>
    on(stalls, async ({ server, dispatcher }) => {
      const response = await fetch(server.url, { dispatcher } as object)
      await response.body?.cancel()
      await server.until(() => server.connections.open === 0)
    }))

  test('a handler that throws has aborted, with what it threw', () =>
    on(
      { says: 'body', script: [{ respond: { body: { bytes: 100_000 } } }], reached: sent, began: 1 },
      async ({ server, dispatcher }) => {
        for (const breaks of ['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const) {
          const oops = new Error(breaks)
          const told = await new Promise((resolve) => {
            const handler: NewHandler = {
              onRequestStart: () => {},
              onResponseStart: () => {},
              onResponseData: () => {},
              onResponseEnd: () => {},
              onResponseError: (_controller, error) => resolve(error),
              [breaks]: () => {
                throw oops
              },
            }
            dispatcher.dispatch({ origin: server.url, path: '/', method: 'GET' }, handler as Dispatcher.DispatchHandler)
          })
          expect(told).toBe(oops)
        }
      },
    ))
})

test('after the end an abort does nothing', () =>
  on({ says: 'end', script: {}, reached: sent, began: 1 }, async ({ server, dispatcher }) => {
    const caller = new AbortController()
    const { body } = await request(server.url, { dispatcher, signal: caller.signal })
    expect(await body.text()).toBe('ok')
    caller.abort(new Error('too late'))
    await turns(5)
    // The connection that served it is kept.
    expect(server.connections).toMatchObject({ accepted: 1, open: 1, idle: 1 })
  }))
