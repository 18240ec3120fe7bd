// `npm run bench`: what a call costs, beside the clients that offhook is built on and those that it may replace. One run,
// everything in turns; the server, and each client, in a process of its own.
//
//   npm run bench                        about half an hour
//   npm run bench -- --quick             two minutes, rougher
//   npm run bench -- --only cpu,errors   only these parts: cpu, streams, crowd, errors, diagnosis, memory, import, size,
//                                        brown-out
//   npm run bench -- --client fetch      only the clients whose names contain the word
//   npm run bench -- --write             writes the tables to docs/bench.md and the plots to docs/plots as well
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
import { load as brown } from './brown-out.mjs'
import { startServer } from './measure.mjs'
import { drawn, markdown, verdict } from './report.mjs'
import { sections, smallLoads } from './sections.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    client: { type: 'string', default: '' },
    profile: { type: 'string' },
  },
})
const { quick, only, client } = options
const live = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb'
const faint = (/** @type {string} */ text) => (live ? `\u001b[2m${text}\u001b[22m` : text)
const paint = (/** @type {boolean} */ good, /** @type {string} */ text) =>
  live ? `\u001b[${good ? 32 : 33}m${text}\u001b[39m` : text

const parts = only === undefined ? Object.keys(sections) : only.split(',')
for (const part of parts) {
  if (!(part in sections)) throw new Error(`no part is called ${part}: there are ${Object.keys(sections).join(', ')}`)
}
const server = await startServer()
try {
  if (options.profile === undefined) await measureAll()
  else await profile(options.profile)
} finally {
  server.stop()
}

async function measureAll() {
  /** @type {import('./sections.mjs').Report[]} */
  const reports = []
  console.log(faint(`${about()}. In brackets: how many times the peer's, undici.request's and the global fetch's.\n`))
  for (const part of parts) {
    const setting = { server, quick, among: (/** @type {string} */ name) => name.includes(client) }
    const report = await sections[part]?.(setting, progressOf(part))
    if (report === undefined) continue
    for (const line of drawn(report.table)) console.log(line)
    console.log('')
    reports.push(report)
  }
  for (const { reached, text } of reports.flatMap(({ aims }) => aims.map(verdict))) console.log(paint(reached, text))
  if (options.write) write(reports)
}

/** @param {readonly import('./sections.mjs').Report[]} reports */
function write(reports) {
  const docs = new URL('../../docs/', import.meta.url)
  const verdicts = reports.flatMap(({ aims }) => aims.map((aim) => `    ${verdict(aim).text}`)).join('\n')
  const blocks = reports.map(({ table, plots = {} }) =>
    [markdown(table), ...Object.keys(plots).map((name) => `![${table.head[0]}](plots/${name})`)].join('\n\n'),
  )
  for (const [name, svg] of reports.flatMap(({ plots = {} }) => Object.entries(plots)))
    writeFileSync(new URL(`plots/${name}`, docs), svg)
  writeFileSync(new URL('bench.md', docs), page(blocks, verdicts))
}

/** @param {readonly string[]} blocks @param {string} verdicts */
function page(blocks, verdicts) {
  return `# What a call costs

Written by \`npm run bench -- --write\`. ${about()}. The server, and each client, ran in a process of its own, with a small
JSON answer and, for a POST, a small JSON body; the figures are medians of rounds in which the clients took turns. In
brackets: how many times the cost of the peer, which is \`undici.request\` or the global \`fetch\`, within the same round. The
ratios are what to look at: another machine has other microseconds. axios has no retries of its own.

Failures are one attempt each, retries switched off; "asked" is with \`error.diagnosis\` read. A reset of a used connection
is told without the answered call before it. In the brown-out ${brown.perSecond} calls a second meet a server that can do
${brown.capacity} and for a while half of that, of which a third is answered by 503; what its clients have given up it
works on all the same. Each client may make three attempts of a second, by its own recommended means.

${blocks.join('\n\n')}

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
        `\r\u001b[2K${faint(`${stage.padEnd(9)} ${'━'.repeat(filled)}${' '.repeat(25 - filled)} ${percent} % ${what}`)}`,
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
  for (const load of smallLoads(quick)) {
    const title = `${name}-${load.method}-${load.concurrency}`.replaceAll(' ', '-')
    const child = fork(caller, [name, server.url, server.refusedUrl], {
      execArgv: ['--cpu-prof', `--cpu-prof-name=${title}.cpuprofile`],
    })
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
