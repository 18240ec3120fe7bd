/** IP addresses as numbers, so that it can be said whether one lies in a range. Text in, number out; no look-ups. */

/** A number and the length of its family: 32 bits or 128. */
export interface IpAddress {
  readonly value: bigint
  readonly bits: 32 | 128
}

/** The address that a text is; `undefined` for names and for anything malformed. Brackets and zones are not accepted. */
export function parseIp(text: string): IpAddress | undefined {
  const four = parseFour(text)
  if (four !== undefined) return { value: four, bits: 32 }
  const six = parseSix(text)
  if (six === undefined) return undefined
  // ::ffff:10.0.0.1 is 10.0.0.1, however it is written.
  return six >> 32n === 0xffffn ? { value: six & 0xffffffffn, bits: 32 } : { value: six, bits: 128 }
}

/** Addresses from one to another, both included. */
export interface IpRange {
  readonly first: IpAddress
  readonly last: IpAddress
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8` or `10.0.0.1-10.0.0.9`; `undefined` for everything else. */
export function parseIpRange(text: string): IpRange | undefined {
  const [from = '', to, ...more] = text.split('-')
  if (more.length > 0) return undefined
  if (to !== undefined) {
    const first = parseIp(from)
    const last = parseIp(to)
    return first === undefined || last?.bits !== first.bits || last.value < first.value ? undefined : { first, last }
  }
  const [base = '', length, ...rest] = text.split('/')
  const address = parseIp(base)
  if (address === undefined || rest.length > 0) return undefined
  if (length === undefined) return { first: address, last: address }
  // A prefix of a mapped address counts the bits before it as well.
  const given = /^\d{1,3}$/.test(length) ? Number(length) - (base.includes(':') ? 128 - address.bits : 0) : -1
  if (given < 0 || given > address.bits) return undefined
  const host = (1n << BigInt(address.bits - given)) - 1n
  const first = address.value & ~host
  return { first: { ...address, value: first }, last: { ...address, value: first | host } }
}

/** Whether an address lies in a range of its own family. */
export function isInRange({ value, bits }: IpAddress, { first, last }: IpRange): boolean {
  return bits === first.bits && value >= first.value && value <= last.value
}

function parseFour(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseSix(text: string): bigint | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = groupsOf(head, tail === undefined)
  const after = tail === undefined ? [] : groupsOf(tail, true)
  if (before === undefined || after === undefined) return undefined
  const missing = 8 - before.length - after.length
  // `::` stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array<bigint>(missing).fill(0n), ...after]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

/** The groups on one side of `::`. The last two of the whole address may be written as one of IPv4. */
function groupsOf(text: string, last: boolean): bigint[] | undefined {
  if (text === '') return []
  const groups: bigint[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const four = last && index === parts.length - 1 ? parseFour(part) : undefined
    if (four !== undefined) groups.push(four >> 16n, four & 0xffffn)
    else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}
