/**
 * What this host's kernel counted around a failure, from `/proc/net/snmp`, `netstat` and `snmp6`: the counters tell a
 * RST that came in from a connection that the kernel itself gave up, and both from a filter of this host. They belong to
 * the whole network namespace, so only small windows say anything, and the window is told along.
 *
 * Looked at once a second while calls are under way, in the background; and at a failure at once, because a body's
 * failure cannot wait. Both files are of constant size: measured, 0.2 ms in all. Failures that come thick share a look,
 * so that looking takes no more than a fiftieth of the time.
 */

import { readFileSync } from 'node:fs'
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
}

/** Looks kept; of the older ones every second goes when there are more, so that long waits are covered as well. */
const mostLooks = 32

/** A look that is younger serves for a baseline. */
const freshMs = 1_500

/** Failures within this share one look. */
const sharedMs = 20

const files = ['snmp', 'netstat', 'snmp6']

export class HostCounters {
  readonly #directory: string
  #looks: Look[] = []
  #last: Look | undefined
  #costMs = 0
  #looking = false
  /** No such files: another system, or one that hides them. */
  #blind: boolean

  /** @param directory where the files are; `undefined`: nowhere, as on systems other than Linux */
  constructor(directory: string | undefined = process.platform === 'linux' ? '/proc/net' : undefined) {
    this.#directory = directory ?? ''
    this.#blind = directory === undefined
  }

  /** Takes a look in the background, to compare with later. Never fails. */
  async refresh(): Promise<void> {
    if (this.#blind || this.#looking) return
    this.#looking = true
    try {
      // An IPv6 that is switched off has no file.
      const texts = await Promise.all(
        files.map((file) => readFile(`${this.#directory}/${file}`, 'latin1').catch(() => '')),
      )
      this.#keep(texts)
    } finally {
      this.#looking = false
    }
  }

  /** A connection is about to be made: without a look that is recent enough, one is taken now. */
  beforeDial(): void {
    const last = this.#looks.at(-1)
    if (!this.#blind && (last === undefined || performance.now() - last.at > freshMs)) this.#keep(this.#readNow().texts)
  }

  /** What moved within the last `windowMs`, or since the last look before. `undefined` when nobody looked then. */
  movedWithin(windowMs: number): Movement | undefined {
    if (this.#blind) return undefined
    const before = this.#looks.findLast(({ at }) => at <= performance.now() - windowMs)
    if (before === undefined) return undefined
    const now = this.#current()
    if (now.at <= before.at) return undefined
    return { counters: difference(countersOf(before), countersOf(now)), overMs: now.at - before.at }
  }

  #current(): Look {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.at > Math.max(sharedMs, this.#costMs * 50)) {
      this.#last = this.#readNow()
      this.#costMs = this.#last.at - now
    }
    return this.#last
  }

  #readNow(): Look {
    const texts = files.map((file) => {
      try {
        return readFileSync(`${this.#directory}/${file}`, 'latin1')
      } catch {
        return ''
      }
    })
    return { at: performance.now(), texts }
  }

  #keep(texts: readonly string[]): void {
    if (texts.every((text) => text === '')) {
      this.#blind = true
      return
    }
    this.#looks.push({ at: performance.now(), texts })
    if (this.#looks.length <= mostLooks) return
    const half = this.#looks.length >> 1
    this.#looks = this.#looks.filter((_, index) => index >= half || index % 2 === 0)
  }
}

function countersOf({ texts }: Look): Counters {
  const [snmp = '', netstat = '', snmp6 = ''] = texts
  return new Map([...readPairedLines(snmp), ...readPairedLines(netstat), ...readNamedLines(snmp6)])
}

function difference(before: Counters, now: Counters): Record<string, number> {
  const moved: Record<string, number> = {}
  for (const name of telling) {
    const from = before.get(name)
    const to = now.get(name)
    // A counter that went back has wrapped around, or belongs to another namespace by now.
    if (from !== undefined && to !== undefined && to > from) moved[name] = to - from
  }
  return moved
}
