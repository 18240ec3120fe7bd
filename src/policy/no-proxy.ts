/**
 * Which hosts are not proxied, by the words of `NO_PROXY`. There is no standard for it. These are curl's rules, with the ports
 * and `*.` of undici and the ranges of Node: who wrote the list for any of them finds it understood.
 *
 * - `*` is everything.
 * - `example.com`, `.example.com` and `*.example.com` are that name and all names below it.
 * - `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, `::1`, `fd00::/8`: addresses. No name is looked up to find out.
 * - With `:8080` behind it an entry holds for that port alone. An IPv6 address stands in brackets then.
 */

import { type IpRange, isInRange, parseIp, parseIpRange } from './ip-address.js'

interface Entry {
  readonly port: number | undefined
  readonly name: string
  readonly range: IpRange | undefined
}

/** Tells whether a host is to be reached without the proxy. */
export type NoProxy = (hostname: string, port: number) => boolean

/** Reads a list, as text with commas or white space between its entries or as an array of them. */
export function readNoProxy(list: string | readonly string[]): NoProxy {
  const words = (typeof list === 'string' ? [list] : list).flatMap((text) => text.split(/[\s,]+/)).filter(Boolean)
  if (words.includes('*')) return () => true
  const entries = words.map(readEntry)
  return (hostname, port) => {
    // A dot at the end says that the name is complete, and not that it is another one.
    const host = hostname
      .toLowerCase()
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '')
    const address = parseIp(host)
    return entries.some((entry) => {
      if (entry.port !== undefined && entry.port !== port) return false
      if (address !== undefined) return entry.range !== undefined && isInRange(address, entry.range)
      return entry.range === undefined && (host === entry.name || host.endsWith(`.${entry.name}`))
    })
  }
}

function readEntry(word: string): Entry {
  const whole = parseIpRange(word)
  if (whole !== undefined) return { port: undefined, name: word, range: whole }
  const [, host = word, digits] = /^(.+):(\d{1,5})$/.exec(word) ?? []
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const name = bare
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
  return { port: digits === undefined ? undefined : Number(digits), name, range: parseIpRange(bare) }
}
