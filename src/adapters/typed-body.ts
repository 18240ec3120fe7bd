/**
 * fetch wraps what fails in the middle of a body in a `TypeError: terminated`. Here it is unwrapped, for every way in
 * which a body can be read, so that `catch` sees the typed error itself.
 *
 * (An AbortSignal whose reason is the error would do the same without a hand on the Response, and costs more than all
 * the rest of offhook: it is used only where the caller has a signal of his own.)
 */

import { Readable } from 'node:stream'

/** Where the typed error is found, once the body has failed. */
export interface BodyFailure {
  readonly bodyError: unknown
}

type Body = ReadableStream<Uint8Array>

const readers = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const

/** For each prototype of a Response, one below it that unwraps. A Response stays what it was: same class, same state. */
const unwrapping = new WeakMap<object, object>()
/** Where a response keeps its failure: a symbol, as undici keeps its own state; a WeakMap would cost the collector more. */
const failureKey = Symbol('offhook.failure')
type Typed = Response & { [failureKey]?: BodyFailure }

/** The body as somebody was shown it: fetch's own stream, and the one over it that fails with the typed error. */
interface Shown {
  readonly own: Body
  readonly over: Body
}
const shown = new WeakMap<Response, Shown>()

/** Makes the readers of this response reject with the typed error when its body fails. Returns the same object. */
export function withTypedBody(response: Response, failure: BodyFailure): Response {
  ;(response as Typed)[failureKey] = failure
  const prototype = Object.getPrototypeOf(response) as object
  let below = unwrapping.get(prototype)
  if (below === undefined) {
    below = unwrappingPrototype(prototype as Response)
    unwrapping.set(prototype, below)
  }
  return Object.setPrototypeOf(response, below) as Response
}

function unwrappingPrototype(prototype: Response): object {
  const below = Object.create(prototype) as object
  for (const name of readers) {
    const read: unknown = Reflect.get(prototype, name, prototype)
    if (typeof read !== 'function') continue
    method(below, name, function (...args) {
      const reading = beneath(this, () => Reflect.apply(read, this, args) as Promise<unknown>)
      return reading.catch(rethrowing((this as Typed)[failureKey]))
    })
  }
  method(below, 'clone', function () {
    const clone = beneath(this, () => prototype.clone.call(this))
    const failure = (this as Typed)[failureKey]
    return failure === undefined ? clone : withTypedBody(clone, failure)
  })
  const ownBody = getter<Body | null>(prototype, 'body')
  property(below, 'body', (response) => bodyOver(response, ownBody(response)))
  const ownUsed = getter<boolean>(prototype, 'bodyUsed')
  property(below, 'bodyUsed', (response) => ownUsed(response) || isDisturbed(shown.get(response)?.over))
  return below
}

function method(target: object, name: string, value: (this: Response, ...args: unknown[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true })
}

function property(target: object, name: string, get: (response: Response) => unknown): void {
  const asked = function (this: Response) {
    return get(this)
  }
  Object.defineProperty(target, name, { get: asked, configurable: true, enumerable: true })
}

function getter<T>(prototype: object, name: string): (response: Response) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get
  return (response) => get?.call(response) as T
}

/** The body as a stream that fails with the typed error. Made once for each stream of fetch's; it reads nothing ahead. */
function bodyOver(response: Response, own: Body | null): Body | null {
  if (own === null) return null
  const before = shown.get(response)
  // After a clone it is another one.
  if (before?.own === own) return before.over
  // A body that somebody reads already, by `text()` for instance, is shown as it is: locked.
  if (own.locked) return own
  const over = unwrapped(own, (response as Typed)[failureKey])
  shown.set(response, { own, over })
  return over
}

/** Does something with fetch's own body, which is to be as free or as taken as the one that was shown, and the other way round. */
function beneath<T>(response: Response, act: () => T): T {
  const streams = shown.get(response)
  if (streams === undefined) return act()
  const { own, over } = streams
  if (!own.locked && (over.locked || isDisturbed(over))) {
    const hold = own.getReader()
    try {
      return act()
    } finally {
      hold.releaseLock()
    }
  }
  const done = act()
  if (own.locked && !over.locked) over.getReader()
  return done
}

function isDisturbed(stream: Body | undefined): boolean {
  // It knows the streams of the web as well, whatever its types say.
  return stream !== undefined && Readable.isDisturbed(stream as unknown as Readable)
}

function unwrapped(body: Body, failure: BodyFailure | undefined): Body {
  const rethrow = rethrowing(failure)
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      reader ??= body.getReader()
      const { done, value } = await reader.read().catch(rethrow)
      if (!done) {
        controller.enqueue(value)
        return
      }
      controller.close()
      // A reader that brought its own buffer waits for it.
      controller.byobRequest?.respond(0)
    },
    cancel: (reason) => (reader === undefined ? body.cancel(reason) : reader.cancel(reason)),
  })
}

/** What a reader is told: the typed error where there is one, and the misuse of a body as fetch itself reports it. */
function rethrowing(failure: BodyFailure | undefined): (error: unknown) => never {
  return (error) => {
    const typed = failure?.bodyError
    throw typed !== undefined && error instanceof TypeError && error.cause !== undefined ? typed : error
  }
}
