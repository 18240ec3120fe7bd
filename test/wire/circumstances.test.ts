/** What is seen around failures of real connections. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Circumstances } from '../../src/failure/circumstances.js'
import { misdeeds, type RudeServer, rudeServer, type Script } from '../../src/testing/rude-server.js'
import { stopped } from './stopped-server.js'
import { type Failed, Trial, type TrialRequest } from './trial.js'

const linux = process.platform === 'linux'

async function server(tls: boolean): Promise<{ far: RudeServer; trial: Trial }> {
  const far = await rudeServer({ tls })
  // One connection, so that the second request meets the first one's.
  const trial = new Trial({ connections: 1, ...(far.ca !== undefined && { tls: { ca: far.ca } }) })
  onTestFinished(async () => {
    await trial.close()
    await far.close()
  })
  return { far, trial }
}

interface Row {
  readonly what: string
  readonly does: Script | readonly []
  readonly tls?: true
  /** A good answer goes before. */
  readonly reused?: true
  readonly request?: TrialRequest
  readonly inBody?: true
  readonly is: Circumstances
  readonly absent?: readonly (keyof Circumstances)[]
}

const soon = { limits: { headers: 500 } }

const rows: Row[] = [
  {
    what: 'a reset after the request',
    does: misdeeds['reset-after-request'],
    is: { raw: { code: 'ECONNRESET', syscall: 'read' }, requestWritten: true },
    absent: ['row', 'headers', 'tls'],
  },
  {
    what: 'a FIN after the request',
    does: misdeeds['fin-after-request'],
    is: { raw: { code: 'UND_ERR_SOCKET' }, requestWritten: true },
    absent: ['row', 'headers'],
  },
  {
    what: 'silence after the request, which the kernel of the peer has taken',
    does: misdeeds['stall-before-head'],
    request: soon,
    is: { requestWritten: true, ...(linux && { row: { state: 'established', unacknowledged: 0, unread: 0 } }) },
    // The end of a limit of ours is no word of the system.
    absent: ['raw'],
  },
  {
    what: 'silence in the middle of an upload that the peer does not read',
    does: misdeeds['stop-reading'],
    request: { method: 'POST', body: Buffer.alloc(64_000_000), limits: { attempt: 800 } },
    is: { requestWritten: false, ...(linux && { row: { state: 'established' } }) },
    absent: ['raw'],
  },
  {
    what: 'a reset in the middle of an upload',
    does: misdeeds['reset-mid-upload'],
    request: { method: 'POST', body: Buffer.alloc(64_000_000) },
    is: { requestWritten: false },
    absent: ['row'],
  },
  {
    what: 'a reset in the middle of the body',
    does: misdeeds['reset-mid-body-content-length'],
    inBody: true,
    is: { raw: { code: 'ECONNRESET', syscall: 'read' } },
    absent: ['row'],
  },
  {
    what: 'a reset on reuse, behind a balancer that has signed',
    does: [],
    reused: true,
    is: { headers: { server: 'cloudflare', via: '1.1 edge', marks: ['cf-ray'], keepAliveMs: 7_000, keepAliveMax: 99 } },
  },
  {
    what: 'a ClientHello that was reset',
    does: misdeeds['tls-reset-after-client-hello'],
    tls: true,
    is: { tls: { stage: 'hello-sent' }, raw: { code: 'ECONNRESET' }, sinceLastWriteMs: expect.any(Number) as number },
    absent: ['requestWritten', 'sinceLastReadMs'],
  },
  {
    what: 'a ClientHello that was refused by name',
    does: misdeeds['tls-alert-unrecognized-name'],
    tls: true,
    is: { tls: { stage: 'server-answered', alert: 'unrecognized name' } },
  },
  {
    what: 'a ClientHello that nobody answers',
    does: misdeeds['tls-stall-after-client-hello'],
    tls: true,
    request: { limits: { connect: 500 } },
    is: { tls: { stage: 'hello-sent' }, ...(linux && { row: { state: 'established', unacknowledged: 0 } }) },
    absent: ['raw'],
  },
  {
    what: 'a FIN over TLS, said goodbye to',
    does: misdeeds['fin-after-request'],
    tls: true,
    reused: true,
    is: { tls: { stage: 'established', resumed: false, closeNotify: true } },
  },
  {
    what: 'a FIN under TLS, without a goodbye',
    does: misdeeds['bare-fin-after-request'],
    tls: true,
    reused: true,
    is: { tls: { stage: 'established', closeNotify: false } },
  },
]

const signed = {
  server: 'cloudflare',
  via: '1.1 edge',
  'cf-ray': '8-AMS',
  'keep-alive': 'timeout=7, max=99',
  'set-cookie': 'secret',
}

/** On a busy machine the table may not be read in time, and then nothing is said of it. */
async function withRow(fail: () => Promise<Failed>): Promise<Circumstances> {
  let seen: Circumstances = {}
  for (let count = 0; count < 10 && seen.row === undefined; count++) seen = (await fail()).around
  return seen
}

async function play(row: Row): Promise<Failed> {
  const { far, trial } = await server(row.tls === true)
  if (row.reused === true) {
    const answer = row.what.includes('signed') ? { headers: signed } : {}
    far.on([{ respond: answer }])
    await trial.answered(far.url)
    await far.until(() => far.connections.idle === 1)
  }
  far.on(row.reused === true && 'length' in row.does ? [{ read: 'request' }, 'rst'] : row.does)
  return row.inBody === true ? trial.cut(far.url, row.request) : trial.failed(far.url, row.request)
}

test.each(rows)('$what', async (row) => {
  const around = row.is.row === undefined ? (await play(row)).around : await withRow(() => play(row))
  expect(around).toMatchObject(row.is)
  for (const name of row.absent ?? []) expect(around).not.toHaveProperty(name)
  expect(around).toMatchObject({
    platform: process.platform,
    loopDelayMs: expect.any(Number),
    clockJumpMs: expect.any(Number),
  })
  expect(around.showsResets).toBe(!/^1\.([0-4]|51?\.)/.test(process.versions.uv))
  expect(around.siblings?.elsewhere).toEqual({ stood: 0, reset: 0, closed: 0, answered: 0, connected: 0, failed: 0 })
  if (linux) expect(around.countersOverMs).toBeGreaterThan(0)
  if (around.minRttMs !== undefined) expect(around.minRttMs).toBeGreaterThan(0)
  expect(JSON.stringify(around)).not.toContain('secret')
})

describe('on Linux', () => {
  test.runIf(linux)('a reset that came is counted', async () => {
    const { around } = await play(rows[0] as Row)
    expect(around.counters?.['Tcp.EstabResets']).toBeGreaterThanOrEqual(1)
  })

  test.runIf(linux)('a refused dial is counted, and is not our own word', async () => {
    const { trial } = await server(false)
    const { around, failure } = await trial.failed(`http://127.0.0.1:${await freePort()}`)
    expect(failure.kind).toBe('refused')
    expect(around.raw).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1' })
    expect(around.counters?.['Tcp.AttemptFails']).toBeGreaterThanOrEqual(1)
    expect(around).not.toHaveProperty('row')
  })

  test.runIf(linux)('a dial that nobody answers, behind a full queue', async () => {
    const port = await stopped()
    let seen: Circumstances = {}
    for (let count = 0; count < 8 && seen.row?.state !== 'syn-sent'; count++) {
      const trial = new Trial()
      onTestFinished(() => trial.close())
      seen = (await trial.failed(`http://127.0.0.1:${port}`, { limits: { connect: 500, headers: 500 } })).around
    }
    expect(seen.row).toMatchObject({ state: 'syn-sent', timer: 'retransmit' })
    expect(seen).not.toHaveProperty('requestWritten')
  })

  test.runIf(linux)('the end of the call asks for the row as well', async () => {
    const around = await withRow(async () => {
      const { far, trial } = await server(false)
      far.on(misdeeds['stall-before-head'])
      const lost = await trial.outOfTime(far.url, () => far.until(() => far.ledger.began('generated-1') > 0))
      expect(lost.evidence).toMatchObject({ limit: 'total', limitMs: 1_000 })
      return lost
    })
    expect(around.row).toMatchObject({ state: 'established', unacknowledged: 0 })
  })
})

test('a name that is not found was not looked up', async () => {
  const trial = new Trial({}, (name, _, callback) =>
    process.nextTick(
      callback,
      Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
      '',
    ),
  )
  onTestFinished(() => trial.close())
  const { around } = await trial.failed('http://nowhere.test')
  expect(around).toMatchObject({ lookedUp: false, raw: { code: 'ENOTFOUND', syscall: 'getaddrinfo' } })
})

test('a name whose address refuses was looked up', async () => {
  const trial = new Trial({}, (_, __, callback) => process.nextTick(callback, null, '127.0.0.1', 4))
  onTestFinished(() => trial.close())
  const { around } = await trial.failed(`http://somewhere.test:${await freePort()}`)
  expect(around).toMatchObject({ lookedUp: true, raw: { code: 'ECONNREFUSED' } })
})

test('a session that is taken up again', async () => {
  const { far, trial } = await server(true)
  for (let count = 0; count < 2; count++) {
    far.on([{ respond: { close: true } }])
    await trial.answered(far.url)
    await far.until(() => far.connections.open === 0)
  }
  far.on(misdeeds['fin-after-request'])
  const { around } = await trial.failed(far.url)
  expect(around.tls).toMatchObject({ stage: 'established', resumed: true })
})

test('siblings that end in the same turn are all seen by the first to fail', async () => {
  const sockets: Socket[] = []
  const far = createServer((socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
  }).listen(0, '127.0.0.1')
  await once(far, 'listening')
  const trial = new Trial()
  onTestFinished(async () => {
    await trial.close()
    far.close()
  })
  const origin = `http://127.0.0.1:${(far.address() as AddressInfo).port}`
  const calls = Array.from({ length: 6 }, () => trial.failed(origin))
  let asked = 0
  while (sockets.length < 6) await new Promise((resolve) => setImmediate(resolve))
  for (const socket of sockets) socket.once('data', () => asked++)
  while (asked < 6) await new Promise((resolve) => setImmediate(resolve))
  // Half of them have something unread: the mixture by which the end of a process is known.
  sockets.forEach((socket, index) => {
    if (index % 2 === 0) socket.resetAndDestroy()
    else socket.end()
  })
  const failed = await Promise.all(calls)
  for (const { around } of failed) {
    const { stood = 0, connected = 0, reset = 0, closed = 0 } = around.siblings?.same ?? {}
    expect(stood + connected).toBe(5)
    expect(reset + closed).toBe(5)
  }
})

test('an idle time, and what happened in it, belong to the failure', async () => {
  const { far, trial } = await server(false)
  far.on([{ respond: {} }])
  await trial.answered(far.url)
  const until = performance.now() + 80
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 30))
  far.on([{ read: 'request' }, 'rst'])
  const { around, evidence } = await trial.failed(far.url)
  expect(around.loopDelayMs).toBeGreaterThan(50)
  expect(around.sinceLastReadMs).toBeGreaterThanOrEqual((evidence.connection?.idleMs ?? Number.NaN) - 0.01)
  expect(around.sinceLastWriteMs).toBeLessThan(around.sinceLastReadMs ?? 0)
  // The answer before was a round trip, too.
  expect(around.minRttMs).toBeGreaterThan(0)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
