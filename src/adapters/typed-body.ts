/**
 * fetch wraps what fails in the middle of a body in a `TypeError: terminated`. Here it is unwrapped, for every way in
 * which a body can be read, so that `catch` sees the typed error itself.
 *
 * (An AbortSignal whose reason is the error would do the same without a hand on the Response, and costs more than all
 * the rest of offhook: it is used only where the caller has a signal of his own.)
 */

/** Where the typed error is found, once the body has failed. */
export interface BodyFailure {
  readonly bodyError: unknown
}

const readers = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const

/** For each prototype of a Response, one below it that unwraps. A Response stays what it was: same class, same state. */
const unwrapping = new WeakMap<object, object>()
const bodies = new WeakMap<Response, ReadableStream<Uint8Array>>()
/** Where a response keeps its failure: a symbol, as undici keeps its own state; a WeakMap would cost the collector more. */
const failureKey = Symbol('offhook.failure')
type Typed = Response & { [failureKey]?: BodyFailure }

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
  const below = Object.create(prototype) as Record<string, unknown>
  for (const name of readers) {
    const read = (prototype as unknown as Record<string, unknown>)[name]
    if (typeof read !== 'function') continue
    define(below, name, function (this: Response, ...args: unknown[]) {
      return (Reflect.apply(read, this, args) as Promise<unknown>).catch(rethrowing((this as Typed)[failureKey]))
    })
  }
  define(below, 'clone', function (this: Response) {
    const clone = prototype.clone.call(this)
    const failure = (this as Typed)[failureKey]
    return failure === undefined ? clone : withTypedBody(clone, failure)
  })
  const plain = Object.getOwnPropertyDescriptor(prototype, 'body')?.get
  if (plain !== undefined) {
    const get = function (this: Response) {
      return typedBody(this, plain.call(this) as ReadableStream<Uint8Array> | null)
    }
    Object.defineProperty(below, 'body', { get, configurable: true, enumerable: true })
  }
  return below
}

function define(target: object, name: string, value: (this: Response, ...args: unknown[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true })
}

/** The body as a stream that fails with the typed error. Made once, and it reads nothing ahead. */
function typedBody(response: Response, body: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> | null {
  // A body that somebody reads already, by `text()` for instance, is shown as it is: locked.
  if (body === null) return null
  const made = bodies.get(response)
  if (made !== undefined) return made
  if (body.locked) return body
  const typed = unwrapped(body, (response as Typed)[failureKey])
  bodies.set(response, typed)
  return typed
}

function unwrapped(body: ReadableStream<Uint8Array>, failure: BodyFailure | undefined): ReadableStream<Uint8Array> {
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
