/** An examination on a screen, and as JSON. */

import { roundMs } from '../clock.js'
import { isOffhookError } from '../index.js'
import type { Checkup } from './checkup.js'
import { milliseconds } from './demo-words.js'
import { type Finding, retriesOf, wordsOf } from './findings.js'
import type { HeldFacts } from './idle-probe.js'
import type { AddressFacts } from './reach.js'
import { type CellLine, widthFor, wrap } from './table.js'
import { paint, type Terminal, type Tone } from './terminal.js'

const labelWidth = 13

/** The report, as text for this terminal. */
export function report(terminal: Terminal, checkup: Checkup, findings: readonly Finding[]): string {
  const rows = [...whoIsThere(checkup), ...whatBecomesOfConnections(checkup), ...whatOffhookDoes(checkup)]
  const facts = rows.map(([label, line]) => row(terminal, label, line)).join('')
  return `${facts}\n${findings.map((finding) => findingLines(terminal, finding)).join('')}`
}

type Row = readonly [label: string, line: CellLine]

function whoIsThere({ name, addresses, answer }: Checkup): Row[] {
  const found = count(name.addresses.length, ['address', 'addresses'])
  const how = name.addresses.length === 0 ? 'no address' : `${found}, looked up in ${milliseconds(name.tookMs)}`
  const headers = Object.entries(answer?.headers ?? {})
  return [
    ['name', { text: `${name.host}: ${how}` }],
    ...addresses.map((facts): Row => {
      return [facts.address, { text: reached(facts), tone: facts.error === undefined ? 'good' : 'bad' }]
    }),
    ...(answer === undefined ? [] : [['answer', { text: `${answer.status}` }] as const]),
    ...headers.map(([header, value]): Row => ['', { text: `${header}: ${value}` }]),
  ]
}

function whatBecomesOfConnections({ cap, idle }: Checkup): Row[] {
  const rows: Row[] = []
  if (cap !== undefined) {
    const took = cap.answerMs === undefined ? '' : `, answered in ${milliseconds(cap.answerMs)} each`
    const end = cap.cap === undefined ? ', and it would have gone on' : `, then it ended (${cap.how})`
    const asked = count(cap.asked, ['request', 'requests'])
    rows.push(['one after', { text: `${asked} on one connection${took}${end}` }])
  }
  const held = idle?.held.toReversed() ?? []
  return [
    ...rows,
    ...held.map((one, at): Row => [at === 0 ? 'held idle' : '', { text: heldLine(one), tone: toneOf(one) }]),
  ]
}

function whatOffhookDoes({ idle, reuse }: Checkup): Row[] {
  if (reuse === undefined) return []
  const longest = `up to ${milliseconds(reuse.idleMs)}, for a POST ${milliseconds(reuse.unsafeIdleMs)}`
  const retries = idle?.how === undefined ? [] : retriesOf(idle)
  return [
    ['offhook', { text: `uses a connection again that was idle for ${longest}: ${reuse.why}` }],
    ...retries.map(({ request, says }): Row => ['', { text: `${request} that comes upon such an end: ${says}` }]),
  ]
}

/** The same for machines. Errors are what `toJSON` makes of them. */
export function reportJson(checkup: Checkup, findings: readonly Finding[]): string {
  const plain = (_: string, value: unknown) => {
    if (typeof value === 'number') return roundMs(value)
    return value instanceof Error && !isOffhookError(value) ? { name: value.name, code: wordsOf(value) } : value
  }
  return `${JSON.stringify({ ...checkup, findings }, plain, 2)}\n`
}

function reached({ rttMs, tls, error }: AddressFacts): string {
  const rtt = rttMs === undefined ? [] : [`round trip ${milliseconds(rttMs)}`]
  if (error !== undefined) return [...rtt, wordsOf(error)].join(', ')
  if (tls === undefined) return rtt.join('')
  const { protocol, cipher, alpn, subject, issuer, validTo, daysLeft, tookMs } = tls
  const certificate = `certificate of ${subject ?? 'nobody'} by ${issuer ?? 'nobody'} until ${validTo} (${daysLeft} days)`
  return [...rtt, `${protocol} ${cipher} in ${milliseconds(tookMs)}`, `speaks ${alpn}`, certificate].join(', ')
}

function heldLine({ heldMs, end, idleMs, atOnce, error }: HeldFacts): string {
  const held = `${milliseconds(heldMs)}:`
  switch (end) {
    case 'kept':
      return `${held} kept`
    case 'unfit':
      return `${held} could not be held${error === undefined ? '' : ` (${wordsOf(error)})`}`
    case 'stopped':
      return `${held} not waited for`
    case 'silent':
      return `${held} nothing answered any more`
    default: {
      const by = end === 'closed' ? 'a FIN' : 'a RST'
      return atOnce === true ? `${held} ended by ${by} after ${milliseconds(idleMs ?? 0)}` : `${held} answered by ${by}`
    }
  }
}

function toneOf({ end, atOnce }: HeldFacts): Tone | undefined {
  if (end === 'kept') return 'good'
  if (end === 'stopped') return 'faint'
  return end === 'closed' && atOnce === true ? 'careful' : 'bad'
}

function row(terminal: Terminal, label: string, { text, tone }: CellLine): string {
  const width = widthFor(terminal) - labelWidth
  const indent = ' '.repeat(labelWidth)
  // An IPv6 address is wider than any label, and has a line of its own.
  const head = label.length < labelWidth ? label.padEnd(labelWidth) : `${label}\n${indent}`
  const lines = wrap(text, width).map((line) => paint(terminal, line, tone))
  return `${paint(terminal, head, 'faint')}${lines.join(`\n${indent}`)}\n`
}

const signs = { good: '✓', careful: '!', bad: '✗' } as const

function findingLines(terminal: Terminal, { level, says, advice }: Finding): string {
  const width = widthFor(terminal) - 2
  const lines = wrap(says, width).map(
    (line, at) => `${at === 0 ? paint(terminal, signs[level], level) : ' '} ${line}\n`,
  )
  const then = advice === undefined ? [] : wrap(advice, width).map((line) => `  ${paint(terminal, line, 'faint')}\n`)
  return [...lines, ...then].join('')
}

function count(number: number, [one, more]: readonly [string, string]): string {
  return `${number} ${number === 1 ? one : more}`
}
