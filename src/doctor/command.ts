/** The command line: what was asked for, who does it, and the exit code. */

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { runDemo } from './demo.js'
import { runDoctor } from './doctor.js'
import { runEndpoint } from './endpoint.js'
import type { Terminal } from './terminal.js'

/** What `offhook --help` prints. */
export const help = `offhook: who hung up, was the request heard, and is it safe to send it again?

  offhook doctor URL  who hangs up there: addresses, TLS, after how long idle and after how many requests it lets go
  offhook demo        a server on this machine hangs up in every way, on bare fetch and on offhook
  offhook demo URL    a few GET requests to an endpoint of your own
  offhook --help      this text
  offhook --version   the version

The doctor sends one GET and some HEAD, and holds up to twelve connections; it takes as long as the longest is held.
  --idle 400s         for how long connections are held, at most (s, m, or ms); default 15s, 0 holds none
  --requests 1200     how many requests one connection is given, at most; default 120, 0 counts none
  --json              the findings for machines

Exit code: 0 when all is well, 1 when a line came out otherwise than expected or something bad was found, 2 for a
command that makes no sense, 130 when Ctrl-C ended it.
Colour: NO_COLOR=1 takes it away, FORCE_COLOR=1 asks for it.
`

/** Where a command writes. */
export interface Streams {
  readonly out: Terminal
  readonly err: Terminal
}

/**
 * Runs one command.
 *
 * @param args what was typed after the program's name
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], { out, err }: Streams): Promise<number> {
  const refuse = (why: string) => {
    err.write(`offhook: ${why}\n\n${help}`)
    return 2
  }
  let asked: ReturnType<typeof parse>
  try {
    asked = parse(args)
  } catch (error) {
    return refuse((error as Error).message)
  }
  const { values, positionals } = asked
  const [command, ...rest] = positionals
  if (values.version === true) {
    out.write(`${await version()}\n`)
    return 0
  }
  if (values.help === true || (command === 'help' && rest.length === 0)) {
    out.write(help)
    return 0
  }
  if (command === undefined) return refuse('which command?')
  if (command !== 'demo' && command !== 'doctor') return refuse(`there is no command ${command}`)
  if (rest.length > 1) return refuse(`${command} takes one URL${command === 'demo' ? ' at most' : ''}`)
  const [target] = rest
  const forDoctor = (['idle', 'requests', 'json'] as const).find((name) => values[name] !== undefined)
  if (command === 'demo' && forDoctor !== undefined) return refuse(`--${forDoctor} is the doctor's`)
  if (target === undefined) return command === 'demo' ? runDemo(out) : refuse('doctor takes a URL')
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target))
    return refuse(`a URL begins with http:// or https://, and ${target} is none`)
  const url = new URL(target)
  if (url.username !== '' || url.password !== '') return refuse('fetch takes no user name or password in a URL')
  if (command === 'demo') return runEndpoint(out, url)
  const plan = planOf(values)
  if (typeof plan === 'string') return refuse(plan)
  return untilInterrupted((signal) => runDoctor(out, url, { ...plan, signal }))
}

const units = { ms: 1, s: 1000, m: 60_000 } as const

/** How far the doctor is to go, or what is wrong with what was typed. */
function planOf({ idle = '15s', requests = '120', json = false }: ReturnType<typeof parse>['values']) {
  const [, number, unit = 's'] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(idle) ?? []
  if (number === undefined) return `--idle takes a time such as 400s, and ${idle} is none`
  const idleMs = Number(number) * units[unit as keyof typeof units]
  if (idleMs > longestIdleMs) return '--idle takes an hour at most'
  if (!/^\d{1,5}$/.test(requests)) return `--requests takes a number up to 99999, and ${requests} is none`
  return { idleMs, requests: Number(requests), json }
}

const longestIdleMs = 3_600_000

/** The first Ctrl-C ends what is under way in good order, the second one the process. */
async function untilInterrupted(run: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController()
  const end = () => controller.abort(new Error('interrupted'))
  process.once('SIGINT', end)
  try {
    return await run(controller.signal)
  } finally {
    process.off('SIGINT', end)
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
      idle: { type: 'string' },
      requests: { type: 'string' },
      json: { type: 'boolean' },
    },
  })
}

/** The package's own, from the manifest beside the build. */
async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { version?: unknown }).version)
}
