/** The cells of the demo's table: what came of a line, in words. */

import { partyNames } from '../failure/diagnosis.js'
import { type Diagnosis, isOffhookError, type StopReason } from '../index.js'
import { codeOf, type Played, wordOf } from './compare.js'
import type { Ask, DemoLine } from './demo-line.js'
import type { Deeds, End } from './sides.js'
import type { Cell, CellLine } from './table.js'

/** The request, in a few words. */
export function askOf({ method, body, idempotencyKey }: Ask): string {
  if (idempotencyKey !== undefined) return `${method} with an Idempotency-Key`
  return typeof body === 'function' ? `${method} of a stream` : method
}

/** What bare fetch says. */
export function bareCell({ ask }: DemoLine, { bare }: Played): Cell {
  const [first] = bare
  if (first === undefined) return []
  if (bare.length === 1) return bareEnd(first, ask.wholeBytes)
  const failed = bare.filter(({ how }) => how !== 'answer')
  return [
    { text: `${failed.length} of ${bare.length} failed`, tone: failed.length > 0 ? 'bad' : 'good' },
    ...bareEnd(failed[0] ?? first, ask.wholeBytes).map(({ text }) => ({ text })),
  ]
}

function bareEnd(end: End, wholeBytes: number | undefined): CellLine[] {
  switch (end.how) {
    case 'silence':
      return [{ text: `nothing for ${seconds(end.afterMs)}`, tone: 'bad' }, { text: 'its own limit: 5 minutes' }]
    case 'answer':
      if (wordOf(end, wholeBytes) === 'cut')
        return [{ text: `${end.status}, no error`, tone: 'bad' }, { text: `${end.bytes} of ${wholeBytes} bytes` }]
      return [{ text: `${end.status}`, tone: end.status < 400 ? 'good' : 'careful' }]
    case 'error':
      return [{ text: String(end.error), tone: 'bad' }, { text: codeOf(end.error) ?? '' }]
  }
}

/** What offhook says, and what it did. */
export function offhookCell({ ask }: DemoLine, { offhook, deeds }: Played): Cell {
  const [first] = offhook
  if (first === undefined) return []
  if (offhook.length > 1) return manyCalls(offhook, deeds)
  if (first.how === 'answer') return recovered(first.status, deeds)
  if (first.how === 'silence' || !isOffhookError(first.error))
    return [{ text: wordOf(first, ask.wholeBytes), tone: 'bad' }]
  const { name, kind, phase, delivery, mayHaveExecuted, stopReason, diagnosis } = first.error
  const end = stopReason === undefined ? '' : `; ${stopped[stopReason]}`
  return [
    { text: name, tone: 'careful' },
    { text: `${kind} in ${phase}, ${delivery}: ${mayHaveExecuted ? 'maybe executed' : 'not executed'}` },
    { text: `${tries(deeds)}${end}` },
    ...(diagnosis === undefined ? [] : [{ text: `${diagnosis.mechanism}; ${whoOf(diagnosis)}` }]),
  ]
}

/** Who hung up, and how likely that is: named only where the diagnosis itself names somebody. */
export function whoOf({ party, hypotheses }: Diagnosis): string {
  const likeliest = party ?? hypotheses[0]?.party
  if (likeliest === undefined) return 'nobody knows who'
  const chance = hypotheses.filter((one) => one.party === likeliest).reduce((sum, one) => sum + one.probability, 0)
  const who = `${partyNames[likeliest]} (${Math.round(chance * 100)} %)`
  return party === undefined ? `it cannot be told who, likeliest ${who}` : `it was ${who}`
}

function manyCalls(ends: readonly End[], { attempts }: Deeds): Cell {
  const good = ends.filter(({ how }) => how === 'answer').length
  return [
    { text: `${good} of ${ends.length} answered`, tone: good === ends.length ? 'good' : 'bad' },
    { text: `${attempts} attempts in all: the dead connections were seen in time` },
  ]
}

function recovered(status: number, { failure, refusedWith, waitedMs, attempts }: Deeds): Cell {
  if (attempts === 1) return [{ text: `${status}`, tone: status < 400 ? 'good' : 'careful' }]
  const mechanism = failure?.mechanism === undefined ? '' : ` (${failure.mechanism})`
  const before = failure === undefined ? refusedWith : `${failure.kind} in ${failure.phase}, ${failure.delivery}`
  return [
    { text: `${status} on attempt ${attempts}`, tone: status < 400 ? 'good' : 'careful' },
    { text: `${attempts === 2 ? 'the first' : 'those before'}: ${before}${mechanism}` },
    { text: `sent again after ${milliseconds(waitedMs)}` },
  ]
}

function tries({ attempts, waitedMs }: Deeds): string {
  return attempts === 1 ? '1 attempt' : `${attempts} attempts, ${milliseconds(waitedMs)} waited`
}

const stopped: Record<StopReason, string> = {
  attempts: 'no more are allowed',
  budget: 'the retry budget is empty',
  deadline: 'no time is left',
  unsafe: 'not sent again, it could be executed twice',
  body: 'not sent again, the stream is used up',
  abort: 'aborted',
  'server-said': 'the server forbade another',
  permanent: 'another cannot help',
  committed: 'its answer was being read',
  disabled: 'retries are switched off',
  local: 'not let out by this client',
}

/** How often the server executed the request, by its ledger. */
export function executedCell({ executed }: Played): Cell {
  if (executed === undefined) return [{ text: '–', tone: 'faint' }]
  return [{ text: `bare ${executed.bare}×` }, { text: `ours ${executed.offhook}×` }]
}

/** A time as a person reads it. */
export function milliseconds(value: number): string {
  return value >= 1000 ? seconds(value) : `${Math.round(value)} ms`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
