// A small chaos for every change, and the proof that its judge can fail. `npm run chaos` makes the large ones.

import { createClient, isOffhookError } from 'offhook'
import * as testing from 'offhook/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chaos } from './chaos.js'
import { openFarSide } from './far-side.js'
import { faultOf, knownText } from './known-text.js'
import { LoopClock } from './loop-clock.js'
import { planCall, planWorld } from './plan.js'
import { listenForStrays, resourcesLeft, resourcesNow } from './resources.js'
import { runWorld, type Tools } from './world.js'

let loop: LoopClock
beforeAll(() => {
  loop = new LoopClock()
})
afterAll(() => loop.stop())

type CreateClient = Tools['createClient']
const honest = createClient as unknown as CreateClient

const judged = (seed: number, calls: number, client: CreateClient = honest) =>
  chaos(
    { seed, calls, stopAfter: 1_000 },
    {
      runWorld: (which) =>
        runWorld(which, {
          createClient: client,
          isOurs: isOffhookError,
          openFarSide: (world) => openFarSide(world, testing),
          loop,
        }),
    },
  )

/** A client that is as the real one, but for what is put in the place of its fetch and request. */
const broken =
  (spoil: (send: (url: string, options: object) => Promise<unknown>) => typeof send): CreateClient =>
  (options) => {
    const client = honest(options)
    return {
      fetch: spoil((...call) => client.fetch(...call)) as typeof client.fetch,
      request: spoil((...call) => client.request(...call)),
      stats: () => client.stats(),
      close: () => client.close(),
      destroy: () => client.destroy(),
    }
  }

const faults = ({ found }: Awaited<ReturnType<typeof chaos>>) => found.map(({ fault }) => fault)

describe('chaos', () => {
  // Between them the two worlds of each have HTTP/1, HTTP/2, TLS, proxies, restarts and hedges.
  test.each([5, 6, 30])('breaks no promise: seed %i', { timeout: 60_000 }, async (seed) => {
    const before = resourcesNow()
    const strays: string[] = []
    const listening = listenForStrays((fault) => strays.push(fault))
    const report = await judged(seed, 500)
    expect(await resourcesLeft(before)).toBe(0)
    listening.stop()
    expect(strays).toEqual([])
    expect(report.found.map(({ world, call, fault }) => ({ world, call, fault }))).toEqual([])
    expect(report.calls).toBe(500)
    expect(report.succeeded).toBeGreaterThan(0)
    expect(report.executed).toBeGreaterThan(0)
  })

  test('chooses the same again, whatever was chosen in between', () => {
    const plans = () => [3, 1, 2].map((number) => planCall(planWorld(7, 0), number))
    expect(plans()).toEqual(plans())
    expect(plans()[0]).not.toEqual(planCall(planWorld(8, 0), 3))
    expect(planWorld(7, 4)).toEqual(planWorld(7, 4))
  })
})

describe('the judge can fail', () => {
  test('a client that sends every POST again is found out', { timeout: 60_000 }, async () => {
    const again = broken((send) => async (url, options) => {
      try {
        return await send(url, options)
      } catch (error) {
        if ((error as { delivery?: string }).delivery !== 'unknown') throw error
        return await send(url, options)
      }
    })
    expect(faults(await judged(5, 250, again))).toContainEqual(
      expect.stringMatching(/must not be repeated, and was executed [2-9] times/),
    )
  })

  test('so is one that says of everything that it was not sent', { timeout: 60_000 }, async () => {
    const liar = broken(
      (send) => (url, options) =>
        send(url, options).catch((error) => {
          if (isOffhookError(error)) Object.defineProperty(error, 'mayHaveExecuted', { value: false })
          throw error
        }),
    )
    expect(faults(await judged(5, 250, liar))).toContainEqual(expect.stringContaining('cannot have been executed'))
  })

  test('and one that takes what came of a body for the whole of it', { timeout: 60_000 }, async () => {
    const credulous = broken((send) => async (url, options) => {
      const answer = await send(url, options)
      if (!(answer instanceof Response) || answer.body === null) return answer
      const pieces: Uint8Array[] = []
      try {
        for await (const piece of answer.body) pieces.push(piece)
      } catch {
        // What has come must do.
      }
      return new Response(Buffer.concat(pieces), answer)
    })
    expect(faults(await judged(5, 250, credulous))).toContainEqual(
      expect.stringMatching(/passed as a success with \d+ bytes of \d+|a success brought \d+ bytes, not/),
    )
  })

  test('and one that is late', { timeout: 60_000 }, async () => {
    const late = broken(
      (send) => (url, options) =>
        send(url, options).catch(async (error) => {
          await new Promise((resolve) => setTimeout(resolve, 800))
          throw error
        }),
    )
    expect(faults(await judged(5, 250, late))).toContainEqual(expect.stringContaining('after its deadline'))
  })

  test('and a text that is short, or of somebody else, or mixed', () => {
    const text = knownText('call-1', 500)
    expect(faultOf(text, 'call-1')).toBeUndefined()
    expect(faultOf(text.slice(0, 400), 'call-1')).toBe('400 bytes of 500')
    expect(faultOf(text, 'call-2')).toContain('not of call-2')
    expect(faultOf(`${text.slice(0, 300)}!${text.slice(301)}`, 'call-1')).toContain('not as they were sent')
    expect(faultOf('', 'call-1')).toBeDefined()
  })
})
