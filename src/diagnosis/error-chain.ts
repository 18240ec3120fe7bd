/**
 * Reads errors of any make: chains of causes, aggregates, errors of another copy or realm, and things that are no
 * errors at all. Each property is read once, nothing is written, and whatever throws on being read is taken as absent.
 */

import { isReadable, read } from '../failure/property.js'

/** What could be read off one error. */
export interface ErrorFacts {
  readonly value: unknown
  readonly name?: string
  readonly code?: string
  readonly errno?: number
  readonly syscall?: string
  /** The beginning of its message. Empty where there is none. */
  readonly message: string
  readonly cause?: ErrorFacts
  /** The errors of an aggregate, where it is one. */
  readonly members: readonly ErrorFacts[]
  /** There were members that could not be read, or more than are. */
  readonly cut: boolean
}

/** Errors read in all, and members read of one aggregate: a host has a handful of addresses, not more. */
const mostErrors = 64
const mostMembers = 32

interface Walk {
  readonly seen: Set<unknown>
  left: number
}

/** Reads an error, its causes and its members: bounded, and blind to circles. */
export function readError(error: unknown): ErrorFacts {
  return factsOf(error, { seen: new Set(), left: mostErrors })
}

function factsOf(value: unknown, walk: Walk): ErrorFacts {
  if (!isReadable(value)) return { value, message: '', members: [], cut: false }
  walk.seen.add(value)
  walk.left--
  const name = text(read(value, 'name'), 80)
  const code = token(read(value, 'code'))
  const errno = read(value, 'errno')
  const syscall = token(read(value, 'syscall'))
  const { members, cut } = membersOf(value, walk)
  const cause = next(read(value, 'cause'), walk)
  return {
    value,
    message: text(read(value, 'message'), 1000) ?? '',
    members,
    cut,
    ...(name !== undefined && { name }),
    ...(code !== undefined && { code }),
    ...(typeof errno === 'number' && Number.isInteger(errno) && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...(cause !== undefined && { cause }),
  }
}

function next(value: unknown, walk: Walk): ErrorFacts | undefined {
  const nothing = value === undefined || value === null
  return nothing || walk.seen.has(value) || walk.left <= 0 ? undefined : factsOf(value, walk)
}

function membersOf(value: object, walk: Walk): Pick<ErrorFacts, 'members' | 'cut'> {
  const errors = read(value, 'errors')
  const length = isArray(errors) ? read(errors, 'length') : 0
  if (typeof length !== 'number' || !isReadable(errors)) return { members: [], cut: false }
  const members: ErrorFacts[] = []
  let cut = length > mostMembers
  for (let index = 0; index < Math.min(length, mostMembers); index++) {
    const error = read(errors, index)
    // One error may stand there twice, or point back to where we came from; that is no other one.
    if (walk.seen.has(error)) continue
    const member = next(error, walk)
    if (member === undefined) cut = true
    else members.push(member)
  }
  return { members, cut }
}

function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value)
  } catch {
    // A revoked proxy.
    return false
  }
}

function text(value: unknown, length: number): string | undefined {
  return typeof value === 'string' ? value.slice(0, length) : undefined
}

/** Codes and system calls are single words. Anything else may be a text, with things in it that no log should have. */
function token(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w./:-]{1,80}$/.test(value) ? value : undefined
}
