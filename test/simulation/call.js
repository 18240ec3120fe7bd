// One call of a history: what it asks for, who sends it, and what its caller sees.

import { Choices } from '../chaos/choices.js'
import { Request } from './far-side.js'

/**
 * @typedef {import('./far-side.js').Answer} Answer
 * @typedef {import('./far-side.js').Try} Try
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {import('./history.js').World} World
 * @typedef {import('../../src/attempt/sender.js').Sending} Sending
 * @typedef {import('../../src/clock.js').Clock} Clock
 */

/** Reason of a caller that has had enough. */
export class Enough extends Error {}

export class SimCall {
  #world
  #dice
  plan
  /** @type {Try[]} */
  tries = []
  startedAt = 0
  /** @type {number | undefined} */
  abortedAt
  /** @type {{ at: number, answer?: Answer, error?: unknown } | undefined} */
  settled
  bodyTouched = false
  /** Entered and left: once each, or not at all. */
  entered = 0
  left = 0
  /** What the oracle remembers: attempts that count, free ones in a row, and what each row has given. */
  counted = 0
  freeInRow = 0
  /** @type {Map<number, number>} */
  rows = new Map()
  /** Two attempts at once have failed, each in its own way. */
  vague = false
  abort
  signal

  /**
   * @param {World} world
   * @param {CallPlan} plan
   * @param {AbortSignal} [signal] of the call that this one is part of
   */
  constructor(world, plan, signal) {
    this.#world = world
    this.plan = plan
    this.#dice = new Choices(plan.seed, 4)
    this.abort = new AbortController()
    this.signal = signal ?? (plan.sharesSignal ? world.sharedAbort.signal : this.abort.signal)
  }

  /** @returns {Promise<Answer>} */
  async run() {
    const { plan } = this
    this.startedAt = this.#world.clock.now()
    this.#world.tell(
      this,
      () =>
        `starts: ${plan.cls} ${plan.method} ${plan.origin}, total ${plan.total}, body ${plan.body}, ${plan.foreign ? 'foreign dispatcher' : 'own sockets'}`,
    )
    if (plan.abort?.on === 'time') this.#world.clock.later(plan.abort.ms, () => this.#enough())
    this.signal.addEventListener('abort', () => this.#heard(), { once: true })
    if (this.signal.aborted) this.#heard()
    try {
      const answer = await this.#world.parts.runCall(this.#spec(), this.#world.hostFor(this))
      this.settled = { at: this.#world.clock.now(), answer }
      this.#world.judge.answered(this, answer)
      if (this.#dice.chance(0.2)) answer.cancel()
      return answer
    } catch (error) {
      this.settled = { at: this.#world.clock.now(), error }
      this.#world.judge.failed(this, error)
      throw error
    }
  }

  /** Something happens to a request of this call: a good moment to abort. @param {'begin' | 'start' | 'over' | 'head'} what */
  moment(what) {
    const { abort } = this.plan
    if (abort?.on !== what) return
    const hop = (/** @type {number} */ left) => {
      if (left === 0) this.#enough()
      else queueMicrotask(() => hop(left - 1))
    }
    hop(abort.hops)
  }

  #enough() {
    if (this.signal === this.abort.signal) this.abort.abort(new Enough())
    else if (this.signal === this.#world.sharedAbort.signal) this.#world.sharedAbort.abort(new Enough())
  }

  #heard() {
    this.abortedAt ??= this.#world.clock.now()
    this.#world.tell(this, () => 'is aborted')
  }

  /** @returns {import('../../src/call/spec.js').CallSpec<Answer>} */
  #spec() {
    const { plan } = this
    const { policy, plan: history } = this.#world
    return {
      sender: this.#sender(),
      target: () => ({ method: plan.method, origin: plan.origin, path: '/it' }),
      requestClass: plan.cls,
      replayable: () => plan.body === 'replayable' || !this.bodyTouched,
      signal: this.signal,
      limits: { ...history.limits, total: plan.total },
      retry: policy,
      hedge: plan.hedge,
      throwOnStatus: plan.throwOnStatus,
      resumes: false,
      dispatcher: plan.foreign ? this.#world.foreignDispatcher : undefined,
    }
  }

  /** @returns {import('../../src/attempt/sender.js').Sender<Answer>} */
  #sender() {
    return {
      send: (sending) => this.#send(sending),
      status: ({ status }) => status,
      header:
        ({ headers }) =>
        (name) =>
          headers[name],
      discard: (answer) => {
        if (answer.discarded) this.#world.violated('an answer was thrown away twice', this)
        answer.discarded = true
        answer.cancel()
      },
      isMistake: () => this.#dice.chance(0.5),
    }
  }

  /** @param {Sending} sending @returns {Promise<Answer>} */
  #send(sending) {
    return new Promise((resolve, reject) => {
      const watch = this.#world.origin(this.plan.origin)
      const hedge = watch.hedgeComing
      watch.hedgeComing = false
      /** @type {Try} */
      const tried = {
        number: this.tries.filter((one) => !one.hedge).length + (hedge ? 0 : 1),
        hedge,
        fate: 'none yet',
        ruling: undefined,
        begunAt: this.#world.clock.now(),
        dispatched: false,
        reused: false,
        started: false,
        processed: false,
        proved: false,
        redirected: false,
        overAt: undefined,
        status: undefined,
        answer: undefined,
        stopped: false,
        exchange: undefined,
      }
      this.#world.judge.begins(this, tried)
      this.tries.push(tried)
      this.moment('begin')
      new Request(this.#world, { call: this, tried, settle: { resolve, reject } }).go(sending)
    })
  }
}
