/**
 * Readers of Linux's `/proc/net`: `snmp`, `netstat`, `snmp6`, `tcp` and `tcp6`. They take text and give facts, and take
 * what they do not understand for nothing: kernels add columns and lines (proc(5), Documentation/networking/proc_net_tcp).
 */

import { isIPv4, isIPv6 } from 'node:net'
import type { SocketRowFacts } from '../failure/circumstances.js'

/** Counters by name, `Tcp.EstabResets`. */
export type Counters = ReadonlyMap<string, number>

/** Which counters somebody wants: their names, by what stands before the point. */
export type Wanted = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Reads `snmp` or `netstat`: a line of names, then a line of values, each after the same prefix.
 *
 * @param wanted leave it out for all of them, some three hundred
 */
export function readPairedLines(text: string, wanted?: Wanted): Counters {
  const counters = new Map<string, number>()
  const lines = text.split('\n')
  for (let index = 0; index + 1 < lines.length; index++) {
    const names = fields(lines[index])
    const values = fields(lines[index + 1])
    if (names === undefined || values === undefined || names.prefix !== values.prefix) continue
    index++
    const { prefix } = names
    const some = wanted?.get(prefix)
    if (wanted !== undefined && some === undefined) continue
    names.rest.forEach((name, column) => {
      if (some?.has(name) === false) return
      const value = count(values.rest[column])
      if (value !== undefined && !/^-?\d/.test(name)) counters.set(`${prefix}.${name}`, value)
    })
  }
  return counters
}

function fields(line: string | undefined): { prefix: string; rest: string[] } | undefined {
  const colon = line?.indexOf(':') ?? -1
  if (line === undefined || colon <= 0) return undefined
  return {
    prefix: line.slice(0, colon),
    rest: line
      .slice(colon + 1)
      .trim()
      .split(/\s+/),
  }
}

/** Reads `snmp6`: a name and a value on each line, the protocol in front of the name: `Icmp6InDestUnreachs` is `Icmp6.InDestUnreachs`. */
export function readNamedLines(text: string, wanted?: Wanted): Counters {
  const counters = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, protocol = '', name = '', value] = /^([A-Z][a-z]+6)([A-Z]\w*)\s+(\d+)\s*$/.exec(line) ?? []
    const amount = count(value)
    if (amount !== undefined && (wanted === undefined || wanted.get(protocol)?.has(name) === true))
      counters.set(`${protocol}.${name}`, amount)
  }
  return counters
}

/** Counters are unsigned; what says -1 has no limit and counts nothing. */
function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : undefined
}

/** The two ends of a TCP connection. */
export interface Ends {
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/**
 * Finds the row of a connection.
 *
 * @param text whole lines of `tcp` or `tcp6`
 * @param key what {@link rowKey} gives for its ends
 */
export function findRow(text: string, key: string): SocketRowFacts | undefined {
  if (key === '') return undefined
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    const line = text.slice(text.lastIndexOf('\n', at) + 1, endOfLine(text, at))
    const row = readRow(line, key)
    if (row !== undefined) return row
  }
  return undefined
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/** How the ends of a connection stand in a row: the local port, then the remote address and port. */
export function rowKey({ localPort, remoteAddress, remotePort }: Ends, littleEndian: boolean): string | undefined {
  const address = hexAddress(remoteAddress, littleEndian)
  return address === undefined ? undefined : `:${hex(localPort, 4)} ${address}:${hex(remotePort, 4)} `
}

/** `sl local rem st tx:rx tr:when retrnsmt uid probes …`, in hexadecimal but for the first and those after `retrnsmt`. */
function readRow(line: string, key: string): SocketRowFacts | undefined {
  const found =
    /^\s*\d+: [\dA-F]+(:[\dA-F]{4} [\dA-F]+:[\dA-F]{4} )([\dA-F]{2}) ([\dA-F]+):([\dA-F]+) ([\dA-F]{2}):[\dA-F]+ ([\dA-F]+)(?:\s+\d+\s+(\d+))?/.exec(
      line,
    )
  if (found === null || found[1] !== key) return undefined
  const [, , state = '', sent = '', received = '', timer = '', retransmits = '', probes] = found
  const name = timers[Number.parseInt(timer, 16)]
  return {
    state: states[Number.parseInt(state, 16)] ?? 'other',
    unacknowledged: Number.parseInt(sent, 16),
    unread: Number.parseInt(received, 16),
    ...(name !== undefined && { timer: name }),
    // Probes are counted in a column of their own, in decimal.
    retransmits: name === 'keepalive' && probes !== undefined ? Number(probes) : Number.parseInt(retransmits, 16),
  }
}

/** By the numbers of include/net/tcp_states.h. */
const states: Record<number, SocketRowFacts['state']> = {
  1: 'established',
  2: 'syn-sent',
  4: 'fin-wait',
  5: 'fin-wait',
  6: 'time-wait',
  8: 'close-wait',
  9: 'closing',
  11: 'closing',
}

/** By the numbers of net/ipv4/tcp_ipv4.c, get_tcp4_sock. */
const timers: Record<number, SocketRowFacts['timer']> = {
  0: 'none',
  1: 'retransmit',
  2: 'keepalive',
  3: 'time-wait',
  4: 'zero-window',
}

/** An address as `tcp` and `tcp6` write it: 32 bits at a time, each in the order of the machine's own bytes. */
function hexAddress(address: string, littleEndian: boolean): string | undefined {
  const bytes = isIPv4(address) ? address.split('.').map(Number) : bytesOf6(address)
  if (bytes === undefined) return undefined
  let text = ''
  for (let word = 0; word < bytes.length; word += 4) {
    const four = bytes.slice(word, word + 4)
    for (const byte of littleEndian ? four.reverse() : four) text += hex(byte, 2)
  }
  return text
}

/** The 16 bytes of an IPv6 address in any of its spellings (RFC 4291 §2.2). */
function bytesOf6(spelled: string): number[] | undefined {
  const address = spelled.replace(/%.*$/, '')
  if (!isIPv6(address)) return undefined
  const [head = '', tail] = address.split('::')
  const front = groups(head)
  if (tail === undefined) return front
  const back = groups(tail)
  return [...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back]
}

function groups(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}
