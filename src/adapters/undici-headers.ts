/** Request headers in the forms in which undici takes them: a record, pairs, or a flat list of names and values. */

import type { Dispatcher } from 'undici'

type Headers = Dispatcher.DispatchOptions['headers']
type HeaderValue = string | string[] | undefined
type HeaderPair = readonly [string, HeaderValue]

/** Name and value of each header, whatever the form. */
export function* headerPairs(headers: unknown): Generator<HeaderPair> {
  if (headers === null || typeof headers !== 'object') return
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    for (let index = 0; index + 1 < headers.length; index += 2)
      yield [String(headers[index]), headers[index + 1] as string]
  } else if (Symbol.iterator in headers) {
    yield* headers as Iterable<HeaderPair>
  } else {
    yield* Object.entries(headers) as HeaderPair[]
  }
}

/** The value of a header by its lower-case name; several values are joined by commas. */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (headers === null || typeof headers !== 'object') return undefined
  // A plain record is what nearly every call brings, and this is asked on each: no generator, no list.
  if (!Array.isArray(headers) && !(Symbol.iterator in headers)) {
    for (const key in headers)
      if (isNamed(key, name) && Object.hasOwn(headers, key)) return joined(Reflect.get(headers, key))
    return undefined
  }
  for (const [key, value] of headerPairs(headers)) if (isNamed(key, name)) return joined(value)
  return undefined
}

function isNamed(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name
}

function joined(value: HeaderValue): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

/** The headers in a form that can be read again: an iterator is read once. */
export function rereadable(headers: unknown): Headers {
  const once = typeof headers === 'object' && headers !== null && 'next' in headers && Symbol.iterator in headers
  return once ? flat(headerPairs(headers)) : (headers as Headers)
}

/** The headers with this one in place of whatever bore its name. */
export function withHeader(headers: unknown, name: string, value: string): Headers {
  const others = [...headerPairs(headers)].filter(([key]) => key.toLowerCase() !== name)
  return flat([...others, [name, value]])
}

/** The headers with this one, unless they have it. */
export function withDefault(headers: unknown, name: string, value: string): Headers {
  return headerOf(headers, name) === undefined ? flat([...headerPairs(headers), [name, value]]) : (headers as Headers)
}

/** The one form in which undici takes repeated names in order. */
function flat(pairs: Iterable<HeaderPair>): Headers {
  const list: (string | string[])[] = []
  for (const [name, value] of pairs) if (value !== undefined) list.push(name, value)
  return list as string[]
}
