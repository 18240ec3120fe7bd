import { describe, expect, test } from 'vitest'
import { type Pinged, PingTimer } from '../../src/wire/ping-timer.js'
import { ManualClock, turns } from '../manual-clock.js'

class Peer implements Pinged {
  bytes = 100
  pings = 0
  deaths = 0
  reachable = true

  read(): number {
    return this.bytes
  }

  ping(): boolean {
    if (this.reachable) this.pings++
    return this.reachable
  }

  dead(): void {
    this.deaths++
  }
}

function timer() {
  const clock = new ManualClock()
  const peer = new Peer()
  return { clock, peer, timer: new PingTimer({ afterMs: 1000, timeoutMs: 200 }, peer, clock) }
}

describe('a connection with requests under way', () => {
  test('that is silent is asked, and given up when it does not answer', async () => {
    const { clock, peer, timer: pings } = timer()
    pings.start()
    clock.advance(999)
    expect(peer.pings).toBe(0)
    clock.advance(1)
    expect([peer.pings, peer.deaths]).toEqual([1, 0])
    clock.advance(200)
    await turns()
    expect([peer.pings, peer.deaths, clock.pending]).toEqual([1, 1, 0])
  })

  test('that answers is asked again after the next silence', async () => {
    const { clock, peer, timer: pings } = timer()
    pings.start()
    for (let round = 1; round <= 5; round++) {
      clock.advance(1000)
      expect(peer.pings).toBe(round)
      peer.bytes += 17
      clock.advance(200)
      await turns()
    }
    expect(peer.deaths).toBe(0)
  })

  test('that is not silent is not asked', () => {
    const { clock, peer, timer: pings } = timer()
    pings.start()
    for (let step = 0; step < 100; step++) {
      peer.bytes += 1
      clock.advance(100)
    }
    expect(peer.pings).toBe(0)
  })

  test('whose answer is there, though the timer came first, lives', async () => {
    const { clock, peer, timer: pings } = timer()
    pings.start()
    clock.advance(1200)
    // What had arrived is read in the turn that the timer grants.
    peer.bytes += 17
    await turns()
    expect(peer.deaths).toBe(0)
  })

  test('that cannot be asked any more is left to whoever ends it', () => {
    const { clock, peer, timer: pings } = timer()
    peer.reachable = false
    pings.start()
    clock.advance(10_000)
    expect([peer.deaths, clock.pending]).toEqual([0, 0])
  })
})

test.each([500, 1100])('nothing is asked or ended once no request is under way: after %d ms', async (ms) => {
  const { clock, peer, timer: pings } = timer()
  pings.start()
  clock.advance(ms)
  pings.stop()
  expect(clock.pending).toBe(0)
  clock.advance(10_000)
  await turns()
  expect(peer.deaths).toBe(0)
})

test('a second start is the first', () => {
  const { clock, timer: pings } = timer()
  pings.start()
  pings.start()
  expect(clock.pending).toBe(1)
})
