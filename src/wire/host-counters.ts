/**
 * What this host's kernel counted around a failure, from `/proc/net/snmp`, `netstat` and `snmp6`: the counters tell a
 * RST that came in from a connection that the kernel itself gave up, and both from a filter of this host. They belong to
 * the whole network namespace, so only small windows say anything, and the window is told along.
 *
 * Looked at once a second while calls are under way, in the background; and at a failure at once, because a body's
 * failure cannot wait. The files are of constant size: measured, 0.2 ms for all three. Failures of one turn share a
 * look, and in the long run looking takes no more than a fiftieth of the time: the attempts of one call, which may fail
 * within milliseconds, each get their own.
 */

import { closeSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Counters, readNamedLines, readPairedLines } from './proc-net.js'

/** The counters that say something of a connection's end (RFC 1213, RFC 4293, include/uapi/linux/snmp.h). */
const telling: readonly string[] = [
  'Ip.InDiscards',
  'Ip.OutDiscards',
  'Ip.OutNoRoutes',
  'Ip6.InDiscards',
  'Ip6.OutDiscards',
  'Ip6.OutNoRoutes',
  'Icmp.InDestUnreachs',
  'Icmp.InTimeExcds',
  'Icmp.OutDestUnreachs',
  'Icmp6.InDestUnreachs',
  'Icmp6.InPktTooBigs',
  'Icmp6.InTimeExcds',
  'Icmp6.OutDestUnreachs',
  'Tcp.ActiveOpens',
  'Tcp.AttemptFails',
  'Tcp.EstabResets',
  'Tcp.InErrs',
  'Tcp.OutRsts',
  'Tcp.RetransSegs',
  'TcpExt.EmbryonicRsts',
  'TcpExt.ListenDrops',
  'TcpExt.ListenOverflows',
  'TcpExt.OutOfWindowIcmps',
  'TcpExt.TCPAbortFailed',
  'TcpExt.TCPAbortOnClose',
  'TcpExt.TCPAbortOnData',
  'TcpExt.TCPAbortOnLinger',
  'TcpExt.TCPAbortOnMemory',
  'TcpExt.TCPAbortOnTimeout',
  'TcpExt.TCPChallengeACK',
  'TcpExt.TCPKeepAlive',
  'TcpExt.TCPLossProbes',
  'TcpExt.TCPMemoryPressures',
  'TcpExt.TCPRetransFail',
  'TcpExt.TCPSYNChallenge',
  'TcpExt.TCPSynRetrans',
  'TcpExt.TCPTimeouts',
]

/** What moved, and within how many milliseconds. */
export interface Movement {
  readonly counters: Readonly<Record<string, number>>
  readonly overMs: number
}

interface Look {
  /** When it was complete. */
  readonly at: number
  /** The texts of the files. They are read when somebody asks. */
  readonly texts: readonly string[]
  counters?: Counters
}

/** Looks kept; of the older ones every second goes when there are more, so that long waits are covered as well. */
const mostLooks = 32

/** A look that is younger serves a dial. */
const freshMs = 250

/** The share of the time that may go into looking, and how much of it may be saved up, in milliseconds. */
const share = 1 / 50
const mostSavedMs = 20
/** What one look is taken to cost at the most: ten times what it was measured to take. */
const mostOfOneMs = 2

/**
 * Packets that this host made and did not let out: its own packet filter dropped or rejected them. Told from counters
 * that agree to the packet otherwise (older kernels lack `OutTransmits`: then nothing is told).
 */
const stopped = { 'Ip.OutStopped': 'Ip.', 'Ip6.OutStopped': 'Ip6.' } as const

/** What a packet that did not leave is told from. */
const flow = ['OutTransmits', 'OutRequests', 'ForwDatagrams', 'OutForwDatagrams']

/**
 * Packets that came to this host, went no further and were not handed to anybody here: its own filter dropped them. What
 * else makes a packet end is taken off, and multicast and broadcast, which may concern nobody here. Measured: 0 of 58
 * million packets on a host without such a rule.
 */
const inStopped = 'Ip.InStopped'
const came = ['InReceives', 'ReasmOKs']
const ended = [
  'InDelivers',
  'ForwDatagrams',
  'InHdrErrors',
  'InAddrErrors',
  'InUnknownProtos',
  'InDiscards',
  'ReasmReqds',
]
const forNobody = ['InNoRoutes', 'InMcastPkts', 'InBcastPkts']

/** The counters that are read at all, by protocol. */
const wanted = new Map([
  ['Ip', new Set([...flow, ...came, ...ended])],
  ['IpExt', new Set(forNobody)],
  ['Ip6', new Set(flow)],
])
for (const counter of telling) {
  const [protocol = '', name = ''] = counter.split('.')
  const names = wanted.get(protocol) ?? new Set<string>()
  wanted.set(protocol, names.add(name))
}

const files = ['snmp', 'netstat', 'snmp6']

/** The longest of the files has some 5 KB; what is longer has nothing in its tail that is told. */
const longestFile = 65_536
let page: Buffer | undefined

export class HostCounters {
  readonly #directory: string
  #looks: Look[] = []
  #last: Look | undefined
  #savedMs = mostSavedMs
  #savedAt = 0
  #looking = false
  /** No such files: another system, or one that hides them. */
  #blind: boolean

  /** @param directory where the files are; `null`: nowhere, as on systems other than Linux */
  constructor(directory: string | null = process.platform === 'linux' ? '/proc/net' : null) {
    this.#directory = directory ?? ''
    this.#blind = directory === null
  }

  /** Takes a look in the background, to compare with later. Never fails. */
  async refresh(): Promise<void> {
    if (this.#blind || this.#looking) return
    this.#looking = true
    // An IPv6 that is switched off has no file.
    const texts = await Promise.all(
      files.map((file) => readFile(`${this.#directory}/${file}`, 'latin1').catch(() => '')),
    )
    this.#looking = false
    this.#keep({ at: performance.now(), texts })
  }

  /** A connection is about to be made: without a look that is recent enough, one is taken now. */
  beforeDial(): void {
    const last = this.#looks.at(-1)
    if (!this.#blind && (last === undefined || performance.now() - last.at > freshMs)) this.#keep(this.#readNow())
  }

  /**
   * What moved around a failure. `undefined` when nobody looked before, or when it is too soon to look again.
   *
   * @param span how long ago it began, and how long ago it failed, in milliseconds
   */
  moved(span: { readonly beganMs: number; readonly failedMs: number }): Movement | undefined {
    if (this.#blind) return undefined
    const now = performance.now()
    const before = this.#looks.findLast(({ at }) => at <= now - span.beganMs)
    const after = this.#lookSince(now, now - span.failedMs)
    if (before === undefined || after === undefined || after.at <= before.at) return undefined
    return { counters: difference(countersOf(before), countersOf(after)), overMs: after.at - before.at }
  }

  #lookSince(now: number, failedAt: number): Look | undefined {
    const last = this.#last
    // Many fail in one turn. A look from before a failure would say of it that nothing had moved.
    if (last !== undefined && last.at >= failedAt) return last
    this.#savedMs = Math.min(mostSavedMs, this.#savedMs + share * (now - this.#savedAt))
    this.#savedAt = now
    if (this.#savedMs <= 0) return undefined
    this.#last = this.#readNow()
    // What other programs took of the time meanwhile was not the look's.
    this.#savedMs -= Math.min(mostOfOneMs, this.#last.at - now)
    // What comes after this failure is measured from here.
    this.#keep(this.#last)
    return this.#last
  }

  #readNow(): Look {
    const texts = files.map((file) => {
      try {
        return readWhole(`${this.#directory}/${file}`)
      } catch {
        return ''
      }
    })
    return { at: performance.now(), texts }
  }

  #keep(look: Look): void {
    this.#blind ||= look.texts.every((text) => text === '')
    if (this.#blind) return
    // A look in the background may be overtaken.
    if (look.at >= (this.#looks.at(-1)?.at ?? 0)) this.#looks.push(look)
    if (this.#looks.length <= mostLooks) return
    const half = this.#looks.length >> 1
    this.#looks = this.#looks.filter((_, index) => index >= half || index % 2 === 0)
  }
}

/** The kernel prints each of these files in one piece; `readFileSync` asks for its size and for more, in twice the time. */
function readWhole(path: string): string {
  page ??= Buffer.allocUnsafe(longestFile)
  const file = openSync(path, 'r')
  try {
    return page.toString('latin1', 0, readSync(file, page, 0, longestFile, null))
  } finally {
    closeSync(file)
  }
}

function countersOf(look: Look): Counters {
  if (look.counters === undefined) {
    const [snmp = '', netstat = '', snmp6 = ''] = look.texts
    const all = [readPairedLines(snmp, wanted), readPairedLines(netstat, wanted), readNamedLines(snmp6, wanted)]
    look.counters = new Map(all.flatMap((counters) => [...counters]))
  }
  return look.counters
}

function difference(before: Counters, now: Counters): Record<string, number> {
  const moved: Record<string, number> = {}
  for (const name of telling) {
    const from = before.get(name)
    const to = now.get(name)
    // A counter that went back has wrapped around, or belongs to another namespace by now.
    if (from !== undefined && to !== undefined && to > from) moved[name] = to - from
  }
  for (const [name, protocol] of Object.entries(stopped)) {
    const from = unsent(before, protocol)
    const to = unsent(now, protocol)
    if (from !== undefined && to !== undefined && to > from) moved[name] = to - from
  }
  const [from, to] = [unheard(before), unheard(now)]
  if (from !== undefined && to !== undefined && to > from) moved[inStopped] = to - from
  return moved
}

/** Packets that came and did not get anywhere. */
function unheard(counters: Counters): number | undefined {
  if (!counters.has('Ip.InDelivers')) return undefined
  const sum = (protocol: string, names: readonly string[]) =>
    names.reduce((total, name) => total + (counters.get(`${protocol}.${name}`) ?? 0), 0)
  return sum('Ip', came) - sum('Ip', ended) - sum('IpExt', forNobody)
}

/** Packets that were made or forwarded, and did not leave. */
function unsent(counters: Counters, protocol: string): number | undefined {
  const sent = counters.get(`${protocol}OutTransmits`)
  if (sent === undefined) return undefined
  const forwarded = counters.get(`${protocol}${protocol === 'Ip.' ? 'ForwDatagrams' : 'OutForwDatagrams'}`) ?? 0
  return (counters.get(`${protocol}OutRequests`) ?? 0) + forwarded - sent
}
