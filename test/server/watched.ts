/** Servers of every protocol that are watched, and clients of every protocol that misbehave on them. */

import { once } from 'node:events'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import * as https from 'node:https'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { type ClientWatch, type Hangup, type WatchClientsOptions, watchClients } from 'offhook/server'
import { certificates } from '../../src/testing/certificates.js'

export const protocols = ['http', 'https', 'h2c', 'h2', 'net', 'tls'] as const
export type Protocol = (typeof protocols)[number]

/** And one server that speaks two protocols. */
type Served = Protocol | 'h2+1'

/** A server, its watch, and what was told. */
export interface Watched extends AsyncDisposable {
  readonly server: net.Server
  readonly port: number
  readonly watch: ClientWatch
  readonly hangups: Hangup[]
  /** Signals of the requests that came, in order. */
  readonly signals: AbortSignal[]
  /** Bytes of requests that have come on the connections that stand. */
  readonly received: number
  /** Lets answers go that wait for it. */
  release(): void
}

/** Answers that wait for a word of the test's. */
const held: (() => void)[] = []

const large = Buffer.alloc(40e6)

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const path = request.url?.split('?')[0]
  if (path === '/ok') response.end('ok')
  else if (path === '/begun') response.write('the beginning')
  else if (path === '/big') response.end(large)
  else if (path === '/last') response.end('last')
  else if (path === '/soon') held.push(() => response.end('soon'))
  else if (path === '/none') response.writeHead(204).end()
  else if (path === '/swallow') request.resume()
  else if (path === '/take') request.resume().on('end', () => response.end('taken'))
  else if (path === '/ours') response.destroy()
}

function answerStream(stream: http2.ServerHttp2Stream, path = ''): void {
  stream.on('error', () => {})
  if (path === '/ok') {
    stream.respond({ ':status': 200 })
    stream.end('ok')
  } else if (path === '/begun') {
    stream.respond({ ':status': 200 })
    stream.write('the beginning')
  } else if (path === '/big') {
    stream.respond({ ':status': 200 })
    stream.end(large)
  } else if (path === '/none') stream.respond({ ':status': 204 }, { endStream: true })
  else if (path === '/swallow') stream.resume()
  else if (path === '/take') {
    stream.resume().on('end', () => {
      if (stream.destroyed) return
      stream.respond({ ':status': 200 })
      stream.end('taken')
    })
  } else if (path === '/ours') stream.close(http2.constants.NGHTTP2_CANCEL)
}

/** A line, and an answer to it. */
function converse(socket: net.Socket, watched: () => ClientWatch): void {
  socket.on('error', () => {})
  socket.on('data', (line) => {
    const path = String(line).trim()
    const done = watched().begin(socket, path)
    if (path === '/ok') socket.write('ok\n', done)
    else if (path === '/begun') socket.write('the beginning')
    else if (path === '/big')
      socket.write(large, (error) => {
        if (error === undefined || error === null) done()
      })
    else if (path === '/ours') socket.destroy()
  })
}

const { key, cert } = certificates.good

function make(protocol: Served, watched: () => Watched, options: http.ServerOptions): net.Server {
  const heard = (request: object) => void watched().signals.push(watched().watch.signalOf(request))
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => {
    heard(request)
    answer(request, response)
  }
  const onStream = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    heard(stream)
    answerStream(stream, headers[':path'])
  }
  const onSocket = (socket: net.Socket) => converse(socket, () => watched().watch)
  switch (protocol) {
    case 'http':
      return http.createServer(options, onRequest)
    case 'https':
      return https.createServer({ key, cert }, onRequest)
    case 'h2c':
      return http2.createServer().on('stream', onStream)
    case 'h2':
      return http2.createSecureServer({ key, cert }).on('stream', onStream)
    case 'h2+1':
      return http2.createSecureServer({ key, cert, allowHTTP1: true }, onRequest as never)
    case 'net':
      return net.createServer(onSocket)
    case 'tls':
      return tls.createServer({ key, cert }, onSocket)
  }
}

/** Starts a server of this protocol and watches it. */
export async function watched(
  protocol: Served,
  options: WatchClientsOptions = {},
  serverOptions: http.ServerOptions = {},
): Promise<Watched> {
  const hangups: Hangup[] = []
  const signals: AbortSignal[] = []
  const server = make(protocol, () => it, serverOptions)
  const watch = watchClients(server, { settleMs: 0, onHangup: (hangup) => void hangups.push(hangup), ...options })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  const plain = new Set<net.Socket>()
  const keep = (all: Set<net.Socket>) => (socket: net.Socket) => {
    all.add(socket)
    socket.on('close', () => all.delete(socket))
  }
  server.on('connection', keep(sockets))
  server.on(server instanceof tls.Server ? 'secureConnection' : 'connection', keep(plain))
  const it: Watched = {
    server,
    port: (server.address() as net.AddressInfo).port,
    watch,
    hangups,
    signals,
    get received() {
      return [...plain].reduce((sum, socket) => sum + socket.bytesRead, 0)
    },
    release() {
      for (const go of held.splice(0)) go()
    },
    async [Symbol.asyncDispose]() {
      watch.stop()
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
  return it
}
