/**
 * What was seen around a failure, beyond the attempt itself: the shape of the raw error, the socket, this host, other
 * connections. Facts only, taken at the moment of the failure. What was not seen is absent, never zero or empty.
 */

/** The raw error that was nearest to the operating system. */
export interface RawErrorFacts {
  readonly code?: string
  readonly syscall?: string
  /** Whether the error carried an `errno`. An ECONNRESET without one was made by Node out of a FIN. */
  readonly errno?: number
  /** The message ends in `- Local (…)`: `connect(2)` itself failed, so that no packet left this host. */
  readonly localSuffix?: true
  /** The address that was dialled, where the error names one. */
  readonly address?: string
  readonly port?: number
}

/** What TLS had come to on the connection. */
export interface TlsFacts {
  /** How far the handshake had come. */
  readonly stage: 'none' | 'hello-sent' | 'server-answered' | 'established'
  /** The name of the alert that ended it, for example `handshake failure`. */
  readonly alert?: string
  readonly resumed?: boolean
  /** Whether the peer said goodbye (close_notify), told from the count of record bytes. */
  readonly closeNotify?: boolean
}

/** The row of the socket in `/proc/net/tcp` or `tcp6`, read right after the failure. Linux only. */
export interface SocketRowFacts {
  /** `absent`: the kernel does not know the connection any more. */
  readonly state: 'established' | 'syn-sent' | 'close-wait' | 'fin-wait' | 'closing' | 'time-wait' | 'other' | 'absent'
  /** Bytes that were written and not acknowledged by the peer's kernel. */
  readonly unacknowledged?: number
  /** Bytes that came and were not read. */
  readonly unread?: number
  readonly timer?: 'none' | 'retransmit' | 'keepalive' | 'time-wait' | 'zero-window'
  /** Retransmissions, or keepalive probes, in a row without an answer. */
  readonly retransmits?: number
  /** The peer's kernel had been asked by a keepalive probe whether it lives, shortly before. */
  readonly probed?: true
}

/** What became of other connections around the same time. */
export interface SiblingFacts {
  /** Connections that stood when the window began. */
  readonly stood: number
  /** Of those: ended by RST, by FIN, and answered something, within the window. */
  readonly reset: number
  readonly closed: number
  readonly answered: number
  /** New connections that were made, and that failed to be made, within the window. */
  readonly connected: number
  readonly failed: number
  /** Those on which one of our own limits ran out within the window: nothing came. Absent when none. */
  readonly silent?: number
}

/** How an attempt to reach something right after the failure ended. */
export type ReachOutcome =
  | 'connected'
  | 'answered'
  | 'refused'
  | 'reset'
  | 'closed'
  | 'timeout'
  | 'unreachable'
  | 'local'
  | 'dns'

/** Everything that was seen around one failure. */
export interface Circumstances {
  /** `process.platform`. */
  readonly platform?: string
  /** False where an RST behind unread data is shown as a plain end (libuv before 1.52). */
  readonly showsResets?: boolean
  readonly raw?: RawErrorFacts
  /** The smallest round trip seen to this peer, in milliseconds, and what it was taken from. */
  readonly minRttMs?: number
  readonly rttFrom?: 'connect' | 'answer'
  /** What that can have been at the least, where the event loop was late when it was taken. */
  readonly rttAtLeastMs?: number
  /** Of how many round trips that is the smallest. */
  readonly rttOf?: number
  /** Milliseconds from the last write of ours, and from the last byte of theirs, to the failure. */
  readonly sinceLastWriteMs?: number
  readonly sinceLastReadMs?: number
  /** How long the step of the dial (the lookup, the connect, TLS) had lasted in which it failed, in milliseconds. */
  readonly stepMs?: number
  /**
   * The longest that the event loop was late within the attempt, in milliseconds; where the connection had been idle, or
   * since its last use.
   */
  readonly loopDelayMs?: number
  /** The longest that it was late between the last write and the failure: the other is of a longer time. */
  readonly lateMs?: number
  /** By how much the wall clock and the monotonic clock parted in that time: a sleep. */
  readonly clockJumpMs?: number
  /** The whole request, body included, had been handed to the kernel. */
  readonly requestWritten?: boolean
  /** Bytes of the whole connection. */
  readonly connectionBytes?: { readonly sent: number; readonly received: number }
  readonly tls?: TlsFacts
  readonly row?: SocketRowFacts
  /**
   * What the kernel counted from the start of the attempt (or its last quiet look) to the failure, by the names of
   * `/proc/net/snmp`, `netstat` and `snmp6`, for example `Tcp.EstabResets`; only what moved. Counts of the whole
   * host: other programs move them too.
   */
  readonly counters?: Readonly<Record<string, number>>
  /** Over how many milliseconds they were counted: at least the attempt, at most a little more where calls come often. */
  readonly countersOverMs?: number
  /** Other connections to the same address and port, and to anywhere else. */
  readonly siblings?: { readonly same: SiblingFacts; readonly elsewhere: SiblingFacts }
  /** What a last good answer on this connection (or from this origin) said of who is on the way. */
  readonly headers?: {
    readonly server?: string
    readonly via?: string
    readonly keepAliveMs?: number
    readonly keepAliveMax?: number
    /** Names of headers that only a load balancer or CDN sets, for example `cf-ray`. Names, no values. */
    readonly marks?: readonly string[]
    /** Whether the last answer announced the end of the connection. */
    readonly connectionClose?: boolean
  }
  /** What earlier closes taught about this origin. */
  readonly learned?: {
    readonly idleMs?: number
    readonly requestCap?: number
    /** How many closes were seen. */
    readonly closes?: number
    /** Connections of this origin that had ended all at once: how many, how long before, how often within an hour. */
    readonly endedTogether?: { readonly connections: number; readonly agoMs: number; readonly times: number }
    /**
     * The same method and path before: how often it was cut and how often answered, and how many other requests were
     * answered since it was first cut.
     */
    readonly sameRequest?: { readonly cut: number; readonly answered: number; readonly othersAnswered: number }
  }
  /** The local address of the connection is no longer one of this host's. */
  readonly localAddressGone?: boolean
  /** The request went through a proxy's tunnel, and whether that stood. */
  readonly tunnel?: 'asked' | 'made'
  /** Whether the lookup of the name had ended, for dials of names. */
  readonly lookedUp?: boolean
  /** The outcome of the next dial to the same place: the retry's, or that of a probe that the caller allowed. */
  readonly reconnect?: { readonly outcome: ReachOutcome; readonly afterMs: number; readonly tookMs?: number }
  /** The outcome of a probe of another place. */
  readonly elsewhere?: ReachOutcome
}
