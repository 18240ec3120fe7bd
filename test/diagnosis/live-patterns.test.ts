/** What repeats itself at an origin, through the real client against a real server: only the time is injected. */

import { createClient, type Diagnosis, isOffhookError } from 'offhook'
import { type RudeServer, rudeServer } from 'offhook/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ManualClock } from '../manual-clock.js'

type Client = ReturnType<typeof createClient>

const noRetries = { retry: { attempts: 1 } } as const

async function given(clock?: ManualClock): Promise<{ server: RudeServer; client: Client }> {
  const server = await rudeServer()
  const client = createClient({ ...noRetries, keepAlive: 600_000, ...(clock !== undefined && { clock }) })
  onTestFinished(async () => {
    await client.destroy()
    await server.close()
  })
  return { server, client }
}

async function good(client: Client, url: string): Promise<void> {
  const { body } = await client.request(url)
  await body.dump()
}

/** The diagnosis of a call that has to fail. */
async function failed(call: Promise<unknown>): Promise<Diagnosis> {
  const error = await call.then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error) || error.diagnosis === undefined) throw error
  return error.diagnosis
}

const cluesOf = ({ hypotheses }: Diagnosis) => (hypotheses[0]?.because ?? []).map(({ clue }) => clue)

describe('connections that the server lets go of while they are idle', () => {
  test('make a histogram, and a timer with the products that have it', async () => {
    const clock = new ManualClock()
    const { server, client } = await given(clock)
    for (let turn = 0; turn < 4; turn++) {
      await good(client, `${server.url}/`)
      await server.until(() => server.connections.idle === 1)
      clock.advance(60_000)
      server.closeIdle()
      await server.until(() => server.connections.open === 0)
      // The client hears of it a moment after the server has spoken.
      await expect.poll(() => client.stats().origins[server.url]?.hangups?.idleEnds[0]?.count ?? 0).toBe(turn + 1)
    }
    const { failures, idleEnds, timer } = client.stats().origins[server.url]?.hangups ?? {}
    expect(failures).toBe(0)
    expect(idleEnds).toEqual([{ upToMs: 60_000, count: 4 }])
    expect(timer?.idleMs).toBeGreaterThan(55_000)
    expect(timer?.idleMs).toBeLessThan(61_000)
    expect(timer?.matches).toContain('60 s')
  })
})

describe('a process that ends with all its connections', () => {
  test('is told from the refusal that follows', async () => {
    const { server, client } = await given()
    server.on([{ read: 'request' }, 'stall'])
    const calls = [0, 1, 2, 3].map(() => failed(client.request(`${server.url}/`)))
    await server.until(() => server.ledger.entries().length === 4)
    await server.close()
    await Promise.all(calls)
    const after = await failed(client.request(`${server.url}/`))
    expect(after).toMatchObject({ mechanism: 'refused', party: 'peer-application' })
    expect(after.hypotheses[0]?.story).toBe('peer-process-gone')
    const { hangups } = client.stats().origins[server.url] ?? {}
    expect(hangups?.failures).toBe(5)
    expect(hangups?.mechanisms.refused).toBe(1)
  })
})

describe('one request that is reset whenever it is sent', () => {
  test('is told from the others, which are answered', async () => {
    const { server, client } = await given()
    server.route('POST /import', [{ read: 'request' }, 'rst'])
    const told: Diagnosis[] = []
    for (let turn = 0; turn < 4; turn++) {
      for (let other = 0; other < 2; other++) await good(client, `${server.url}/`)
      told.push(await failed(client.request(`${server.url}/import`, { method: 'POST', body: 'rows' })))
    }
    const [first, last] = [told[0], told.at(-1)] as [Diagnosis, Diagnosis]
    expect(cluesOf(first)).not.toContain('request-always-cut')
    expect(cluesOf(last)).toContain('request-always-cut')
    const share = (story: string, { hypotheses }: Diagnosis) =>
      hypotheses.find((one) => one.story === story)?.probability ?? 0
    // It is about what is sent: the server turns it away, or a device on the way does.
    for (const story of ['peer-rejected-early', 'injected-reset'])
      expect(share(story, last), story).toBeGreaterThan(share(story, first))
    expect(client.stats().origins[server.url]?.hangups?.mechanisms).toEqual({ rst: 4 })
  })
})
