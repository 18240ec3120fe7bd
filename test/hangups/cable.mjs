// A cable that is pulled: two network namespaces with a wire between them. The service stands in one, its clients in the
// other; the wire goes down while answers are on it. Needs `ip` and the right to make namespaces (root in a sandbox).
//
// The names are of this process: nothing else on the machine is touched.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serviceProcess } from './service.mjs'

const [near, far] = [`ohs${process.pid}`, `ohc${process.pid}`]
const ip = (/** @type {string[]} */ ...words) => execFileSync('ip', words, { stdio: 'pipe' })

/** Whether this machine lets us. */
export function canPull() {
  try {
    ip('netns', 'add', near)
    ip('netns', 'del', near)
    return true
  } catch {
    return false
  }
}

/** @typedef {import('../../src/server/watch-clients.js').Hangup} Hangup */

/** Pulls the cable under `count` answers, and hands over what the service was told. */
export async function pullCable(/** @type {number} */ count, /** @type {(hangup: Hangup) => void} */ onHangup) {
  /** @type {import('node:child_process').ChildProcess[]} */
  const children = []
  try {
    for (const name of [near, far]) ip('netns', 'add', name)
    ip('link', 'add', 'wire0', 'netns', near, 'type', 'veth', 'peer', 'name', 'wire0', 'netns', far)
    for (const [at, name] of [near, far].entries()) {
      ip('-n', name, 'addr', 'add', `10.77.0.${at + 1}/24`, 'dev', 'wire0')
      ip('-n', name, 'link', 'set', 'wire0', 'up')
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    // TCP gives up after three repetitions and not after fifteen, so that this takes seconds and not a quarter of an hour.
    ip('netns', 'exec', near, 'sysctl', '-q', '-w', 'net.ipv4.tcp_retries2=3')
    const inside = (/** @type {string} */ name, /** @type {string[]} */ ...words) => {
      const child = spawn('ip', ['netns', 'exec', name, ...words], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      children.push(child)
      return child
    }
    const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url))
    let told = 0
    const service = await serviceProcess(
      (command) => inside(near, ...command),
      '10.77.0.1',
      (hangup) => {
        told++
        onHangup(hangup)
      },
    )
    const clients = inside(far, process.execPath, here('./cable-client.mjs'), String(service.ports.h1), String(count))
    await once(/** @type {import('node:stream').Readable} */ (clients.stdout), 'data')
    await sleep(500)
    ip('-n', far, 'link', 'set', 'wire0', 'down')
    for (let waited = 0; told < count && waited < 20_000; waited += 100) await sleep(100)
    await sleep(300)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    for (const name of [near, far]) {
      try {
        ip('netns', 'del', name)
      } catch {
        // It was not made.
      }
    }
  }
}
