import { Buffer } from 'node:buffer'
import { composeAnswer, composeInform } from './answer.js'
import type { ArrivalRecord, LedgerBook } from './ledger.js'
import { HungUp, type Line } from './line.js'
import { type RequestHead, type RequestLimits, RequestParser } from './request-parser.js'
import type { Answer, HeaderValues, SeenRequest, Step } from './script.js'

/** What an exchange is told about its place. */
export interface ExchangePlace {
  readonly ledger: LedgerBook
  readonly limits: RequestLimits
  /** Which connection, from 1. */
  readonly connection: number
  /** The how-many-th request on it, from 1. */
  readonly requestOnConnection: number
}

/**
 * One request on one connection, from its first byte until its answer is over. It reads only as far as it is told to, writes
 * what it reads into the ledger, and knows whether the connection can carry another request afterwards.
 */
export class Exchange {
  readonly #line: Line
  readonly #place: ExchangePlace
  readonly #parser: RequestParser
  #arrival: ArrivalRecord | undefined
  #wireBytes = 0
  #readOnPurpose = false
  #executesByItself = true
  #answer: 'none' | 'cut' | 'whole' = 'none'
  #close = false
  #continued = false

  constructor(line: Line, place: ExchangePlace) {
    this.#line = line
    this.#place = place
    this.#parser = new RequestParser(place.limits, (bytes) => this.#arrival?.body(bytes))
  }

  /** How the answer stands: `'cut'` when its end was held back. */
  get answer(): 'none' | 'cut' | 'whole' {
    return this.#answer
  }

  /** Whether the connection is to be closed when the answer is over. */
  get close(): boolean {
    return this.#close
  }

  /** Takes note of the steps to come: where one of them executes, nothing else does. */
  prepare(steps: readonly Step[]): void {
    this.#executesByItself = !steps.includes('execute')
  }

  /** Reads the head, and tells what was seen. */
  async seen(): Promise<SeenRequest> {
    const head = await this.#readHead()
    const { id, identified, attempt } = this.#arrival as ArrivalRecord
    const { method, path, headers } = head
    const { connection, requestOnConnection } = this.#place
    return { id, identified, attempt, method, path, headers, connection, requestOnConnection }
  }

  /** The step `read`. */
  async read(what: number | 'head' | 'request'): Promise<void> {
    this.#readOnPurpose = true
    if (what === 'head') await this.#readHead()
    else if (what === 'request') await this.#readWhole()
    else while (this.#wireBytes < what && !this.#parser.complete) await this.#readSome(what - this.#wireBytes)
  }

  /** The step `execute`: the server acts on what it has read. */
  async execute(): Promise<void> {
    await this.#readUnlessTold()
    // Without a head there is no knowing what to do: so far nobody can have acted.
    this.#arrival?.execute()
  }

  /** The step `respond`. */
  async respond(answer: Answer): Promise<void> {
    await this.#readUnlessTold()
    const status = answer.status ?? 200
    if ((status >= 200 && status < 300) || status === 303) this.#executeByItself()
    const head = this.#parser.head
    const close = head !== undefined && wantsClose(head)
    const composed = composeAnswer(answer, head ? { method: head.method, close } : { close })
    await writePieces(this.#line, composed.pieces, composed.everyMs)
    this.#answer = composed.complete ? 'whole' : 'cut'
    this.#close = composed.close
  }

  /** The step `inform`. */
  async inform(status: number, headers?: HeaderValues): Promise<void> {
    await this.#readHead()
    this.#continued ||= status === 100
    await this.#line.write(composeInform(status, headers))
  }

  /** The step `write`: the bytes may be a whole answer, and are taken for one. */
  async write(bytes: Buffer, times: number, everyMs: number): Promise<void> {
    await this.#readUnlessTold()
    this.#executeByItself()
    await writeRepeatedly(this.#line, bytes, { times, everyMs })
    this.#answer = 'whole'
  }

  /** Reads what is left of the request, so that the next one can be found behind it. */
  async drain(): Promise<void> {
    await this.#readWhole()
  }

  /** The connection ended, or what came is no request: a head that is not whole goes down as a fragment. */
  breakOff(): void {
    if (!this.#arrival && this.#wireBytes > 0) this.#place.ledger.fragment()
  }

  async #readUnlessTold(): Promise<void> {
    if (!this.#readOnPurpose) await this.#readWhole()
  }

  #executeByItself(): void {
    const arrival = this.#arrival
    if (this.#executesByItself && this.#parser.complete && arrival && !arrival.executed) arrival.execute()
  }

  async #readHead(): Promise<RequestHead> {
    while (!this.#parser.head) await this.#readSome(Number.POSITIVE_INFINITY)
    return this.#parser.head
  }

  async #readWhole(): Promise<void> {
    const head = await this.#readHead()
    const waits = !this.#parser.complete && /^100-continue$/i.test(head.headers['expect'] ?? '')
    // A client that waits for leave to send would wait for ever: a server that means to read must give it.
    if (waits && !this.#continued && this.#answer === 'none') await this.inform(100)
    while (!this.#parser.complete) await this.#readSome(Number.POSITIVE_INFINITY)
  }

  /** Takes what has come, at most `limit` bytes of it; waits if nothing has. */
  async #readSome(limit: number): Promise<void> {
    const { source } = this.#line
    if (!(await source.fill(1))) throw new HungUp()
    const bytes = source.take(Math.min(limit, source.length))
    this.#wireBytes += bytes.length
    const used = this.#parser.push(bytes)
    this.#wireBytes -= bytes.length - used
    source.giveBack(bytes.subarray(used))
    const { ledger, connection, requestOnConnection } = this.#place
    if (this.#parser.head && !this.#arrival) {
      this.#arrival = ledger.arrive(this.#parser.head, connection, requestOnConnection)
      if (this.#parser.complete) this.#arrival.received()
    } else if (this.#parser.complete) this.#arrival?.received()
  }
}

/** Writes pieces one after the other with a pause between them. */
export async function writePieces(line: Line, pieces: readonly Buffer[], everyMs: number): Promise<void> {
  for (const [at, piece] of pieces.entries()) {
    if (at > 0 && everyMs > 0) await line.wait(everyMs)
    await line.write(piece)
  }
}

/** Writes the same bytes many times; without a pause in large pieces, for there may be a million of them. */
export async function writeRepeatedly(
  line: Line,
  bytes: Buffer,
  { times, everyMs }: { times: number; everyMs: number },
): Promise<void> {
  const perWrite = everyMs > 0 ? 1 : Math.max(1, Math.floor(65_536 / Math.max(1, bytes.length)))
  for (let done = 0; done < times; done += perWrite) {
    if (done > 0 && everyMs > 0) await line.wait(everyMs)
    const count = Math.min(perWrite, times - done)
    await line.write(Buffer.alloc(bytes.length * count, bytes))
  }
}

function wantsClose(head: RequestHead): boolean {
  const tokens = (head.headers['connection'] ?? '').toLowerCase()
  return /\bclose\b/.test(tokens) || (head.minorVersion === 0 && !/\bkeep-alive\b/.test(tokens))
}
