import { inspect } from 'node:util'
import { certificates } from './certificates.js'
import { ALERTS, type Script, type StageName, type Step } from './script.js'
import { asScript } from './turns.js'

/** Where a step may stand, and what its value must be. */
interface StepRule {
  readonly stages: readonly StageName[]
  readonly allowed: string
  readonly fits: (value: unknown) => boolean
  /** Other keys that the step may have. */
  readonly beside?: Readonly<Record<string, ValueRule>>
}

interface ValueRule {
  readonly allowed: string
  readonly fits: (value: unknown) => boolean
}

const ANYWHERE: readonly StageName[] = ['accept', 'clientHello', 'open', 'request', 'idle']
const WITH_HTTP: readonly StageName[] = ['open', 'request', 'idle']
const IN_REQUEST: readonly StageName[] = ['request']

const ACT_STAGES: Readonly<Record<string, readonly StageName[]>> = {
  rst: ANYWHERE,
  fin: ANYWHERE,
  'bare-fin': ANYWHERE,
  'half-close': WITH_HTTP,
  close: ANYWHERE,
  pause: WITH_HTTP,
  // Idle already is a stall until the next request; after that only 'deaf' keeps silent.
  stall: ['accept', 'clientHello', 'open', 'request'],
  deaf: ANYWHERE,
  execute: IN_REQUEST,
}

const COUNT = whole(0, Number.MAX_SAFE_INTEGER)
/** setTimeout turns anything longer into one millisecond. */
const DELAY = whole(0, 2 ** 31 - 1)
const HEADERS: ValueRule = {
  allowed: 'an object of header names and texts, numbers or lists of texts',
  fits: areHeaders,
}

const STEP_RULES: Readonly<Record<string, StepRule>> = {
  read: {
    stages: IN_REQUEST,
    allowed: "a number of bytes from 1, 'head' or 'request'",
    fits: (value) => value === 'head' || value === 'request' || whole(1, Number.MAX_SAFE_INTEGER).fits(value),
  },
  respond: { stages: WITH_HTTP, allowed: 'an answer', fits: isRecord },
  inform: {
    stages: IN_REQUEST,
    ...oneOf(100, 102, 103),
    beside: { headers: HEADERS },
  },
  write: {
    stages: ANYWHERE,
    allowed: 'a text whose characters are bytes (U+0000 to U+00FF)',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: every byte is allowed, control characters included.
    fits: (value) => typeof value === 'string' && /^[\x00-\xff]*$/.test(value),
    beside: { times: COUNT, everyMs: DELAY },
  },
  wait: { stages: ANYWHERE, ...DELAY },
  served: { stages: ['request', 'idle'], ...COUNT },
  alert: { stages: ['clientHello'], ...oneOf(...Object.keys(ALERTS)) },
}

const ANSWER_RULES: Readonly<Record<string, ValueRule>> = {
  status: whole(200, 999),
  reason: { allowed: 'a text without line breaks', fits: isOneLine },
  headers: HEADERS,
  body: { allowed: 'a text or { bytes }', fits: (value) => typeof value === 'string' || hasCounts(value, ['bytes']) },
  framing: oneOf('length', 'chunked', 'close'),
  retryAfter: {
    allowed: 'a number of seconds, a Date, { dateInSeconds } or a text',
    fits: (value) =>
      isOneLine(value) ||
      COUNT.fits(value) ||
      value instanceof Date ||
      (isRecord(value) && typeof value['dateInSeconds'] === 'number'),
  },
  close: oneOf(true, false),
  cut: {
    allowed: '{ head: bytes } or { body: bytes }',
    fits: (value) => hasCounts(value, ['head']) || hasCounts(value, ['body']),
  },
  drip: {
    allowed: '{ bytes, everyMs }, at least one byte',
    fits: (value) => hasCounts(value, ['bytes', 'everyMs']) && (value as { bytes: number }).bytes > 0,
  },
}

const STAGES: readonly StageName[] = ANYWHERE
const TLS_ONLY = ['clientHello', 'certificate']

/**
 * Checks a script, or its steps alone, and returns it in full. Throws a TypeError that names the place, what was given and what
 * is allowed. `where` is how the error calls the script; `secure` whether the server speaks TLS.
 */
export function checkScript(given: unknown, secure: boolean, where: string): Script {
  if (!isRecord(given) && !Array.isArray(given))
    throw wrong(where, 'a script, a list of steps, turns or a function', given)
  const script = asScript(given as Script | readonly Step[])
  for (const [key, value] of Object.entries(script)) {
    if (value === undefined) continue
    if (TLS_ONLY.includes(key) && !secure) {
      throw new TypeError(`${where}: ${key} is for TLS, and this server speaks plain TCP: start it with tls: true`)
    }
    if ((STAGES as readonly string[]).includes(key)) checkSteps(value, key as StageName, `${where}: ${key}`)
    else if (key === 'certificate') check(oneOf(...Object.keys(certificates)), value, `${where}: certificate`)
    else if (key !== 'says' && key !== 'over')
      throw wrong(`${where}: key`, ['says', 'certificate', ...STAGES].join(', '), key)
  }
  return script
}

function checkSteps(steps: unknown, stage: StageName, where: string): void {
  if (!Array.isArray(steps)) throw wrong(where, 'a list of steps', steps)
  for (const [at, step] of steps.entries()) checkStep(step, stage, `${where}[${at}]`)
}

function checkStep(step: unknown, stage: StageName, where: string): void {
  const names = isRecord(step) ? Object.keys(step) : [step]
  const name = names.find((key) => Object.hasOwn(isRecord(step) ? STEP_RULES : ACT_STAGES, String(key))) as
    | string
    | undefined
  if (name === undefined) {
    const acts = Object.keys(ACT_STAGES).map((act) => `'${act}'`)
    throw wrong(where, `one of ${acts.join(', ')}, or an object with ${Object.keys(STEP_RULES).join(', ')}`, step)
  }
  const rule = isRecord(step) ? STEP_RULES[name] : undefined
  const stages = rule?.stages ?? ACT_STAGES[name] ?? []
  if (!stages.includes(stage)) throw new TypeError(`${where}: ${name} is for ${stages.join(', ')}, not for ${stage}`)
  if (!rule || !isRecord(step)) return
  check(rule, step[name], `${where}.${name}`)
  for (const [key, value] of Object.entries(step)) {
    if (key === name || value === undefined) continue
    const beside = rule.beside?.[key]
    if (!beside) throw wrong(`${where}: key`, [name, ...Object.keys(rule.beside ?? {})].join(', '), key)
    check(beside, value, `${where}.${key}`)
  }
  if (name === 'respond') checkAnswer(step[name] as object, `${where}.respond`)
}

function checkAnswer(answer: object, where: string): void {
  for (const [key, value] of Object.entries(answer)) {
    if (value === undefined) continue
    const rule = Object.hasOwn(ANSWER_RULES, key) ? ANSWER_RULES[key] : undefined
    if (!rule) throw wrong(`${where}: key`, Object.keys(ANSWER_RULES).join(', '), key)
    check(rule, value, `${where}.${key}`)
  }
}

/** Throws unless the value fits. */
export function check(
  rule: { allowed: string; fits: (value: unknown) => boolean },
  value: unknown,
  where: string,
): void {
  let fits: boolean
  try {
    fits = rule.fits(value)
  } catch (cause) {
    throw new TypeError(`${where} cannot be read: what it is read by throws`, { cause })
  }
  if (!fits) throw wrong(where, rule.allowed, value)
}

/** An integer from `least` to `most`. */
export function whole(least: number, most: number): ValueRule {
  return {
    allowed: most === Number.MAX_SAFE_INTEGER ? `an integer from ${least}` : `an integer from ${least} to ${most}`,
    fits: (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
  }
}

/** One of these values. */
export function oneOf(...values: readonly unknown[]): ValueRule {
  return { allowed: values.map((value) => inspect(value)).join(', '), fits: (value) => values.includes(value) }
}

function wrong(where: string, allowed: string, value: unknown): TypeError {
  return new TypeError(
    `${where} must be ${allowed}, got ${inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })}`,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOneLine(value: unknown): boolean {
  return typeof value === 'string' && !/[\r\n]/.test(value)
}

/** Line breaks would be further headers: whoever wants those uses `write`. */
function areHeaders(value: unknown): boolean {
  if (!isRecord(value)) return false
  return Object.entries(value).every(([name, one]) => {
    const texts = Array.isArray(one) ? one : [one]
    return /^[^\s:]+$/.test(name) && texts.every((text) => typeof text === 'number' || isOneLine(text))
  })
}

function hasCounts(value: unknown, names: readonly string[]): boolean {
  if (!isRecord(value) || Object.keys(value).length !== names.length) return false
  return names.every((name) => COUNT.fits(value[name]))
}
