/** `client.request`: undici's `request`, the fast way, with the same typed errors and retries. */

import { interceptors, Dispatcher as UndiciDispatcher, FormData as UndiciFormData } from 'undici'
import type { Sender, Sending } from '../attempt/sender.js'
import { runCall } from '../call/call.js'
import type { CallHost } from '../call/spec.js'
import { type Clock, longestDelayMs } from '../clock.js'
import { redactPath } from '../failure/redact.js'
import type { ClientSettings } from '../options.js'
import { checkNumber, mismatch } from '../policy/option-check.js'
import { type CallOptions, callSettings, checkedKey, given } from './call-options.js'
import { type Asked, callSpec } from './call-spec.js'
import { drain } from './drain.js'
import { isReadOnce, OneShotBody } from './one-shot-body.js'
import { dispatcherOf, type Resumption } from './resume.js'
import { headerOf, rereadable, withDefault, withHeader } from './undici-headers.js'
import { originOf, pathOf } from './url-parts.js'

/** A request body for `request`: what undici takes, and URLSearchParams and the global FormData as well. */
export type RequestBody =
  | UndiciDispatcher.DispatchOptions['body']
  | URLSearchParams
  | globalThis.FormData
  | AsyncIterable<Uint8Array>
  | ReadableStream
  | null

/** What `request` takes: what undici's `request` takes, a function as `body`, and {@link CallOptions}. */
export interface RequestOptions
  extends Omit<
      UndiciDispatcher.RequestOptions,
      keyof CallOptions | 'origin' | 'path' | 'method' | 'body' | 'signal' | 'maxRedirections' | 'throwOnError'
    >,
    CallOptions {
  /** Default `GET`, or `PUT` where there is a body, as undici has it. */
  readonly method?: string | undefined
  /** A function makes the body afresh for each attempt, so that a stream can be sent again. */
  readonly body?: RequestBody | (() => RequestBody | Promise<RequestBody>) | undefined
  readonly signal?: AbortSignal | null | undefined
  /** What to ask for, query included, where the URL is an origin. */
  readonly path?: string | undefined
  /** Follow so many redirects. Default 0. */
  readonly maxRedirections?: number | undefined
}

/** What `request` resolves to: undici's response data. */
export type RequestResult = UndiciDispatcher.ResponseData

/** The type of `client.request` and of the exported `request`. */
export type RequestFunction = (url: string | URL, options?: RequestOptions) => Promise<RequestResult>

/** Bun puts a module of its own in the place of undici, whose dispatchers do nothing. */
const hasDispatchers = typeof UndiciDispatcher.prototype.request === 'function'
const noDispatchers =
  'request needs the dispatchers of undici, which this runtime replaces with its own module (Bun does); use fetch, or Node or Deno'

/** Makes the request function of one client. */
export function requestOf(host: CallHost, client: ClientSettings): RequestFunction {
  // Not async: a frame that only passes a promise on costs three turns of the microtask queue.
  return (url, options) => {
    try {
      if (!hasDispatchers) throw new TypeError(noDispatchers)
      return new RequestCall(url, options).run(host, client)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

class RequestCall implements Sender<RequestResult> {
  readonly #origin: string
  /** With the query. */
  readonly #path: string
  readonly #options: RequestOptions | undefined
  readonly #method: string
  readonly #headers: RequestOptions['headers']
  readonly #oneShot: OneShotBody | undefined
  #resumption: Resumption | undefined
  #mistaken = false

  constructor(url: string | URL, options: RequestOptions | null | undefined) {
    refuseMistakes(options)
    const address = addressOf(url, options?.path)
    // Two strings, and not the URL: a call that waits holds what it is made of.
    this.#origin = originOf(address)
    this.#path = pathOf(address)
    if (options?.query !== undefined && options.query !== null && address.search !== '')
      throw mismatch('query', 'left out, since the URL has one', options.query)
    this.#options = options ?? undefined
    const body = options?.body
    const key = checkedKey(options ?? undefined)
    const headers = rereadable(options?.headers)
    this.#headers = key === undefined ? headers : withHeader(headers, 'idempotency-key', key)
    this.#method = options?.method ?? (body ? 'PUT' : 'GET')
    this.#oneShot = isReadOnce(body) && !isUndiciForm(body) ? new OneShotBody(body) : undefined
  }

  run(host: CallHost, client: ClientSettings): Promise<RequestResult> {
    const options = this.#options
    const settings = callSettings(options, client)
    const { headersTimeout, bodyTimeout } = options ?? {}
    const limits =
      headersTimeout === undefined && bodyTimeout === undefined
        ? settings.limits
        : {
            ...settings.limits,
            headers: orNone(headersTimeout, settings.limits.headers),
            body: orNone(bodyTimeout, settings.limits.body),
          }
    const asked: Asked<RequestResult> = {
      sender: this,
      method: this.#method,
      target: () => ({ method: this.#method, origin: this.#origin, path: redactPath(this.#path) }),
      signal: options?.signal,
      replayable: () => this.#oneShot?.touched !== true,
      header: (name) => headerOf(this.#headers, name),
    }
    const spec = callSpec(asked, options, limits === settings.limits ? settings : { ...settings, limits })
    if (spec.resumes) this.#resumption = { spec, host }
    const call = runCall(spec, host)
    return this.#oneShot === undefined ? call : this.#oneShot.follow(call, () => this.#mistaken)
  }

  send(sending: Sending): Promise<RequestResult> {
    const redirections = given(this.#options, 'maxRedirections', this.#options?.maxRedirections) ?? 0
    const plain = dispatcherOf(sending, this.#resumption)
    const dispatcher =
      redirections > 0 ? plain.compose(interceptors.redirect({ maxRedirections: redirections })) : plain
    const body = this.#options?.body
    if (this.#oneShot !== undefined) return dispatcher.request(this.#with(this.#oneShot.guard()))
    if (typeof body === 'function') return Promise.resolve(body()).then((made) => dispatcher.request(this.#with(made)))
    return dispatcher.request(this.#with(body))
  }

  isMistake(): boolean {
    // What never came to our dispatcher was refused by undici, or was not made by the caller's own function.
    this.#mistaken = true
    return true
  }

  status(answer: RequestResult): number {
    return answer.statusCode
  }

  header(answer: RequestResult): (name: string) => string | undefined {
    const headers = answer.headers as RequestOptions['headers']
    return (name) => headerOf(headers, name)
  }

  discard(answer: RequestResult, clock: Clock): void {
    const { body } = answer
    body.on('error', () => {})
    const chunks = body[Symbol.asyncIterator]()
    const read = async () => {
      const { done, value } = await chunks.next()
      return { done: done === true, value: value as { length: number } | undefined }
    }
    drain({ read, cancel: async () => void body.destroy() }, clock)
  }

  /** What undici is to send, with the body in a form that it takes. */
  #with(given: RequestBody | undefined): UndiciDispatcher.RequestOptions {
    let headers = this.#headers
    let body: unknown = given
    if (typeof given === 'object' && given !== null) {
      if (given instanceof URLSearchParams) {
        headers = withDefault(headers, 'content-type', 'application/x-www-form-urlencoded;charset=UTF-8')
        body = given.toString()
      } else if (isGlobalForm(given)) {
        body = undiciForm(given)
      }
    }
    // One shape for all: an object that is made by a spread has none, and costs the whole way through undici.
    const base: Record<string, unknown> = {
      origin: this.#origin,
      path: this.#path,
      method: this.#method,
      headers,
      body,
    }
    const options = this.#options as Record<string, unknown> | undefined
    for (const name in options) if (!written.has(name) && Object.hasOwn(options, name)) base[name] = options[name]
    return base as unknown as UndiciDispatcher.RequestOptions
  }
}

/** Options that are ours, or that stand in what undici is given already. */
const written = new Set([
  ...['origin', 'path', 'method', 'headers', 'body'],
  ...['timeout', 'retry', 'idempotent', 'idempotencyKey', 'hedge', 'throwOnStatus', 'dispatcher'],
  ...['signal', 'maxRedirections', 'headersTimeout', 'bodyTimeout'],
])

/** undici: 0 is no limit. */
function orNone(ms: number | null | undefined, otherwise: number | undefined): number | undefined {
  if (ms === undefined || ms === null) return otherwise
  return ms === 0 ? undefined : ms
}

/** What would go wrong later, or not at all, is refused at once, in words. */
function refuseMistakes(options: RequestOptions | null | undefined): void {
  if (options === undefined || options === null) return
  if (typeof options !== 'object') throw mismatch('options', 'an object', options)
  const { signal, headersTimeout, bodyTimeout, maxRedirections } = options
  const { agent } = options as { readonly agent?: unknown }
  if (agent !== undefined && agent !== null)
    throw mismatch('agent', 'left out: what undici sends by is a dispatcher', agent)
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal))
    throw mismatch('signal', 'an AbortSignal', signal)
  refuseLimit('headersTimeout', headersTimeout)
  refuseLimit('bodyTimeout', bodyTimeout)
  if (maxRedirections !== undefined)
    checkNumber('maxRedirections', maxRedirections, { min: 0, max: 100, integer: true })
}

function refuseLimit(name: string, ms: unknown): void {
  if (ms !== undefined && ms !== null) checkNumber(name, ms, { min: 0, max: longestDelayMs })
}

function addressOf(given: string | URL, path: unknown): URL {
  if (typeof given !== 'string' && !(given instanceof URL)) throw mismatch('url', 'a string or a URL', given)
  const url = typeof given === 'string' ? new URL(given) : given
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw mismatch('url', 'http: or https:', url.protocol)
  if (path === undefined || path === null) return url
  if (typeof path !== 'string') throw mismatch('path', 'a string', path)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw mismatch('url', 'an origin, since options.path is given', url.pathname)
  return new URL(`${url.origin}${path.startsWith('/') ? '' : '/'}${path}`)
}

function isUndiciForm(body: unknown): boolean {
  return body instanceof UndiciFormData
}

function isGlobalForm(body: unknown): body is globalThis.FormData {
  return typeof globalThis.FormData === 'function' && body instanceof globalThis.FormData && !isUndiciForm(body)
}

/** undici's `request` does not take the FormData of another copy of itself, and the global one is such. */
function undiciForm(form: globalThis.FormData): UndiciFormData {
  const copy = new UndiciFormData()
  for (const [name, value] of form) {
    if (typeof value === 'string') copy.append(name, value)
    else copy.append(name, value as unknown as Blob, value.name)
  }
  return copy
}
