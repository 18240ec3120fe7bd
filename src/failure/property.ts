/** Reads properties of values that others made: errors of any make, and things that only look like errors. */

/** Whether a value can have properties of its own. */
export function isReadable(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** A property, or `undefined` when it has none of that name, or when a getter or a proxy's trap throws. */
export function read(value: unknown, name: PropertyKey): unknown {
  if (!isReadable(value)) return undefined
  try {
    return (value as Record<PropertyKey, unknown>)[name]
  } catch {
    return undefined
  }
}

/** Whether it has a property, whatever that holds; `false` when a proxy's trap throws. */
export function has(value: unknown, name: PropertyKey): boolean {
  try {
    return isReadable(value) && name in value
  } catch {
    return false
  }
}
