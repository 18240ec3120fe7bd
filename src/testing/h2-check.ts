import { check, oneOf, whole } from './check-script.js'
import { H2_CODES } from './h2-frames.js'
import type { H2Behaviour, H2Script, H2Step, H2Turns } from './h2-script.js'

/** One behaviour, checked, with the turns that it has taken. */
export class H2Rule {
  readonly #turns: readonly H2Script[]
  readonly #per: H2Turns['per']
  readonly #taken = new Map<string, number>()

  /** Throws a TypeError that names what is wrong. */
  constructor(behaviour: H2Behaviour) {
    const given = isTurns(behaviour) ? behaviour : { turns: [behaviour], per: 'server' as const }
    check(oneOf('request-id', 'connection', 'server'), given.per, 'rudeH2Server: per')
    if (!Array.isArray(given.turns) || given.turns.length === 0)
      throw new TypeError('rudeH2Server: turns must be a list of at least one script')
    this.#turns = given.turns.map((script: H2Script | readonly H2Step[], at: number) =>
      checkScript(script, isTurns(behaviour) ? `turn ${at}` : 'script'),
    )
    this.#per = given.per
    if (this.#turns.length > 1 && this.#per !== 'connection' && this.#turns.some(({ open }) => open !== undefined))
      throw new TypeError("rudeH2Server: turns that act before a request has come need per: 'connection'")
  }

  forConnection(connection: number): H2Script {
    if (this.#turns.length > 1 && this.#per !== 'connection') return {}
    return this.#take(`${connection}`, true)
  }

  forRequest(request: { id: string | null; method: string; path: string; connection: number }): H2Script {
    if (this.#per === 'connection') return this.#take(`${request.connection}`, true)
    // Without the header no attempt can be told from another request: then it is method and path that have turns.
    const { id, method, path } = request
    return this.#take(this.#per === 'server' ? '' : JSON.stringify([id, method, path]), false)
  }

  /** The next turn of `key`. A connection keeps its turn; anything else moves on. */
  #take(key: string, keeps: boolean): H2Script {
    const before = this.#taken.get(key)
    const turn = keeps ? (before ?? this.#taken.size) : (before ?? -1) + 1
    if (this.#turns.length > 1) this.#taken.set(key, turn)
    return this.#turns[Math.min(turn, this.#turns.length - 1)] ?? {}
  }
}

function isTurns(behaviour: H2Behaviour): behaviour is H2Turns {
  return typeof behaviour === 'object' && behaviour !== null && 'turns' in behaviour
}

const codes = oneOf(...Object.keys(H2_CODES))
const acts = ['execute', 'stall', 'heard', 'mute', 'ignore-pings', 'rst', 'fin']
const ofRequest = ['execute', 'stall', 'heard', 'respond', 'reset']
const count = whole(0, Number.MAX_SAFE_INTEGER)
const flag = oneOf(true, false)

const answerRules: Readonly<Record<string, { allowed: string; fits: (value: unknown) => boolean }>> = {
  status: whole(200, 599),
  headers: { allowed: 'an object of header names and values', fits: isRecord },
  body: {
    allowed: 'a text or { bytes }',
    fits: (value) => typeof value === 'string' || (isRecord(value) && count.fits(value['bytes'])),
  },
  length: flag,
  cut: count,
  end: flag,
}

function checkScript(given: H2Script | readonly H2Step[], name: string): H2Script {
  const where = `rudeH2Server: ${name}`
  const script = Array.isArray(given) ? { request: given } : given
  if (!isRecord(script)) throw new TypeError(`${where} must be a script, a list of steps, or turns`)
  for (const [key, value] of Object.entries(script)) {
    // A misdeed that is given whole brings its description along.
    if (key === 'says' || value === undefined) continue
    check(oneOf('open', 'request'), key, `${where}: key`)
    if (!Array.isArray(value)) throw new TypeError(`${where}: ${key} must be a list of steps`)
    for (const [at, step] of value.entries()) checkStep(step, key, `${where}: ${key}[${at}]`)
  }
  return script
}

function checkStep(step: unknown, stage: string, where: string): void {
  if (typeof step === 'string') check(oneOf(...acts), step, where)
  else if (!isRecord(step)) throw new TypeError(`${where} must be an act or an object`)
  else checkFields(step, where)
  const name = typeof step === 'string' ? step : (Object.keys(step as object)[0] ?? '')
  const aboutStream = isRecord(step) && (step['last'] === 'this' || step['last'] === 'before')
  if (stage === 'open' && (ofRequest.includes(name) || aboutStream))
    throw new TypeError(`${where}: ${name} needs a request`)
}

function checkFields(step: Record<string, unknown>, where: string): void {
  const [name = ''] = Object.keys(step)
  check(oneOf('respond', 'reset', 'goaway', 'wait'), name, `${where}: the step`)
  if (name === 'reset' || name === 'goaway') check(codes, step[name], `${where}.${name}`)
  if (name === 'goaway') check(oneOf('none', 'before', 'this', 'executed', 'any'), step['last'], `${where}.last`)
  if (name === 'wait') check(whole(0, 2 ** 31 - 1), step[name], `${where}.wait`)
  if (name !== 'respond') return
  const answer = step['respond']
  if (!isRecord(answer)) throw new TypeError(`${where}.respond must be an answer`)
  for (const [key, value] of Object.entries(answer)) {
    const rule = Object.hasOwn(answerRules, key) ? answerRules[key] : undefined
    if (rule === undefined) check(oneOf(...Object.keys(answerRules)), key, `${where}.respond: key`)
    else if (value !== undefined) check(rule, value, `${where}.respond.${key}`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
