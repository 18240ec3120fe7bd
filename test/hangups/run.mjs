// Who hung up on this server, and why? Clients that leave for five reasons, under load: the verdicts against the truth. And
// normal requests, of which none may raise an alarm.
//
//   npm run hangups [-- --clients 40 --normal 100000 --only reasons|normal]

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { canPull, pullCable } from './cable.mjs'
import { hasCurl, kills, proxied, stopButtons, timers } from './leavers.mjs'
import { runNormal } from './normal.mjs'
import { serviceProcess } from './service.mjs'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '40' },
    normal: { type: 'string', default: '100000' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const clients = Number(values.clients)

/** @typedef {import('../../src/server/watch-clients.js').Hangup} Hangup */

const reasons = [
  { story: 'client-timeout', name: 'timers of programs' },
  { story: 'user-cancelled', name: 'stop buttons' },
  { story: 'client-died', name: 'kill -9' },
  { story: 'network-lost', name: 'cable pulled' },
  { story: 'proxy-timeout', name: "a proxy's timer" },
]
/** What looks like something else, by the nature of the thing: shown, not counted. */
const indistinct = { story: 'client-died-alone', name: 'kill -9, one connection' }

let failed = false
if (values.only !== 'normal') failed = !(await runReasons()) || failed
if (values.only !== 'reasons') failed = !(await runNormal(Number(values.normal))) || failed
process.exitCode = failed ? 1 : 0

async function runReasons() {
  /** @type {Hangup[]} */
  const hangups = []
  const told = (/** @type {Hangup} */ hangup) => void hangups.push(hangup)
  const service = await serviceProcess(
    ([node = '', ...words]) => spawn(node, words, { stdio: ['pipe', 'pipe', 'inherit'] }),
    '127.0.0.1',
    told,
  )
  const load = fork(new URL('./load.mjs', import.meta.url), [String(service.ports.h1), String(service.ports.h2)])
  const proxy = fork(new URL('./proxy.mjs', import.meta.url), [String(service.ports.h1), '2500'])
  const [proxyPort] = await once(proxy, 'message')
  // Until the service knows how long its answers take.
  await sleep(9000)
  const cable = canPull()
  if (!cable) console.log('skipped: this machine lets nobody make network namespaces, so no cable is pulled')
  if (!hasCurl) console.log('skipped: there is no curl here')
  const late = monitorEventLoopDelay({ resolution: 10 })
  late.enable()
  await Promise.all([
    timers(service.ports, clients),
    stopButtons(service.ports, clients),
    kills(service.ports, Math.ceil(clients / 4)),
    kills(service.ports, Math.ceil(clients / 4), { alone: true }),
    proxied(proxyPort, clients),
    cable ? pullCable(Math.ceil(clients / 2), told) : undefined,
  ])
  await sleep(1000)
  const requests = await service.stop()
  const lateMs = Math.round(late.percentile(99) / 1e6) - 10
  console.log(`\nthis process was late by up to ${lateMs} ms (p99): so far off are its clients' timers`)
  load.kill()
  proxy.kill()
  return report(hangups, { requests, cable, lateMs })
}

/** The row and column of each hang-up: why it was, and what was said. */
function report(
  /** @type {Hangup[]} */ hangups,
  /** @type {{ requests: number, cable: boolean, lateMs: number }} */ { requests, cable, lateMs },
) {
  const truth = (/** @type {Hangup} */ hangup) => hangup.path?.split('/')[3] ?? 'none'
  const said = (/** @type {Hangup} */ { verdict }) =>
    verdict.story ?? (verdict.is === 'unclear' ? 'unclear' : `${verdict.is}*`)
  const columns = [...reasons.map(({ story }) => story), 'impatient', 'gave-up-waiting*', 'unclear']
  const width = 17
  console.log(`\n${requests} requests, ${hangups.length} hang-ups. Rows: why they were. Columns: the verdict.\n`)
  console.log(['', ...columns].map((cell, at) => (at === 0 ? cell.padEnd(24) : cell.padStart(width))).join(''))
  let right = 0
  let counted = 0
  for (const { story, name } of [...reasons, indistinct]) {
    const row = hangups.filter((hangup) => truth(hangup) === story)
    const cells = columns.map((column) => row.filter((hangup) => said(hangup) === column).length)
    console.log([name.padEnd(24), ...cells.map((cell) => String(cell || '·').padStart(width))].join(''))
    if (story === indistinct.story) continue
    right += row.filter((hangup) => said(hangup) === story).length
    counted += row.length
    if (values.verbose) for (const hangup of row.filter((one) => said(one) !== story)) explain(hangup)
  }
  const strays = hangups.filter((hangup) => truth(hangup) === 'none')
  for (const stray of strays) console.log('of a request that was answered:', stray.verdict.headline, stray.path)
  const share = right / counted
  const percent = Math.round(share * 1000) / 10
  console.log(
    `\nright: ${right} of ${counted} (${percent} %); a process with one connection cannot be told from a stop, and is not counted`,
  )
  const complete = reasons.every(({ story }) =>
    story === 'network-lost'
      ? !cable || hangups.some((one) => truth(one) === story)
      : hangups.some((one) => truth(one) === story),
  )
  const reached = share >= 0.9 && strays.length === 0 && complete
  const busy = lateMs > 60 ? ': this machine is too busy for timers to be told by their numbers' : ''
  console.log(reached ? 'reached: 90 % and no stray' : `not reached${busy}`)
  return reached
}

function explain(/** @type {Hangup} */ { path, verdict }) {
  console.log(`    ${path}: ${verdict.headline}`)
  for (const { story, probability, because } of verdict.hypotheses.slice(0, 2)) {
    const reasonsSaid = because.slice(0, 5).map(({ clue, weight }) => `${clue} ${weight}`)
    console.log(`        ${story} ${probability.toFixed(2)}: ${reasonsSaid.join(', ')}`)
  }
}
