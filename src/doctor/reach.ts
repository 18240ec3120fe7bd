/** Who is there: the addresses of a name, and what each of them does when it is dialled. */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { dial } from '../sockets/dial.js'
import { HeadLine } from './head-line.js'
import type { Ward } from './ward.js'

/** The name, looked up. */
export interface NameFacts {
  readonly host: string
  readonly addresses: readonly string[]
  readonly tookMs: number
  /** Of a name that has no address. */
  readonly error?: unknown
}

/** The TLS of an address. */
export interface TlsFacts {
  readonly protocol?: string
  readonly cipher?: string
  /** What was agreed upon; `http/1.1` where the server says nothing. */
  readonly alpn: string
  readonly subject?: string
  readonly issuer?: string
  readonly validTo?: string
  readonly daysLeft?: number
  readonly tookMs: number
}

/** An address, dialled. */
export interface AddressFacts {
  readonly address: string
  readonly family: 4 | 6
  /** The shortest of the times that TCP took to connect: a round trip. */
  readonly rttMs?: number
  readonly tls?: TlsFacts
  /** Why it could not be reached, or TLS not be agreed upon. */
  readonly error?: unknown
}

/** Dials for the round trip. The first may have had to find the way. */
const rounds = 3
/** More addresses than these are not dialled. */
export const mostAddresses = 8
/** For one dial. */
export const dialPatienceMs = 5_000

/** Looks the host up, both families. */
export async function lookUp(ward: Ward): Promise<NameFacts> {
  const host = hostOf(ward.url)
  const startedAt = ward.clock.now()
  const took = () => ward.clock.now() - startedAt
  if (isIP(host) !== 0) return { host, addresses: [host], tookMs: 0 }
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    return { host, addresses: [...new Set(found.map(({ address }) => address))], tookMs: took() }
  } catch (error) {
    return { host, addresses: [], tookMs: took(), error }
  }
}

/** Dials one address: TCP a few times for the round trip, then TLS where the URL wants it. */
export async function reach(ward: Ward, address: string): Promise<AddressFacts> {
  const facts = { address, family: isIP(address) === 6 ? 6 : 4 } as const
  let rttMs: number | undefined
  try {
    for (let round = 0; round < rounds; round++) {
      const startedAt = ward.clock.now()
      const socket = await open(ward, address)
      rttMs = Math.min(rttMs ?? Number.POSITIVE_INFINITY, ward.clock.now() - startedAt)
      socket.destroy()
    }
    const tls = isSecure(ward.url) ? await shakeHands(ward, address) : undefined
    return { ...facts, ...(rttMs !== undefined && { rttMs }), ...(tls && { tls }) }
  } catch (error) {
    return { ...facts, ...(rttMs !== undefined && { rttMs }), error }
  }
}

/** A connection that speaks HTTP/1.1, with whatever the URL wants beneath. */
export async function openHeadLine(ward: Ward, address: string): Promise<HeadLine> {
  const socket = await open(ward, address, isSecure(ward.url) ? { ALPNProtocols: ['http/1.1'] } : undefined)
  return new HeadLine(socket, ward.url, ward.clock)
}

async function shakeHands(ward: Ward, address: string): Promise<TlsFacts> {
  const startedAt = ward.clock.now()
  const socket = (await open(ward, address, { ALPNProtocols: ['h2', 'http/1.1'] })) as TLSSocket
  const tookMs = ward.clock.now() - startedAt
  const { subject, issuer, valid_to: validTo } = socket.getPeerCertificate()
  const ends = Date.parse(validTo)
  const facts = {
    protocol: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher()?.name,
    subject: nameIn(subject),
    issuer: nameIn(issuer),
    validTo: Number.isNaN(ends) ? undefined : new Date(ends).toISOString().slice(0, 10),
    daysLeft: Number.isNaN(ends) ? undefined : Math.floor((ends - ward.clock.epoch()) / 86_400_000),
  }
  const alpn = socket.alpnProtocol || 'http/1.1'
  socket.destroy()
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return { ...known, alpn, tookMs }
}

function nameIn(names: Partial<Record<string, string | string[]>> | undefined): string | undefined {
  const [name] = [names?.['CN'] ?? names?.['O'] ?? []].flat()
  return name
}

async function open(ward: Ward, address: string, tls?: ConnectionOptions) {
  const { url, signal } = ward
  const host = hostOf(url)
  const socket = await dial({
    host: address,
    port: Number(url.port || (isSecure(url) ? 443 : 80)),
    // Probes of the kernel's would keep alive what is to be seen dying.
    keepAlive: false,
    retry: false,
    timeout: { connect: dialPatienceMs },
    signal,
    ...(tls && { tls: { ...ward.tls, ...tls, ...(isIP(host) === 0 && { servername: host }) } }),
  })
  ward.holds(socket)
  return socket
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:'
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}
