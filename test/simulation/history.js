// One history from its plan to its end: calls, policies and far side on one simulated clock.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { Choices } from '../chaos/choices.js'
import { SimCall } from './call.js'
import { Judge } from './judge.js'
import { OriginWatch } from './origin-watch.js'
import { planHistory } from './plan.js'
import { SimClock } from './sim-clock.js'

/**
 * @typedef {import('./far-side.js').Answer} Answer
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {import('../../src/wire/socket-record.js').SocketRecord} SocketRecord
 * @typedef {import('../../src/call/spec.js').CallHost} CallHost
 * @typedef {{ runCall: typeof import('../../src/call/call.js').runCall,
 *   Origins: typeof import('../../src/origin/origins.js').Origins,
 *   Connections: typeof import('../../src/wire/undici-connections.js').Connections,
 *   SocketRecord: typeof import('../../src/wire/socket-record.js').SocketRecord,
 *   isOffhookError: typeof import('../../src/failure/errors.js').isOffhookError,
 *   checkClientOptions: typeof import('../../src/options.js').checkClientOptions,
 *   channelNames: typeof import('../../src/telemetry/channels.js').channelNames }} Parts the code under test
 * @typedef {{ seed: number, what: string, call: number | undefined, at: number }} Violation
 */

/** A history that goes on for longer than this will never end. */
const mostSteps = 20_000

export class World {
  parts
  plan
  clock = new SimClock()
  settings
  policy
  judge = new Judge(this)
  /** @type {SimCall[]} */
  calls = []
  /** @type {Violation[]} */
  violations = []
  sharedAbort = new AbortController()
  /** @type {string[]} */
  story = []
  told
  /** The client was destroyed. */
  gone = false
  refusal = new Error('the client takes no more calls')
  /** The way that the attempt now made was told to take. */
  route = 'pooled'
  foreignDispatcher
  #origins
  #connections
  /** @type {Map<string, OriginWatch>} */
  #watches = new Map()
  /** @type {Map<import('../../src/call/spec.js').RunningCall, SimCall>} */
  #running = new Map()
  #dice

  /**
   * @param {Parts} parts
   * @param {number} seed
   * @param {boolean} [told] the history is written down
   */
  constructor(parts, seed, told = false) {
    this.parts = parts
    this.told = told
    this.plan = planHistory(seed)
    const dice = new Choices(seed, 5)
    this.#dice = () => dice.number()
    const { retry, budget, breaker, throttle, concurrency, hedge } = this.plan
    const given = { retry, budget, breaker, throttle, concurrency, hedge }
    const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const options = parts.checkClientOptions(known)
    this.settings = options.origin
    this.policy = options.retry
    this.#origins = new parts.Origins(options.origin, this.clock, this.#dice)
    const nowhere = /** @type {any} */ ({ dispatch: () => false })
    this.foreignDispatcher = nowhere
    const world = this
    const host = /** @type {any} */ ({
      clock: this.clock,
      addresses: undefined,
      lookout: this.#lookout(),
      watch: () => undefined,
    })
    this.#connections = new (class extends parts.Connections {
      /** @override */
      by(/** @type {import('../../src/wire/undici-connections.js').Route} */ route) {
        world.route = route
        return nowhere
      }
    })(options.connections, host)
  }

  /** @param {string} name */
  origin(name) {
    let watch = this.#watches.get(name)
    if (watch === undefined) {
      watch = new OriginWatch(this.#origins.of(name), this)
      this.#watches.set(name, watch)
      for (let sample = 0; sample < this.plan.primed; sample++) watch.origin.hedge?.record(this.clock.now(), 30)
    }
    return watch
  }

  /** Attempts at work at an origin, those of hedges aside: these take no place of their own. @param {string} name */
  running(name) {
    if (this.settings.concurrency === undefined) return 0
    const here = this.calls.filter(({ plan, abortedAt }) => plan.origin === name && abortedAt === undefined)
    const all = here.flatMap(({ tries }) => tries)
    const ended = (/** @type {import('./far-side.js').Try} */ one) =>
      one.overAt !== undefined || one.answer !== undefined || one.stopped || one.exchange?.abandoned !== undefined
    return all.filter((one) => !one.hedge && !ended(one)).length
  }

  /** @param {SimCall} call @returns {CallHost} */
  hostFor(call) {
    const world = this
    return {
      clock: this.clock,
      random: this.#dice,
      connections: this.#connections,
      gated: this.#origins.gated,
      origin: (name) => this.origin(name).origin,
      ...(this.plan.probes && {
        probe: (evidence, withinMs) =>
          new Promise((resolve) => this.clock.later(Math.max(0, Math.min(7, withinMs)), () => resolve(evidence))),
      }),
      enter(running) {
        if (world.gone) throw world.refusal
        call.entered++
        world.#running.set(running, call)
      },
      leave(running) {
        call.left++
        if (!world.#running.delete(running)) world.violated('a call leaves that is not there', call)
      },
    }
  }

  /**
   * A call within a call, to the same origin, as a fetch that drives another client makes it.
   *
   * @param {SimCall} outer
   * @param {AbortSignal} signal
   * @param {Choices} dice
   */
  callWithin(outer, signal, dice) {
    const id = this.calls.length
    const plan = {
      ...outer.plan,
      ...{ id, seed: dice.whole(0, 2 ** 31), abort: undefined, total: undefined, foreign: false, inner: true },
      // An origin of its own: whoever waits for a place that he holds himself waits for ever.
      origin: 'http://inner.test',
    }
    const inner = new SimCall(this, plan, signal)
    this.calls.push(inner)
    return inner.run()
  }

  /**
   * @param {boolean} reused
   * @param {Choices} dice
   */
  connection(reused, dice) {
    const record = new this.parts.SocketRecord(this.clock, { secure: false, named: false })
    record.dialPhase = 'open'
    record.establishedAt = this.clock.now()
    if (reused) {
      record.requests = dice.whole(1, 9)
      record.lastUsedAt = this.clock.now() - dice.whole(0, 900)
    } else if (dice.chance(0.3)) {
      record.addresses = /** @type {any} */ ({ untried: 1, failed: () => {} })
    }
    if (this.plan.looks) record.sight.lookout = this.#lookout()
    return record
  }

  /** @param {SocketRecord} socket */
  line(socket) {
    return { socket, waiting: 0, begun: new Set(), used: () => {}, answered: () => {}, failed: () => {} }
  }

  /**
   * What happened, for whoever reads the history.
   *
   * @param {SimCall} call
   * @param {() => string} what
   */
  tell(call, what) {
    if (this.told)
      this.story.push(`${String(this.clock.now() - 1_000).padStart(8)} ms  call ${call.plan.id}  ${what()}`)
  }

  /**
   * @param {string} what
   * @param {SimCall} [call]
   */
  violated(what, call) {
    if (call !== undefined) this.tell(call, () => `VIOLATION: ${what}`)
    this.violations.push({ seed: this.plan.seed, what, call: call?.plan.id, at: this.clock.now() })
  }

  async run() {
    const deaf = this.plan.heard ? listen(this.parts.channelNames) : undefined
    for (const plan of this.plan.calls) {
      const call = new SimCall(this, plan)
      this.calls.push(call)
      this.clock.later(plan.at, () => void call.run().catch(() => {}))
    }
    if (this.plan.destroyAt !== undefined) this.clock.later(this.plan.destroyAt, () => this.#destroy())
    let steps = 0
    do {
      // Everything that follows from the last step happens before the next one.
      await new Promise((resolve) => setImmediate(resolve))
      this.#look()
    } while (this.violations.length === 0 && ++steps < mostSteps && this.clock.step())
    deaf?.()
    if (steps === mostSteps) this.violated('the history does not end')
    if (this.violations.length === 0) this.#atEnd()
    return {
      violations: this.violations,
      steps,
      attempts: this.calls.reduce((sum, { tries }) => sum + tries.length, 0),
    }
  }

  /** What must hold whenever nothing more follows from what has happened. */
  #look() {
    const now = this.clock.now()
    for (const call of this.calls) {
      if (call.settled !== undefined || call.startedAt === 0) continue
      const { total } = call.plan
      if (total !== undefined && now > call.startedAt + total)
        this.violated('the call has not settled by its deadline', call)
      if (call.abortedAt !== undefined && now > call.abortedAt)
        this.violated('the call has not settled after its abort', call)
    }
    if (this.clock.pending > 0 && this.clock.quiet && this.#isOver())
      this.violated(`${this.clock.pending} timers are left when everything is over`)
  }

  #isOver() {
    return this.calls.every(
      ({ settled, tries }) => settled !== undefined && tries.every(({ overAt }) => overAt !== undefined),
    )
  }

  #destroy() {
    this.gone = true
    for (const running of [...this.#running.keys()]) running.end(running.destroyed(this.refusal))
  }

  #atEnd() {
    for (const call of this.calls) {
      this.judge.atEnd(call)
      // The one is the world's own.
      const listeners = getEventListeners(call.abort.signal, 'abort').length
      if (listeners > (call.signal === call.abort.signal ? 1 : 0))
        this.violated(`${listeners} listeners are left on the signal`, call)
    }
    const sharing = this.calls.filter(({ signal }) => signal === this.sharedAbort.signal).length
    const shared = getEventListeners(this.sharedAbort.signal, 'abort').length
    if (shared > sharing) this.violated(`${shared - sharing} listeners are left on the shared signal`)
    if (this.clock.pending !== 0) this.violated(`${this.clock.pending} timers are left`)
    if (this.#running.size !== 0) this.violated(`${this.#running.size} calls are still registered`)
    for (const watch of this.#watches.values()) watch.atEnd()
  }

  #lookout() {
    const { clock } = this
    return /** @type {any} */ ({
      clock,
      counters: { moved: () => undefined },
      siblings: { since: () => undefined },
      rows: { of: () => Promise.resolve(undefined) },
      loop: { delayWithin: () => undefined, jumpWithin: () => undefined },
      roundTrip: () => undefined,
      marksOf: () => undefined,
      isLocal: () => true,
    })
  }
}

/**
 * Somebody listens to everything, which takes other ways through the code.
 *
 * @param {Parts['channelNames']} names
 */
function listen({ call, attempt, decision }) {
  const ear = () => {}
  for (const name of [call, attempt, decision]) subscribe(name, ear)
  return () => {
    for (const name of [call, attempt, decision]) unsubscribe(name, ear)
  }
}
