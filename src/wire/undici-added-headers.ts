/** Headers that whoever watches an attempt sends along, `traceparent` for instance. */

import type { Dispatcher } from 'undici'

type Options = Dispatcher.DispatchOptions

export class AddedHeaders {
  readonly #added = new Map<string, string>()
  #origin: string | undefined

  add(name: string, value: string): void {
    this.#added.set(name.toLowerCase(), value)
  }

  /**
   * A request with these headers. Those that it has stay as they are, and none goes to another origin than the one that
   * was asked first: whom a redirect leads to has no business with them.
   */
  on(options: Options): Options {
    const origin = String(options.origin)
    this.#origin ??= origin
    if (origin !== this.#origin || options.method === 'CONNECT') return options
    return { ...options, headers: this.#with(options.headers) as Exclude<Options['headers'], undefined> }
  }

  #with(headers: Options['headers']): unknown {
    if (headers === null || headers === undefined) return Object.fromEntries(this.#added)
    // What is a record stays one: it is read again on its way.
    if (!Array.isArray(headers) && !(Symbol.iterator in headers)) {
      return { ...headers, ...Object.fromEntries(this.#missing(Object.keys(headers))) }
    }
    const list = flat(headers)
    return [...list, ...this.#missing(list.filter((_, at) => at % 2 === 0)).flat()]
  }

  #missing(names: readonly unknown[]): [string, string][] {
    const given = new Set(names.map((name) => String(name).toLowerCase()))
    return [...this.#added].filter(([name]) => !given.has(name))
  }
}

/** Names and values in turn: undici's form for headers that may repeat. */
function flat(headers: Iterable<unknown>): unknown[] {
  const list = [...headers]
  return Array.isArray(list[0]) ? list.flat(1) : list
}
