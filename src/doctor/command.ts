/** The command line: what was asked for, who does it, and the exit code. */

import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { runDemo } from './demo.js'
import { runEndpoint } from './endpoint.js'
import type { Terminal } from './terminal.js'

/** What `offhook --help` prints. */
export const help = `offhook: who hung up, was the request heard, and is it safe to send it again?

  offhook demo        a server on this machine hangs up in every way, on bare fetch and on offhook
  offhook demo URL    a few GET requests to an endpoint of your own
  offhook --help      this text
  offhook --version   the version

Exit code: 0 when every line came out as expected, 1 when one did not, 2 for a command that makes no sense.
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
  if (command !== 'demo') return refuse(`there is no command ${command}`)
  if (rest.length > 1) return refuse('demo takes one URL at most')
  const [target] = rest
  if (target === undefined) return runDemo(out)
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target))
    return refuse(`a URL begins with http:// or https://, and ${target} is none`)
  const url = new URL(target)
  if (url.username !== '' || url.password !== '') return refuse('fetch takes no user name or password in a URL')
  return runEndpoint(out, url)
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
  })
}

/** The package's own, from the manifest beside the build. */
async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  return String((manifest as { version?: unknown }).version)
}
