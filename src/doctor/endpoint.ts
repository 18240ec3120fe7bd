/** `offhook demo URL`: a handful of GET requests to an endpoint of the user's own, by bare fetch and by offhook. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import {
  type AttemptEvent,
  type Client,
  type ConnectionEvent,
  createClient,
  explain,
  isOffhookError,
} from '../index.js'
import { codeOf } from './compare.js'
import { milliseconds } from './demo-words.js'
import { type Cell, markCell, Table } from './table.js'
import { LiveLine, paint, type Terminal } from './terminal.js'

/** One request, and what may come of it. */
export interface EndpointLine {
  readonly asks: string
  /** `at once`: aborted before anything can have come of it. A number: milliseconds to spend. */
  readonly limit?: 'at once' | number
  /** `answer`, or the name of the error. */
  readonly expect: readonly string[]
}

/** What is asked of an endpoint, in this order: nothing that could hurt it. */
export const endpointLines: readonly EndpointLine[] = [
  { asks: 'GET', expect: ['answer'] },
  { asks: 'GET, once more', expect: ['answer'] },
  { asks: 'GET, aborted at once', limit: 'at once', expect: ['AbortError'] },
  // A warm connection to a near server can be that fast.
  { asks: 'GET, with 1 ms to spend', limit: 1, expect: ['TimeoutError', 'answer'] },
]

/** What came of one request. */
interface Outcome {
  /** `answer`, or the name of the error. */
  readonly word: string
  readonly error?: unknown
  readonly response?: {
    readonly status: number
    readonly headers: Headers
    readonly bytes: number
    readonly url: string
  }
  readonly tookMs: number
  /** What the client told on its channels: of a connection that was opened, and of the head. */
  readonly opened?: { readonly event: ConnectionEvent; readonly afterMs: number }
  readonly headAfterMs?: number
}

const columns = [
  { heading: '', least: 1, share: 0 },
  { heading: 'what was asked', least: 18, share: 1 },
  { heading: 'bare fetch', least: 24, share: 2 },
  { heading: 'offhook', least: 31, share: 3 },
]

/** Longer bodies are dropped there. */
const mostBytes = 1024 * 1024
/** For one request that has no other limit. */
const patienceMs = 10_000

/**
 * Makes the requests one after the other, and prints what was seen.
 *
 * @returns the exit code: 0 when every line came out as expected, otherwise 1
 */
export async function runEndpoint(
  terminal: Terminal,
  url: URL,
  lines: readonly EndpointLine[] = endpointLines,
): Promise<number> {
  const table = new Table(terminal, columns)
  const live = new LiveLine(terminal)
  const title = paint(terminal, 'offhook demo', 'strong')
  terminal.write(
    `\n${title}: ${2 * lines.length} GET requests to ${url.origin}${url.pathname}, one after the other.\n\n`,
  )
  terminal.write(table.head())
  await using client = createClient({ timeout: { connect: 5_000, total: patienceMs } })
  const seen: Outcome[] = []
  let asked = 0
  let wrong = 0
  for (const line of lines) {
    live.show(line.asks)
    const bare = await ask(globalThis.fetch, url, line)
    const own = await watched(client, url, line)
    live.clear()
    asked++
    const right = line.expect.includes(bare.word) && line.expect.includes(own.word)
    if (!right) wrong++
    seen.push(own)
    terminal.write(table.row([markCell(right), [{ text: line.asks }], cellOf(bare), [...cellOf(own), ...deedsOf(own)]]))
    terminal.write(table.rule())
    // Where the plainest request fails, others would only be a nuisance.
    if (asked === 1 && !right) break
  }
  terminal.write(await findings(terminal, url, seen))
  const verdict = `${asked - wrong} of ${asked} lines came out as expected`
  terminal.write(`\n${paint(terminal, verdict, wrong === 0 ? 'good' : 'bad')}.\n\n`)
  return wrong === 0 ? 0 : 1
}

type Fetch = (url: URL, init: { signal: AbortSignal }) => Promise<Response>

async function ask(fetch: Fetch, url: URL, { limit }: EndpointLine): Promise<Outcome> {
  const controller = new AbortController()
  const signal = limit === 'at once' ? controller.signal : AbortSignal.timeout(limit ?? patienceMs)
  const startedAt = performance.now()
  const took = () => performance.now() - startedAt
  try {
    const answer = fetch(url, { signal })
    if (limit === 'at once') controller.abort()
    const response = await answer
    const { status, headers } = response
    const bytes = await drink(response)
    return { word: 'answer', response: { status, headers, bytes, url: response.url }, tookMs: took() }
  } catch (error) {
    return { word: error instanceof Error ? error.name : String(error), error, tookMs: took() }
  }
}

/** offhook's own limit stands in for the signal: its error knows more. */
async function watched(client: Client, url: URL, line: EndpointLine): Promise<Outcome> {
  const startedAt = performance.now()
  let opened: Outcome['opened']
  let headAfterMs: number | undefined
  const onConnection = (message: unknown) => {
    const event = message as ConnectionEvent
    if (event.event === 'open') opened = { event, afterMs: performance.now() - startedAt }
  }
  const onAttempt = (message: unknown) => {
    if ((message as AttemptEvent).event === 'end') headAfterMs = performance.now() - startedAt
  }
  subscribe('offhook:connection', onConnection)
  subscribe('offhook:attempt', onAttempt)
  try {
    const { limit } = line
    const fetch: Fetch =
      typeof limit === 'number' ? (to) => client.fetch(to, { timeout: limit }) : (to, init) => client.fetch(to, init)
    const outcome = await ask(fetch, url, line)
    return { ...outcome, ...(opened && { opened }), ...(headAfterMs !== undefined && { headAfterMs }) }
  } finally {
    unsubscribe('offhook:connection', onConnection)
    unsubscribe('offhook:attempt', onAttempt)
  }
}

/** Reads a body, up to a limit. */
async function drink(response: Response): Promise<number> {
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes >= mostBytes) break
  }
  return bytes
}

function cellOf({ word, error, response, tookMs }: Outcome): Cell {
  const time = { text: `after ${milliseconds(tookMs)}` }
  if (response !== undefined) {
    const more = response.bytes >= mostBytes ? ' at least' : ''
    const tone = response.status < 400 ? 'good' : 'careful'
    return [{ text: `${response.status}, ${response.bytes} bytes${more}`, tone }, time]
  }
  if (!isOffhookError(error)) return [{ text: word, tone: 'careful' }, ...reason(error), time]
  const { kind, phase, delivery, mayHaveExecuted } = error
  const heard = `${kind} in ${phase}, ${delivery}: ${mayHaveExecuted ? 'maybe executed' : 'not executed'}`
  return [{ text: word, tone: 'careful' }, { text: heard }, time]
}

/** An error that is somebody else's: the code below it, or what the one below it says. */
function reason(error: unknown): Cell {
  const { cause } = error as Error
  const text = codeOf(cause) ?? (cause instanceof Error ? cause.message : undefined)
  return text === undefined ? [] : [{ text }]
}

function deedsOf({ opened, headAfterMs, response }: Outcome): Cell {
  if (response === undefined) return []
  const dialled = opened === undefined ? 'on the kept connection' : `connected after ${milliseconds(opened.afterMs)}`
  const head = headAfterMs === undefined ? '' : `, head after ${milliseconds(headAfterMs)}`
  return [{ text: `${dialled}${head}` }]
}

/** What is known of the endpoint now. */
async function findings(terminal: Terminal, url: URL, seen: readonly Outcome[]): Promise<string> {
  const facts = [
    ['addresses', await addresses(url)],
    ['connection', connection(seen)],
    ['kept alive', keptAlive(seen)],
    ['redirected', redirected(url, seen)],
  ].filter(([, fact]) => fact !== undefined)
  const lines = facts.map(([name, fact]) => `${paint(terminal, `${name}`.padEnd(12), 'faint')}${fact}`)
  const failed = seen.find(({ error }) => isOffhookError(error) && error.kind !== 'timeout')
  if (failed !== undefined) lines.push('', explain(failed.error))
  return `\n${lines.join('\n')}\n`
}

async function addresses({ hostname }: URL): Promise<string | undefined> {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address).join(', ')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

function connection(seen: readonly Outcome[]): string | undefined {
  const opened = seen.flatMap((outcome) => outcome.opened ?? [])
  const [first] = opened
  if (first === undefined) return undefined
  const { remoteAddress, remotePort, localAddress, localPort, protocol } = first.event.connection
  return `${localAddress}:${localPort} → ${remoteAddress}:${remotePort}, ${protocol}; ${opened.length} opened in all`
}

function keptAlive(seen: readonly Outcome[]): string | undefined {
  const [first, second] = seen.filter(({ response }) => response !== undefined)
  if (first?.response === undefined) return undefined
  const said = (['connection', 'keep-alive'] as const).flatMap((name) => {
    const value = first.response?.headers.get(name)
    return typeof value === 'string' ? [`${name}: ${value}`] : []
  })
  const used = second === undefined ? [] : [second.opened === undefined ? 'used again' : 'not used again']
  return [...used, ...(said.length === 0 ? ['the server gives no hint'] : said)].join('; ')
}

function redirected(url: URL, seen: readonly Outcome[]): string | undefined {
  const end = seen.find(({ response }) => response !== undefined)?.response?.url
  if (end === undefined || end === url.href.replace(/#.*/, '')) return undefined
  const { origin, pathname } = new URL(end)
  return `to ${origin}${pathname}`
}
