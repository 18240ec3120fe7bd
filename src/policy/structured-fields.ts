/**
 * Structured field values (RFC 9651), as far as decisions need them: lists and dictionaries of items. Strict, as the
 * standard wants it: one mistake, and the whole field is as if it were not there. Bounded, since the text comes from
 * afar.
 */

/** An item's own value. A token and a string are told apart by `type`. */
export interface BareItem {
  readonly type: 'number' | 'string' | 'token' | 'boolean' | 'bytes' | 'date' | 'display' | 'inner-list'
  /** A number for numbers and dates, a boolean for booleans, the text of everything else. */
  readonly value: number | string | boolean
}

/** An item with its parameters. An inner list is checked and stands here without its content. */
export interface Item extends BareItem {
  readonly parameters: ReadonlyMap<string, BareItem>
}

/** Longest field that is read, in characters. */
const longestField = 8192
/** Most members, and most parameters of one member. */
const mostMembers = 128

/** Reads a list. `undefined`: the text is not one, or is out of bounds. An empty text is an empty list. */
export function parseList(text: string): readonly Item[] | undefined {
  return parse(text, (scanner) => {
    const items: Item[] = []
    members(scanner, () => items.push(itemOrInnerList(scanner)))
    return items
  })
}

/** Reads a dictionary. `undefined`: the text is not one, or is out of bounds. Of two equal keys the last one counts. */
export function parseDictionary(text: string): ReadonlyMap<string, Item> | undefined {
  return parse(text, (scanner) => {
    const entries = new Map<string, Item>()
    members(scanner, () => {
      const key = scanner.take(tokens.key)
      const item = scanner.skip('=') ? itemOrInnerList(scanner) : { ...yes, parameters: parameters(scanner) }
      entries.set(key, item)
    })
    return entries
  })
}

/** Sticky, and each of them linear: none can be made to run for long. */
const tokens = {
  key: /[a-z*][a-z0-9_\-.*]*/y,
  number: /-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])/y,
  string: /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y,
  token: /[A-Za-z*][!#$%&'*+\-.^_`|~:/0-9A-Za-z]*/y,
  boolean: /\?[01]/y,
  bytes: /:[A-Za-z0-9+/=]*:/y,
  date: /@-?[0-9]{1,15}(?![0-9.])/y,
  display: /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y,
} as const

const yes: BareItem = { type: 'boolean', value: true }

/** Thrown inside this file only. */
class Malformed extends Error {}

class Scanner {
  private at = 0

  constructor(private readonly text: string) {}

  get done(): boolean {
    return this.at >= this.text.length
  }

  peek(): string {
    return this.text[this.at] ?? ''
  }

  skip(character: string): boolean {
    if (this.peek() !== character) return false
    this.at++
    return true
  }

  /** Passes over spaces, and tabs where the grammar has optional white space. */
  spaces(tabs = false): void {
    while (this.peek() === ' ' || (tabs && this.peek() === '\t')) this.at++
  }

  take(token: RegExp): string {
    token.lastIndex = this.at
    const found = token.exec(this.text)?.[0]
    if (found === undefined) throw new Malformed()
    this.at += found.length
    return found
  }
}

function parse<T>(text: string, read: (scanner: Scanner) => T): T | undefined {
  if (text.length > longestField) return undefined
  const scanner = new Scanner(text)
  try {
    scanner.spaces()
    const value = read(scanner)
    scanner.spaces()
    return scanner.done ? value : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

/** Members parted by commas; a comma at the end is a mistake. */
function members(scanner: Scanner, read: () => void): void {
  for (let count = 1; !scanner.done; count++) {
    if (count > mostMembers) throw new Malformed()
    read()
    scanner.spaces(true)
    if (scanner.done) return
    if (!scanner.skip(',')) throw new Malformed()
    scanner.spaces(true)
    if (scanner.done) throw new Malformed()
  }
}

function itemOrInnerList(scanner: Scanner): Item {
  const bare = scanner.skip('(') ? innerList(scanner) : bareItem(scanner)
  return { ...bare, parameters: parameters(scanner) }
}

function innerList(scanner: Scanner): BareItem {
  for (let count = 0; count <= mostMembers; count++) {
    scanner.spaces()
    if (scanner.skip(')')) return { type: 'inner-list', value: '' }
    bareItem(scanner)
    parameters(scanner)
    if (scanner.peek() !== ' ' && scanner.peek() !== ')') throw new Malformed()
  }
  throw new Malformed()
}

function parameters(scanner: Scanner): ReadonlyMap<string, BareItem> {
  const found = new Map<string, BareItem>()
  while (scanner.skip(';')) {
    scanner.spaces()
    const key = scanner.take(tokens.key)
    found.set(key, scanner.skip('=') ? bareItem(scanner) : yes)
    if (found.size > mostMembers) throw new Malformed()
  }
  return found
}

function bareItem(scanner: Scanner): BareItem {
  const first = scanner.peek()
  if (first === '"') return { type: 'string', value: scanner.take(tokens.string).slice(1, -1).replace(/\\(.)/g, '$1') }
  if (first === '?') return { type: 'boolean', value: scanner.take(tokens.boolean) === '?1' }
  if (first === ':') return { type: 'bytes', value: scanner.take(tokens.bytes).slice(1, -1) }
  if (first === '@') return { type: 'date', value: Number(scanner.take(tokens.date).slice(1)) }
  if (first === '%') return { type: 'display', value: scanner.take(tokens.display).slice(2, -1) }
  if (first === '-' || (first >= '0' && first <= '9'))
    return { type: 'number', value: Number(scanner.take(tokens.number)) }
  return { type: 'token', value: scanner.take(tokens.token) }
}
