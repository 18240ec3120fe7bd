/**
 * Who it was, for datagrams. There is no connection whose end could be read: a message of ICMP, a refusal of this host, or
 * silence is all that can be seen, and so the stories are few. The shares are by reason and not by measurement, and
 * round; what they have to get right is which stories cannot be told apart.
 */

import type { Diagnosis, Hypothesis, Mechanism, Party } from '../failure/diagnosis.js'
import type { Evidence } from '../failure/evidence.js'
import type { Failure } from '../failure/kinds.js'

/** What was seen. */
type Seen = 'port-unreachable' | 'prohibited' | 'refused-here' | 'silence'

interface Story {
  readonly says: string
  readonly side: Hypothesis['side']
  readonly party: Party
  readonly remedy: string
  /** How likely it is, by what was seen. Absent: next to impossible. */
  readonly shares: Partial<Record<Seen, number>>
  /** It takes a network, which the way to this host itself does not have. */
  readonly onTheWay?: true
}

const stories: Readonly<Record<string, Story>> = {
  'peer-application-silent': {
    says: 'the application received it and did not answer: it is slow, or takes it for no question',
    side: 'peer',
    party: 'peer-application',
    remedy: 'See on the server whether the datagram arrives (tcpdump), and whether the application takes it for valid.',
    shares: { silence: 0.34 },
  },
  'nothing-listening': {
    says: "nobody listens on that port, and the server's kernel says so",
    side: 'peer',
    party: 'peer-host',
    remedy: 'Check that the service runs and is bound to this address and port (ss -lun on the server).',
    shares: { silence: 0.06, 'port-unreachable': 0.8 },
  },
  'peer-host-down': {
    says: "the server's host is down, or the address is not its own any more",
    side: 'peer',
    party: 'peer-host',
    remedy: 'Check the host, and whether the name still leads to it.',
    shares: { silence: 0.1, prohibited: 0.1 },
    onTheWay: true,
  },
  'filter-drops': {
    says: 'a firewall on the way, or before the server, drops without a word',
    side: 'network',
    party: 'path',
    remedy: 'Open UDP for this port on the way there, and for the answers on the way back.',
    shares: { silence: 0.26 },
  },
  'filter-rejects': {
    says: "a firewall's REJECT rule on the way, or before the server, says no",
    side: 'network',
    party: 'path',
    remedy: 'Look for REJECT rules between here and there, on the server as well.',
    shares: { 'port-unreachable': 0.18, prohibited: 0.88 },
  },
  lost: {
    says: 'the datagram, or its answer, was lost on the way: UDP promises nothing',
    side: 'network',
    party: 'path',
    remedy: 'Send it again where that does no harm (`idempotent: true`), and watch for loss when it goes on.',
    shares: { silence: 0.24 },
    onTheWay: true,
  },
  forged: {
    says: 'somebody off the way forged the ICMP message, for which the addresses and ports are enough',
    side: 'network',
    party: 'path',
    remedy: 'Capture the message: it quotes the datagram that it answers, which a forger has to guess.',
    shares: { 'port-unreachable': 0.02, prohibited: 0.02 },
    onTheWay: true,
  },
  'local-filter': {
    says: "this host's own firewall, or a route that forbids, kept it from leaving",
    side: 'local',
    party: 'local-host',
    remedy: 'Look at the OUTPUT rules of this host (nft list ruleset) and at ip route get.',
    shares: { 'refused-here': 0.95 },
  },
  'local-shortage': {
    says: 'this host was short of buffers, ports or files',
    side: 'local',
    party: 'local-host',
    remedy: 'Look at the limits of this process, and at how fast it sends.',
    shares: { 'refused-here': 0.05 },
  },
}

const mechanisms: Record<Seen, Mechanism> = {
  'port-unreachable': 'icmp',
  prohibited: 'icmp',
  'refused-here': 'local-refused',
  silence: 'silence',
}

const observed: Record<Seen, string> = {
  'port-unreachable': 'ICMP "port unreachable" was reported for a datagram sent earlier',
  prohibited: 'ICMP said that there is no way, or that the way is forbidden',
  'refused-here': 'the kernel of this host did not take the datagram',
  silence: 'nothing came, and the absence of an ICMP message says nothing: they are rate-limited, and often dropped',
}

const headlines: Record<Seen, string> = {
  'port-unreachable':
    "The server's kernel says that nobody listens on that port, or a REJECT rule before it does; from here they look the same.",
  prohibited: 'A router or firewall on the way says no.',
  'refused-here': 'This host itself kept the datagram.',
  silence: 'Nobody can say from here: a datagram or an answer that was lost, dropped, or not given looks the same.',
}

const decisive: Record<Seen, readonly string[]> = {
  'port-unreachable': [
    'whether the service listens there (ss -lun on the server)',
    'the source of the ICMP message in a capture',
  ],
  prohibited: ['the source of the ICMP message in a capture'],
  'refused-here': [],
  silence: ['a capture on the server: does the datagram arrive, does an answer leave'],
}

/** Nothing is impossible, and weights must stay finite. */
const least = 0.002

/** The diagnosis of a datagram's failure; `undefined` when it was not the datagram that failed, but a name, say. */
export function attributeDatagram(failure: Failure, evidence: Evidence | undefined): Diagnosis | undefined {
  const seen = seenIn(failure)
  if (seen === undefined) return undefined
  const isHere = /^(?:127\.|::1$|::ffff:127\.)/.test(evidence?.connection?.remoteAddress ?? '')
  const now = distribution(seen, isHere)
  const unseen = distribution('silence', isHere)
  const hypotheses = Object.entries(stories)
    .map(([story, { says, side, party, remedy }]): Hypothesis => {
      const probability = now(story)
      // The weight of what was seen: without it, there would have been silence.
      const weight = seen === 'silence' ? 0 : odds(probability) - odds(unseen(story))
      const because = weight === 0 ? [] : [{ clue: seen, says: observed[seen], weight }]
      return { story, says, side, party, probability, because, remedy }
    })
    .sort((a, b) => b.probability - a.probability)
  return conclude(seen, hypotheses)
}

function conclude(seen: Seen, hypotheses: readonly Hypothesis[]): Diagnosis {
  const sum = (of: (one: Hypothesis) => string, name: string) =>
    hypotheses.filter((one) => of(one) === name).reduce((total, one) => total + one.probability, 0)
  const top = hypotheses[0] as Hypothesis
  const side = hypotheses.find((one) => sum(({ side }) => side, one.side) >= 0.6)?.side
  const party = hypotheses.find((one) => sum(({ party }) => party, one.party) >= 0.6)?.party
  const alike = hypotheses.filter((one) => one !== top && one.probability > 0.01).map(({ story }) => story)
  return {
    mechanism: mechanisms[seen],
    origin: side ?? 'unknown',
    ...(party !== undefined && { party }),
    headline: headlines[seen],
    hypotheses,
    indistinguishable: alike,
    wouldDecide: alike.length > 0 ? decisive[seen] : [],
  }
}

function seenIn({ kind, phase, delivery }: Failure): Seen | undefined {
  if (phase !== 'send' && phase !== 'wait' && phase !== 'call') return undefined
  if (kind === 'refused') return 'port-unreachable'
  if (kind === 'local-resource') return 'refused-here'
  if (kind === 'unreachable') return delivery === 'unsent' ? 'refused-here' : 'prohibited'
  return kind === 'timeout' && delivery !== 'unsent' ? 'silence' : undefined
}

/** The shares, made to sum to one. */
function distribution(seen: Seen, isHere: boolean): (story: string) => number {
  const raw = (story: Story | undefined) =>
    isHere && story?.onTheWay === true ? least : (story?.shares[seen] ?? least)
  const whole = Object.values(stories).reduce((total, story) => total + raw(story), 0)
  return (story) => raw(stories[story]) / whole
}

function odds(probability: number): number {
  return Math.log(probability / (1 - probability))
}
