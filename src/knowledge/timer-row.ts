/** The form of a row about a product's idle timer. */

/** What the product is to a connection. `flow-balancer`: it forwards packets. `proxy`: it ends TCP, and forwards requests. */
export type TimerRole = 'server' | 'proxy' | 'flow-balancer' | 'nat' | 'firewall' | 'client' | 'kernel'

/**
 * How the end of its timer shows to the client. `fin` and `rst`: at once, so that the time of the end is that of the
 * timer. `rst-on-next-packet` and `silent`: when the connection is used again, any time later. `answer`: by a status.
 * `own-side`: it is the client of its connections. `times-out`: the kernel gives up.
 */
export type TimerEnd = 'fin' | 'rst' | 'rst-on-next-packet' | 'silent' | 'answer' | 'own-side' | 'times-out'

/** How far a row can be trusted. `recalled`: a lead, from memory. */
export type Confidence = 'measured' | 'read' | 'quoted' | 'recalled'

export interface TimerRow {
  readonly component: string
  readonly role: TimerRole
  /** The default, in seconds. Absent where there is none, or none that is documented. */
  readonly idleSeconds?: number
  /** After how long it was seen to close, where that is not what it says. */
  readonly seenSeconds?: number
  readonly ends: TimerEnd
  /** Requests after which it closes a connection. */
  readonly requestCap?: number
  /** What it can be set to, how it ends in detail, its other limits. */
  readonly note?: string
  /** How it names itself in `Server` or `Via`. */
  readonly sign?: RegExp
  readonly source: string
  readonly confidence: Confidence
}
