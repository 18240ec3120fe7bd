/**
 * offhook as an undici interceptor: whatever takes a `dispatcher`, or goes by the global one, gets the same verdicts,
 * errors and policies as `fetch` and `request` of a client.
 *
 * @packageDocumentation
 */

import { Dispatcher } from 'undici'
import type { Sender, Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import { DispatcherHost } from '../call/dispatcher-host.js'
import type { CallHost, CallSpec, CallTarget } from '../call/spec.js'
import type { Clock } from '../clock.js'
import { StatusError } from '../failure/errors.js'
import { redactPath, redactText } from '../failure/redact.js'
import { type ClientOptions, type ClientSettings, checkClientOptions, type TimeoutOptions } from '../options.js'
import { requestClass } from '../policy/idempotency.js'
import { mismatch, openSection } from '../policy/option-check.js'
import type { AnyHandler, HeaderReader } from '../wire/handler-shapes.js'
import { recordReader } from '../wire/handler-shapes.js'
import { given } from './call-options.js'
import { AnswerHead, HeldAnswer } from './held-answer-handlers.js'
import { isReadOnce, OneShotBody } from './one-shot-body.js'
import { inNewWords, Receiver } from './receiver-handlers.js'
import { dispatcherOf, mayResume, type Resumption } from './resume.js'
import { headerOf } from './undici-headers.js'

const names = [
  'timeout',
  'retry',
  'budget',
  'hedge',
  'breaker',
  'throttle',
  'concurrency',
  'throwOnStatus',
  'clock',
  'random',
] as const

/**
 * What `resilient` takes: those options of `createClient` that are not about connections, for these belong to the
 * dispatcher. All optional, with the same defaults.
 */
export interface ResilientOptions extends Pick<ClientOptions, Exclude<(typeof names)[number], 'timeout'>> {
  /** Limits of time, in ms. A bare number is the total. How long a connection may take is the dispatcher's own option. */
  readonly timeout?: number | Omit<TimeoutOptions, 'connect'> | undefined
}

/**
 * Makes an undici interceptor that names failures, repeats what is safe to repeat, and heeds budget and breaker, as
 * a client of offhook does. Works with `Agent`, `Pool`, `Client`, `ProxyAgent` and others, of undici 7 and 8, and by
 * `setGlobalDispatcher` for the global fetch and all that goes by it.
 *
 * Compose it first, so that it stands next to the wire: an interceptor between the two that repeats or redirects hides
 * requests from it. The state of the policies is kept per dispatcher and origin, so compose once, not per request.
 *
 * The handler, and so the caller, is told an `OffhookError` of the failure's kind (from `fetch` it is the `cause` of
 * its `TypeError: fetch failed`), or its own reason when it aborted. With `throwOnStatus`, `response` of a
 * `StatusError` is `{ statusCode, headers, statusText }`. `CONNECT` and upgrades go through untouched.
 *
 * What it knows less than a client: sockets are not seen, so errors have no `connection` and no `bytes`, and a body
 * that is delimited by the end of its connection alone cannot be told from one that was cut. A body that comes as a stream or an
 * iterable (all bodies of the global fetch do) can be sent again only while nobody has begun to read it.
 *
 * `idempotent` in the dispatch options and the headers `Idempotency-Key` and `X-Idempotency-Key` say that a request
 * may be executed twice.
 *
 * @throws TypeError for options that are unknown, of the wrong type, out of range, or contradict each other
 *
 * @example
 * ```ts
 * import { resilient } from 'offhook/undici'
 * import { Agent, request, setGlobalDispatcher } from 'undici'
 *
 * const dispatcher = new Agent().compose(resilient({ timeout: 10_000, retry: { attempts: 4 } }))
 * const { statusCode } = await request('https://api.example.com/health', { dispatcher })
 * console.log(statusCode)
 *
 * setGlobalDispatcher(dispatcher)
 * await fetch('https://api.example.com/health')
 * ```
 */
export function resilient(options?: ResilientOptions): Dispatcher.DispatcherComposeInterceptor {
  const settings = checkOptions(options)
  return (dispatch) => {
    const below = new Below(dispatch)
    const host = new DispatcherHost(settings, below)
    // undici wants a function of exactly two parameters.
    return (request, handler) => {
      if (!isHandler(handler)) return dispatch(request, handler)
      if (!isCall(request)) return dispatch(request, inNewWords(handler) as Dispatcher.DispatchHandler)
      return new InterceptedCall(request, handler, { below, settings }).run(host)
    }
  }
}

interface Way {
  readonly below: Dispatcher
  readonly settings: ClientSettings
}

function checkOptions(options: unknown = {}): ClientSettings {
  const timeout = openSection('options', options, names).raw('timeout')
  if (typeof timeout === 'object' && timeout !== null && 'connect' in timeout && timeout.connect !== undefined)
    throw mismatch('timeout.connect', "left to the dispatcher's own options, new Agent({ connect })", timeout.connect)
  return checkClientOptions(options)
}

/** Anything else is left to undici to refuse. */
function isHandler(handler: unknown): handler is AnyHandler {
  if (typeof handler !== 'object' || handler === null) return false
  return ['onRequestStart', 'onConnect'].some((name) => typeof Reflect.get(handler, name) === 'function')
}

/** What becomes a tunnel or another protocol is no call. */
function isCall(request: Dispatcher.DispatchOptions): boolean {
  return request.method !== 'CONNECT' && !request.upgrade
}

/** What the interceptor stands on, in the form of a dispatcher. */
class Below extends Dispatcher {
  readonly #dispatch: Dispatcher['dispatch']

  constructor(dispatch: Dispatcher['dispatch']) {
    super()
    this.#dispatch = dispatch
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#dispatch(options, handler)
  }
}

class InterceptedCall implements Sender<AnswerHead> {
  readonly #request: Dispatcher.DispatchOptions
  readonly #clock: Clock
  readonly #oneShot: OneShotBody | undefined
  readonly #abort = new AbortController()
  readonly #receiver: Receiver
  readonly #spec: CallSpec<AnswerHead>
  #resumption: Resumption | undefined
  #accepted = true

  constructor(request: Dispatcher.DispatchOptions, handler: AnyHandler, way: Way) {
    const { method, body, headers } = request
    const idempotent = given(request, 'idempotent', request.idempotent)
    const { settings, below } = way
    this.#request = request
    this.#clock = settings.clock
    this.#oneShot = isReadOnce(body) ? new OneShotBody(body) : undefined
    this.#receiver = new Receiver(handler, (reason) => this.#abort.abort(reason))
    this.#spec = {
      sender: this,
      target: () => targetOf(request),
      requestClass: requestClass({ method, idempotent, header: (name) => headerOf(headers, name) }),
      replayable: () => this.#oneShot?.touched !== true,
      signal: this.#abort.signal,
      limits: settings.limits,
      retry: settings.retry,
      hedge: true,
      throwOnStatus: settings.throwOnStatus,
      resumes: mayResume(method, settings),
      dispatcher: below,
    }
  }

  /** Returns what the first dispatch did: whether more requests are welcome now. */
  run(host: CallHost): boolean {
    if (this.#spec.resumes) this.#resumption = { spec: this.#spec, host }
    this.#receiver.start()
    runCall(this.#spec, host).then(
      (head) => AnswerHead.held(head).deliver(head),
      (error: unknown) => this.#fail(error),
    )
    return this.#accepted
  }

  send(sending: Sending): Promise<AnswerHead> {
    return new Promise((resolve, reject) => {
      const answer = new HeldAnswer(this.#receiver, { resolve, reject })
      const go = () => {
        this.#accepted = dispatcherOf(sending, this.#resumption).dispatch(this.#options(), answer)
      }
      const { method } = this.#request
      if (method === 'GET' || method === 'HEAD') return go()
      // What cannot always be mended by sending again waits until the sockets have been looked at: undici's own look at
      // an idle one comes too early when the request is made in a callback of another socket.
      const later = () => {
        try {
          go()
        } catch (error) {
          reject(error)
        }
      }
      this.#clock.nextTurn(() => this.#clock.nextTurn(later))
    })
  }

  status(head: AnswerHead): number {
    return head.statusCode
  }

  header(head: AnswerHead): HeaderReader {
    return recordReader(head.headers)
  }

  discard(head: AnswerHead, clock: Clock): void {
    AnswerHead.held(head).discard(clock)
  }

  #fail(error: unknown): void {
    this.#oneShot?.cancel(error)
    if (error instanceof StatusError && error.response instanceof AnswerHead) this.discard(error.response, this.#clock)
    this.#receiver.fail(error)
  }

  #options(): Dispatcher.DispatchOptions {
    const { origin } = this.#request
    return {
      ...this.#request,
      ...(origin instanceof URL && { origin: origin.origin }),
      ...(this.#oneShot !== undefined && { body: this.#oneShot.guard() as Dispatcher.DispatchOptions['body'] & {} }),
    }
  }
}

function targetOf({ method, origin, path }: Dispatcher.DispatchOptions): CallTarget {
  // A Pool or a Client knows its origin itself, and need not be told with each request.
  return { method, origin: origin === undefined ? '' : originOf(String(origin)), path: redactPath(path) }
}

function originOf(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : redactText(text)
}
