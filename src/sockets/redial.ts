/** Stay connected: each turn of the loop is a fresh connection, made when the one before has ended. */

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Sender, Sending } from '../attempt/sender.js'
import { hearAbort, stopHearing } from '../call/abort-ear.js'
import { runCall } from '../call/call.js'
import type { CutLine } from '../call/cut.js'
import { CallRecord } from '../call/record.js'
import type { CallSpec } from '../call/spec.js'
import { classify } from '../diagnosis/classify.js'
import { channels } from '../telemetry/channels.js'
import { dialSpec } from './dial.js'
import { Heart } from './heartbeat.js'
import { hold, NotOpened } from './held-connection.js'
import type { HeldLine, LineEnd } from './lifeline.js'
import {
  checkRedialOptions,
  type FactoryOptions,
  type OpenContext,
  type RedialOptions,
  type RedialPlan,
  type WithTls,
} from './redial-options.js'
import { plainAnswer, plainCall, SocketHost } from './socket-host.js'

/**
 * Stays connected. An async generator: each turn of the `for await` is a fresh connection, ready to be used. When the body
 * of the loop is left the next turn begins as soon as the connection has ended; a body that wants another one at once
 * ends it (`socket.destroy()`, `webSocket.close()`).
 *
 * It ends by `break` (which closes the connection), by the signal (it throws the signal's reason), or by a typed error
 * when the policy says stop: the attempts are used up, or another try cannot help (a certificate, a name that does not
 * exist). By default attempts are without number, spaced out by full jitter below a ceiling that doubles up to
 * `retry.backoff.cap`; there is always a wait, since all whose server was restarted would come back in one instant. A
 * connection that has lived for `provenAfter` has proved itself, and the backoff begins anew.
 *
 * The connections are those of `dial`, or whatever a function of yours opens. An error that the body of the loop throws
 * ends the loop, as in any loop: catch in the body what the next turn is to mend.
 *
 * @throws TypeError, at once, for options that are unknown, of the wrong type, or out of range
 *
 * @example
 * ```ts
 * import { isOffhookError } from 'offhook'
 * import { redial } from 'offhook/socket'
 *
 * for await (const socket of redial({ host: 'feed.example.com', port: 7000 })) {
 *   socket.write('SUBSCRIBE prices\n')
 *   try {
 *     for await (const chunk of socket) console.log(String(chunk))
 *   } catch (error) {
 *     if (!isOffhookError(error)) throw error
 *     console.error(error.message)
 *   }
 * }
 * ```
 *
 * @example
 * ```ts
 * import { redial } from 'offhook/socket'
 * import { WebSocket } from 'undici'
 *
 * const url = 'wss://feed.example.com'
 * for await (const webSocket of redial(({ dispatcher }) => new WebSocket(url, { dispatcher }))) {
 *   webSocket.addEventListener('message', ({ data }) => console.log(data))
 * }
 * ```
 */
export function redial<Connection>(
  options: FactoryOptions<Connection> | FactoryOptions<Connection>['open'],
): AsyncGenerator<Connection, void, undefined>
export function redial(options: RedialOptions<TLSSocket> & WithTls): AsyncGenerator<TLSSocket, void, undefined>
export function redial(options: RedialOptions<Socket>): AsyncGenerator<Socket, void, undefined>
export function redial(options: unknown): AsyncGenerator<unknown, void, undefined> {
  return turns(checkRedialOptions<unknown>(options))
}

async function* turns(plan: RedialPlan<unknown>): AsyncGenerator<unknown, void, undefined> {
  const { clock, random, signal } = plan.policy
  const { origin } = plan.way
  const host = new SocketHost({ clock, random, budgeted: false })
  let record = new CallRecord()
  let before: CutLine | undefined
  try {
    for (let turn = 1; ; turn++) {
      const made = before === undefined ? 0 : record.counted + 1
      const line = await runCall(openingCall(plan, host, { turn, made }), host, before)
      channels.redial.publish(() => ({ event: 'up', origin, turn }))
      void line.ended.then((ending) => tellDown({ origin, turn, proved: ending.livedMs >= plan.provenMs }, ending))
      const heart = plan.heartbeat && new Heart(line, plan.heartbeat, clock)
      const abort = () => line.close(signal?.reason)
      if (signal !== undefined) hearAbort(signal, abort)
      let end: LineEnd
      try {
        yield line.connection
        if (usedUp(line.connection)) line.close()
        end = await line.ended
      } finally {
        heart?.stop()
        if (signal !== undefined) stopHearing(signal, abort)
        line.close()
      }
      signal?.throwIfAborted()
      const proved = end.livedMs >= plan.provenMs
      if (proved) record = new CallRecord()
      before = proved && end.wanted ? undefined : cutLine(end, record, proved)
    }
  } finally {
    await host.connections.destroy()
  }
}

/** What has no event for its end has ended when the body of the loop is done with it. */
function usedUp(connection: unknown): boolean {
  const { on, addEventListener } = (connection ?? {}) as { on?: unknown; addEventListener?: unknown }
  return typeof on !== 'function' && typeof addEventListener !== 'function'
}

function cutLine({ failure, evidence, wanted }: LineEnd, record: CallRecord, proved: boolean): CutLine {
  const what = wanted ? 'the connection was given up on this side' : 'the connection ended'
  return { end: 'failure', failure, evidence, record, says: proved ? what : `${what} before it had proved itself` }
}

function tellDown(line: { origin: string; turn: number; proved: boolean }, end: LineEnd): void {
  channels.redial.publish(() => {
    const { cause: _, ...failure } = end.failure
    return { event: 'down', ...line, livedMs: end.livedMs, ...(!end.wanted && { failure }) }
  })
}

/** The call that makes one connection, however many tries it takes. */
function openingCall(
  plan: RedialPlan<unknown>,
  host: SocketHost,
  at: { readonly turn: number; readonly made: number },
): CallSpec<HeldLine<unknown>> {
  const { way, policy } = plan
  if (!('open' in way)) return dialSpec(way, policy, host) as CallSpec<HeldLine<unknown>>
  const { signal, limits, retry } = policy
  const named = { method: 'dial', origin: way.origin, path: '' }
  const sender = new FactorySender(way.open, host, at)
  return { ...plainCall, sender, target: () => named, signal, limits, retry }
}

class FactorySender implements Sender<HeldLine<unknown>> {
  readonly status = plainAnswer.status
  readonly header = plainAnswer.header
  readonly #open: FactoryOptions<unknown>['open']
  readonly #host: SocketHost
  readonly #turn: number
  #attempt: number

  constructor(open: FactoryOptions<unknown>['open'], host: SocketHost, { turn, made }: { turn: number; made: number }) {
    this.#open = open
    this.#host = host
    this.#turn = turn
    this.#attempt = made
  }

  async send(sending: Sending): Promise<HeldLine<unknown>> {
    this.#attempt++
    const opening = this.#open(contextOf(sending, this.#turn, this.#attempt))
    // What is there at once is listened to at once: it may fail within this very turn of the loop.
    const connection = isPromise(opening) ? await opening : opening
    return hold(connection, { sending, clock: this.#host.clock })
  }

  /** What the factory threw, and the network had no part in, is for its author to see. */
  isMistake(raw: unknown): boolean {
    return !(raw instanceof NotOpened) && classify(raw).kind === 'unknown'
  }

  discard(line: HeldLine<unknown>): void {
    line.close()
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

/** Signal and dispatcher are made when they are asked for. */
function contextOf(sending: Sending, turn: number, attempt: number): OpenContext {
  return {
    turn,
    attempt,
    get signal() {
      return sending.signal
    },
    get dispatcher() {
      return sending.dispatcher
    },
  }
}
