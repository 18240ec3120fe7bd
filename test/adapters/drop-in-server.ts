/** A well-behaved HTTP server that answers by path and keeps what it saw, so that two clients can be compared by it. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { shorten } from './drop-in-probe.js'

/** One request as it came: names and values of its headers in order, and a digest of its body. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly trailers: readonly string[]
  readonly body: string
}

export interface DropInServer extends AsyncDisposable {
  readonly url: string
  /** Requests since the last time this was asked for. Complete bodies only. */
  seen(): Seen[]
}

export const page = `<p>${'Hello from the other end of the line. '.repeat(40)}</p>`

type Route = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams, body: Buffer) => void

const encoders: Readonly<Record<string, (text: string | Buffer) => Buffer>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  br: brotliCompressSync,
  deflate: deflateSync,
  'raw-deflate': deflateRawSync,
  'gzip-br': (text) => brotliCompressSync(gzipSync(text)),
}

const routes: Readonly<Record<string, Route>> = {
  '/echo': (request, response, _query, body) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'x-method': request.method, 'x-bytes': body.length })
    response.end(body)
  },
  // `?status=` `&reason=` `&type=`, with a body where the status may have one.
  '/status': (_request, response, query) => {
    const status = Number(query.get('status'))
    response.writeHead(status, query.get('reason') ?? undefined, { etag: '"one"', 'content-type': 'text/plain' })
    response.end(status === 204 || status === 205 || status === 304 ? undefined : 'so it is')
  },
  // `?status=` `&to=`: the bytes of the target go into the header as they are.
  '/redirect': (_request, response, query) => {
    response.writeHead(Number(query.get('status') ?? 302), { location: query.get('to') ?? '' }).end('elsewhere')
  },
  '/redirect-without-location': (_request, response) => response.writeHead(302).end('nowhere'),
  // `?left=n`: that many redirects, then an answer.
  '/hops': (_request, response, query) => {
    const left = Number(query.get('left'))
    if (left > 0) response.writeHead(302, { location: `/hops?left=${left - 1}` }).end()
    else response.end('arrived')
  },
  '/loop': (_request, response) => response.writeHead(302, { location: '/loop' }).end(),
  // `?how=`: the page in that encoding; `&name=` another name for it; `&cut=` without the last bytes.
  '/encoded': (_request, response, query) => {
    const how = query.get('how') ?? 'gzip'
    const bytes = encoders[how]?.(page) ?? Buffer.from(page)
    response.setHeader('content-type', 'text/html')
    response.setHeader('content-encoding', query.get('name') ?? how)
    response.end(bytes.subarray(0, bytes.length - Number(query.get('cut') ?? 0)))
  },
  '/not-gzip': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('this was never compressed')
  },
  '/headers': (_request, response) => {
    response.setHeader('set-cookie', ['a=1; Path=/', 'b=2; HttpOnly'])
    response.setHeader('x-list', ['one', 'two'])
    response.setHeader('x-empty', '')
    response.setHeader('x-latin', Buffer.from('naïve', 'latin1').toString('latin1'))
    response.setHeader('content-type', 'text/html; charset=iso-8859-1')
    response.end(page)
  },
  '/json': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('\uFEFF{"apples":[1,2,3]}')
  },
  '/apples': (_request, response) => response.end('{"apples":[1,2,3]}'),
  '/form': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' }).end('a=1&b=%C3%A9&a=2')
  },
  '/multipart': (_request, response) => {
    const part =
      '--x\r\ncontent-disposition: form-data; name="file"; filename="f.txt"\r\ncontent-type: text/plain\r\n\r\nhi\r\n'
    response.writeHead(200, { 'content-type': 'multipart/form-data; boundary=x' }).end(`${part}--x--\r\n`)
  },
  '/chunked': (_request, response) => {
    response.write('one ')
    setImmediate(() => {
      response.write('two ')
      setImmediate(() => response.end('three'))
    })
  },
  '/trailers': (_request, response) => {
    response.writeHead(200, { trailer: 'x-digest' })
    response.write('with a trailer')
    response.addTrailers({ 'x-digest': 'abc' })
    response.end()
  },
  '/close': (_request, response) => response.writeHead(200, { connection: 'close' }).end('once'),
  // Neither length nor chunks: the end of the connection is the end of the body.
  '/until-close': (request) => {
    request.socket.end('HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nuntil I hang up')
  },
  '/http10': (request) => request.socket.end('HTTP/1.0 200 OK\r\n\r\nold school'),
  '/continue': (request, response) => {
    request.socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    response.end('went on')
  },
  '/processing': (_request, response) => {
    response.writeProcessing()
    response.end('done')
  },
  '/early-hints': (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
    response.writeEarlyHints({ link: '</script.js>; rel=preload; as=script' })
    response.end('hinted')
  },
  '/large': (_request, response, query) => response.end(Buffer.alloc(Number(query.get('bytes')), 'abcdefghij')),
  '/empty': (_request, response) => response.end(),
  '/stall': () => {},
  '/stall-body': (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('the beginning')
  },
  '/slow': (_request, response) => {
    let left = 5
    const next = () => {
      response.write(`${left} `)
      left--
      if (left > 0) setTimeout(next, 2)
      else response.end('lift-off')
    }
    next()
  },
  '/cut': (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('the beginning')
    setImmediate(() => response.socket?.destroy())
  },
  '/hang-up': (request) => void request.socket.destroy(),
}

export async function dropInServer(): Promise<DropInServer> {
  let seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    response.on('error', () => {})
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const body = Buffer.concat(chunks)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here')
    seen.push(note(request, body))
    const route = routes[pathname]
    if (route === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end('no such place')
    else route(request, response, searchParams, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => {
      const before = seen
      seen = []
      return before
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function note(request: IncomingMessage, body: Buffer): Seen {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.rawHeaders,
    trailers: request.rawTrailers,
    body: shorten(body),
  }
}
