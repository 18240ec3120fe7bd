#!/usr/bin/env node
/** The program `offhook`. What it does stands in `command.ts`. */

// Bare fetch is to be Node's own. undici from npm, when it is loaded first, puts a dispatcher of its own under the global
// fetch; so Node's is woken before anything else is loaded.
new Request('http://localhost')
const { runCommand } = await import('./command.js')
const { terminalOf } = await import('./terminal.js')

// `offhook demo | head` closes the pipe early; that is no reason for a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1))

process.exitCode = await runCommand(process.argv.slice(2), {
  out: terminalOf(process.stdout, process.env),
  err: terminalOf(process.stderr, process.env),
})

export {}
