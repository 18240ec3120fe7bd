// `npm run bench`: what a call costs, beside the clients that offhook is built on and those that it may replace. One run,
// everything in turns; the server, and each client, in a process of its own.
//
//   npm run bench                        about five minutes
//   npm run bench -- --quick             one minute, rougher
//   npm run bench -- --only fetch        only the clients whose names contain the word, and CPU alone
//   npm run bench -- --write             writes the tables to docs/bench.md as well
//   npm run bench -- --profile offhook.fetch
//                                        makes calls with one client, and leaves a CPU profile in the working folder
//
// Ends with 0 whatever the figures are; only what breaks is an error.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuPerCall, everybody, importTime, memoryPerCall, startServer } from './measure.mjs'
import { cpuReport, drawn, importReport, markdown, memoryReport, verdict } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
})
const { quick, only } = options
const live = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb'
const faint = (/** @type {string} */ text) => (live ? `\u001b[2m${text}\u001b[22m` : text)
const paint = (/** @type {boolean} */ good, /** @type {string} */ text) =>
  live ? `\u001b[${good ? 32 : 33}m${text}\u001b[39m` : text

/** @type {import('./measure.mjs').Load[]} */
const loads = [
  { method: 'get', concurrency: 1, calls: quick ? 1000 : 2000 },
  { method: 'get', concurrency: 50, calls: quick ? 1500 : 3000 },
  { method: 'post', concurrency: 1, calls: quick ? 1000 : 2000 },
  { method: 'post', concurrency: 50, calls: quick ? 1500 : 3000 },
]
const names = everybody.filter((name) => name.includes(only))
const server = await startServer()
try {
  if (options.profile === undefined) await measureAll()
  else await profile(options.profile)
} finally {
  server.stop()
}

async function measureAll() {
  const { url } = server
  const plan = quick ? { starts: 1, rounds: 5 } : { starts: 3, rounds: 7 }
  /** @type {ReturnType<typeof cpuReport>[]} */
  const reports = []
  const show = (/** @type {ReturnType<typeof cpuReport>} */ report) => {
    for (const line of drawn(report.table)) console.log(line)
    console.log('')
    reports.push(report)
  }
  console.log(faint(`${about()}. In brackets: how many times the peer's, undici.request's and the global fetch's.\n`))
  show(cpuReport(await cpuPerCall({ url, names, loads, ...plan }, progressOf('CPU'))))
  if (only === '') {
    const waiting = ['undici.request', 'offhook.request', 'global fetch', 'offhook.fetch']
    const memory = { url, names: waiting, calls: quick ? 2000 : 10_000, rounds: quick ? 1 : 3 }
    show(memoryReport(await memoryPerCall(memory, progressOf('memory'))))
    const imports = { names: ['undici', 'offhook', 'got', 'axios', 'ky'], rounds: quick ? 7 : 21 }
    show(importReport(await importTime(imports, progressOf('import'))))
  }
  for (const { reached, text } of reports.flatMap(({ aims }) => aims.map(verdict))) console.log(paint(reached, text))
  if (options.write) {
    const tables = reports.map(({ table }) => markdown(table))
    const verdicts = reports.flatMap(({ aims }) => aims.map((aim) => `    ${verdict(aim).text}`)).join('\n')
    writeFileSync(fileURLToPath(new URL('../../docs/bench.md', import.meta.url)), page(tables, verdicts))
  }
}

/** @param {readonly string[]} tables @param {string} verdicts */
function page(tables, verdicts) {
  return `# What a call costs

Written by \`npm run bench -- --write\`. ${about()}. The server, and each client, ran in a process of its own, with a small
JSON answer and, for a POST, a small JSON body; the figures are medians of rounds in which the clients took turns. In
brackets: how many times the cost of the peer, which is \`undici.request\` or the global \`fetch\`, within the same round. The
ratios are what to look at: another machine has other microseconds.

${tables.join('\n\n')}

What is aimed at, and what was found:

${verdicts}
`
}

function about() {
  const cpu = os.cpus()[0]?.model.trim().replaceAll(/\s+/g, ' ') ?? 'an unknown CPU'
  return `Node ${process.versions.node} on ${os.platform()} ${os.arch()}, ${cpu}`
}

/** @param {string} stage @returns {import('./measure.mjs').Progress} */
function progressOf(stage) {
  let last = -1
  return (done, of, what) => {
    const percent = Math.floor((100 * done) / of)
    if (live) {
      const filled = Math.round(percent / 4)
      process.stdout.write(
        `\r\u001b[2K${faint(`${stage.padEnd(7)} ${'━'.repeat(filled)}${' '.repeat(25 - filled)} ${percent} % ${what}`)}`,
      )
      if (done === of - 1) process.stdout.write('\r\u001b[2K')
    } else if (percent >= last + 20) {
      last = percent - (percent % 20)
      console.log(`${stage}: ${percent} %, ${what}`)
    }
  }
}

/** @param {string} name */
async function profile(name) {
  const caller = fileURLToPath(new URL('caller.mjs', import.meta.url))
  for (const load of loads) {
    const title = `${name}-${load.method}-${load.concurrency}`.replaceAll(' ', '-')
    const child = fork(caller, [name, server.url], { execArgv: ['--cpu-prof', `--cpu-prof-name=${title}.cpuprofile`] })
    await once(child, 'message')
    for (const calls of [load.calls, 20_000]) {
      child.send({ ...load, calls })
      const [us] = await once(child, 'message')
      if (calls !== load.calls) console.log(`${title}.cpuprofile: ${us.toFixed(1)} µs of CPU per call, profiled`)
    }
    child.disconnect()
    await once(child, 'exit')
  }
}
