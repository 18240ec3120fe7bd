import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { Rulebook } from './behaviour.js'
import { TEST_CA } from './certificates.js'
import { Connection } from './connection.js'
import { type Ledger, LedgerBook } from './ledger.js'
import { STREAM_BUFFER } from './line.js'
import type { Behaviour } from './script.js'
import { checkOptions, type RudeServerOptions, secureContexts } from './server-options.js'

export { type CertificateName, certificates, type KeyPair, TEST_CA } from './certificates.js'
export type { H2Code } from './h2-frames.js'
export { type H2Misdeed, type H2MisdeedName, h2Misdeeds } from './h2-misdeeds.js'
export type { RudeH2Options } from './h2-options.js'
export type {
  H2Act,
  H2Answer,
  H2Behaviour,
  H2GoawayStep,
  H2ResetStep,
  H2RespondStep,
  H2Script,
  H2Step,
  H2Turns,
  H2WaitStep,
} from './h2-script.js'
export type { Arrival, Execution, Ledger, LedgerEntry } from './ledger.js'
export { type Misdeed, type MisdeedName, misdeeds } from './misdeeds.js'
export { type RefusedPort, refusedPort } from './refused-port.js'
export { type RudeH2Server, rudeH2Server } from './rude-h2.js'
export type {
  Act,
  AlertName,
  AlertStep,
  Answer,
  Behaviour,
  HeaderValues,
  InformStep,
  ReadStep,
  RespondStep,
  Script,
  SeenRequest,
  ServedStep,
  StageName,
  Step,
  Turns,
  WaitStep,
  WriteStep,
} from './script.js'
export type { RudeServerOptions } from './server-options.js'
export { failTimes, inTurn, redirectTo, statuses, type TurnOptions } from './turns.js'

/** A running rude server. */
export interface RudeServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or `https://…`. The built-in certificate is also good for `localhost`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** The authority to trust, PEM; absent on plain TCP, or when the certificate is yours. */
  readonly ca?: string
  /** What arrived, and what was executed. */
  readonly ledger: Ledger
  /** Connections accepted so far, open now, and open without a request on them. */
  readonly connections: { readonly accepted: number; readonly open: number; readonly idle: number }
  /**
   * Changes what it does, from now on: for connections accepted and requests begun after this call. Turns begin anew.
   * Throws a TypeError that names what is wrong with the script.
   */
  on(behaviour: Behaviour): void
  /** Does something else for one path, `'/orders'`, or one method and path, `'POST /orders'` (query strings are not looked at). */
  route(route: string, behaviour: Behaviour): void
  /**
   * Resets (RST) every idle connection, now; returns how many. A client may have its answer a moment before the server is done
   * with it: wait with `until(() => server.connections.idle > 0)`.
   */
  resetIdle(): number
  /** Closes (close_notify on TLS, FIN) every idle connection; returns how many. */
  closeIdle(): number
  /** Goes deaf on every idle connection, as if something between had forgotten it; returns how many. */
  dropIdle(): number
  /**
   * Resolves as soon as the condition holds. It is asked anew whenever something has happened here: a connection was accepted,
   * fell idle, was used again or was closed, a request came, was received, was executed. Rejects after `timeoutMs` (default 5000), or when the server is closed.
   */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>
  /** Destroys all connections and stops listening. Always resolves; may be called again. */
  close(): Promise<void>
}

/**
 * Starts a real server on loopback that misbehaves on command, for tests of what your code does then. It speaks HTTP/1 over
 * its own sockets, plain or TLS, and so decides on every byte and every RST.
 *
 * Rejects with a TypeError that names the option that is wrong, or with the error of listen(2), say EADDRINUSE.
 *
 * @example
 * ```ts
 * import assert from 'node:assert'
 * import { failTimes, misdeeds, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer()
 * server.route('POST /orders', failTimes(1, misdeeds['reset-mid-head']))
 * server.route('/slow', [{ wait: 100 }, { respond: { status: 503, retryAfter: 1 } }])
 *
 * const response = await fetch(`${server.url}/slow`)
 * assert.equal(response.status, 503)
 * await assert.rejects(fetch(`${server.url}/orders`, { method: 'POST', body: 'one' }))
 * assert.equal(server.ledger.entries().length, 2)
 * ```
 */
export async function rudeServer(options: RudeServerOptions = {}): Promise<RudeServer> {
  checkOptions(options)
  const server = new Listener(options)
  await server.listen(options.port ?? 0)
  return server
}

class Listener implements RudeServer {
  readonly host: string
  readonly ledger: LedgerBook
  readonly ca?: string
  readonly #secure: boolean
  readonly #server: Server
  readonly #rules: Rulebook
  readonly #open = new Set<Connection>()
  readonly #watchers = new Set<() => void>()
  #accepted = 0
  #port = 0
  #closing: Promise<void> | undefined

  constructor(options: RudeServerOptions) {
    const { tls = false, host = '127.0.0.1', script = {}, idHeader = 'x-request-id', maxBodyBytes = 2 ** 28 } = options
    this.host = host
    this.#secure = tls !== false
    if (tls === true) this.ca = TEST_CA
    this.ledger = new LedgerBook(idHeader, this.#changed)
    this.#rules = new Rulebook(this.#secure)
    this.#rules.setDefault(script, 'rudeServer: script')
    const house = {
      rules: this.#rules,
      ledger: this.ledger,
      limits: { headBytes: 64 * 1024, bodyBytes: maxBodyBytes },
      onChange: this.#changed,
      ...(tls !== false && { secureContext: secureContexts(tls) }),
    }
    // Half-open: when the client has ended, a script may still speak. Paused: a script may leave everything unread.
    const bearing = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, highWaterMark: STREAM_BUFFER }
    this.#server = createServer(bearing, (socket) => {
      this.#accepted += 1
      const connection = new Connection(socket, this.#accepted, house)
      this.#open.add(connection)
      socket.once('close', () => {
        this.#open.delete(connection)
        this.#changed()
      })
      this.#changed()
      void connection.run()
    })
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    const host = this.host === '::1' ? '[::1]' : this.host
    return `${this.#secure ? 'https' : 'http'}://${host}:${this.#port}`
  }

  get connections(): { accepted: number; open: number; idle: number } {
    return { accepted: this.#accepted, open: this.#open.size, idle: this.#idle().length }
  }

  async listen(port: number): Promise<void> {
    try {
      this.#server.listen(port, this.host)
      await once(this.#server, 'listening')
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      const why = code === 'EADDRINUSE' ? 'somebody listens there already (EADDRINUSE)' : message
      throw Object.assign(new Error(`rudeServer: cannot listen on port ${port} of ${this.host}: ${why}`, { cause }), {
        code,
      })
    }
    this.#port = (this.#server.address() as AddressInfo).port
  }

  on(behaviour: Behaviour): void {
    this.#rules.setDefault(behaviour, 'rudeServer: script')
  }

  route(route: string, behaviour: Behaviour): void {
    this.#rules.setRoute(route, behaviour)
  }

  resetIdle(): number {
    return this.#forIdle((connection) => connection.reset())
  }

  closeIdle(): number {
    return this.#forIdle((connection) => connection.hangUp())
  }

  dropIdle(): number {
    return this.#forIdle((connection) => connection.drop())
  }

  until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        settled()
      }
      const fail = (why: string) => reject(new Error(`rudeServer: until() ended: ${why}`))
      const look = () => {
        try {
          if (condition()) settle(resolve)
          else if (this.#closing !== undefined) settle(() => fail('the server was closed'))
        } catch (error) {
          settle(() => reject(error))
        }
      }
      const timer = setTimeout(() => settle(() => fail(`the condition did not hold within ${timeoutMs} ms`)), timeoutMs)
      this.#watchers.add(look)
      look()
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut()
    this.#changed()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #shut(): Promise<void> {
    const stopped = new Promise((resolve) => this.#server.close(resolve))
    const open = [...this.#open]
    for (const connection of open) connection.destroy()
    await Promise.all([stopped, ...open.map((connection) => connection.gone)])
  }

  #idle(): Connection[] {
    return [...this.#open].filter((connection) => connection.idle)
  }

  #forIdle(act: (connection: Connection) => void): number {
    const idle = this.#idle()
    for (const connection of idle) act(connection)
    return idle.length
  }

  // An arrow function, for the ledger and the connections call it.
  readonly #changed = (): void => {
    for (const look of [...this.#watchers]) look()
  }
}
