/** Asking a place after a failure there: what a probe finds, that it is bounded, shared, and leaves nothing behind. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createClient } from 'offhook'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import type { Evidence } from '../../src/failure/evidence.js'
import { Probes } from '../../src/wire/probes.js'
import { type Sibling, Siblings } from '../../src/wire/siblings.js'
import { ManualClock } from '../manual-clock.js'

async function listening(accept: (socket: Socket) => void) {
  let accepted = 0
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    accepted++
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    accept(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, accepted: () => accepted, open }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function failedAt(remotePort: number, remoteAddress = '127.0.0.1'): Evidence {
  return {
    vantage: 'socket',
    phase: 'wait',
    connection: { id: 1, remoteAddress, remotePort, reused: false, requestsBefore: 0 },
  }
}

/** One that has answered. */
function good(address: string, port: number, answeredAt = 1): Sibling {
  return {
    remoteAddress: address,
    remotePort: port,
    establishedAt: 0,
    endedAt: undefined,
    ending: undefined,
    closedByUs: false,
    sight: { answeredAt, fastestMs: 1 },
  }
}

describe('what it finds', () => {
  const places: [what: string, accept: ((socket: Socket) => void) | undefined, outcome: string][] = [
    ['that it can be reached', () => {}, 'connected'],
    ['that it hangs up at once', (socket) => void socket.end(), 'closed'],
    ['that it resets at once', (socket) => void setTimeout(() => socket.resetAndDestroy(), 5), 'reset'],
    ['that nobody listens', undefined, 'refused'],
  ]
  test.each(places)('%s', async (_, accept, outcome) => {
    const far = accept === undefined ? undefined : await listening(accept)
    const probes = new Probes(new Siblings(), systemClock)
    const { circumstances } = await probes.after(failedAt(far?.port ?? (await freePort())), 10_000)
    expect(circumstances?.reconnect).toMatchObject({ outcome, tookMs: expect.any(Number), afterMs: expect.any(Number) })
    expect(circumstances).not.toHaveProperty('elsewhere')
  })

  test('that it fails on this host', async () => {
    const far = await listening(() => {})
    // An address that is nobody's (RFC 5737).
    const probes = new Probes(new Siblings(), systemClock, '192.0.2.1')
    const { circumstances } = await probes.after(failedAt(far.port), 10_000)
    expect(circumstances?.reconnect?.outcome).toBe('local')
  })

  test('that another place answers, the one that did so last', async () => {
    const [far, near] = [await listening(() => {}), await listening(() => {})]
    const siblings = new Siblings()
    siblings.dialled(good('127.0.0.2', await freePort(), 5), 'http://old.test')
    siblings.dialled(good('127.0.0.1', far.port, 9), 'http://failed.test')
    siblings.dialled(good('localhost', near.port, 7), 'http://good.test')
    const { circumstances } = await new Probes(siblings, systemClock).after(failedAt(far.port), 10_000)
    expect(circumstances).toMatchObject({ elsewhere: 'connected', reconnect: { outcome: 'connected' } })
    expect(near.accepted()).toBe(1)
  })

  test('and it keeps what was known before', async () => {
    const far = await listening(() => {})
    const evidence = { ...failedAt(far.port), circumstances: { platform: 'linux', minRttMs: 3 } }
    const { circumstances } = await new Probes(new Siblings(), systemClock).after(evidence, 10_000)
    expect(circumstances).toMatchObject({ platform: 'linux', minRttMs: 3, reconnect: {} })
  })
})

describe('how far it goes', () => {
  test('not without time', async () => {
    const far = await listening(() => {})
    const evidence = failedAt(far.port)
    expect(await new Probes(new Siblings(), systemClock).after(evidence, 49)).toBe(evidence)
    expect(far.accepted()).toBe(0)
  })

  test('not where no address is known', async () => {
    const { circumstances } = await new Probes(new Siblings(), systemClock).after(
      { vantage: 'socket', phase: 'dns' },
      10_000,
    )
    expect(circumstances).toEqual({})
  })

  test('once a second, for all that fail there together', async () => {
    const far = await listening(() => {})
    const clock = new ManualClock()
    const probes = new Probes(new Siblings(), clock)
    const all = await Promise.all(Array.from({ length: 20 }, () => probes.after(failedAt(far.port), 10_000)))
    for (const { circumstances } of all) expect(circumstances?.reconnect?.outcome).toBe('connected')
    expect(far.accepted()).toBe(1)
    clock.advance(1_000)
    await probes.after(failedAt(far.port), 10_000)
    expect(far.accepted()).toBe(2)
  })

  test('no further than the end of its client', async () => {
    const far = await listening(() => {})
    const probes = new Probes(new Siblings(), systemClock)
    const asked = probes.after(failedAt(far.port), 10_000)
    probes.close()
    expect((await asked).circumstances?.reconnect?.outcome).toBe('local')
    const evidence = failedAt(far.port)
    expect(await probes.after(evidence, 10_000)).toBe(evidence)
  })

  test('and it leaves nothing behind', async () => {
    const far = await listening(() => {})
    await new Probes(new Siblings(), systemClock).after(failedAt(far.port), 10_000)
    while (far.open.size > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(far.accepted()).toBe(1)
  })
})

describe('the option', () => {
  /** Answers nothing, and counts. */
  const deaf = () => listening((socket) => void socket.once('data', () => socket.resetAndDestroy()))

  test.each([
    [undefined, 1],
    [{ probe: false }, 1],
    [{}, 1],
    [{ probe: true }, 2],
  ])('%j: %i connections', async (diagnosis, connections) => {
    const far = await deaf()
    const client = createClient({ diagnosis, retry: false })
    onTestFinished(() => client.destroy())
    await expect(client.request(`http://127.0.0.1:${far.port}`)).rejects.toThrow(/reset/)
    while (far.open.size > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(far.accepted()).toBe(connections)
  })

  test('asks after the last failure alone', async () => {
    const far = await deaf()
    const client = createClient({ diagnosis: { probe: true }, retry: { attempts: 3, backoff: { base: 1 } } })
    onTestFinished(() => client.destroy())
    await expect(client.request(`http://127.0.0.1:${far.port}`)).rejects.toThrow(/reset/)
    expect(far.accepted()).toBe(4)
  })

  test.each([
    [true, /diagnosis/],
    [{ probe: 'yes' }, /diagnosis\.probe/],
    [{ probes: true }, /probes/],
  ])('%j is refused', (diagnosis, message) => {
    expect(() => createClient({ diagnosis: diagnosis as object })).toThrow(message)
  })

  test('a call that is aborted meanwhile does not wait', async () => {
    const far = await deaf()
    const client = createClient({ diagnosis: { probe: true }, retry: false })
    onTestFinished(() => client.destroy())
    const controller = new AbortController()
    const call = client.request(`http://127.0.0.1:${far.port}`, { signal: controller.signal })
    const rejected = expect(call).rejects.toBe('enough')
    while (far.accepted() < 2) await new Promise((resolve) => setImmediate(resolve))
    controller.abort('enough')
    await rejected
  })
})
