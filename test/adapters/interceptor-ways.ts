/** The ways by which a request comes to the interceptor: dispatchers, and the APIs in front of them. */

import { Agent, Client, type Dispatcher, Pool, ProxyAgent, request } from 'undici'
import { type ResilientOptions, resilient } from '../../src/adapters/interceptor.js'
import type { RudeServer } from '../../src/testing/rude-server.js'
import { connectProxy } from './connect-proxy.js'

export interface Ask {
  readonly path: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface Told {
  readonly status: number
  readonly text: string
}

/** A way that is open to one server. Rejections are the typed errors themselves, out of whatever wraps them. */
export interface OpenWay extends AsyncDisposable {
  readonly dispatcher: Dispatcher
  ask(ask: Ask): Promise<Told>
}

type Open = (server: RudeServer, options: ResilientOptions) => Promise<OpenWay>

/** HTTP/1.1 on either undici: before it knows whether a server speaks HTTP/2, 8 has all requests wait for one connection. */
const tls = (server: RudeServer) => ({
  allowH2: false,
  connect: { timeout: 1_000, ...(server.ca !== undefined && { ca: server.ca }) },
})

function way(dispatcher: Dispatcher, ask: OpenWay['ask'], close: () => Promise<unknown>): OpenWay {
  return { dispatcher, ask, [Symbol.asyncDispose]: async () => void (await close()) }
}

async function readAll({ statusCode, body }: Dispatcher.ResponseData): Promise<Told> {
  return { status: statusCode, text: await body.text() }
}

/** As undici's own `request` and the `request` method of a dispatcher ask. */
function byRequest(url: string, dispatcher: Dispatcher): OpenWay['ask'] {
  return async ({ path, method = 'GET', ...rest }) =>
    readAll(await request(`${url}${path}`, { ...rest, method: method as Dispatcher.HttpMethod, dispatcher }))
}

/** A Pool and a Client know their origin themselves. */
function byMethod(dispatcher: Dispatcher): OpenWay['ask'] {
  return async ({ path, method = 'GET', ...rest }) =>
    readAll(
      await dispatcher.request({ ...rest, path, method: method as Dispatcher.HttpMethod } as Dispatcher.RequestOptions),
    )
}

/** The fetch of this Node, which hands its dispatcher a handler of the old vocabulary (Node 20 to 24). */
export function byFetch(url: string, dispatcher?: Dispatcher): OpenWay['ask'] {
  return async ({ path, ...rest }) => {
    try {
      const response = await fetch(`${url}${path}`, { ...rest, dispatcher } as object)
      return { status: response.status, text: await response.text() }
    } catch (error) {
      // `TypeError: fetch failed` and `terminated` are fetch's own; an abort's reason comes as it is.
      if (error instanceof TypeError && error.cause !== undefined) throw error.cause
      throw error
    }
  }
}

export const ways: Readonly<Record<string, Open>> = {
  'request over an Agent': async (server, options) => {
    const agent = new Agent(tls(server))
    const dispatcher = agent.compose(resilient(options))
    return way(dispatcher, byRequest(server.url, dispatcher), () => agent.destroy())
  },
  'the global fetch over an Agent': async (server, options) => {
    const agent = new Agent(tls(server))
    const dispatcher = agent.compose(resilient(options))
    return way(dispatcher, byFetch(server.url, dispatcher), () => agent.destroy())
  },
  'a Pool': async (server, options) => {
    const pool = new Pool(server.url, tls(server))
    const dispatcher = pool.compose(resilient(options))
    return way(dispatcher, byMethod(dispatcher), () => pool.destroy())
  },
  'a Client': async (server, options) => {
    const client = new Client(server.url, tls(server))
    const dispatcher = client.compose(resilient(options))
    return way(dispatcher, byMethod(dispatcher), () => client.destroy())
  },
  'a ProxyAgent': async (server, options) => {
    const proxy = await connectProxy()
    const agent = new ProxyAgent({
      uri: proxy.url,
      proxyTunnel: true,
      requestTls: { ...(server.ca !== undefined && { ca: server.ca }) },
    })
    const dispatcher = agent.compose(resilient(options))
    return way(dispatcher, byRequest(server.url, dispatcher), async () => {
      await agent.destroy()
      await proxy[Symbol.asyncDispose]()
    })
  },
}
