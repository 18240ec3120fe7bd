/** Servers that stand on node:http: each as its users write it, with a handler that heeds the signal. */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { type ClientWatch, type Hangup, watchClients } from 'offhook/server'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { LeavingClient, until } from './leaving-client.js'

/** Waits until nobody does any more. */
const whileWanted = (signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

interface App {
  readonly server: Server
  readonly watch: ClientWatch
  close(): Promise<unknown>
}

interface Told {
  /** What `onHangup` was told. */
  readonly hangups: Hangup[]
  /** Why handlers stopped. */
  readonly stopped: unknown[]
}

const frameworks: Record<string, (told: Told) => Promise<App>> = {
  express: async ({ hangups, stopped }) => {
    const app = express()
    app.get('/orders/:id', (_request, response) => void response.json({ ok: true }))
    app.get('/slow/:id', async (request) => {
      await whileWanted(watch.signalOf(request)).catch((reason) => stopped.push(reason))
    })
    const server = app.listen(0, '127.0.0.1')
    const watch = watchClients(server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup) })
    await once(server, 'listening')
    return { server, watch, close: () => closed(server) }
  },
  fastify: async ({ hangups, stopped }) => {
    const app = fastify()
    const watch = watchClients(app.server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup) })
    app.get('/orders/:id', async () => ({ ok: true }))
    app.get('/slow/:id', async (request) => {
      await whileWanted(watch.signalOf(request.raw)).catch((reason) => stopped.push(reason))
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { server: app.server, watch, close: () => app.close() }
  },
  hono: async ({ hangups, stopped }) => {
    const app = new Hono<{ Bindings: { incoming: object } }>()
    app.get('/orders/:id', (context) => context.json({ ok: true }))
    app.get('/slow/:id', async (context) => {
      await whileWanted(watch.signalOf(context.env.incoming)).catch((reason) => stopped.push(reason))
      return context.text('too late')
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
    const watch = watchClients(server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup) })
    await once(server, 'listening')
    return { server, watch, close: () => closed(server) }
  },
  koa: async ({ hangups, stopped }) => {
    const app = new Koa()
    app.use(async (context) => {
      if (context.path.startsWith('/orders/')) context.body = { ok: true }
      else await whileWanted(watch.signalOf(context.req)).catch((reason) => stopped.push(reason))
    })
    const server = app.listen(0, '127.0.0.1')
    const watch = watchClients(server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup) })
    await once(server, 'listening')
    return { server, watch, close: () => closed(server) }
  },
}

async function closed(server: Server): Promise<void> {
  const end = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await end
}

describe.each(Object.entries(frameworks))('%s', (_name, start) => {
  test('answers are no hang-ups; who leaves is told, and the handler stops', async () => {
    const told: Told = { hangups: [], stopped: [] }
    const { server, watch, close } = await start(told)
    const { port } = server.address() as AddressInfo
    try {
      for (let id = 0; id < 50; id++) {
        const { statusCode, body } = await request(`http://127.0.0.1:${port}/orders/${id}?token=SECRET`)
        expect([statusCode, await body.json()]).toEqual([200, { ok: true }])
      }
      expect(told.hangups).toEqual([])

      const client = await LeavingClient.to('http', port)
      client.say('GET /slow/7 HTTP/1.1\r\nhost: localhost\r\n\r\n')
      await until(() => watch.stats().inFlight === 1, 'the request')
      client.leave('fin')
      await until(() => told.stopped.length === 1 && told.hangups.length === 1, 'the end of the handler')
      expect(told.hangups[0]).toMatchObject({ kind: 'closed', phase: 'wait', by: 'client', route: 'GET /slow/:id' })
      expect(told.stopped[0]).toMatchObject({ name: 'ClientGoneError', kind: 'closed', phase: 'wait' })
      const { routes } = watch.stats()
      expect(routes['GET /orders/:id']).toMatchObject({ requests: 50, hangups: 0, usual: { answers: 50 } })
      expect(routes['GET /slow/:id']).toMatchObject({ requests: 1, hangups: 1 })
    } finally {
      watch.stop()
      await close()
    }
  })
})

test('a request that a test injects is answered, and its signal never fires', async () => {
  const app = fastify()
  const watch = watchClients(app.server)
  const signals: AbortSignal[] = []
  app.get('/', async (request) => {
    signals.push(watch.signalOf(request.raw))
    return 'ok'
  })
  expect((await app.inject('/')).body).toBe('ok')
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  watch.stop()
  await app.close()
})
