/** The small parts: names of routes, quantiles, patience, who asked, how late the loop is. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientBook } from '../../src/server/client-book.js'
import { Departures } from '../../src/server/departures.js'
import { LatencyHistogram } from '../../src/server/latency-histogram.js'
import { LoopDelay } from '../../src/server/loop-delay.js'
import { readRequester } from '../../src/server/requester.js'
import { routeKey } from '../../src/server/route-key.js'
import { WaitingTable } from '../../src/server/waiting-table.js'
import { ManualClock } from '../manual-clock.js'

describe('the name of a route', () => {
  test.each([
    ['/', 'GET /'],
    ['/orders', 'GET /orders'],
    ['/orders/8271', 'GET /orders/:id'],
    ['/orders/8271/lines/3?token=SECRET#x', 'GET /orders/:id/lines/:id'],
    ['/users/0b6a3c1e-5f0e-4d6b-9a57-0d9f6d0e2c11/photo', 'GET /users/:id/photo'],
    ['/commits/e83c5163316f89bfbde7d9ab23ca2e25604af290', 'GET /commits/:id'],
    ['/reset/AbC123dEf456GhI789jKl', 'GET /reset/:id'],
    ['/mail/someone@example.com', 'GET /mail/:id'],
    ['/search/caf%C3%A9', 'GET /search/:id'],
    ['/reports/2026-11-24', 'GET /reports/:id'],
    ['/api/v2/health', 'GET /api/v2/health'],
    [`/${'a'.repeat(41)}`, 'GET /:long'],
    ['/a/b/c/d/e/f/g/h', 'GET /a/b/c/d/e/f/…'],
    ['*', 'GET *'],
  ])('%s is %s', (path, name) => {
    expect(routeKey('GET', path)).toBe(name)
  })

  test('is short, whatever is asked', () => {
    fc.assert(fc.property(fc.string({ maxLength: 5000 }), (path) => routeKey('GET', `/${path}`).length < 300))
  })
})

describe('quantiles', () => {
  test('are within 5 % of the true ones, in any order of any durations', () => {
    const durations = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 1000 })
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.95), (all, share) => {
        const histogram = new LatencyHistogram()
        for (const one of all) histogram.record(one)
        const exact = [...all].sort((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? 0
        expect(Math.abs((histogram.quantile(share) ?? 0) / exact - 1)).toBeLessThan(0.05)
      }),
    )
  })

  test('follow a change, and count no higher than they need', () => {
    const histogram = new LatencyHistogram()
    expect(histogram.quantile(0.5)).toBeUndefined()
    for (let count = 0; count < 100_000; count++) histogram.record(10)
    for (let count = 0; count < 4000; count++) histogram.record(500)
    expect(histogram.quantile(0.5)).toBeGreaterThan(400)
    expect(histogram.total).toBeLessThan(2000)
  })
})

describe('patience', () => {
  test('says how many waited so long, and how many of them left', () => {
    const table = new WaitingTable()
    for (let count = 0; count < 90; count++) table.record(50, false)
    for (let count = 0; count < 8; count++) table.record(3500, true)
    table.record(3600, false)
    table.record(40, true)
    const rows = table.rows()
    expect(rows[0]).toEqual({ fromMs: 0, waited: 100, left: 1 })
    expect(rows.at(-1)).toEqual({ fromMs: 3000, waited: 9, left: 8 })
    const hazard = table.hazardAt(3200)
    expect(hazard?.hangups).toBe(8)
    expect(hazard?.perSecond).toBeGreaterThan(10 * (hazard?.perSecondBefore ?? 1))
    expect(table.hazardAt(50)).toBeUndefined()
  })
})

describe('who asked', () => {
  const chromium =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36'
  test.each([
    [{ 'user-agent': chromium, 'sec-fetch-mode': 'navigate' }, 'browser', false],
    [{ 'user-agent': chromium }, 'program', false],
    [{}, 'program', false],
    [{ 'user-agent': 'kube-probe/1.33' }, 'probe', false],
    [{ 'user-agent': 'ELB-HealthChecker/2.0' }, 'probe', false],
    [{ 'user-agent': chromium, 'accept-language': 'en', 'x-forwarded-for': '203.0.113.7' }, 'browser', true],
    [{ via: '1.1 proxy' }, 'program', true],
  ] as const)('%o', (headers, agent, proxied) => {
    const requester = readRequester(headers)
    expect(requester).toMatchObject({ agent, proxied })
    expect(JSON.stringify(requester)).not.toContain('203.0.113.7')
  })

  test('users behind one proxy are told apart, clients by their User-Agent', () => {
    const one = readRequester({ 'user-agent': 'a', 'x-forwarded-for': '203.0.113.7' })
    const two = readRequester({ 'user-agent': 'a', 'x-forwarded-for': '203.0.113.8' })
    expect(one.agentMark).toBe(two.agentMark)
    expect(one.userMark).not.toBe(two.userMark)
    expect(readRequester({ 'user-agent': 'b' }).agentMark).not.toBe(one.agentMark)
  })
})

describe('a late event loop', () => {
  test('is seen while it is late and for a second after, and only while somebody looks', () => {
    const clock = new ManualClock()
    const loop = new LoopDelay(clock)
    expect([loop.ms, loop.presentMs]).toEqual([0, 0])
    loop.start()
    loop.start()
    expect(clock.pending).toBe(1)
    clock.advance(500)
    expect(loop.ms).toBe(0)
    stall(clock, 800)
    expect([loop.ms, loop.presentMs]).toEqual([800, 800])
    clock.advance(300)
    expect([loop.ms, loop.presentMs]).toEqual([800, 0])
    clock.advance(1500)
    expect(loop.ms).toBe(0)
    loop.stop()
    expect(clock.pending).toBe(0)
  })
})

/** Time passes, and nothing that is due runs before it has passed. */
function stall(clock: ManualClock, ms: number): void {
  const { now } = clock
  const base = clock.now()
  const due = (clock.waits[0] ?? 0) + ms
  clock.now = () => base + due
  clock.advance(clock.waits[0] ?? 0)
  clock.now = now
  clock.advance(0)
}

describe('the other connections of a client', () => {
  test('ended with this one, or stand; whether it asked again', () => {
    const book = new ClientBook(100)
    for (let count = 0; count < 4; count++) book.opened('one')
    book.closed('one', { at: 1000, ageMs: 5000 })
    book.closed('one', { at: 1050, ageMs: 5000 })
    book.closed('one', { at: 400, ageMs: 5000 })
    book.lostRequest('one', { at: 1000, ageMs: 300 })
    book.lostRequest('one', { at: 1050, ageMs: 900 })
    expect(book.around('one', 1000, 'GET /')).toEqual({ stood: 3, ended: 2, lost: 2, lostAtSameAge: false })
    book.asked('one', 1200, 'GET /')
    expect(book.around('one', 1000, 'GET /')).toMatchObject({ backAfterMs: 200, backForSame: true })
    // What this server closes is no word of the client's.
    book.closed('one')
    expect(book.around('one', 1000, 'GET /')).toMatchObject({ stood: 2, ended: 2 })
  })
})

describe('hang-ups of late', () => {
  const at = (when: number, afterMs: number, more: { client?: string; user?: string; address?: string } = {}) => ({
    at: when,
    afterMs,
    client: 'c',
    user: 'u',
    address: 'a',
    ...more,
  })

  test('what one client drops in one moment counts once; the same address is compared alone where it can be', () => {
    const departures = new Departures()
    departures.compare(at(1000, 500))
    expect(departures.compare(at(1050, 502))).toMatchObject({ others: 0, near: 0 })
    expect(departures.compare(at(3000, 505))).toMatchObject({ others: 2, near: 2, users: 1, sameAddress: false })
    for (let count = 0; count < 4; count++)
      departures.compare(at(5000 + count * 1000, 2500, { address: 'b', user: `u${count}` }))
    expect(departures.compare(at(10_000, 2510, { address: 'b', user: 'u9' }))).toEqual({
      others: 4,
      near: 4,
      users: 5,
      sameAddress: true,
    })
  })
})
