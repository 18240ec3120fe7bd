/** Far sides of the demo that the rude server does not play: a store that serves ranges, and a proxy that refuses. */

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A listening server. */
export interface Place extends AsyncDisposable {
  readonly url: string
}

async function listening(server: ReturnType<typeof createServer>): Promise<Place> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close }
}

/** Serves one file, with ranges and a strong ETag; each of the first `cuts` answers is reset after a quarter of the file. */
export function cuttingStore(file: Buffer, cuts: number): Promise<Place> {
  let served = 0
  const serve: RequestListener = ({ headers }: IncomingMessage, response: ServerResponse) => {
    const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, {
      etag: '"one"',
      'content-length': file.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` }),
    })
    if (served++ >= cuts) return void response.end(file.subarray(from))
    // The reader is to have the bytes before the reset has overtaken them.
    response.write(file.subarray(from, from + file.length / 4), () =>
      setTimeout(() => response.socket?.resetAndDestroy(), 20),
    )
  }
  return listening(createServer(serve))
}

/** A proxy that makes no tunnel. */
export function refusingProxy(): Promise<Place> {
  const server = createServer()
  server.on('connect', (_, client: Socket) => {
    client.on('error', () => {})
    client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
  })
  return listening(server)
}
