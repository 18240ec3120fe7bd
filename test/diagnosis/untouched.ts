/** Tells whether anything that hangs together was written to. */

/** Freezes all that can be frozen, so that a write throws, and returns a check for all the rest. */
export function guard(root: unknown): () => string[] {
  const before = new Map<object, PropertyDescriptorMap>()
  remember(root, before)
  for (const value of before.keys()) {
    try {
      Object.freeze(value)
    } catch {
      // Typed arrays and hostile proxies cannot be; their properties are compared.
    }
  }
  return () => [...before].flatMap(([value, properties]) => changes(value, properties))
}

function remember(value: unknown, seen: Map<object, PropertyDescriptorMap>): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
  try {
    const properties = Object.getOwnPropertyDescriptors(value)
    seen.set(value, properties)
    for (const key of Reflect.ownKeys(properties)) remember(properties[key as string]?.value, seen)
  } catch {
    // A proxy whose traps throw shows nothing that could change.
  }
}

function changes(value: object, before: PropertyDescriptorMap): string[] {
  const after: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(value)
  const keys = new Set([...Reflect.ownKeys(before), ...Reflect.ownKeys(after)] as string[])
  const changed = ({ value: a, get: b }: PropertyDescriptor = {}, { value: c, get: d }: PropertyDescriptor = {}) =>
    !Object.is(a, c) || b !== d
  return [...keys].filter((key) => changed(before[key], after[key])).map(String)
}
