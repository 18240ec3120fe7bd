/** The doctor, on servers that let go in every way. */

import { createServer } from 'node:net'
import {
  type Behaviour,
  misdeeds,
  type RudeServer,
  type RudeServerOptions,
  refusedPort,
  rudeServer,
} from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { type Checkup, examine } from '../../src/doctor/checkup.js'
import { report, reportJson } from '../../src/doctor/checkup-report.js'
import { runDoctor } from '../../src/doctor/doctor.js'
import { type Finding, findingsOf } from '../../src/doctor/findings.js'
import { ladder } from '../../src/doctor/idle-probe.js'
import { Ward } from '../../src/doctor/ward.js'
import { MemoryTerminal } from './memory-terminal.js'

const nothing = { idleMs: 0, requests: 0 }

async function look(url: string, plan: object = nothing, ca?: string): Promise<{ checkup: Checkup; found: Finding[] }> {
  const signal = new AbortController().signal
  const ward = new Ward({ url: new URL(url), clock: systemClock, signal, ...(ca && { tls: { ca } }) })
  const checkup = await examine(ward, { ...nothing, ...plan }, () => {})
  ward.close()
  return { checkup, found: findingsOf(checkup) }
}

async function lookAt(script: Behaviour, plan: object, options: RudeServerOptions = {}) {
  await using server = await rudeServer({ ...options, script })
  const seen = await look(`${server.url}/orders?token=SECRET`, plan, options.tls === true ? server.ca : undefined)
  const asked = server.ledger.entries().map(({ method }) => method)
  await server.until(() => server.connections.open === 0)
  return { ...seen, asked }
}

const says = (found: readonly Finding[]) => found.map((finding) => `${finding.level}: ${finding.says}`).join('\n')
const timers = { idleMs: 700, times: [700, 80] }

describe('idle connections', () => {
  test('that are kept', async () => {
    const { checkup, found, asked } = await lookAt({}, { idleMs: 60, times: [60, 30] })
    expect(checkup.idle?.held.map(({ end }) => end)).toEqual(['kept', 'kept'])
    expect(checkup.idle).not.toHaveProperty('how')
    expect(says(found)).toContain('good: Idle connections were kept for 60 ms')
    expect(new Set(asked)).toEqual(new Set(['GET', 'HEAD']))
    expect(asked.filter((method) => method === 'GET')).toHaveLength(1)
  })

  test.each([
    ['fin', 'closed', 'good', 'by a FIN'],
    ['rst', 'reset', 'careful', 'by a RST'],
  ] as const)('that are ended by %s', async (act, end, level, word) => {
    const { checkup, found } = await lookAt({ idle: [{ wait: 300 }, act] }, timers)
    const { held = [], how, timerMs = 0 } = checkup.idle ?? {}
    expect(held.map((one) => [one.end, one.atOnce])).toEqual([
      [end, true],
      ['kept', undefined],
    ])
    expect(how).toBe(end)
    expect(timerMs).toBeGreaterThan(150)
    expect(timerMs).toBeLessThan(700)
    expect(says(found)).toMatch(new RegExp(`${level}: Idle connections are ended after \\d+ ms ${word}`))
    // What offhook would do stands on the policy's own word.
    expect(checkup.reuse).toMatchObject({ observations: 1 })
    expect(checkup.reuse?.unsafeIdleMs).toBeLessThan(timerMs)
  })

  test('that are forgotten in silence: found out on the next use, and told from an outage', async () => {
    const clock = { ...systemClock, after: (ms: number, act: () => void) => systemClock.after(Math.min(ms, 300), act) }
    await using server = await rudeServer({ script: { idle: [{ wait: 150 }, 'deaf'] } })
    const signal = new AbortController().signal
    const ward = new Ward({ url: new URL(server.url), clock, signal })
    const checkup = await examine(ward, { ...nothing, idleMs: 250, times: [250, 50] }, () => {})
    ward.close()
    expect(checkup.idle).toMatchObject({
      how: 'silent',
      alive: true,
      between: [expect.any(Number), expect.any(Number)],
    })
    const [kept = 0, lost = 0] = checkup.idle?.between ?? []
    expect(kept).toBeLessThan(150)
    expect(lost).toBeGreaterThanOrEqual(245)
    expect(says(findingsOf(checkup))).toContain('bad: Idle connections are forgotten without a word')
  })

  test('that are told 408 before their end', async () => {
    const script = { idle: [{ wait: 200 }, { respond: { status: 408, close: true } }] } as const
    const { checkup, found } = await lookAt(script, timers)
    expect(checkup.idle?.held[0]).toMatchObject({ end: 'closed', spoke: true })
    expect(says(found)).toContain('an answer that nobody had asked for')
  })

  test('of a server that keeps none', async () => {
    const { checkup, found } = await lookAt([{ respond: { close: true } }], { ...timers, requests: 5 })
    expect(checkup.idle?.held.every(({ end }) => end === 'unfit')).toBe(true)
    expect(checkup.cap).toMatchObject({ cap: 1, how: 'announced' })
    expect(says(found)).toContain('Connections are not kept')
  })
})

describe('requests on one connection', () => {
  test('are counted up to the bound', async () => {
    const { checkup, asked } = await lookAt({}, { requests: 7 })
    expect(checkup.cap).toMatchObject({ asked: 7, answerMs: expect.any(Number) })
    expect(checkup.cap).not.toHaveProperty('cap')
    expect(asked.filter((method) => method === 'HEAD')).toHaveLength(7)
  })

  test('end where the server says so', async () => {
    let served = 0
    await using server = await rudeServer()
    server.on(() => (++served >= 4 ? { request: [{ respond: { close: true } }] } : {}))
    const { checkup, found } = await look(server.url, { requests: 10 })
    expect(checkup.cap).toMatchObject({ cap: 3, how: 'announced' })
    expect(says(found)).toContain('good: A connection carries 3 requests, and its end is announced')
  })

  test('end where it says nothing', async () => {
    let served = 0
    await using server = await rudeServer()
    server.on(() => (++served >= 4 ? { request: [{ read: 'request' }, 'rst'] } : {}))
    const { checkup, found } = await look(server.url, { requests: 10 })
    expect(checkup.cap).toMatchObject({ cap: 2, how: 'reset' })
    expect(says(found)).toContain('careful: A connection carries 2 requests, and then ends unannounced (reset)')
  })
})

describe('who is there', () => {
  test('TLS: protocol, ALPN, certificate', async () => {
    const { checkup } = await lookAt({}, {}, { tls: true })
    const [address] = checkup.addresses
    expect(address).toMatchObject({
      address: '127.0.0.1',
      family: 4,
      rttMs: expect.any(Number),
      tls: { protocol: 'TLSv1.3', alpn: 'http/1.1', validTo: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
    })
    expect(checkup.answer?.status).toBe(200)
  })

  test('a certificate that proves nothing', async () => {
    await using server = await rudeServer({ tls: true, script: misdeeds['tls-self-signed-certificate'] })
    const { checkup, found } = await look(server.url)
    expect(checkup).not.toHaveProperty('answer')
    expect(found).toMatchObject([
      { level: 'bad', says: expect.stringContaining('tls in tls'), advice: expect.any(String) },
    ])
  })

  test('nobody', async () => {
    await using nobody = await refusedPort()
    const terminal = new MemoryTerminal({ columns: 100 })
    const signal = new AbortController().signal
    const code = await runDoctor(terminal, new URL(nobody.url), { ...nothing, json: false, signal })
    expect(code).toBe(1)
    expect(terminal.text).toContain('refused in connect (ECONNREFUSED)')
    for (const line of terminal.lines) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('something that is not HTTP', async () => {
    const { found } = await lookAt([{ read: 'request' }, ...(misdeeds.garbage.request ?? [])], {})
    expect(says(found)).toMatch(/bad: GET was not answered: protocol/)
  })

  test('an address that works beside one that does not', () => {
    const addresses = [{ address: '192.0.2.1', family: 4, error: { code: 'ETIMEDOUT' } } as const]
    const good = { address: '192.0.2.2', family: 4, rttMs: 1 } as const
    const base = { url: 'x', name: { host: 'x', addresses: ['192.0.2.1', '192.0.2.2'], tookMs: 1 }, stopped: false }
    expect(findingsOf({ ...base, addresses: [...addresses, good] })[0]?.level).toBe('careful')
    expect(findingsOf({ ...base, addresses })[0]?.level).toBe('bad')
  })

  test('headers of a stranger bring no control characters to a terminal', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      const answer = 'HTTP/1.1 200 OK\r\nServer: a\u009b31m\tb\r\nContent-Length: 0\r\n\r\n'
      socket.on('data', () => socket.write(answer, 'latin1'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { checkup } = await look(`http://127.0.0.1:${port}/`)
    server.close()
    expect(checkup.answer?.headers['server']).toBe('a31mb')
  })
})

describe('what it makes of it', () => {
  const base: Checkup = {
    url: 'https://api.example.com/',
    name: { host: 'api.example.com', addresses: ['192.0.2.1'], tookMs: 3 },
    addresses: [{ address: '192.0.2.1', family: 4, rttMs: 20 }],
    answer: { status: 200, headers: {} },
    stopped: false,
  }
  const kept = { heldMs: 300_000, end: 'kept', idleMs: 300_000 } as const

  test.each([
    [{ heldMs: 400_000, end: 'reset', idleMs: 400_000, atOnce: false }, /350 s: the family of AWS/],
    [{ heldMs: 400_000, end: 'closed', idleMs: 75_020, atOnce: true }, /75 s: .*nginx/i],
  ] as const)('%j is matched with the known timers', (lost, matches) => {
    const held = lost.atOnce ? [lost] : [lost, kept]
    const between = [kept.idleMs, lost.idleMs] as const
    const timer = lost.atOnce ? { timerMs: lost.idleMs } : { between }
    const found = findingsOf({ ...base, idle: { boundMs: 400_000, held, how: lost.end, ...timer } })
    expect(says(found)).toMatch(matches)
  })

  test('no timer is named that had been outlived', () => {
    const held = [{ heldMs: 400_000, end: 'reset', idleMs: 400_000, atOnce: false } as const]
    const idle = { boundMs: 400_000, held, how: 'reset', between: [390_000, 400_000] } as const
    expect(says(findingsOf({ ...base, idle }))).not.toContain('350 s')
  })

  test('a certificate that ends soon', () => {
    const tls = { alpn: 'h2', tookMs: 5, daysLeft: 3 }
    const found = findingsOf({ ...base, addresses: [{ address: '192.0.2.1', family: 4, tls }] })
    expect(says(found)).toContain('careful: The certificate of api.example.com ends in 3 days')
  })

  test('the report has every finding, and its JSON is plain', async () => {
    await using server: RudeServer = await rudeServer({ script: { idle: [{ wait: 100 }, 'fin'] } })
    const { checkup, found } = await look(`${server.url}/orders?token=SECRET`, {
      idleMs: 200,
      times: [200],
      requests: 2,
    })
    const text = report(new MemoryTerminal({ columns: 120 }), checkup, found)
    for (const { says: finding } of found) expect(text.replace(/\s+/g, ' ')).toContain(finding)
    for (const part of ['held idle', 'POST', 'not sent again', 'round trip']) expect(text).toContain(part)
    const plain = JSON.parse(reportJson(checkup, found))
    expect(plain).toMatchObject({ idle: { how: 'closed' }, findings: expect.arrayContaining([{ ...found[0] }]) })
    expect(text + JSON.stringify(plain)).not.toContain('SECRET')
  })
})

test.each([1, 900, 15_000, 400_000, 3_600_000])(
  'a ladder up to %i ms: the bound first, few, and none too short',
  (bound) => {
    const times = ladder(bound)
    expect(times[0]).toBe(bound)
    expect(times.length).toBeLessThanOrEqual(12)
    expect(times.slice(1).every((ms, at) => ms < (times[at] ?? 0) && ms >= 1_000)).toBe(true)
  },
)
