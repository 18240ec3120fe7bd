/**
 * Datagrams and dials against packet filters, in a network namespace of their own. The file runs itself there: outside it
 * starts the tests, inside it is them.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import type { LookupFunction } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type AnyOffhookError, isOffhookError } from 'offhook'
import { datagram, dial } from 'offhook/socket'
import { describe, expect, test } from 'vitest'

const inside = process.env['OFFHOOK_TEST_NAMESPACE'] === 'yes'
// Namespaces and packet filters need privileges that not every machine gives.
const mayFilter = inside || spawnSync('unshare', ['-n', 'nft', 'list', 'ruleset'], { stdio: 'ignore' }).status === 0
if (!mayFilter) console.log('skipped: packet filters (unshare -n and nft are not to be had here)')

describe.skipIf(inside || !mayFilter)('in a namespace', () => {
  test('the tests of this file', { timeout: 60_000 }, () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const vitest = `${process.execPath} node_modules/vitest/vitest.mjs run ${fileURLToPath(import.meta.url)}`
    const env = { ...process.env, OFFHOOK_TEST_NAMESPACE: 'yes' }
    const { status, stdout } = spawnSync('unshare', ['-n', 'sh', '-c', `ip link set lo up && ${vitest}`], {
      cwd: root,
      env,
      encoding: 'utf8',
    })
    expect({ status, stdout }).toMatchObject({ status: 0 })
    expect(stdout).toContain('10 passed')
  })
})

async function failureOf(promise: Promise<unknown>): Promise<AnyOffhookError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isOffhookError(error)) return error
  throw error ?? new Error('it did not fail')
}

function filter(hook: 'input' | 'output', rule: string): void {
  const chain = `chain c {\ntype filter hook ${hook} priority 0\n${rule}\n}`
  const rules = `flush ruleset\ntable inet t {\n${chain}\n}\n`
  execFileSync('nft', [rules])
}

async function ask(connected = true): Promise<AnyOffhookError> {
  await using line = await datagram({ host: '127.0.0.1', port: 9999, connected })
  // Awaited here: the line is closed at the end of this block.
  return await failureOf(line.request('x', { timeout: 300, retry: false }))
}

describe.skipIf(!inside)('datagrams', () => {
  for (const connected of [true, false]) {
    test(`OUTPUT drop, ${connected ? '' : 'not '}connected: this host says EPERM, and nothing was sent`, async () => {
      filter('output', 'udp dport 9999 drop')
      const error = await ask(connected)
      expect(error).toMatchObject({ kind: 'local-resource', phase: 'send', delivery: 'unsent', code: 'EPERM' })
      expect(error.mayHaveExecuted).toBe(false)
      expect(error.diagnosis).toMatchObject({ mechanism: 'local-refused', origin: 'local', party: 'local-host' })
    })

    test(`INPUT drop, ${connected ? '' : 'not '}connected: silence`, async () => {
      filter('input', 'udp dport 9999 drop')
      const error = await ask(connected)
      expect(error).toMatchObject({ kind: 'timeout', delivery: 'unknown' })
      expect(error.diagnosis).toMatchObject({ mechanism: 'silence' })
    })
  }

  test('INPUT reject: the refusal looks like that of a closed port', async () => {
    filter('input', 'udp dport 9999 reject')
    const error = await ask()
    expect(error).toMatchObject({ kind: 'refused', phase: 'wait', delivery: 'unknown', code: 'ECONNREFUSED' })
    expect(error.diagnosis).toMatchObject({ mechanism: 'icmp', indistinguishable: ['filter-rejects'] })
  })

  test('INPUT reject, not connected: silence', async () => {
    filter('input', 'udp dport 9999 reject')
    expect(await ask(false)).toMatchObject({ kind: 'timeout', delivery: 'unknown' })
  })

  test('INPUT reject, administratively prohibited: unreachable', async () => {
    filter('input', 'udp dport 9999 reject with icmp type admin-prohibited')
    const error = await ask()
    expect(error).toMatchObject({ kind: 'unreachable', delivery: 'unknown', code: 'EHOSTUNREACH' })
    expect(error.diagnosis).toMatchObject({ mechanism: 'icmp' })
  })

  test('no way there', async () => {
    const error = await failureOf(datagram({ host: '203.0.113.1', port: 9, retry: false }))
    expect(error).toMatchObject({ kind: 'unreachable', delivery: 'unsent', code: 'ENETUNREACH' })
  })
})

describe.skipIf(!inside)('dials', () => {
  test('an address is given more time by each try: a long way is not taken for a dead one for ever', async () => {
    filter('output', 'tcp dport 9999 drop')
    // Others each time, so that none is put last for what became of it before.
    const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'].map((address) => ({ address, family: 4 }))
    const lookup = ((_host: string, _options: object, done: (error: null, all: object[]) => void) =>
      done(null, addresses.splice(0, 2))) as unknown as LookupFunction
    const options = { host: 'two.test', port: 9999, lookup, random: () => 0 }
    const error = await failureOf(dial({ ...options, timeout: { connect: 600 }, retry: { attempts: 2 } }))
    // After 250 ms the first try goes on to its second address; the second one still waits for its first when time is up.
    expect(error.attempts.map(({ connection }) => connection?.remoteAddress)).toEqual(['127.0.0.3', '127.0.0.4'])
  })

  test('OUTPUT drop: this host runs into its own silence', async () => {
    filter('output', 'tcp dport 9999 drop')
    const error = await failureOf(dial({ host: '127.0.0.1', port: 9999, timeout: { connect: 300 }, retry: false }))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'connect', delivery: 'unsent', limit: 'connect' })
  })
})
