/** The words of a diagnosis: what happened on the wire, and who did it, with the evidence for and against. */

/** What happened on the wire, by rule. Near certain where it is not `unknown`. */
export type Mechanism =
  | 'rst'
  | 'fin'
  | 'fin-then-rst'
  | 'refused'
  | 'icmp'
  | 'local-refused'
  | 'local-aborted'
  | 'local-timeout'
  | 'silence'
  | 'app-protocol'
  | 'self'
  | 'unknown'

/** How an RST stood to what we had sent: an answer to it, sooner than any answer can come, or out of the blue. */
export type ResetManner = 'solicited' | 'too-fast' | 'unsolicited'

/** Whose side it was. */
export type Side = 'peer' | 'load-balancer' | 'network' | 'local' | 'self' | 'unknown'

/** Who on that side. */
export type Party =
  | 'peer-application'
  | 'peer-host'
  | 'tls-peer'
  | 'proxy'
  | 'path'
  | 'name-service'
  | 'local-host'
  | 'self'

/** The parties as a sentence names them. */
export const partyNames: Readonly<Record<Party, string>> = {
  'peer-application': 'the server application',
  'peer-host': "the server's host",
  'tls-peer': 'the TLS endpoint',
  proxy: 'a proxy or balancer in front of the server',
  path: 'the network between here and the server',
  'name-service': 'the name service',
  'local-host': 'this host',
  self: 'this program',
}

/** One observation that speaks for or against a story. */
export interface Reason {
  /** The clue's name, for example `row-unacknowledged`. */
  readonly clue: string
  /** What was observed and what it means, in a sentence that can be checked. */
  readonly says: string
  /** How far it moves the story: the natural logarithm of its likelihood ratio. Below 0 speaks against. */
  readonly weight: number
}

/** One story of who ended it and why. */
export interface Hypothesis {
  /** The story's name, for example `peer-idle-timer`. */
  readonly story: string
  readonly says: string
  readonly side: Exclude<Side, 'unknown'>
  readonly party: Party
  /** 0 to 1; those of one diagnosis sum to 1. */
  readonly probability: number
  readonly because: readonly Reason[]
  /** What to do about it, with this failure's own numbers. */
  readonly remedy: string
}

/** Who hung up, as far as can be told from here. */
export interface Diagnosis {
  readonly mechanism: Mechanism
  readonly manner?: ResetManner
  /** The side that did it; `unknown` where none reaches 0.6. */
  readonly origin: Side
  /** The party that did it, under the same rule; absent where none reaches 0.6. */
  readonly party?: Party
  /** One sentence: the culprit where the evidence decides, else the class of stories that look the same. */
  readonly headline: string
  /** The finer stories, the likeliest first. */
  readonly hypotheses: readonly Hypothesis[]
  /** Stories that look the same from here as the likeliest one. */
  readonly indistinguishable: readonly string[]
  /** What would tell them apart. */
  readonly wouldDecide: readonly string[]
  /** Components whose known timers match what was seen, as a family. */
  readonly matches?: string
}
