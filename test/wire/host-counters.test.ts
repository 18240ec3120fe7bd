/** The kernel's counters around a failure: what moved, since when, and when nothing can be said. */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { HostCounters } from '../../src/wire/host-counters.js'

/** Files of a kernel that a test counts in. */
function kernel() {
  const directory = mkdtempSync(join(tmpdir(), 'counters-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const counts: Record<string, number> = { EstabResets: 7, AttemptFails: 3, InSegs: 100 }
  const write = () => {
    const names = Object.keys(counts)
    const values = names.map((name) => counts[name])
    writeFileSync(join(directory, 'snmp'), `Tcp: ${names.join(' ')}\nTcp: ${values.join(' ')}\n`)
  }
  const count = (name: string, by: number) => {
    counts[name] = (counts[name] ?? 0) + by
    write()
  }
  write()
  writeFileSync(join(directory, 'netstat'), 'TcpExt: TCPAbortOnTimeout\nTcpExt: 5\n')
  writeFileSync(join(directory, 'snmp6'), 'Icmp6InDestUnreachs 1\n')
  return { directory, count }
}

/** An attempt that fails now. */
const now = { failedMs: 0 }

async function millisecond(): Promise<number> {
  const before = performance.now()
  while (performance.now() - before < 2) await new Promise((resolve) => setImmediate(resolve))
  return before
}

test('what moved since the look before, and nothing else', async () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  counters.beforeDial()
  const began = await millisecond()
  count('EstabResets', 2)
  count('InSegs', 50)
  const moved = counters.moved({ beganMs: performance.now() - began, ...now })
  expect(moved?.counters).toEqual({ 'Tcp.EstabResets': 2 })
  expect(moved?.overMs).toBeGreaterThan(0)
})

test('that nothing moved is something that was seen', async () => {
  const { directory } = kernel()
  const counters = new HostCounters(directory)
  await counters.refresh()
  const began = await millisecond()
  expect(counters.moved({ beganMs: performance.now() - began, ...now })?.counters).toEqual({})
})

test('without a look from before the attempt nothing is said', async () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  const began = performance.now()
  await millisecond()
  counters.beforeDial()
  count('EstabResets', 1)
  await millisecond()
  expect(counters.moved({ beganMs: performance.now() - began, ...now })).toBeUndefined()
})

test('failures of one turn share a look; a look from before a failure says nothing of it', async () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  counters.beforeDial()
  const began = await millisecond()
  count('EstabResets', 1)
  const failed = performance.now()
  const span = () => ({ beganMs: performance.now() - began, failedMs: performance.now() - failed })
  expect(counters.moved(span())?.counters).toEqual({ 'Tcp.EstabResets': 1 })
  count('EstabResets', 1)
  // The same look, though the file has moved on.
  expect(counters.moved(span())?.counters).toEqual({ 'Tcp.EstabResets': 1 })
  const later = counters.moved({ beganMs: performance.now() - began, ...now })
  // Looked again, or not at all: never the old look.
  expect([undefined, 2]).toContain(later?.counters['Tcp.EstabResets'])
})

test('what comes after a failure is measured from it', async () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  counters.beforeDial()
  const first = await millisecond()
  count('AttemptFails', 1)
  expect(counters.moved({ beganMs: performance.now() - first, ...now })?.counters).toEqual({ 'Tcp.AttemptFails': 1 })
  const second = await millisecond()
  count('EstabResets', 1)
  await new Promise((resolve) => setTimeout(resolve, 110))
  expect(counters.moved({ beganMs: performance.now() - second, ...now })?.counters).toEqual({ 'Tcp.EstabResets': 1 })
})

test('a dial looks only when nobody has looked of late', () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  counters.beforeDial()
  count('EstabResets', 1)
  counters.beforeDial()
  const moved = counters.moved({ beganMs: 0, ...now })
  expect(moved?.counters).toEqual({ 'Tcp.EstabResets': 1 })
})

test('whatever is counted between two looks is told, and never more', async () => {
  const { directory, count } = kernel()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 60 }), async (steps) => {
      const counters = new HostCounters(directory)
      counters.beforeDial()
      const began = performance.now()
      for (const step of steps) {
        count('EstabResets', step)
        await counters.refresh()
      }
      const sum = steps.reduce((total, step) => total + step, 0)
      const moved = counters.moved({ beganMs: performance.now() - began, ...now })
      expect(moved?.counters['Tcp.EstabResets'] ?? 0).toBe(sum)
    }),
    { numRuns: 10 },
  )
})

test('packets that were made and did not leave are those that this host stopped', async () => {
  const rows: [string, Record<string, [number, number]>, number | undefined][] = [
    ['all left', { OutRequests: [90, 99], ForwDatagrams: [4, 4], OutTransmits: [94, 103] }, undefined],
    ['two did not', { OutRequests: [90, 99], ForwDatagrams: [4, 4], OutTransmits: [94, 101] }, 2],
    ['forwarded ones leave as well', { OutRequests: [90, 95], ForwDatagrams: [4, 8], OutTransmits: [94, 102] }, 1],
    ['a kernel that does not count what left', { OutRequests: [90, 99], ForwDatagrams: [4, 4] }, undefined],
  ]
  for (const [name, counts, stopped] of rows) {
    const { directory } = kernel()
    const write = (when: 0 | 1) => {
      const values = Object.values(counts).map((pair) => pair[when])
      writeFileSync(join(directory, 'snmp'), `Ip: ${Object.keys(counts).join(' ')}\nIp: ${values.join(' ')}\n`)
    }
    write(0)
    const counters = new HostCounters(directory)
    counters.beforeDial()
    const began = await millisecond()
    write(1)
    const moved = counters.moved({ beganMs: performance.now() - began, ...now })
    expect(moved?.counters['Ip.OutStopped'], name).toBe(stopped)
  }
})

test('packets that came and were given to nobody are those that this host held back', async () => {
  const rows: [string, Record<string, [number, number]>, number | undefined][] = [
    ['all were given', { InReceives: [90, 99], InDelivers: [90, 99] }, undefined],
    ['three were not', { InReceives: [90, 99], InDelivers: [90, 96] }, 3],
    ['some went on', { InReceives: [90, 99], ForwDatagrams: [4, 8], InDelivers: [86, 90] }, 1],
    ['some made no sense', { InReceives: [90, 99], InHdrErrors: [0, 2], InDelivers: [90, 97] }, undefined],
    [
      'fragments become one',
      { InReceives: [90, 99], ReasmReqds: [0, 6], ReasmOKs: [0, 2], InDelivers: [90, 95] },
      undefined,
    ],
    ['a kernel that does not count', { InReceives: [90, 99] }, undefined],
  ]
  for (const [name, counts, stopped] of rows) {
    const { directory } = kernel()
    const write = (when: 0 | 1) => {
      const values = Object.values(counts).map((pair) => pair[when])
      writeFileSync(join(directory, 'snmp'), `Ip: ${Object.keys(counts).join(' ')}\nIp: ${values.join(' ')}\n`)
    }
    write(0)
    const counters = new HostCounters(directory)
    counters.beforeDial()
    const began = await millisecond()
    write(1)
    const moved = counters.moved({ beganMs: performance.now() - began, ...now })
    expect(moved?.counters['Ip.InStopped'], name).toBe(stopped)
  }
})

test('the attempts of one call, within milliseconds, each get a look of their own', async () => {
  const { directory, count } = kernel()
  const counters = new HostCounters(directory)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    counters.beforeDial()
    const began = await millisecond()
    count('AttemptFails', 1)
    const moved = counters.moved({ beganMs: performance.now() - began, ...now })
    expect(moved?.counters).toEqual({ 'Tcp.AttemptFails': 1 })
  }
})

test.each([
  ['no such files', '/nowhere/at/all'],
  ['another system', null],
])('%s: nothing is said, and nothing fails', async (_, directory) => {
  const counters = new HostCounters(directory)
  counters.beforeDial()
  await counters.refresh()
  expect(counters.moved({ beganMs: 0, ...now })).toBeUndefined()
})

test('files of nonsense are as good as none', async () => {
  const { directory } = kernel()
  for (const name of ['snmp', 'netstat', 'snmp6']) writeFileSync(join(directory, name), '\u0000: : :\n\n-1')
  const counters = new HostCounters(directory)
  counters.beforeDial()
  const began = await millisecond()
  expect(counters.moved({ beganMs: performance.now() - began, ...now })?.counters).toEqual({})
})

test.runIf(process.platform === 'linux')('a connection that is refused is counted by this kernel', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const counters = new HostCounters()
  counters.beforeDial()
  const began = await millisecond()
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'error').catch(() => {})
  const moved = counters.moved({ beganMs: performance.now() - began, ...now })
  expect(moved?.counters['Tcp.AttemptFails']).toBeGreaterThanOrEqual(1)
})
