import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Rulebook } from './behaviour.js'
import { Exchange } from './exchange.js'
import type { LedgerBook } from './ledger.js'
import { HungUp, Line } from './line.js'
import { type RequestLimits, UnreadableRequest } from './request-parser.js'
import type { Script } from './script.js'
import { perform } from './steps.js'

/** What all connections of a server share. */
export interface House {
  readonly rules: Rulebook
  readonly ledger: LedgerBook
  readonly limits: RequestLimits
  /** The TLS context for a certificate; undefined on plain TCP. */
  readonly secureContext?: (certificate: Script['certificate']) => SecureContext
  /** Called when a connection becomes busy, idle or closed. */
  readonly onChange: () => void
}

/** One connection of the rude server, from accept to its end: it takes the stages of the scripts in their order. */
export class Connection {
  readonly #line: Line
  readonly #house: House
  readonly #number: number
  #served = 0
  #waiting = false

  constructor(socket: Socket, number: number, house: House) {
    this.#line = new Line(socket)
    this.#number = number
    this.#house = house
  }

  /** Whether it is open, kept, and no request is arriving or being answered. */
  get idle(): boolean {
    const { flushed, source } = this.#line
    return this.#waiting && flushed && !source.deaf && source.length === 0
  }

  /** Resolves when the connection is gone, whoever ended it. */
  get gone(): Promise<void> {
    return this.#line.ended
  }

  /** Takes its course; never rejects. */
  async run(): Promise<void> {
    try {
      await this.#begin()
      while (await this.#nextRequest()) await this.#exchange()
    } catch {
      // Nearly always HungUp, the way a script ends early. Whatever else it is ends this connection, not the process.
    }
    // Open still if it was the client who hung up, be it in the middle of a request: whoever is left says goodbye.
    await this.#line.fin().catch(() => {})
  }

  /** RST, now. */
  reset(): void {
    this.#line.rst()
  }

  /** FIN, and close. */
  hangUp(): void {
    this.#waiting = false
    this.#line.fin().catch(() => {})
  }

  /** From now on nothing is heard and nothing is said. */
  drop(): void {
    this.#line.source.goDeaf()
  }

  /** close(2), now. */
  destroy(): void {
    this.#line.close()
  }

  /** The stages before the first request. */
  async #begin(): Promise<void> {
    const { rules, secureContext } = this.#house
    const line = this.#line
    const script = rules.forConnection(this.#number)
    const scene = { line, served: 0 }
    await perform(script.accept ?? [], scene)
    if (secureContext) {
      if (script.clientHello) {
        await readClientHello(line)
        await perform(script.clientHello, scene)
      }
      await line.secure(secureContext(script.certificate))
    }
    await perform(script.open ?? [], scene)
  }

  /** Waits for the first byte of a request; false when the client has hung up instead. */
  async #nextRequest(): Promise<boolean> {
    this.#waiting = true
    this.#house.onChange()
    const came = await this.#line.source.fill(1)
    this.#waiting = false
    this.#house.onChange()
    return came
  }

  async #exchange(): Promise<void> {
    const { rules, ledger, limits } = this.#house
    const exchange = new Exchange(this.#line, {
      ledger,
      limits,
      connection: this.#number,
      requestOnConnection: this.#served + 1,
    })
    let script: Script
    try {
      script = rules.beforeHead(this.#number) ?? (await this.#choose(exchange))
      exchange.prepare(script.request ?? [])
      await perform(script.request ?? [], { line: this.#line, exchange, served: this.#served })
      if (exchange.answer === 'none') await exchange.respond({ body: 'ok' })
      if (exchange.answer === 'cut') await perform(['stall'], { line: this.#line, served: this.#served })
      if (exchange.close) return await this.#lastAnswer()
      await exchange.drain()
    } catch (error) {
      exchange.breakOff()
      if (!(error instanceof UnreadableRequest)) throw error
      return await this.#refuse(exchange, error)
    }
    this.#served += 1
    await this.#rest(script)
  }

  /** A script that cannot be had is the fault of the test, and must be seen there: the answer tells it. */
  async #choose(exchange: Exchange): Promise<Script> {
    const request = await exchange.seen()
    try {
      return this.#house.rules.forRequest(request)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      return {
        request: [{ respond: { status: 500, body: `The script of the rude server failed: ${text}`, close: true } }],
      }
    }
  }

  /** The stage `idle`. The connection counts as idle already, for the client has its answer. */
  async #rest(script: Script): Promise<void> {
    if (!script.idle) return
    this.#waiting = true
    this.#house.onChange()
    this.#line.source.watch()
    await perform(script.idle, { line: this.#line, served: this.#served, interruptible: true })
  }

  async #refuse(exchange: Exchange, error: UnreadableRequest): Promise<void> {
    if (exchange.answer === 'none') {
      const answer = { status: error.status, body: `${error.message}\n`, close: true } as const
      await perform([{ respond: answer }], { line: this.#line, served: this.#served })
    }
    this.#line.close()
  }

  async #lastAnswer(): Promise<void> {
    this.#served += 1
    await this.#line.lingeringClose()
    throw new HungUp()
  }
}

/** Waits until the first TLS record is here whole: a ClientHello fits one record, unless the client is most unusual. */
async function readClientHello({ source }: Line): Promise<void> {
  const RECORD_HEADER = 5
  if (!(await source.fill(RECORD_HEADER))) throw new HungUp()
  const header = source.take(RECORD_HEADER)
  source.giveBack(header)
  if (!(await source.fill(RECORD_HEADER + header.readUInt16BE(3)))) throw new HungUp()
}
