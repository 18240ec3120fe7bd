import { once } from 'node:events'
import {
  createServer as createHttp1,
  type Server as Http1Server,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import {
  createServer as createHttp2,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTls, type Server, type TLSSocket } from 'node:tls'
import { certificates, TEST_CA } from './certificates.js'
import { H2Rule } from './h2-check.js'
import { actOnLine, H2Exchange, type H2Line, Over } from './h2-exchange.js'
import { FrameTap } from './h2-frames.js'
import { checkOptions, type RudeH2Options } from './h2-options.js'
import type { H2Behaviour } from './h2-script.js'
import { type ArrivalRecord, type Ledger, LedgerBook } from './ledger.js'

/** A running rude HTTP/2 server. */
export interface RudeH2Server extends AsyncDisposable {
  /** `https://127.0.0.1:port`. The certificate is also good for `localhost`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** The authority to trust, PEM. */
  readonly ca: string
  /** What arrived, and what was executed: one arrival for each stream that was opened. */
  readonly ledger: Ledger
  /** Connections accepted so far, those of them that spoke HTTP/2, and those open now. */
  readonly connections: { readonly accepted: number; readonly h2: number; readonly open: number }
  /** PINGs that clients have sent so far. */
  readonly pings: number
  /** Streams that clients have ended with RST_STREAM so far. */
  readonly cancelled: number
  /** Changes what it does, from now on. Turns begin anew. Throws a TypeError that names what is wrong with the script. */
  on(behaviour: H2Behaviour): void
  /**
   * Resolves as soon as the condition holds. It is asked anew whenever something has happened here. Rejects after `timeoutMs`
   * (default 5000), or when the server is closed.
   */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>
  /** Destroys all connections and stops listening. Always resolves; may be called again. */
  close(): Promise<void>
}

/**
 * Starts a real HTTP/2 server on loopback, over TLS, that misbehaves on command. Node's own HTTP/2 does what is right; between
 * it and the socket stands a tap on the frames, which sends and holds back what Node itself would not: GOAWAY with any last
 * stream, RST_STREAM with any code at any point, PINGs that nobody answers.
 *
 * Rejects with a TypeError that names the option that is wrong, or with the error of listen(2).
 *
 * @example
 * ```ts
 * import assert from 'node:assert'
 * import { connect } from 'node:http2'
 * import { rudeH2Server } from 'offhook/testing'
 *
 * await using server = await rudeH2Server({ script: [{ reset: 'REFUSED_STREAM' }] })
 * const session = connect(server.url, { ca: server.ca })
 * const stream = session.request({ ':path': '/orders', 'x-request-id': 'order-1' })
 * const error = await new Promise((resolve) => stream.once('error', resolve))
 * assert.match(String(error), /NGHTTP2_REFUSED_STREAM/)
 * assert.equal(server.ledger.executions('order-1'), 0)
 * session.destroy()
 * ```
 */
export async function rudeH2Server(options: RudeH2Options = {}): Promise<RudeH2Server> {
  checkOptions(options)
  const server = new H2Listener(options)
  await server.listen(options.port ?? 0)
  return server
}

class H2Listener implements RudeH2Server {
  readonly host: string
  readonly ca = TEST_CA
  readonly ledger: LedgerBook
  readonly #tls: Server
  readonly #http2: Http2Server
  readonly #http1: Http1Server
  readonly #lines = new Map<object, { line: H2Line; number: number; requests: number }>()
  /** By the client's port: the TLS socket that comes of a connection does not say of which. */
  readonly #raws = new Map<number | undefined, { raw: Socket; number: number }>()
  readonly #taps: FrameTap[] = []
  readonly #watchers = new Set<() => void>()
  #rule: H2Rule
  #accepted = 0
  #port = 0
  #closed = false
  #closing: Promise<void> | undefined

  constructor({ script = {}, http1 = false, host = '127.0.0.1', idHeader = 'x-request-id' }: RudeH2Options) {
    this.host = host
    this.#rule = new H2Rule(script)
    this.ledger = new LedgerBook(idHeader, this.#changed)
    this.#http2 = createHttp2()
    this.#http2.on('stream', (stream, headers) => void this.#serve(stream, headers))
    // A session that breaks is heard of by its streams.
    this.#http2.on('sessionError', () => {})
    this.#http1 = createHttp1((request, response) => void this.#behave(request, response))
    this.#tls = createTls({ ...certificates.good, ALPNProtocols: http1 ? ['h2', 'http/1.1'] : ['h2'] })
    this.#tls.on('connection', (raw: Socket) => this.#accept(raw))
    this.#tls.on('secureConnection', (socket: TLSSocket) => void this.#open(socket))
    this.#tls.on('tlsClientError', () => {})
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `https://${this.host === '::1' ? '[::1]' : this.host}:${this.#port}`
  }

  get connections(): { accepted: number; h2: number; open: number } {
    return { accepted: this.#accepted, h2: this.#taps.length, open: this.#raws.size }
  }

  get pings(): number {
    return this.#taps.reduce((sum, tap) => sum + tap.pings, 0)
  }

  get cancelled(): number {
    return this.#taps.reduce((sum, tap) => sum + tap.cancelled.size, 0)
  }

  async listen(port: number): Promise<void> {
    this.#tls.listen(port, this.host)
    await once(this.#tls, 'listening')
    this.#port = (this.#tls.address() as AddressInfo).port
  }

  on(behaviour: H2Behaviour): void {
    this.#rule = new H2Rule(behaviour)
  }

  until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        settled()
      }
      const fail = (why: string) => settle(() => reject(new Error(`rudeH2Server: until() ended: ${why}`)))
      const look = () => {
        if (condition()) settle(resolve)
        else if (this.#closed) fail('the server was closed')
      }
      const timer = setTimeout(() => fail(`the condition did not hold within ${timeoutMs} ms`), timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }

  close(): Promise<void> {
    this.#closed = true
    this.#closing ??= new Promise((resolve) => {
      this.#tls.close(() => resolve())
      for (const { raw } of this.#raws.values()) raw.destroy()
      this.#changed()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(raw: Socket): void {
    const { remotePort } = raw
    this.#accepted += 1
    this.#raws.set(remotePort, { raw, number: this.#accepted })
    raw.on('error', () => {})
    raw.once('close', () => {
      this.#raws.delete(remotePort)
      this.#changed()
    })
    this.#changed()
  }

  async #open(socket: TLSSocket): Promise<void> {
    socket.on('error', () => {})
    const accepted = this.#raws.get(socket.remotePort)
    if (accepted === undefined) return
    if (socket.alpnProtocol !== 'h2') {
      this.#http1.emit('connection', socket)
      return
    }
    const { raw, number } = accepted
    const ended = new AbortController()
    raw.once('close', () => ended.abort())
    const tap = new FrameTap(socket, this.#changed)
    const line = { raw, socket, tap, gone: ended.signal, executed: 0, last: 2 ** 31 - 1 }
    this.#taps.push(tap)
    this.#http2.once('session', (session) => this.#lines.set(session, { line, number, requests: 0 }))
    this.#http2.emit('connection', tap)
    await tap.greeted
    try {
      for (const step of this.#rule.forConnection(number).open ?? [])
        await actOnLine(step as Parameters<typeof actOnLine>[0], line, 0)
    } catch (error) {
      if (!(error instanceof Over)) throw error
    }
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const place = stream.session === undefined ? undefined : this.#lines.get(stream.session)
    if (place === undefined) return
    place.requests += 1
    const { line, number, requests } = place
    const arrival = this.#arrive(headers, number, requests)
    const exchange = new H2Exchange(line, stream, arrival.record)
    const script = this.#rule.forRequest({
      id: arrival.record.identified ? arrival.record.id : null,
      connection: number,
      ...arrival.head,
    })
    try {
      await exchange.perform(script.request ?? [])
    } catch (error) {
      // Whatever else goes wrong ends this connection, not the process of the one who tests.
      if (!(error instanceof Over)) line.raw.destroy()
    }
  }

  /** Over HTTP/1.1 this server behaves. */
  async #behave(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { ...request.headers, ':method': request.method, ':path': request.url }
    const number = this.#raws.get(request.socket.remotePort)?.number ?? 0
    const { record } = this.#arrive(headers, number, 1)
    try {
      for await (const bytes of request) record.body(bytes as Buffer)
    } catch {
      return
    }
    record.received()
    record.execute()
    response.end('ok')
  }

  #arrive(
    headers: IncomingHttpHeaders,
    connection: number,
    requestOnConnection: number,
  ): { record: ArrivalRecord; head: { method: string; path: string } } {
    const head = { method: String(headers[':method']), path: String(headers[':path']) }
    const length = headers['content-length']
    const flat = Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : `${value}`,
    ])
    const record = this.ledger.arrive(
      {
        ...head,
        minorVersion: 1,
        headers: Object.fromEntries(flat),
        ...(length !== undefined && { announcedBytes: Number(length) }),
      },
      connection,
      requestOnConnection,
    )
    return { record, head }
  }

  // An arrow function, for the ledger and the taps call it.
  readonly #changed = (): void => {
    for (const look of [...this.#watchers]) look()
  }
}
