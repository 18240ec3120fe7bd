// Stands beside the policies of one origin and compares what they do with what they are meant to.

import { BudgetModel, LimitModel } from './models.js'

/**
 * @typedef {import('../../src/origin/origin.js').Origin} Origin
 * @typedef {import('../../src/origin/origin.js').Pass} Pass
 * @typedef {import('./history.js').World} World
 */

/** What the far side and the judge want to know of an origin. */
export class OriginWatch {
  #world
  origin
  /** Tokens that were granted, and the least that the extra attempts seen since must have cost. */
  granted = 0
  spent = 0
  denied = 0
  hedgesPaid = 0
  /** A hedge was let out and is about to be sent. */
  hedgeComing = false
  good = 0
  /** Passes that were given and not yet reported. */
  passesOut = 0
  #inRow = 0
  #failures = 0
  #counted = 0

  /**
   * @param {Origin} origin
   * @param {World} world
   */
  constructor(origin, world) {
    this.origin = origin
    this.#world = world
    this.#watchBudget()
    this.#watchGate()
    this.#watchHedge()
    this.#watchPasses()
  }

  /** How many attempts may be at work. */
  get places() {
    return this.origin.gate?.limit.limit ?? Number.POSITIVE_INFINITY
  }

  /** Nothing may be left when the history is over. */
  atEnd() {
    const limit = this.origin.gate?.limit
    if (limit !== undefined && (limit.inFlight !== 0 || limit.waiting !== 0))
      this.#world.violated(`${limit.inFlight} are still inside the gate and ${limit.waiting} before it`)
    if (this.passesOut !== 0) this.#world.violated(`${this.passesOut} attempts were let out and never reported`)
  }

  #watchBudget() {
    const { budget } = this.origin
    const model = new BudgetModel(this.#world.settings.budget)
    const compare = (/** @type {number} */ now, /** @type {string} */ after) => {
      const [level, meant] = [budget.level(now), model.level(now) / 1e6]
      if (Number.isFinite(level) && Math.abs(level - meant) > 1e-6)
        this.#world.violated(`the budget stands at ${level} after a ${after}, and is to stand at ${meant}`)
    }
    const withdraw = budget.withdraw.bind(budget)
    budget.withdraw = (now, cost = 1) => {
      const meant = model.grants(now, cost)
      const granted = withdraw(now, cost)
      if (granted !== meant) this.#world.violated(`the budget ${granted ? 'grants' : 'denies'} ${cost} and must not`)
      compare(now, 'question')
      if (granted) this.granted += cost
      else this.denied++
      if (!granted && this.hedgeComing) this.hedgeComing = false
      return granted
    }
    const onSuccess = budget.onSuccess.bind(budget)
    budget.onSuccess = (now) => {
      model.success(now)
      onSuccess(now)
      compare(now, 'success')
    }
    const onFailure = budget.onFailure.bind(budget)
    budget.onFailure = () => {
      model.failure()
      onFailure()
      compare(this.#world.clock.now(), 'failure')
    }
    const refund = budget.refund.bind(budget)
    budget.refund = (now, cost = 1) => {
      model.refund(now, cost)
      refund(now, cost)
      compare(now, 'refund')
    }
  }

  #watchGate() {
    const { gate } = this.origin
    if (gate === undefined || this.#world.settings.concurrency === undefined) return
    const { limit } = gate
    const model = new LimitModel(this.#world.settings.concurrency)
    const agree = (/** @type {unknown} */ got, /** @type {unknown} */ meant) => {
      const same = got === meant && limit.inFlight === model.inside && limit.waiting === model.waiting
      if (!same || limit.limit !== model.places)
        this.#world.violated(
          `the limit says ${got}, ${limit.inFlight} of ${limit.limit}, ${limit.waiting} wait; meant is ${meant}, ${model.inside} of ${model.places}, ${model.waiting}`,
        )
    }
    const tryEnter = limit.tryEnter.bind(limit)
    limit.tryEnter = () => {
      const got = tryEnter()
      agree(got, model.enter())
      return got
    }
    const next = limit.next.bind(limit)
    limit.next = () => {
      const got = next()
      agree(got, model.next())
      return got
    }
    const leave = limit.leave.bind(limit)
    limit.leave = (outcome) => {
      leave(outcome)
      agree(undefined, model.leave(outcome))
    }
    const giveUp = limit.giveUp.bind(limit)
    limit.giveUp = () => {
      giveUp()
      model.waiting--
      agree(undefined, undefined)
    }
  }

  #watchHedge() {
    const { hedge } = this.origin
    if (hedge === undefined) return
    const tryHedge = hedge.tryHedge.bind(hedge)
    hedge.tryHedge = (now) => {
      this.hedgeComing = tryHedge(now)
      return this.hedgeComing
    }
    const cancel = hedge.cancel.bind(hedge)
    hedge.cancel = (now) => {
      this.hedgeComing = false
      cancel(now)
    }
  }

  #watchPasses() {
    const { origin } = this
    const { breaker: numbers, throttle } = this.#world.settings
    const admit = origin.admit.bind(origin)
    const state = () => origin.stats().breaker ?? 'closed'
    origin.admit = (extra) => {
      const before = numbers === undefined ? 'closed' : state()
      const answer = admit(extra)
      const refused = answer === 'breaker'
      const mayRefuse = before !== 'closed' && (extra || numbers?.breaks === 'all')
      if (refused && !mayRefuse) this.#world.violated(`a breaker that is ${before} refuses`)
      if (!refused && before === 'open' && mayRefuse) this.#world.violated('a breaker that is open lets an attempt out')
      if (answer === 'throttled' && !extra && throttle?.throttles !== 'all')
        this.#world.violated('a first try was throttled, and only retries are to be')
      if (typeof answer !== 'string') {
        this.passesOut++
        if (answer.breaker === 'probe' && before !== 'half-open')
          this.#world.violated(`a probe of a breaker that is ${before}`)
      }
      return answer
    }
    const report = origin.report.bind(origin)
    origin.report = (outcome, pass, now) => {
      const before = numbers === undefined ? 'closed' : state()
      report(outcome, pass, now)
      if (pass !== undefined) this.passesOut--
      if (outcome === 'success') this.good++
      if (numbers !== undefined) this.#judgeBreaker(outcome, pass, { before, after: state() })
    }
  }

  /**
   * @param {string} outcome
   * @param {Pass | undefined} pass
   * @param {{ before: string, after: string }} states
   */
  #judgeBreaker(outcome, pass, { before, after }) {
    const numbers = /** @type {import('../../src/policy/breaker.js').BreakerSettings} */ (this.#world.settings.breaker)
    const well = outcome === 'success' || outcome === 'answered'
    if (before !== 'closed') {
      const probe = pass?.breaker === 'probe' && outcome !== 'ignored'
      const meant = probe ? (well ? 'closed' : 'open') : before
      if (after !== meant) this.#world.violated(`a breaker goes from ${before} to ${after} after ${outcome}`)
      if (after !== before || probe) this.#forget()
      return
    }
    if (well) this.#inRow = 0
    else if (outcome === 'connection') this.#inRow++
    if (outcome === 'success') this.#counted++
    if (!well && outcome !== 'ignored') {
      this.#counted++
      this.#failures++
    }
    const inRow = this.#inRow >= numbers.failures
    if (inRow && after === 'closed') this.#world.violated(`${this.#inRow} failures in a row and the breaker is closed`)
    const byShare = this.#failures > 0 && this.#counted >= numbers.minRequests && !well
    if (!inRow && !byShare && after !== 'closed') this.#world.violated('a breaker opens without a reason')
    if (after !== 'closed') this.#forget()
  }

  #forget() {
    this.#inRow = 0
    this.#failures = 0
    this.#counted = 0
  }
}
