/** Reads errors of any make: chains of causes, aggregates, errors of another copy or realm, and things that are no errors. */

/** What could be read off one error. */
export interface ErrorFacts {
  readonly value: object
  readonly name: string | undefined
  readonly code: string | undefined
  readonly errno: number | undefined
  readonly syscall: string | undefined
  readonly message: string
  /** The errors of an aggregate, where it is one. */
  readonly members: readonly ErrorFacts[]
}

const most = 64

/**
 * The error and its causes, the outermost first. Bounded, blind to circles, and it never throws, whatever it is given.
 */
export function errorChain(error: unknown): ErrorFacts[] {
  const seen = new Set<unknown>()
  const chain: ErrorFacts[] = []
  let current = error
  while (typeof current === 'object' && current !== null && !seen.has(current) && seen.size < most) {
    chain.push(factsOf(current, seen))
    current = read(current, 'cause')
  }
  return chain
}

function factsOf(value: object, seen: Set<unknown>): ErrorFacts {
  seen.add(value)
  const name = read(value, 'name')
  const code = read(value, 'code')
  const errno = read(value, 'errno')
  const syscall = read(value, 'syscall')
  const message = read(value, 'message')
  return {
    value,
    name: typeof name === 'string' ? name : undefined,
    code: typeof code === 'string' ? code : undefined,
    errno: typeof errno === 'number' ? errno : undefined,
    syscall: typeof syscall === 'string' ? syscall : undefined,
    message: typeof message === 'string' ? message.slice(0, 1000) : '',
    members: membersOf(value, seen),
  }
}

function membersOf(value: object, seen: Set<unknown>): ErrorFacts[] {
  const errors = read(value, 'errors')
  const members: ErrorFacts[] = []
  if (!isArray(errors)) return members
  for (let index = 0; index < 16; index++) {
    const member = read(errors, index)
    if (typeof member !== 'object' || member === null || seen.has(member) || seen.size >= most) continue
    members.push(factsOf(member, seen))
  }
  return members
}

function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    // A revoked proxy.
    return false
  }
}

/** A property, or `undefined` when a getter or a proxy's trap throws. */
export function read(value: object, name: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[name]
  } catch {
    return undefined
  }
}
