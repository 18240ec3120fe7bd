/** Ways to make the raw errors of this runtime happen on real sockets, and to catch them. Loopback only. */

import { createSocket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import http, { type RequestOptions } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import tls, { type ConnectionOptions, type SecureVersion } from 'node:tls'
import { Agent, type Dispatcher, request } from 'undici'
import { certificates, TEST_CA } from '../../src/testing/certificates.js'

/** What a server does with each connection, and where it listens while `use` runs. */
export async function withPeer<T>(serve: (socket: Socket) => void, use: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  const port = await listening(server)
  try {
    return await use(port)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

export async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Does this once the peer has said something. */
export const onData = (act: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => act(socket))
}

export const fin = onData((socket) => socket.end())
export const rst = onData((socket) => socket.resetAndDestroy())
/** Reads, and never says a word. */
export const silence = onData(() => undefined)
export const says = (text: string | Buffer) => onData((socket) => socket.end(text))
export const saysThenRst = (text: string) =>
  onData((socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20)))

/** The first error that it emits. A fault that shows none leaves the test hanging until its own limit. */
export function errorOf(emitter: EventEmitter): Promise<unknown> {
  return new Promise((resolve) => emitter.on('error', resolve))
}

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was to fail, and did not')
}

export function thrown(act: () => unknown): unknown {
  try {
    const value = act()
    if (value instanceof EventEmitter) value.on('error', () => undefined)
  } catch (error) {
    return error
  }
  throw new Error('it was to throw, and did not')
}

export const byNet = (port: number) => errorOf(net.connect(port, '127.0.0.1'))
export const byTls = (port: number, options: ConnectionOptions = {}) =>
  errorOf(tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: TEST_CA, ...options }))

/** node:http or node:https: the error of the request, or of the response if there is one. */
export function byHttp(
  port: number,
  options: RequestOptions & ConnectionOptions = {},
  { request } = http as Pick<typeof https, 'request'>,
) {
  return new Promise<unknown>((resolve) => {
    const sent = request({ port, host: '127.0.0.1', agent: false, ...options }, (response) => {
      response.on('error', resolve)
      response.resume()
    })
    sent.on('error', resolve)
    sent.end()
  })
}

export const byHttps = (port: number, options: ConnectionOptions = {}) =>
  byHttp(port, { ca: TEST_CA, servername: 'localhost', ...options }, https)

/** undici's request, with an agent of its own, to the end of the body. */
export async function byUndici(
  url: string | number,
  options: { agent?: Agent.Options; dispatcher?: Dispatcher } & Partial<Dispatcher.RequestOptions> = {},
): Promise<unknown> {
  const { agent, dispatcher = new Agent(agent), ...rest } = options
  try {
    const { body } = await request(typeof url === 'number' ? `http://127.0.0.1:${url}/` : url, {
      ...(rest as object),
      dispatcher,
    })
    await body.text()
  } catch (error) {
    return error
  } finally {
    await dispatcher.close()
  }
  throw new Error('it was to fail, and did not')
}

/** The global fetch, to the end of the body. */
export const byFetch = (url: string | number, init: RequestInit = {}) =>
  rejection(fetch(typeof url === 'number' ? `http://127.0.0.1:${url}/` : url, init).then((answer) => answer.text()))

/** A TLS server with a certificate of the given name, or other settings. */
export async function withTls<T>(
  options: tls.TlsOptions & { maxVersion?: SecureVersion },
  use: (port: number) => Promise<T>,
) {
  const server = tls.createServer({ ...certificates.good, ...options }, (socket) => socket.on('error', () => undefined))
  server.on('tlsClientError', () => undefined)
  try {
    return await use(await listening(server))
  } finally {
    server.close()
  }
}

/** The error of an HTTP/2 stream whose server does `act` with it. */
export async function byHttp2(act: (stream: http2.ServerHttp2Stream) => void): Promise<unknown> {
  const server = http2.createServer()
  server.on('sessionError', () => undefined)
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    act(stream)
  })
  const session = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  session.on('error', () => undefined)
  try {
    return await errorOf(session.request({ ':path': '/' }))
  } finally {
    session.destroy()
    server.close()
  }
}

/** A name server that answers every question with a response code, or not at all. */
export async function withNameServer<T>(rcode: number | undefined, use: (address: string) => Promise<T>): Promise<T> {
  const server = createSocket('udp4')
  server.on('message', (question, { port, address }) => {
    if (rcode === undefined) return
    const answer = Buffer.from(question)
    answer[2] = (answer[2] ?? 0) | 0x80
    answer[3] = ((answer[3] ?? 0) & 0xf0) | rcode
    server.send(answer, port, address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  try {
    return await use(`127.0.0.1:${server.address().port}`)
  } finally {
    server.close()
  }
}
