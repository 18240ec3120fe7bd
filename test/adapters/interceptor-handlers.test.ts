/**
 * Whatever a dispatcher does and whenever its reader pauses: the handler is told one story, in order, whole. Dispatchers
 * here are made up, some of them ruder than any of undici's: they heed no pause, and end when nobody expects it.
 */

import fc from 'fast-check'
import type { Dispatcher } from 'undici'
import { describe, expect, test } from 'vitest'
import { type ResilientOptions, resilient } from '../../src/adapters/interceptor.js'
import type { Controller, NewHandler } from '../../src/wire/handler-shapes.js'

interface Script {
  readonly status: number
  readonly chunks: readonly string[]
  readonly ends: 'end' | 'error'
  /** Several moves may happen in the same turn: a 1 begins a new turn before the move. */
  readonly turns: readonly boolean[]
  readonly heedsPause: boolean
}

const script: fc.Arbitrary<Script> = fc.record({
  status: fc.constantFrom(200, 204, 404),
  chunks: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 12 }),
  ends: fc.constantFrom('end', 'error'),
  turns: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
  heedsPause: fc.boolean(),
})

class Scripted implements Controller {
  readonly #handler: NewHandler
  readonly #moves: (() => void)[]
  readonly #script: Script
  #at = 0
  #paused = false
  #running = false
  #stopped = false
  rawHeaders = null
  rawTrailers = null
  /** Whether the body was asked to wait, when the head had been told. */
  pausedAtHead: boolean | undefined

  constructor(handler: NewHandler, script: Script) {
    this.#handler = handler
    this.#script = script
    const { status, chunks, ends } = script
    this.#moves = [
      () => handler.onRequestStart?.(this, null),
      () => handler.onResponseStart?.(this, 103, {}),
      () => {
        handler.onResponseStart?.(this, status, { 'x-status': String(status) }, 'So')
        this.pausedAtHead = this.#paused
      },
      ...chunks.map((chunk) => () => handler.onResponseData?.(this, Buffer.from(chunk))),
      () => {
        if (ends === 'end') handler.onResponseEnd?.(this, { 'x-sum': '1' })
        else handler.onResponseError?.(this, new Error('cut'))
      },
    ]
  }

  abort(reason: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#handler.onResponseError?.(this, reason)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.run()
  }

  run(): void {
    if (this.#running) return
    this.#running = true
    while (!this.#stopped && this.#at < this.#moves.length && !(this.#script.heedsPause && this.#paused)) {
      if (this.#script.turns[this.#at % this.#script.turns.length] === true) {
        setImmediate(() => {
          this.#running = false
          this.#step()
          this.run()
        })
        return
      }
      this.#step()
    }
    this.#running = false
  }

  #step(): void {
    if (this.#stopped || (this.#script.heedsPause && this.#paused)) return
    const move = this.#moves[this.#at++]
    if (this.#at === this.#moves.length) this.#stopped = true
    move?.()
  }
}

/** Pauses where it is told to, and resumes a turn later. */
class Reader implements NewHandler {
  readonly told: string[] = []
  readonly #pauses: readonly boolean[]
  readonly #done: () => void
  text = ''
  informed = 0
  heardWhilePaused = 0
  error: unknown
  #paused = false
  #heard = 0

  constructor(pauses: readonly boolean[], done: () => void) {
    this.#pauses = pauses
    this.#done = done
  }

  onRequestStart(): void {
    this.told.push('start')
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status < 200) this.informed++
    else {
      this.told.push(`head ${status}`)
      this.#maybePause(controller)
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#paused) this.heardWhilePaused++
    this.text += chunk.toString()
    this.#maybePause(controller)
  }

  onResponseEnd(_controller: Controller, trailers: Record<string, unknown>): void {
    this.told.push(`end ${trailers['x-sum']}`)
    this.#done()
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.error = error
    this.told.push('error')
    this.#done()
  }

  #maybePause(controller: Controller): void {
    if (this.#pauses[this.#heard++ % this.#pauses.length] !== true) return
    this.#paused = true
    controller.pause()
    setImmediate(() => {
      this.#paused = false
      controller.resume()
    })
  }
}

async function play(scripts: readonly Script[], pauses: readonly boolean[], options: ResilientOptions = {}) {
  let attempts = 0
  const dispatchers: Scripted[] = []
  const dispatch = resilient({ random: () => 0, budget: false, ...options })((_options, handler) => {
    const next = new Scripted(handler as NewHandler, scripts[Math.min(attempts++, scripts.length - 1)] as Script)
    next.run()
    dispatchers.push(next)
    return true
  })
  const reader = await new Promise<Reader>((resolve) => {
    const made: Reader = new Reader(pauses, () => resolve(made))
    dispatch({ origin: 'http://a.test', path: '/', method: 'GET' }, made as Dispatcher.DispatchHandler)
  })
  // Whatever is still to come would come within a few turns; none of it may reach the handler.
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
  return { reader, attempts, dispatchers }
}

const pauses = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 })

describe('one story', () => {
  test('one start, one head, every byte in order, one end; nothing while paused', async () => {
    await fc.assert(
      fc.asyncProperty(script, pauses, async (given, pausing) => {
        const { reader, attempts, dispatchers } = await play([given], pausing)
        // Until it is decided what becomes of the answer, its body waits where it comes from.
        expect(dispatchers.map(({ pausedAtHead }) => pausedAtHead)).toEqual(dispatchers.map(() => true))
        const whole = given.chunks.join('')
        expect(reader.heardWhilePaused).toBe(0)
        if (given.ends === 'end') {
          expect(reader.told).toEqual(['start', `head ${given.status}`, 'end 1'])
          expect(reader.text).toBe(whole)
          expect([attempts, reader.informed]).toEqual([1, 1])
        } else if (reader.told.length === 3) {
          // The head had been handed over before the answer was cut: the error comes to the reader of the body.
          expect(reader.told).toEqual(['start', `head ${given.status}`, 'error'])
          expect(whole.startsWith(reader.text)).toBe(true)
          expect(reader.error).toMatchObject({ phase: 'body', stopReason: 'committed' })
        } else {
          // It was cut in the very turn of its head, before anybody could have it: another attempt may be made.
          expect(reader.told).toEqual(['start', 'error'])
          expect(reader.text).toBe('')
          expect(reader.error).toMatchObject({ delivery: 'partial' })
        }
      }),
      { numRuns: 300 },
    )
  })

  test('nothing of a discarded answer comes through, however it ends', async () => {
    const answered = script.map((given): Script => ({ ...given, status: 200, ends: 'end' }))
    const discarded = script.map((given): Script => ({ ...given, status: 503 }))
    await fc.assert(
      fc.asyncProperty(discarded, answered, pauses, async (first, second, pausing) => {
        const { reader, attempts } = await play([first, second], pausing)
        expect(attempts).toBe(2)
        expect(reader.told).toEqual(['start', 'head 200', 'end 1'])
        expect(reader.text).toBe(second.chunks.join(''))
        expect(reader.heardWhilePaused).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  test('an answer that is buffered comes whole, or not at all', async () => {
    const cut = script.map((given): Script => ({ ...given, status: 200, ends: 'error' }))
    const whole = script.map((given): Script => ({ ...given, status: 200, ends: 'end' }))
    await fc.assert(
      fc.asyncProperty(cut, whole, pauses, async (first, second, pausing) => {
        const { reader, attempts } = await play([first, second], pausing, { retry: { body: 'buffer' } })
        // A failure without a name is charged and repeated for a GET, as the table has it.
        expect(attempts).toBe(2)
        expect(reader.told).toEqual(['start', 'head 200', 'end 1'])
        expect(reader.text).toBe(second.chunks.join(''))
      }),
      { numRuns: 100 },
    )
  })
})

test('a dispatcher that throws is told to the handler, as a typed error', async () => {
  const dispatch = resilient({ random: () => 0, retry: false })(() => {
    throw new Error('not today')
  })
  for (const method of ['GET', 'POST'] as const) {
    const error = await new Promise((resolve) => {
      const handler: NewHandler = {
        onRequestStart: () => {},
        onResponseError: (_controller, reason) => resolve(reason),
      }
      dispatch({ origin: 'http://a.test', path: '/x', method }, handler as Dispatcher.DispatchHandler)
    })
    expect(error).toMatchObject({ origin: 'http://a.test', path: '/x', delivery: 'unsent' })
    expect((error as Error).cause).toMatchObject({ message: 'not today' })
  }
})

test('what the dispatcher below says about more requests is passed on', () => {
  for (const welcome of [true, false]) {
    const dispatch = resilient()(() => welcome)
    const handler = { onRequestStart: () => {}, onResponseError: () => {} } as Dispatcher.DispatchHandler
    expect(dispatch({ origin: 'http://a.test', path: '/', method: 'GET' }, handler)).toBe(welcome)
  }
})
