/** The form of the table of stories: who it was, how common that is where, and how it shows on the wire. */

import type { Mechanism, Party, ResetManner, Side } from '../failure/diagnosis.js'

/**
 * What a connection was in when it ended. `fresh`: the first request of a new one. `idle`: used again after a second
 * or more. `busy`: used again at once, within 150 ms. `upload`: a body was under way. `body`: the answer had begun.
 */
export const situations = ['names', 'connect', 'tunnel', 'tls', 'fresh', 'busy', 'idle', 'upload', 'body'] as const
export type Situation = (typeof situations)[number]

/**
 * What is known of it where not all is: used again after a rest that is neither long nor short, or nobody knows how long;
 * or only that a request was under way.
 */
export type Vague = 'rested' | 'reused' | 'any'

/** A mechanism, and of an RST its manner where the clock could tell it. */
export type End = Exclude<Mechanism, 'rst' | 'unknown'> | `rst-${ResetManner}`

/** What stories have in common, so that one observation can move all of them. */
export type Trait =
  /** Needs a flow that nothing had passed for a while. */
  | 'by-idling'
  /** A whole connection's state was forgotten, by somebody whose other connections stand. */
  | 'forgotten'
  /** Nothing gets through to the peer's host, whoever asks. */
  | 'cut-off'
  /** A limit of how long or how often a connection is used. */
  | 'by-limit'
  /** The process that served us is no more. */
  | 'exit'
  /** Only a device that forwards HTTP. */
  | 'forwarder'

export interface StoryRow {
  readonly party: Party
  readonly side: Exclude<Side, 'unknown'>
  readonly traits?: readonly Trait[]
  /** The story in one clause, which can follow "most likely". */
  readonly says: string
  /** How often it is the cause in each situation, in the order of `situations`: shares of a hundred, roughly. */
  readonly prior: readonly [number, number, number, number, number, number, number, number, number]
  /** How it shows, as probabilities; what is absent is next to impossible. */
  readonly ends: Partial<Record<End, number>>
}
