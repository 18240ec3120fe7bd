/** What one client keeps an eye on: for how long, and what is left of it. */

import { syncBuiltinESMExports } from 'node:module'
import os, { networkInterfaces } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rudeServer } from '../../src/testing/rude-server.js'
import { type Dialled, Lookout } from '../../src/wire/lookout.js'
import { ManualClock } from '../manual-clock.js'
import { Trial } from './trial.js'

function dialled(changed: Partial<Omit<Dialled, 'sight'>> & { server?: string; fastestMs?: number } = {}): Dialled {
  const { server, fastestMs = Number.POSITIVE_INFINITY, ...record } = changed
  return {
    remoteAddress: '10.0.0.1',
    remotePort: 443,
    establishedAt: 0,
    endedAt: undefined,
    ending: undefined,
    closedByUs: false,
    connectMs: 40,
    tlsMs: undefined,
    via: undefined,
    ...record,
    sight: {
      answeredAt: undefined,
      fastestMs,
      header: server === undefined ? undefined : (name) => ({ server, connection: 'close' })[name],
    },
  }
}

function lookout(): Lookout {
  const made = new Lookout(new ManualClock(), () => false)
  onTestFinished(() => made.close())
  return made
}

describe('round trips', () => {
  const trips: [what: string, lives: Parameters<typeof dialled>[0][], ms: number, from: string][] = [
    ['that of the connect', [{}], 40, 'connect'],
    ['that of TLS, where it was shorter', [{ tlsMs: 38 }], 38, 'connect'],
    ['not that of TLS through a proxy, which goes further', [{ tlsMs: 38, via: { by: 'tunnel' } }], 40, 'connect'],
    ['that of the fastest answer', [{ fastestMs: 35 }], 35, 'answer'],
    ['that of a connection that has ended', [{ fastestMs: 31 }, {}], 31, 'answer'],
    ['the least of several connects', [{ connectMs: 33 }, { connectMs: 50 }], 33, 'connect'],
  ]
  test.each(trips)('%s', (_, lives, ms, from) => {
    const look = lookout()
    const records = lives.map(dialled)
    for (const record of records) {
      look.dials(record, 'https://a.test')
      look.stands(record)
      if (record !== records.at(-1)) look.ended(record)
    }
    expect(look.roundTrip(records.at(-1) as Dialled)).toMatchObject({ ms, from })
  })

  test('nothing is known of another address', () => {
    const look = lookout()
    look.stands(dialled())
    expect(look.roundTrip(dialled({ remoteAddress: '10.0.0.2' }))).toBeUndefined()
    expect(look.roundTrip(dialled({ remoteAddress: undefined }))).toBeUndefined()
  })
})

describe('marks', () => {
  test('outlast the connection that they came on, but not that it was to end', () => {
    const look = lookout()
    const record = dialled({ server: 'nginx' })
    look.dials(record, 'https://a.test')
    expect(look.marksOf('https://a.test')).toBeUndefined()
    look.ended(record)
    expect(look.marksOf('https://a.test')).toEqual({ server: 'nginx' })
    expect(look.marksOf('https://b.test')).toBeUndefined()
  })

  test('are those of the last answers, of so many origins', () => {
    const look = lookout()
    for (let count = 0; count < 300; count++) {
      const record = dialled({ server: `s${count}` })
      look.dials(record, `https://${count}.test`)
      look.ended(record)
    }
    expect(look.marksOf('https://0.test')).toBeUndefined()
    expect(look.marksOf('https://299.test')).toEqual({ server: 's299' })
  })
})

test('an address of this host, and one that is gone', () => {
  const look = lookout()
  const [own] = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
  expect(look.isLocal(own?.address ?? '')).toBe(true)
  expect(look.isLocal('192.0.2.1')).toBe(false)
})

test('where the system does not say its addresses, none is said to be gone', () => {
  vi.spyOn(os, 'networkInterfaces').mockImplementation(() => {
    throw new Error('A system error occurred: uv_interface_addresses returned EPERM')
  })
  syncBuiltinESMExports()
  onTestFinished(() => {
    vi.restoreAllMocks()
    syncBuiltinESMExports()
  })
  expect(lookout().isLocal('127.0.0.1')).toBeUndefined()
})

test('it watches while calls are under way, and not beyond the end of its client', async () => {
  const far = await rudeServer()
  const trial = new Trial()
  onTestFinished(() => far.close())
  expect(trial.lookout.loop.running).toBe(false)
  await trial.answered(far.url)
  expect(trial.lookout.loop.running).toBe(true)
  await trial.close()
  expect(trial.lookout.loop.running).toBe(false)
})

test('nobody is asked where that is not allowed', () => {
  expect(lookout().probe).toBeUndefined()
  const allowed = new Lookout(new ManualClock(), () => false, { localAddress: undefined })
  expect(allowed.probe).toBeTypeOf('function')
})
