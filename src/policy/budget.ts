/**
 * Why a budget, and not just a maximum number of attempts: three attempts a call are harmless while one call in a
 * hundred fails, and they triple the load at the very moment when a server cannot bear it. A server that stalls for
 * ten seconds at two thirds of its capacity is kept down for ever by clients that make a single extra attempt each.
 *
 * A budget ties the extra attempts to what works: every success earns a share of a retry, a retry costs one. While
 * things go well there is always credit, in a full outage it is gone within seconds and the load falls back to one
 * attempt a call. Credit that scales with the traffic also survives a rolling restart, where hundreds of requests are
 * cut at once; a small fixed bucket doesn't.
 *
 * There is no allowance by the second. Ten retries a second are nothing in one large process and an outage in a hundred
 * small ones, since every one of them has its own. The reserve of ten is full once, at the start, and then only
 * successes fill it.
 */

import type { BudgetSettings } from './budget-options.js'
import { SlidingWindow } from './window.js'

/** What a budget holds and what it has done. In tokens, and in numbers of retries since the start. */
export interface BudgetSnapshot {
  /** Tokens that can be spent now. */
  readonly level: number
  /** Of these, earned in the last window. */
  readonly credit: number
  /** Of these, in the reserve. */
  readonly reserve: number
  /** Retries and hedges that were granted. */
  readonly granted: number
  /** Retries and hedges that were refused. */
  readonly denied: number
  /** Granted ones that succeeded and were given back their token. */
  readonly refunded: number
}

/** Tokens are counted in millionths, as whole numbers: a tenth added ten times must make one. */
const unit = 1_000_000
const slots = 10
const credit = 0

/**
 * The retry budget of one origin, shared by its retries and its hedges.
 *
 * The order of events: `onSuccess` for every attempt that succeeded, first tries included; `onFailure` for every one
 * that failed; `withdraw` before an extra attempt, and nothing more when it says no; `refund` after `onSuccess` when
 * the attempt that succeeded had been paid for.
 */
export class RetryBudget {
  /** Price of a retry after a throttling answer, in tokens: what to hand to {@link RetryBudget.withdraw} then. */
  readonly throttleCost: number
  readonly #settings: BudgetSettings
  readonly #earned: number
  readonly #refilled: number
  readonly #capacity: number
  readonly #window: SlidingWindow
  readonly #allowance: Allowance | undefined
  #reserve: number
  /** Paid and not given back: no more than this can ever be refunded. */
  #paid = 0
  #granted = 0
  #denied = 0
  #refunded = 0

  /** @param settings from `checkBudgetOptions` */
  constructor(settings: BudgetSettings) {
    this.#settings = settings
    this.throttleCost = settings.throttleCost
    this.#earned = tokens(settings.ratio)
    this.#refilled = tokens(settings.refill)
    this.#capacity = tokens(settings.reserve)
    this.#reserve = this.#capacity
    this.#window = new SlidingWindow(settings.windowMs, slots)
    this.#allowance = settings.perSecond > 0 ? new Allowance(settings.perSecond, settings.windowMs) : undefined
  }

  /** An attempt succeeded, the first or a later one. */
  onSuccess(now: number): void {
    if (this.#earned > 0) this.#window.add(now, credit, this.#earned)
    if (this.#reserve < this.#capacity) this.#reserve = Math.min(this.#capacity, this.#reserve + this.#refilled)
  }

  /** An attempt failed in a way that could be retried. Only the preset `grpc` takes notice. */
  onFailure(): void {
    this.#reserve = Math.max(0, this.#reserve - tokens(this.#settings.failureCost))
  }

  /**
   * Asks for one extra attempt and pays for it.
   *
   * @param now monotonic milliseconds
   * @param cost tokens: 1, or {@link RetryBudget.throttleCost} after a throttling answer
   * @returns whether the attempt may be made; nothing was paid when it may not
   */
  withdraw(now: number, cost = 1): boolean {
    const price = tokens(Math.max(0, cost) * this.#settings.retryCost)
    if (!this.#settings.unlimited && !this.#affords(now, price)) {
      this.#denied++
      return false
    }
    this.#granted++
    if (this.#settings.unlimited) return true
    this.#paid += price
    // What expires first is spent first; the reserve, which only successes refill, comes last.
    let left = price - this.#window.take(now, credit, price)
    if (left > 0 && this.#allowance !== undefined) left -= this.#allowance.take(now, left)
    this.#reserve -= left
    return true
  }

  /**
   * Gives back what an extra attempt had cost, because it succeeded. Never more than is still owed.
   *
   * @param now monotonic milliseconds
   * @param cost what was handed to {@link RetryBudget.withdraw}
   */
  refund(now: number, cost = 1): void {
    if (!this.#settings.refund || this.#settings.unlimited) return
    const owed = Math.min(tokens(Math.max(0, cost) * this.#settings.retryCost), this.#paid)
    if (!(owed > 0)) return
    this.#paid -= owed
    this.#refunded++
    // Where retries do not earn, the deposit that `onSuccess` has just made for this one is part of the refund.
    const due = this.#settings.retriesEarn ? owed : Math.max(0, owed - this.#earned - this.#refilled)
    const room = Math.min(due, this.#capacity - this.#reserve)
    this.#reserve += room
    if (due > room && this.#earned > 0) this.#window.add(now, credit, due - room)
  }

  /** Tokens that can be spent now. Infinity without a budget. */
  level(now: number): number {
    return this.#settings.unlimited ? Number.POSITIVE_INFINITY : this.#level(now) / unit
  }

  /** What the budget holds and what it has done, for statistics. */
  snapshot(now: number): BudgetSnapshot {
    return {
      level: this.level(now),
      credit: this.#window.total(now, credit) / unit,
      reserve: this.#reserve / unit,
      granted: this.#granted,
      denied: this.#denied,
      refunded: this.#refunded,
    }
  }

  #affords(now: number, price: number): boolean {
    const level = this.#level(now)
    // A price that is not a number is never affordable.
    return level - price >= 0 && (this.#settings.threshold === 0 || level > tokens(this.#settings.threshold))
  }

  #level(now: number): number {
    return this.#window.total(now, credit) + this.#reserve + (this.#allowance?.level(now) ?? 0)
  }
}

/** So many tokens a second, and one window's worth of them at most. */
class Allowance {
  readonly #perMs: number
  readonly #capacity: number
  #level: number
  #at = Number.NEGATIVE_INFINITY

  constructor(perSecond: number, windowMs: number) {
    this.#perMs = tokens(perSecond) / 1000
    this.#capacity = tokens((perSecond * windowMs) / 1000)
    this.#level = this.#capacity
  }

  level(now: number): number {
    if (now > this.#at) {
      this.#level = Math.min(this.#capacity, this.#level + (now - this.#at) * this.#perMs)
      this.#at = now
    }
    return this.#level
  }

  take(now: number, amount: number): number {
    const taken = Math.min(this.level(now), amount)
    this.#level -= taken
    return taken
  }
}

function tokens(amount: number): number {
  return Math.round(amount * unit)
}
