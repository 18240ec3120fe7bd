/**
 * Checks options at the door: at creation, and not when the first call fails. Every message names the option by its
 * path, says what is allowed and what came. Only own properties are read, so that a polluted `Object.prototype` cannot
 * switch anything on.
 */

/** What a number may be. Both ends are included; `max: Infinity` allows Infinity itself. */
export interface NumberRange {
  readonly min: number
  readonly max: number
  readonly integer?: boolean
}

/**
 * The options of one section, opened for reading. Each method reads one own property; an absent one, or one that is
 * `undefined`, is `undefined`.
 */
export interface OptionSection {
  /** The name in messages, for example `retry`. */
  readonly path: string
  number(name: string, range: NumberRange): number | undefined
  boolean(name: string): boolean | undefined
  /** A header's name, in lower case. */
  headerName(name: string): string | undefined
  /** The value as it came, for checks of one's own. */
  raw(name: string): unknown
}

/**
 * Opens a section of options: it must be a plain object that has no other names than those allowed.
 *
 * @param path the section's name in messages
 * @param value what the user gave
 * @param allowed the names of the section's options
 * @throws TypeError for anything else than a plain object, and for an unknown name, with the nearest known one
 *
 * @example
 * ```ts
 * const section = openSection('retry', { attempts: 5 }, ['attempts'])
 * const attempts = section.number('attempts', { min: 1, max: 100, integer: true }) ?? 3
 * ```
 */
export function openSection(path: string, value: unknown, allowed: readonly string[]): OptionSection {
  if (!isPlainObject(value)) throw mismatch(path, 'a plain object', value)
  checkKnown(path, value, allowed)
  const own = (name: string) => readable(`${path}.${name}`, () => approachable(ownOption(value, name)))
  const read = <T>(name: string, check: (path: string, value: unknown) => T): T | undefined => {
    const given = own(name)
    return given === undefined ? undefined : check(`${path}.${name}`, given)
  }
  return {
    path,
    number: (name, range) => read(name, (at, given) => checkNumber(at, given, range)),
    boolean: (name) => read(name, checkBoolean),
    headerName: (name) => read(name, checkHeaderName),
    raw: own,
  }
}

/**
 * A number within a range.
 *
 * @throws TypeError for another type, NaN, a number out of range, or a fraction where `integer` is asked for
 */
export function checkNumber(path: string, value: unknown, range: NumberRange): number {
  const { min, max, integer = false } = range
  const fits = typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))
  if (fits) return value
  const kind = integer ? 'an integer' : 'a number'
  throw mismatch(
    path,
    max === Number.POSITIVE_INFINITY ? `${kind} of at least ${min}` : `${kind} from ${min} to ${max}`,
    value,
  )
}

/**
 * `true` or `false`, and nothing that merely behaves like them.
 *
 * @throws TypeError for anything else
 */
export function checkBoolean(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw mismatch(path, 'true or false', value)
}

/**
 * The name of a header (a token of RFC 9110 §5.6.2), given back in lower case.
 *
 * @throws TypeError for anything that cannot be a header's name
 */
export function checkHeaderName(path: string, value: unknown): string {
  if (typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(value)) return value.toLowerCase()
  throw mismatch(path, 'the name of a header', value)
}

/**
 * No other own names than those allowed. Symbols are not options and are left alone.
 *
 * @throws TypeError that names the first unknown option and the nearest known one
 */
export function checkKnown(path: string, section: object, allowed: readonly string[]): void {
  for (const name of readable(path, () => Object.keys(section))) {
    if (allowed.includes(name)) continue
    const near = nearest(name, allowed)
    const hint = near === undefined ? `known are: ${allowed.join(', ')}` : `did you mean ${near}?`
    // What is no plain name stands in quotes: it may be empty, or move a cursor.
    const shown = /^[\w$-]+$/.test(name) ? clip(name) : JSON.stringify(clip(name))
    throw new TypeError(`${path}.${shown} is not an option: ${hint}`)
  }
}

/** An own property's value; `undefined` when it is absent or merely inherited. */
export function ownOption(section: object, name: string): unknown {
  return Object.hasOwn(section, name) ? (section as Record<string, unknown>)[name] : undefined
}

/**
 * Whether an option of a call that is not `undefined` was given: as its own, or by a class of the caller's. What stands on
 * a polluted `Object.prototype` was given by nobody.
 */
export function isGiven(options: object, name: string): boolean {
  return Object.hasOwn(options, name) || !(name in Object.prototype)
}

/**
 * Whether a value is an object literal, of this realm or another: its prototype is null or has none itself.
 * An object whose options hide in a prototype of its own is refused, since they would be passed over in silence.
 */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  try {
    if (Array.isArray(value)) return false
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === null || Object.getPrototypeOf(prototype) === null
  } catch {
    // A proxy that refuses, or was revoked.
    return false
  }
}

/** Throws for a proxy that was revoked, or that does not even say what it is: nobody can check it. */
function approachable(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.getPrototypeOf(value)
  return value
}

/**
 * What is read by somebody else's code: a getter, or the trap of a proxy.
 *
 * @throws TypeError that names the path, when that code throws
 */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new TypeError(`${path} cannot be read: what it is read by throws`, { cause })
  }
}

/** The error for a value that is not what an option allows: `retry.attempts must be …, but is …`. */
export function mismatch(path: string, allowed: string, value: unknown): TypeError {
  return new TypeError(`${path} must be ${allowed}, but is ${describe(value)}`)
}

/** What came, in few words: never the content of an object, never a long text. */
function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(clip(value))}`
  if (typeof value === 'bigint') return `the bigint ${clip(String(value))}`
  if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`
  if (isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return isPlainObject(value) ? 'an object' : 'an instance of a class'
  return String(value)
}

function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value)
  } catch {
    // A proxy that was revoked is neither.
    return false
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** The allowed name that a slip of the finger (at most two letters, or another spelling of the capitals) makes of it. */
function nearest(name: string, allowed: readonly string[]): string | undefined {
  if (name.length > 64) return undefined
  let best: string | undefined
  let bestDistance = Math.min(3, Math.ceil(name.length / 2))
  for (const candidate of allowed) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
