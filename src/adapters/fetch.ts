/**
 * `client.fetch`: a drop-in for the global fetch. It drives the global fetch of that moment through our own
 * dispatcher, so that Request, Response, FormData, Headers and Blob are the caller's own classes, and whoever
 * intercepts the global fetch intercepts this one.
 */

import type { Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import type { CallHost, CallTarget } from '../call/spec.js'
import { redactPath, redactText } from '../failure/redact.js'
import type { ClientSettings } from '../options.js'
import { callSettings, checkedKey } from './call-options.js'
import { type Asked, callSpec } from './call-spec.js'
import { type FetchBody, type FetchInit, isPlainObject } from './fetch-init.js'
import { globalFetch, type HostFetch, noteOurs, obedientFetch } from './native-fetch.js'
import { isOneShot, OneShotBody } from './one-shot-body.js'
import { plainFetch } from './plain-fetch.js'
import { plainRequest } from './plain-request.js'
import { ResponseSender } from './response-sender.js'
import { dispatcherOf, type Resumption } from './resume.js'
import { withTypedBody } from './typed-body.js'

/** The type of `client.fetch` and of the exported `fetch`. */
export type FetchFunction = (input: string | URL | Request, init?: FetchInit) => Promise<Response>

/** Makes the fetch of one client. */
export function fetchOf(host: CallHost, client: ClientSettings): FetchFunction {
  // Not async: a frame that only passes a promise on costs three turns of the microtask queue.
  const offhookFetch: FetchFunction = (input, given) => {
    try {
      return send(input, given)
    } catch (error) {
      return Promise.reject(error)
    }
  }
  const send: FetchFunction = (input, given) => {
    const hostFetch = client.fetch ?? globalFetch()
    // What is not HTTP never comes to a connection, and what is not valid is refused best by the fetch that knows.
    if (!isHttp(input) || !isDictionary(given)) return hostFetch(input, given)
    const init = ownCopy(given)
    const signal = signalOf(input, init)
    // It also knows what becomes of a body that is not sent, since the call was aborted before it began.
    if (!isUsableSignal(signal) || signal?.aborted === true) return hostFetch(input, init)
    const plain = hostFetch === obedientFetch ? plainRequest(input, init) : undefined
    if (plain !== undefined) return plainFetch(plain, init, { host, client })
    return new FetchCall(input, init, hostFetch).run(host, client)
  }
  noteOurs(offhookFetch)
  return offhookFetch
}

class FetchCall extends ResponseSender {
  readonly #input: string | URL | Request
  /** A copy: its getters were asked once, as fetch does. */
  readonly #init: FetchInit
  readonly #hostFetch: HostFetch
  readonly #oneShot: OneShotBody | undefined
  /** What is sent next in place of a Request that has a body. */
  #spare: Request | undefined
  readonly #carriesBody: boolean
  #resumption: Resumption | undefined
  readonly mayRepeat: boolean
  #needsSignal = true
  #mistaken = false

  constructor(input: string | URL | Request, init: FetchInit, hostFetch: HostFetch) {
    super()
    this.#input = input
    this.#init = init
    this.#hostFetch = hostFetch
    this.mayRepeat = hostFetch !== obedientFetch
    const { body } = init
    this.#oneShot = isOneShot(body) ? new OneShotBody(body) : undefined
    this.#carriesBody = isRequest(input) && (body === undefined || body === null) && hasFreshBody(input)
    // An iterator can be read once, and each attempt needs the headers.
    if (isIterator(init.headers)) init.headers = new Headers(init.headers)
    const key = checkedKey(init)
    if (key !== undefined) init.headers = withKey(init.headers ?? (isRequest(input) ? input.headers : undefined), key)
  }

  run(host: CallHost, client: ClientSettings): Promise<Response> {
    const init = this.#init
    const input = this.#input
    const method = methodOf(input, init)
    const settings = callSettings(init, client)
    const signal = signalOf(input, init)
    this.#needsSignal = this.mayRepeat || (signal !== undefined && signal !== null)
    const asked: Asked<Response> = {
      sender: this,
      method,
      target: targetOf(method, input),
      signal,
      replayable: () => this.#isReplayable(),
      header: (name) => headerOf(init.headers ?? (isRequest(input) ? input.headers : undefined), name),
    }
    const spec = callSpec(asked, init, settings)
    if (spec.resumes) this.#resumption = { spec, host }
    const call = runCall(spec, host)
    return this.#oneShot === undefined ? call : this.#oneShot.follow(call, () => this.#mistaken)
  }

  send(sending: Sending): Promise<Response> {
    const dispatcher = dispatcherOf(sending, this.#resumption)
    // The signal carries the reasons of the caller's own, whatever they are; without one, and with a fetch that obeys
    // our dispatcher, everything can be told and stopped there, at a fraction of the cost.
    if (this.#needsSignal) return this.#fetch({ dispatcher, signal: sending.signal })
    return this.#fetch({ dispatcher }).then((response) => withTypedBody(response, sending))
  }

  onStart(contentLength: number | undefined): void {
    // The spare of a Request shares its body, so what the attempt sends is kept for it. That is fine for a known,
    // small body; a stream, or something large, must not be kept behind the caller's back.
    if (this.#spare === undefined || (contentLength ?? Number.POSITIVE_INFINITY) <= spareLimit) return
    this.#spare.body?.cancel().catch(ignore)
    this.#spare = undefined
  }

  isMistake(): boolean {
    // What a fetch refuses that would have come to our dispatcher for the network is the input's fault.
    this.#mistaken = this.#hostFetch === obedientFetch || !this.#isValid()
    return this.#mistaken
  }

  #isValid(): boolean {
    try {
      new Request(isRequest(this.#input) ? this.#input.url : this.#input, this.#init as unknown as RequestInit)
      return true
    } catch {
      return false
    }
  }

  #fetch(ours: { readonly dispatcher: unknown; readonly signal?: AbortSignal }): Promise<Response> {
    // Not by a spread: with new names after it, it takes ten times as long.
    const init: { body?: unknown } = Object.assign({}, this.#init, ours)
    if (this.#carriesBody) return this.#hostFetch(this.#takeRequest(), init)
    if (this.#oneShot !== undefined) init.body = this.#oneShot.guard()
    const { body } = this.#init
    return typeof body === 'function' ? this.#sendMade(body, init) : this.#hostFetch(this.#input, init)
  }

  #isReplayable(): boolean {
    if (this.#oneShot !== undefined) return !this.#oneShot.touched
    return !this.#carriesBody || this.#spare !== undefined
  }

  #takeRequest(): Request {
    const request = this.#spare ?? (this.#input as Request)
    this.#spare = request.clone()
    return request
  }

  async #sendMade(make: () => FetchBody | Promise<FetchBody>, init: object): Promise<Response> {
    const body = await make()
    return this.#hostFetch(this.#input, { ...init, body, duplex: 'half' })
  }
}

/** A Request's body up to this many bytes is kept until it is known whether it must be sent again. */
const spareLimit = 1024 * 1024

/** The members of RequestInit and our own, for an `init` that is an instance of something and has them on its prototype. */
const members = [
  ...['method', 'headers', 'body', 'signal', 'redirect', 'duplex', 'integrity', 'keepalive', 'referrer'],
  ...['referrerPolicy', 'mode', 'credentials', 'cache', 'window', 'priority', 'dispatcher'],
  ...['timeout', 'retry', 'idempotent', 'idempotencyKey', 'hedge', 'throwOnStatus'],
]

function ownCopy(init: FetchInit | null | undefined): FetchInit {
  if (init === undefined || init === null) return {}
  if (isPlainObject(init)) return { ...init }
  const copy: Record<string, unknown> = {}
  for (const name of members) {
    const value = (init as Record<string, unknown>)[name]
    if (value !== undefined) copy[name] = value
  }
  return copy
}

/** What WebIDL takes for a dictionary. */
function isDictionary(init: unknown): boolean {
  return init === undefined || init === null || typeof init === 'object' || typeof init === 'function'
}

function isRequest(input: unknown): input is Request {
  return typeof input === 'object' && input !== null && 'url' in input && 'method' in input && 'clone' in input
}

/** A body that is still there; one that is not is left to fetch to refuse. */
function hasFreshBody({ body, bodyUsed }: Request): boolean {
  return body !== null && body !== undefined && !bodyUsed && !body.locked
}

function isIterator(headers: unknown): headers is Iterable<[string, string]> {
  return typeof headers === 'object' && headers !== null && 'next' in headers && Symbol.iterator in headers
}

function isHttp(input: unknown): input is string | URL | Request {
  if (input instanceof URL) return input.protocol === 'http:' || input.protocol === 'https:'
  return /^\s*https?:/i.test(isRequest(input) ? input.url : String(input))
}

function isUsableSignal(signal: unknown): boolean {
  return signal === undefined || signal === null || signal instanceof AbortSignal
}

function signalOf(input: string | URL | Request, init: FetchInit): AbortSignal | null | undefined {
  if (init.signal !== undefined) return init.signal
  return isRequest(input) ? input.signal : undefined
}

const normalized = /^(?:delete|get|head|options|post|put)$/i

function methodOf(input: string | URL | Request, init: FetchInit): string {
  const method = String(init.method ?? (isRequest(input) ? input.method : 'GET'))
  return normalized.test(method) ? method.toUpperCase() : method
}

/** Parsed when first asked for: a call that succeeds never needs it. */
function targetOf(method: string, input: string | URL | Request): () => CallTarget {
  let target: CallTarget | undefined
  return () => {
    target ??= { method, ...parseTarget(isRequest(input) ? input.url : String(input)) }
    return target
  }
}

function parseTarget(text: string): { origin: string; path: string } {
  try {
    const { origin, pathname } = new URL(text)
    return { origin, path: pathname }
  } catch {
    return { origin: '', path: redactPath(redactText(text)) }
  }
}

function headerOf(headers: FetchInit['headers'] | undefined, name: string): string | null | undefined {
  if (headers === undefined || headers === null) return undefined
  if (headers instanceof Headers) return headers.get(name)
  const pairs = Symbol.iterator in headers ? (headers as Iterable<readonly string[]>) : Object.entries(headers)
  for (const [key, value] of pairs) if (key?.toLowerCase() === name) return String(value)
  return undefined
}

function withKey(headers: FetchInit['headers'] | undefined, key: string): Headers {
  const copy = new Headers(headers as ConstructorParameters<typeof Headers>[0])
  copy.set('idempotency-key', key)
  return copy
}

function ignore(): void {}
