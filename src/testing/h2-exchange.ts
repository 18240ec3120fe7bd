import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type FrameTap, H2_CODES } from './h2-frames.js'
import type { H2Answer, H2GoawayStep, H2Step } from './h2-script.js'
import type { ArrivalRecord } from './ledger.js'

/** One accepted connection: what it is made of, and whether it still stands. */
export interface H2Line {
  readonly raw: Socket
  readonly socket: TLSSocket
  readonly tap: FrameTap
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal
  /** The highest stream whose request was executed. */
  executed: number
  /** The highest stream whose request may be executed: what a GOAWAY refuses is left alone. */
  last: number
}

/** Thrown through a script, and caught by its stream, when there is nothing more to be done on it. */
export class Over extends Error {
  override readonly name = 'Over'
}

/** One request on one stream, and the script that is done to it. */
export class H2Exchange {
  readonly #line: H2Line
  readonly #stream: ServerHttp2Stream
  readonly #id: number
  readonly #arrival: ArrivalRecord
  readonly #whole: Promise<void>
  #executesByItself = true
  #over = false

  constructor(line: H2Line, stream: ServerHttp2Stream, arrival: ArrivalRecord) {
    this.#line = line
    this.#stream = stream
    this.#id = stream.id ?? 0
    this.#arrival = arrival
    // A stream that breaks is the daily bread of this server.
    stream.on('error', () => {})
    stream.on('data', (bytes: Buffer) => arrival.body(bytes))
    this.#whole = new Promise((resolve) => {
      stream.once('end', () => {
        // The end of a stream that was cut comes as one, too.
        if (stream.aborted || stream.rstCode !== 0) return
        arrival.received()
        resolve()
      })
    })
  }

  /** Does the steps, and then answers, unless one of them has done that or ended the stream. */
  async perform(steps: readonly H2Step[]): Promise<void> {
    this.#executesByItself = !steps.includes('execute')
    for (const step of steps) await this.#do(step)
    if (!this.#over && !this.#stream.headersSent) await this.#respond({ body: 'ok' })
  }

  async #do(step: H2Step): Promise<void> {
    if (step === 'stall') throw new Over()
    if (step === 'execute') return this.#execute()
    if (step === 'heard') return await this.#orGone(this.#line.tap.heard())
    if (typeof step === 'string' || 'goaway' in step || 'wait' in step)
      return await actOnLine(step, this.#line, this.#id)
    if ('respond' in step) return await this.#respond(step.respond)
    this.#over = true
    this.#line.tap.resetStream(this.#id, step.reset)
    // Node does not know, and need not: whatever it has to say about this stream goes no further. Not NO_ERROR: with that it
    // would wait for what is still to be written, and a stream that is destroyed meanwhile puts it into an endless loop.
    this.#stream.close(H2_CODES.CANCEL)
  }

  async #execute(): Promise<void> {
    await this.#orGone(this.#whole)
    if (this.#id > this.#line.last) throw new Over()
    this.#line.executed = Math.max(this.#line.executed, this.#id)
    this.#arrival.execute()
  }

  async #respond(answer: H2Answer): Promise<void> {
    await this.#orGone(this.#whole)
    const { status = 200, body = '', length = true, cut, end = false } = answer
    if (((status >= 200 && status < 300) || status === 303) && this.#executesByItself && !this.#arrival.executed)
      await this.#execute()
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.alloc(body.bytes, 'abcdefghijklmnopqrstuvwxyz')
    const stream = this.#stream
    if (stream.destroyed) throw new Over()
    stream.respond({
      ':status': status,
      ...(length && { 'content-length': bytes.length }),
      ...(answer.headers as IncomingHttpHeaders | undefined),
    })
    const part = bytes.subarray(0, cut)
    if (cut === undefined || end) {
      this.#over = true
      await this.#orGone(new Promise<void>((resolve) => stream.end(part, resolve)))
    } else if (part.length > 0) {
      await this.#orGone(new Promise<void>((resolve) => stream.write(part, () => resolve())))
    }
  }

  async #orGone(something: Promise<unknown>): Promise<void> {
    const { gone } = this.#line
    let leave = () => {}
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(new Over())
      if (gone.aborted || this.#stream.destroyed) leave()
      gone.addEventListener('abort', leave, { once: true })
      this.#stream.once('close', leave)
    })
    try {
      await Promise.race([something, left])
    } finally {
      gone.removeEventListener('abort', leave)
      this.#stream.off('close', leave)
    }
  }
}

/** A step that is done to the connection, on behalf of one stream or of none (0). */
export async function actOnLine(
  step: Exclude<H2Step, { respond: unknown } | { reset: unknown }>,
  line: H2Line,
  stream: number,
): Promise<void> {
  if (typeof step !== 'string') {
    if ('goaway' in step) {
      line.last = Math.min(line.last, lastStream(step, stream, line.executed))
      line.tap.goaway(line.last, step.goaway)
    } else await wait(step.wait, line.gone)
  } else if (step === 'mute') line.tap.mute()
  else if (step === 'ignore-pings') line.tap.ignorePings()
  else if (step === 'rst') resetLine(line)
  else if (step === 'fin') line.socket.end()
  if (step === 'rst' || step === 'fin') throw new Over()
}

function resetLine({ raw, socket }: H2Line): void {
  // A connection that another stream's script has ended cannot be reset any more (libuv: EINVAL), and would never close.
  if (socket.writableEnded) raw.destroy()
  else raw.resetAndDestroy()
}

function lastStream({ last }: H2GoawayStep, stream: number, executed: number): number {
  if (last === 'any') return 2 ** 31 - 1
  if (last === 'executed') return executed
  if (last === 'none') return 0
  return last === 'this' ? stream : Math.max(0, stream - 2)
}

function wait(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer)
      reject(new Over())
    }
    const done = () => {
      gone.removeEventListener('abort', leave)
      resolve()
    }
    const timer = setTimeout(done, ms)
    if (gone.aborted) leave()
    else gone.addEventListener('abort', leave, { once: true })
  })
}
